"""The product-limit estimate, against figures worked out by hand."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.survival import survival


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
