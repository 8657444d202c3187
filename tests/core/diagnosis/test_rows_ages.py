"""Rows for cuts in the middle of traffic: each limit of what they need."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.features import Shared
from pytest_wsstability.core.diagnosis.rows_ages import ROWS
from tests.core.diagnosis.fitting import fitting, read

TALK = [row for at in range(5, 60, 5) for row in ((at, ">text"), (at + 0.5, "<text"))]


@pytest.mark.parametrize("together", [0, 1])
def test_one_other_that_was_opened_at_the_same_instant_shows_no_timer(together):
    """It ended with it, as after any restart."""
    beside = {"together": together, "shared": Shared.EVERYTHING}
    causes = fitting(ROWS, read((20, "<ping"), (20, ">pong"), *TALK, end=57.3, beside=beside))

    assert any(each.startswith("RESTART") for each in causes) is (together == 1)


@pytest.mark.parametrize(
    ("pings", "last", "outlived"), [(2, 55, False), (3, 55, True), (3, 50, False), (3, 50.25, True)]
)
def test_three_pings_and_less_time_than_between_them_exclude_a_keepalive(pings, last, outlived):
    """Each ten seconds, all answered."""
    talk = [row for at in range(2, 60, 2) for row in ((at, ">text"), (at + 0.5, "<text"))]
    asked = [row for at in range(pings) for row in ((last - 10 * at, "<ping"), (last - 10 * at, ">pong"))]
    causes = fitting(ROWS, read(*talk, *asked, beside={"same_age": 2}))

    assert ("MAX_AGE / KEEPALIVE_TIMEOUT" not in causes) is outlived


@pytest.mark.parametrize(
    ("sent", "fits"),
    [([], False), ([(59, ">text")], True), ([(1, ">pong"), (59, ">text")], True)],
)
def test_a_deadline_for_pongs_needs_an_end_that_sends(sent, fits):
    """Who has sent nothing at all is silent, and not without pongs."""
    stream = [(at, "<text") for at in range(1, 60)]
    causes = fitting(ROWS, read(*stream, *sent, end=60 if len(sent) < 2 else 61))

    assert any(each.startswith("PONG_DEADLINE") for each in causes) is fits


@pytest.mark.parametrize(("pong", "fits"), [(1, False), (1.25, True)])
def test_a_deadline_for_pongs_that_nobody_is_known_for_needs_a_pong_after_the_first_second(pong, fits):
    """Forty seconds without one: before, they may be counted from the opening."""
    talk = [row for at in range(3, 40, 3) for row in ((at, ">text"), (at, "<text"))]
    causes = fitting(ROWS, read((pong, ">pong"), *talk, end=pong + 40))

    assert any(each.startswith("PONG_DEADLINE") for each in causes) is fits
