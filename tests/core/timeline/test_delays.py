"""What faults of a proxy kept back: one entry for each fault and direction."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.delays import DELAYS, Delay, with_delay
from pytest_wsstability.core.timeline.events import Direction, End
from pytest_wsstability.core.timeline.timeline import Timeline

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
FIRST = Delay(SENT, 10.0, 13.0, 3.0)


@pytest.mark.parametrize(
    ("found", "again", "delays"),
    [
        (Delay(SENT, 12.0, 14.0, 2.0), True, [Delay(SENT, 10.0, 14.0, 3.0)]),
        (Delay(SENT, 9.0, 13.5, 3.9), True, [Delay(SENT, 9.0, 13.5, 3.9)]),
        # A large message on a link of little bandwidth, and a small one; and the other way round.
        (Delay(SENT, 20.0, 20.1, 0.1), True, [FIRST, Delay(SENT, 20.0, 20.1, 0.1)]),
        (Delay(SENT, 12.0, 16.0, 4.0), True, [FIRST, Delay(SENT, 12.0, 16.0, 4.0)]),
        # It was said to leave at 13 s, and the link was healed before.
        (Delay(SENT, 10.0, 12.2, 2.2), True, [Delay(SENT, 10.0, 12.2, 2.2)]),
        (Delay(SENT, 10.0, 11.0, 1.0), True, [Delay(SENT, 10.0, 11.0, 1.0)]),
        (Delay(SENT, 12.0, 14.0, 2.0), False, [FIRST, Delay(SENT, 12.0, 14.0, 2.0)]),
        (Delay(RECEIVED, 12.0, 14.0, 2.0), True, [FIRST, Delay(RECEIVED, 12.0, 14.0, 2.0)]),
    ],
)
def test_the_same_fault_has_one_entry_for_each_direction(found, again, delays):
    """The earliest and latest instant, and the longest time: as long as it keeps things back for as long."""
    assert with_delay((FIRST,), found, again=again) == tuple(delays)


def test_the_last_in_its_direction_is_joined():
    """Whatever was kept back the other way meanwhile."""
    other = Delay(RECEIVED, 11.0, 14.0, 3.0)
    found = Delay(SENT, 20.0, 23.0, 3.0)

    assert with_delay((FIRST, other), found, again=True) == (Delay(SENT, 10.0, 23.0, 3.0), other)


def test_what_is_kept_back_the_same_is_joined_though_numbers_are_inexact():
    """A second less the least that a clock counts is a second."""
    again = Delay(SENT, 14.0, 15.999999999, 1.999999999)
    delays = with_delay((Delay(SENT, 10.0, 12.0, 2.0),), again, again=True)

    assert delays == (Delay(SENT, 10.0, 15.999999999, 2.0),)


def test_what_is_kept_back_for_no_time_is_not_what_is_kept_back_for_nearly_a_second():
    """A frame of some bytes on a link of little bandwidth, behind a message."""
    large, small = Delay(SENT, 10.0, 10.7, 0.7), Delay(SENT, 20.0, 20.0003, 0.0003)

    assert with_delay((large,), small, again=True) == (large, small)


def test_the_shortest_of_too_many_goes():
    """It explains the least."""
    delays = tuple(Delay(SENT, at, at + 2, 2 if at % 2 else 1) for at in range(DELAYS))

    long, short = Delay(SENT, 100, 102, 2), Delay(SENT, 100, 100.5, 0.5)

    assert with_delay(delays, long, again=False) == (*delays[1:], long)
    assert with_delay(delays, short, again=False) == delays


def test_the_first_of_too_many_go():
    """Faults that change all the time cost no memory without end."""
    delays = ()
    for at in range(DELAYS + 1):
        delays = with_delay(delays, Delay(SENT, at, at + 1, 1), again=False)

    assert [each.since for each in delays] == list(range(1, DELAYS + 1))


def test_a_report_has_them():
    line = Timeline(End.PROXY, origin=100)
    line.kept_back(RECEIVED, 110, 113, again=False)

    assert Timeline.from_dict(line.as_dict()).delays == (Delay(RECEIVED, 10, 13, 3),)


def test_an_older_report_has_none():
    data = Timeline(End.PROXY).as_dict()
    del data["delays"]

    assert Timeline.from_dict(data).delays == ()
