"""The product-limit estimate, against figures worked out by hand."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.statistics.survival import loss, share_at, survival


@pytest.mark.parametrize(
    ("lifetimes", "steps"),
    [
        ([], []),
        ([(120, False)] * 3, []),
        ([(60, True)], [(60, 0.0)]),
        ([(60, True), (120, False)], [(60, 0.5)]),
        # The one that was no longer watched at 20 counts until then, and not as lost.
        ([(10, True), (20, False), (30, True), (40, False)], [(10, 0.75), (30, 0.375)]),
        # Watched to the very age at which another ended: still at risk there.
        ([(10, False), (10, True)], [(10, 0.5)]),
        # 6-MP group of Freireich et al. (1963), the textbook's example.
        (
            [(6, True)] * 3
            + [
                (6, False),
                (7, True),
                (9, False),
                (10, True),
                (10, False),
                (11, False),
                (13, True),
                (16, True),
            ]
            + [(17, False), (19, False), (20, False), (22, True), (23, True), (25, False), (32, False)]
            + [(32, False), (34, False), (35, False)],
            [(6, 0.8571), (7, 0.8067), (10, 0.7529), (13, 0.6902), (16, 0.6275), (22, 0.5378), (23, 0.4482)],
        ),
    ],
)
def test_estimate(lifetimes, steps):
    """Ages and shares, in order."""
    found = survival(reversed(lifetimes))

    assert [age for age, _ in found] == [age for age, _ in steps]
    assert [share for _, share in found] == pytest.approx([share for _, share in steps], abs=5e-5)


TREATED = (
    [(6, True)] * 3
    + [(6, False), (7, True), (9, False), (10, True), (10, False), (11, False), (13, True), (16, True)]
    + [(17, False), (19, False), (20, False), (22, True), (23, True), (25, False), (32, False)]
    + [(32, False), (34, False), (35, False)]
)
PLACEBO = [(age, True) for age in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


def test_a_loss_is_named_at_the_age_where_it_is_greatest():
    """The textbook's two groups: log-rank 16.79 without forgiveness for ages."""
    found = loss(TREATED, PLACEBO)

    assert found is not None
    assert found.age == 12
    assert found.was.share == pytest.approx(0.7529, abs=5e-5)
    assert found.now.share == pytest.approx(4 / 21)
    assert loss(PLACEBO, TREATED) is None
    assert loss(TREATED, TREATED) is None


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ([], [(1, True)]),
        ([(1, False)], []),
        ([(120, False)], [(60, True)]),
        ([(120, False)] * 3, [(60, True)] * 3),
    ],
)
def test_few_connections_are_no_loss(was, now):
    """Chance explains them."""
    assert loss(was, now) is None


@pytest.mark.parametrize(
    ("lifetimes", "age", "share", "low", "high"),
    [
        ([(120, False)] * 10, 120, 1.0, 0.7225, 1.0),
        ([(60, True)] * 10, 120, 0.0, 0.0, 0.2775),
        ([(60, True)] * 5 + [(120, False)] * 5, 59, 1.0, 0.7225, 1.0),
        # Wilson's own interval of 5 of 10, as nothing was censored.
        ([(60, True)] * 5 + [(120, False)] * 5, 120, 0.5, 0.2366, 0.7634),
        # Half of them were watched until 30 only: the interval is that of fewer.
        ([(30, False)] * 5 + [(60, True)] * 2 + [(120, False)] * 3, 120, 0.6, 0.2307, 0.8824),
    ],
)
def test_share_and_interval(lifetimes, age, share, low, high):
    """As many connections as carry the estimate make the interval."""
    found = share_at(lifetimes, age)

    assert (found.share, found.low, found.high) == pytest.approx((share, low, high), abs=5e-5)
