"""Waits of a client that reconnects: how they grow, what chance may do, and what is refused."""

import random

import pytest

from pytest_wsstability.core.judge.backoff import Backoff


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        (Backoff(first="1s", factor=2, longest="10s", jitter=0), [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]),
        (Backoff(first="500ms", factor=1, jitter=0), [0.5, 0.5, 0.5]),
        (Backoff(first=0, jitter=0), [0.0, 0.0]),
        # As long as the longest from the first on.
        (Backoff(first=30, jitter=0), [30.0, 30.0]),
        (Backoff.of("2s"), [2.0, 2.0, 2.0]),
    ],
)
def test_waits_without_chance(backoff, waits):
    """They grow by the factor up to the longest."""
    assert [backoff.wait(attempt, random.Random(1)) for attempt in range(len(waits))] == waits
    assert [backoff.least(attempt) for attempt in range(len(waits))] == waits


def test_chance_stays_within_the_jitter():
    """No wait is shorter than the least, and they differ."""
    backoff, chance = Backoff(first=10, factor=1, jitter=0.2), random.Random(7)
    waits = [backoff.wait(0, chance) for _ in range(200)]

    assert (backoff.least(0), backoff.most(0)) == (8.0, 12.0)
    assert 8.0 <= min(waits) < 8.5
    assert 11.5 < max(waits) <= 12.0


def test_all_of_a_wait_may_be_random():
    """The jitter is a part from 0 to 1, both included."""
    assert (Backoff(jitter=0).least(0), Backoff(jitter=1).least(0)) == (1.0, 0.0)
    assert (Backoff(jitter=0).most(0), Backoff(jitter=1).most(0)) == (1.0, 2.0)


def test_the_usual_backoff():
    """A second, doubled up to half a minute, give or take a fifth: what libraries do."""
    usual = Backoff()

    assert (usual.first, usual.factor, usual.longest, usual.jitter) == (1.0, 2.0, 30.0, 0.2)


def test_growth_that_floats_cannot_hold_ends_at_the_longest():
    """Slow growth is not cut short, quick growth is no error."""
    slow = Backoff(first="1ms", factor=2, longest="24h", jitter=0)

    assert slow.least(26) == pytest.approx(0.001 * 2**26)
    assert Backoff(first=1, factor=100, longest=30, jitter=0).least(10_000) == 30.0


def test_an_attempt_far_out_waits_the_longest():
    """Powers beyond floats are no error."""
    assert Backoff(jitter=0).wait(10_000, random.Random(1)) == 30.0


def test_a_backoff_is_one_already():
    """`of` takes both."""
    assert Backoff.of(Backoff(first=3)) == Backoff(first=3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"first": -1}, r"^first: -1 is negative"),
        ({"first": "soon"}, r"^first: 'soon' is not a duration"),
        ({"first": "1m"}, r"^longest: 30 s is shorter than the first wait, 60 s$"),
        ({"factor": 0.5}, r"^factor: 0.5 is not a number from 1$"),
        ({"factor": True}, r"^factor: True is not a number from 1$"),
        ({"factor": float("inf")}, r"^factor: inf is not a number from 1$"),
        ({"factor": 10**400}, r"^factor: 10+ is not a number from 1$"),
        ({"jitter": 1.5}, r"^jitter: 1.5 is not a number from 0 to 1$"),
        ({"jitter": "some"}, r"^jitter: 'some' is not a number from 0 to 1$"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    """Name, value and valid ones."""
    with pytest.raises(ValueError, match=message):
        Backoff(**values)


def test_equal_waits_need_a_duration():
    """Zero would be a storm."""
    with pytest.raises(ValueError, match=r"^backoff: must be longer than 0"):
        Backoff.of(0)
