"""The longest of several gaps, for any stretch of the record."""

import pytest

from pytest_wsstability.core.timeline.gaps import longest_before, with_one_more


@pytest.mark.parametrize(
    ("until", "longest"),
    [(0, (0.0, 0.0)), (1, (10, 0)), (29, (10, 0)), (35.5, (20, 25)), (71, (20, 25)), (90.5, (60, 70))],
)
def test_the_gap_of_which_most_lies_before_an_instant(until, longest):
    assert longest_before([(10, 0), (20, 25), (60, 70)], until) == longest


def test_the_shortest_go_where_they_are_too_many():
    gaps = ()
    for number in range(16):
        gaps = with_one_more(gaps, (float(number), 0.0))

    assert gaps == tuple((float(number), 0.0) for number in range(1, 16))
