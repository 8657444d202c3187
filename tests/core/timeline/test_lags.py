"""The longest lags of the test's own loop are kept, whatever comes after them."""

from __future__ import annotations

from array import array

import pytest

from pytest_wsstability.core.timeline.lags import LAGS, add_lag, told_lags


@pytest.mark.parametrize("shortest", range(LAGS))
def test_the_shortest_goes_wherever_it_is(shortest):
    """Of two as short, the first."""
    lags = array("d")
    for at in range(LAGS):
        add_lag(lags, at, 1.0 if at in (shortest, LAGS - 1) else 2.0)
    add_lag(lags, 100, 3.0)

    assert [at for at, _ in told_lags(lags)] == [*(at for at in range(LAGS) if at != shortest), 100]


@pytest.mark.parametrize(("seconds", "is_taken"), [(1.0, False), (1.001, True)])
def test_one_that_is_no_longer_than_the_shortest_is_not_taken(seconds, is_taken):
    lags = array("d")
    for at in range(LAGS):
        add_lag(lags, at, 1.0)
    add_lag(lags, 100, seconds)

    assert (told_lags(lags)[-1] == (100, seconds)) is is_taken


def test_none_are_told_where_there_was_none():
    assert told_lags(None) == []
