"""What the HTML report's script gets of a timeline."""

from __future__ import annotations

import pytest

from pytest_wsstability import Direction, Event, EventKind, Role
from pytest_wsstability.core.timeline.events import End, Opcode
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from pytest_wsstability.core.timeline.recorder import Recorder, measure_of, sort_of
from pytest_wsstability.report.lanes import drawn, lane, round_trips
from tests.core.script import timeline
from tests.report.made import ONE_WAY

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
BOTH = ProtocolFacts(name="both", title="each end asks", heartbeats_from=frozenset({End.CLIENT, End.SERVER}))


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
        (frame(0, SENT, Opcode.TEXT, Role.STEP), "K"),
        (frame(0, RECEIVED, Opcode.TEXT, Role.GREETING), "L"),
        (frame(0, RECEIVED, Opcode.TEXT, Role.SESSION_REFUSED), "L"),
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


def test_heartbeats_that_nobody_answers_have_letters_of_their_own():
    """Either way."""
    line = timeline((0, ">beat"), (0, "<beat"), until=0, protocol=ONE_WAY)

    assert drawn([line])[0] == ["VXY"]


def test_instants_are_steps_in_base_36():
    """25 s are "jag" milliseconds; what comes at the same instant, or seems to come before, steps by 0."""
    events = [Event(0.0, EventKind.OPENED), Event(25.0, EventKind.DEADLINE), Event(25.0, EventKind.ENDED)]

    assert lane(packed(*events)) == "VjagTU"
    assert int("jag", 36) == 25_000


def trips_of(*rows):
    line = timeline(*rows, until=200)
    return [(at, round(took, 3)) for at, took in round_trips(line.packed(), line)]


@pytest.mark.parametrize(
    ("rows", "trips"),
    [
        ([(25, ">beat"), (25.5, "<answer"), (26, "<text"), (75, ">beat")], [(25, 0.5)]),
        # The first was lost.
        ([(25, ">beat", b"1"), (50, ">beat", b"2"), (50.5, "<answer", b"2")], [(50, 0.5)]),
        # Each comes behind the next question.
        (
            [(1, ">beat", b"1"), (2, ">beat", b"2"), (2.5, "<answer", b"1"), (3.5, "<answer", b"2")],
            [(1, 1.5), (2, 1.5)],
        ),
        ([(1, ">beat"), (2, ">beat"), (2.5, "<answer"), (3.5, "<answer")], [(1, 1.5), (2, 1.5)]),
        # Which of two was answered is not told.
        ([(25, ">beat"), (50, ">beat"), (50.5, "<answer")], []),
        # An answer to another id.
        ([(25, ">beat", b"1"), (26, "<answer", b"9")], []),
        # A pong frame answers both.
        (
            [(1, ">beat as ping", b"1"), (2, ">beat as ping", b"2"), (2.5, "<answer as pong", b"2"),
             (3, ">beat as ping", b"3"), (3.5, "<answer as pong", b"3")],
            [(1, 1.5), (2, 0.5), (3, 0.5)],
        ),
    ],
)  # fmt: skip
def test_round_trips_of_the_events(rows, trips):
    """As the record counts them; those that it cannot tell are not drawn."""
    assert trips_of(*rows) == trips


@pytest.mark.parametrize(("end", "trips"), [(End.CLIENT, [(10, 0.5)]), (End.SERVER, [(10.25, 0)])])
def test_round_trips_are_those_of_one_end_where_both_ask(end, trips):
    """The server asks while the client waits, as graphql-transport-ws has it; the client's are counted."""
    rows = [(10, ">beat"), (10.25, "<beat"), (10.25, ">answer"), (10.5, "<answer")]
    line = timeline(*rows, end=end, protocol=BOTH)

    assert [(at, round(took, 3)) for at, took in round_trips(line.packed(), line)] == trips


def test_an_answer_without_a_question():
    """Its question fell out of the record."""
    line = timeline((1, ">beat"), (2, "<answer"))

    assert round_trips(line.packed()[-1:], line) == []
