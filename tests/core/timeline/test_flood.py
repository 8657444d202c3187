"""A lag of the test's own loop that went into what the peer sent."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.events import EventKind, Opcode, Role
from tests.core.script import RECEIVED, SENT, timeline


def lagged(frames, *, lag=1.0, at=10.0, direction=RECEIVED, opcode=Opcode.TEXT, size=2):
    """A record with so many frames at an instant, and a loop that was late by so much at 11 s."""
    # Its clock began with it, so that no reading has a rounded last bit.
    line = timeline(until=9, origin=0)
    for _ in range(frames):
        line.frame(at, direction, opcode, size, Role.NONE)
    line.mark(11, EventKind.LOOP_LAG, lag)
    return [event.kind for event in line][-1]


@pytest.mark.parametrize(
    ("frames", "more", "kind"),
    [
        (64, {}, EventKind.FLOOD),
        (63, {}, EventKind.LOOP_LAG),
        # All of them control frames, or one that is very large.
        (64, {"opcode": Opcode.PING}, EventKind.FLOOD),
        (1, {"size": 2**20}, EventKind.FLOOD),
        (1, {"size": 2**20 - 1}, EventKind.LOOP_LAG),
        # What this end sends is its own affair.
        (64, {"direction": SENT}, EventKind.LOOP_LAG),
        # The read began when the loop was to be looked at, or up to 0.1 s before.
        (64, {"at": 9.9}, EventKind.FLOOD),
        (64, {"at": 9.89}, EventKind.LOOP_LAG),
        # What waited for a process that stood still is read at the end.
        (64, {"at": 10.5}, EventKind.FLOOD),
        (64, {"at": 10.51}, EventKind.LOOP_LAG),
        (64, {"at": 11.0}, EventKind.LOOP_LAG),
    ],
)
def test_a_flood_is_told_from_a_lag(frames, more, kind):
    """By how much came in one read, and when that began."""
    assert lagged(frames, **more) is kind


def test_a_flood_is_no_lag_of_ours():
    """It excuses nothing, so it is not among the lags."""
    line = timeline(until=9)
    for _ in range(64):
        line.frame(1010, RECEIVED, Opcode.TEXT, 2, Role.DATA)
    line.mark(1011, EventKind.LOOP_LAG, 1.0)

    assert (line.max_lag, line.max_lag_at) == (0, 0)
    assert [(event.at, event.seconds) for event in line if event.kind is EventKind.FLOOD] == [(11, 1)]
