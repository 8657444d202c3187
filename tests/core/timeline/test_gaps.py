"""The longest and the shortest of several gaps, for any stretch of the record."""

import pytest

from pytest_wsstability.core.timeline.gaps import longest_before, shortest_before, with_one_more


@pytest.mark.parametrize(
    ("until", "longest"),
    [(0, (0.0, 0.0)), (1, (10, 0)), (29, (10, 0)), (35.5, (20, 25)), (71, (20, 25)), (90.5, (60, 70))],
)
def test_the_gap_of_which_most_lies_before_an_instant(until, longest):
    assert longest_before([(10, 0), (20, 25), (60, 70)], until) == longest


@pytest.mark.parametrize(
    ("until", "shortest"),
    [(30, None), (30.5, (20, 10)), (70, (20, 10)), (70.5, (10, 60)), (99, (10, 60)), (100, (3, 96))],
)
def test_the_shortest_gap_that_ended_before_an_instant(until, shortest):
    """Of one that goes on beyond it nobody knows yet how long it is."""
    assert shortest_before([(20, 10), (10, 60), (3, 96)], until) == shortest


def test_the_shortest_go_where_they_are_too_many():
    gaps = ()
    for number in range(16):
        gaps = with_one_more(gaps, (float(number), 0.0))

    assert gaps == tuple((float(number), 0.0) for number in range(1, 16))
