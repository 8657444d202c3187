"""What a record counts and times of its frames: where each number stands, and its JSON."""

import json

import pytest

from pytest_wsstability.core.timeline import counters
from pytest_wsstability.core.timeline.events import Direction, FrameKind, Opcode, Role

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
FRAMES = [opcode for opcode in Opcode if opcode is not Opcode.NONE]


def filled():
    """A different number in each place."""
    return [float(number) for number in range(len(counters.FRESH))]


def test_each_number_stands_in_a_place_of_its_own():
    taken = []
    for way in (SENT, RECEIVED):
        for kind in FrameKind:
            place = counters.silence(kind, way)
            taken += [place, place + counters.LONGEST]
        for opcode in FRAMES:
            place = counters.counted(opcode, way)
            taken += [place, place + counters.BYTES, place + counters.LAST]
        taken += [counters.meant(role, way) for role in Role]

    assert sorted(taken) == list(range(len(counters.FRESH)))


def test_before_the_first_frame_nothing_is_counted_and_nothing_was_ever_seen():
    fresh = counters.FRESH[:]

    for way in (SENT, RECEIVED):
        assert counters.count(fresh, way) == counters.size(fresh, way) == 0
        assert {counters.last_of_opcode(fresh, way, opcode) for opcode in FRAMES} == {None}
        assert {counters.last_of_role(fresh, way, role) for role in Role} == {None}


def test_frames_and_their_bytes_are_those_of_the_opcodes_given_or_of_all():
    figures = counters.FRESH[:]
    for opcode, count, size in ((Opcode.TEXT, 2, 30), (Opcode.PING, 1, 8)):
        place = counters.counted(opcode, RECEIVED)
        figures[place], figures[place + counters.BYTES] = count, size

    assert (counters.count(figures, RECEIVED), counters.size(figures, RECEIVED)) == (3, 38)
    assert counters.count(figures, RECEIVED, (Opcode.PING, Opcode.PONG)) == 1
    assert counters.size(figures, RECEIVED, (Opcode.TEXT,)) == 30
    assert counters.count(figures, SENT) == counters.size(figures, SENT) == 0


def test_an_instant_at_the_opening_is_one():
    figures = counters.FRESH[:]
    figures[counters.counted(Opcode.TEXT, SENT) + counters.LAST] = 0.0
    figures[counters.meant(Role.HEARTBEAT, SENT)] = 0.0

    assert counters.last_of_opcode(figures, SENT, Opcode.TEXT) == 0.0
    assert counters.last_of_role(figures, SENT, Role.HEARTBEAT) == 0.0


@pytest.mark.parametrize(
    ("opcode", "role", "is_data"),
    [
        (Opcode.CONT, Role.DATA, True),
        (Opcode.TEXT, Role.NONE, True),
        (Opcode.BINARY, Role.DATA, True),
        (Opcode.CLOSE, Role.NONE, False),
        (Opcode.PING, Role.NONE, False),
        (Opcode.TEXT, Role.HEARTBEAT, False),
    ],
)
def test_data_are_frames_that_carry_no_step_of_the_protocol(opcode, role, is_data):
    assert counters.is_data(opcode, role) is is_data
    assert counters.PLACES[opcode][SENT][role][-1] is is_data


@pytest.mark.parametrize(
    ("opcode", "kind"),
    [
        (Opcode.CONT, FrameKind.DATA),
        (Opcode.TEXT, FrameKind.DATA),
        (Opcode.BINARY, FrameKind.DATA),
        (Opcode.PING, FrameKind.PING),
        (Opcode.PONG, FrameKind.PONG),
        (Opcode.CLOSE, FrameKind.ANY),
    ],
)
def test_a_frame_ends_the_silence_of_its_kind_and_that_of_all(opcode, kind):
    place, longest, anything, longest_any = counters.PLACES[opcode][RECEIVED][Role.DATA][4:8]

    assert place == counters.silence(kind, RECEIVED)
    assert anything == counters.silence(FrameKind.ANY, RECEIVED)
    assert (longest - place, longest_any - anything) == (counters.LONGEST, counters.LONGEST)


def test_json_gives_the_numbers_back():
    """The last instant of no role is the only number that is not written: it says nothing."""
    back = counters.restore_from(json.loads(json.dumps(counters.as_dict(filled()))), "timeline")

    expected = filled()
    for way in (SENT, RECEIVED):
        expected[counters.meant(Role.NONE, way)] = -1.0
    assert back == expected


def test_json_leaves_out_what_never_came():
    written = counters.as_dict(counters.FRESH)

    assert (
        written["frames"] == written["last_opcodes"] == written["last_roles"] == {"sent": {}, "received": {}}
    )
    assert written["silences"]["sent"] == {"any": [0, 0], "data": [0, 0], "ping": [0, 0], "pong": [0, 0]}
    assert counters.restore_from(written, "timeline") == counters.FRESH


@pytest.mark.parametrize("field", ["frames", "last_opcodes", "last_roles", "silences"])
def test_json_with_a_name_that_is_none_is_refused_by_its_place(field):
    written = counters.as_dict(filled())
    written[field]["sent"]["telepathy"] = [1, 2] if field in ("frames", "silences") else 1

    with pytest.raises(ValueError, match=rf"^a\.json\.{field}: .*telepathy"):
        counters.restore_from(written, "a.json")
    del written[field]
    with pytest.raises(KeyError, match=field):
        counters.restore_from(written, "a.json")
