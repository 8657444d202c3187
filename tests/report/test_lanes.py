"""What the HTML report's script gets of a timeline."""

from __future__ import annotations

import pytest

from pytest_wsstability import Direction, Event, EventKind, Role
from pytest_wsstability.core.timeline.events import Opcode
from pytest_wsstability.core.timeline.recorder import Recorder, measure_of, sort_of
from pytest_wsstability.report.lanes import lane, round_trips

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED


def packed(*events):
    """Events as a timeline has them."""
    recorder = Recorder(100)
    for number, event in enumerate(events):
        sort = sort_of(event.kind, event.direction, event.opcode, event.role)
        recorder.append(event.at, sort, measure_of(event), number)
    return recorder.packed_since(0, len(events) - 1)


def frame(at, direction, opcode, role=Role.NONE):
    return Event(at, EventKind.FRAME, direction, opcode, 10, role)


@pytest.mark.parametrize(
    ("event", "letter"),
    [
        (frame(0, SENT, Opcode.TEXT, Role.HEARTBEAT), "A"),
        (frame(0, RECEIVED, Opcode.PING, Role.HEARTBEAT), "B"),
        (frame(0, RECEIVED, Opcode.TEXT, Role.HEARTBEAT_ANSWER), "C"),
        (frame(0, SENT, Opcode.PONG, Role.HEARTBEAT_ANSWER), "D"),
        (frame(0, SENT, Opcode.PING), "E"),
        (frame(0, RECEIVED, Opcode.PING), "F"),
        (frame(0, RECEIVED, Opcode.PONG), "G"),
        (frame(0, SENT, Opcode.PONG), "H"),
        (frame(0, SENT, Opcode.BINARY, Role.DATA), "I"),
        (frame(0, RECEIVED, Opcode.TEXT, Role.DATA), "J"),
        (frame(0, RECEIVED, Opcode.CONT), "J"),
        (frame(0, SENT, Opcode.TEXT, Role.SESSION_INFO), "K"),
        (frame(0, RECEIVED, Opcode.TEXT, Role.GREETING), "L"),
        (frame(0, SENT, Opcode.CLOSE), "M"),
        (frame(0, RECEIVED, Opcode.CLOSE), "N"),
        (Event(0, EventKind.READING_PAUSED), "P"),
        (Event(0, EventKind.READING_RESUMED), "Q"),
        (Event(0, EventKind.LOOP_LAG, seconds=1.0), "R"),
        (Event(0, EventKind.SUSPENDED, seconds=1.0), "S"),
        (Event(0, EventKind.DEADLINE), "T"),
        (Event(0, EventKind.ENDED), "U"),
        (Event(0, EventKind.OPENED), "V"),
    ],
)
def test_each_event_has_its_letter(event, letter):
    """A letter for what happened and which way."""
    assert lane(packed(event)) == letter


def test_instants_are_steps_in_base_36():
    """25 s are "jag" milliseconds; what comes at the same instant, or seems to come before, steps by 0."""
    events = [Event(0.0, EventKind.OPENED), Event(25.0, EventKind.DEADLINE), Event(25.0, EventKind.ENDED)]

    assert lane(packed(*events)) == "VjagTU"
    assert int("jag", 36) == 25_000


def test_round_trips_of_the_events():
    """An answer belongs to the youngest open heartbeat; what was never answered has no round trip."""
    beat, answer = Role.HEARTBEAT, Role.HEARTBEAT_ANSWER
    events = [
        frame(25, SENT, Opcode.TEXT, beat),
        frame(50, SENT, Opcode.TEXT, beat),
        frame(50.5, RECEIVED, Opcode.TEXT, answer),
        frame(51, RECEIVED, Opcode.TEXT, Role.DATA),
        frame(75, SENT, Opcode.TEXT, beat),
    ]

    assert round_trips(packed(*events)) == [(50, 0.5)]


def test_an_answer_without_a_question():
    """Its question fell out of the record."""
    assert round_trips(packed(frame(1, RECEIVED, Opcode.TEXT, Role.HEARTBEAT_ANSWER))) == []
