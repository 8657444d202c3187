"""The closed sets that events are made of."""

import dataclasses

import pytest

from pytest_wsstability.core.timeline.events import (
    FRAME_OPCODES,
    Direction,
    End,
    Event,
    EventKind,
    FrameKind,
    Opcode,
    Role,
)


@pytest.mark.parametrize(
    ("end", "peer"), [(End.CLIENT, End.SERVER), (End.SERVER, End.CLIENT), (End.PROXY, End.PROXY)]
)
def test_each_end_has_a_peer(end, peer):
    """Client and server face each other; a proxy has two peers and names none."""
    assert end.peer is peer


def test_opcodes_are_those_of_the_rfc():
    """RFC 6455, section 5.2, gives the numbers; NONE is none of them."""
    numbers = {opcode.name: int(opcode) for opcode in Opcode}

    assert numbers == {"CONT": 0, "TEXT": 1, "BINARY": 2, "CLOSE": 8, "PING": 9, "PONG": 10, "NONE": 15}
    assert set(FRAME_OPCODES) == {0, 1, 2, 8, 9, 10}


def test_numbers_of_a_record_never_move():
    """Records are packed by number, so a kind, direction or role must stay at its place in its set."""
    for members in (EventKind, Direction, Role):
        assert [int(member) for member in members] == list(range(len(members)))


@pytest.mark.parametrize("members", [EventKind, Direction, FrameKind, Opcode, Role])
def test_no_two_names_have_one_number(members):
    """In an enum the second would be another name of the first."""
    assert len(members.__members__) == len(members)


def test_event_is_a_value():
    """An event cannot be changed after the fact, and equals its like."""
    event = Event(1.0, EventKind.OPENED)

    assert event == Event(1.0, EventKind.OPENED, Direction.LOCAL, Opcode.NONE, 0, Role.NONE, 0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.at = 2.0
