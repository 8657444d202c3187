"""The header of a frame, read in one place for short frames and for the proxy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.server import ServerProtocol, State

from pytest_wsstability.net import frame_header, short_frames
from pytest_wsstability.net.proxy.frame_reader import FrameReader
from tests.net.peers import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame
from tests.net.test_fuzzing import look

RESERVED, SHORTEST, MOST = (
    "reserved bits must be 0",
    "length not in its shortest form",
    "length of more than 63 bits",
)
LONG, CUT, UNKNOWN = "control frame too long", "fragmented control frame", "invalid opcode"

HEADERS = [
    (b"\x81\x05", (0x81, False, 2, 5)),
    (b"\x89\x7d", (0x89, False, 2, 125)),
    (b"\x02\x7e\x00\x7e", (0x02, False, 4, 126)),
    # Not the shortest way to write a length, and one of more than 63 bits: read as they stand.
    (b"\x82\x7e\x00\x05", (0x82, False, 4, 5)),
    (b"\x82\x7f" + b"\xff" * 8, (0x82, False, 10, 2**64 - 1)),
    (b"\x81\x85abcd", (0x81, True, 6, 5)),
    (b"\x8f\xfe\xff\xffabcd", (0x8F, True, 8, 65_535)),
    (b"\xf3\xff" + (2**40).to_bytes(8, "big") + b"abcd", (0xF3, True, 14, 2**40)),
]


@pytest.mark.parametrize(("data", "read"), HEADERS, ids=lambda value: str(value)[:20])
def test_a_header_is_read_when_it_is_whole(data, read):
    """Whatever follows, and not before its last byte has come."""
    assert frame_header.read(data) == frame_header.read(data + b"\x81\x00") == read
    assert [frame_header.read(data[:end]) for end in range(len(data))] == [None] * len(data)
    assert len(data) <= frame_header.LONGEST


def flaw_of(begun, *, masked=False, extended=False, within=False):
    return frame_header.flaw_of(begun, masked=masked, extended=extended, within=within)


@pytest.mark.parametrize(
    ("begun", "flaw"),
    [
        (b"", None),
        # One byte is no header, whatever it says.
        (b"\xff", None),
        (b"\x81\x00", None),
        (b"\x02\x7d", None),
        (b"\xc1\x00", RESERVED),
        (b"\xa1\x00", RESERVED),
        (b"\x91\x00", RESERVED),
        (b"HT", RESERVED),
        (b"\x83\x00", UNKNOWN),
        (b"\x87\x00", UNKNOWN),
        (b"\x8b\x00", UNKNOWN),
        (b"\x8f\x7e", UNKNOWN),
        (b"\x88\x7d", None),
        (b"\x88\x7e", LONG),
        (b"\x89\xff", LONG),
        (b"\x08\x00", CUT),
        (b"\x0a\xfd", CUT),
        (b"\x82\x7e\0", None),
        (b"\x82\x7e\0\x7d", SHORTEST),
        (b"\x82\x7e\0\x7e", None),
        (b"\x82\x7f\0\0\0\0\0\0\xff", None),
        (b"\x82\x7f\0\0\0\0\0\0\xff\xff", SHORTEST),
        (b"\x82\x7f\0\0\0\0\0\1\0\0", None),
        (b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", None),
        (b"\x82\x7f\x80\0\0\0\0\0\0\0", MOST),
    ],
)
def test_the_first_bytes_tell_what_is_wrong(begun, flaw):
    """RFC 6455, sections 5.2 and 5.5."""
    assert flaw_of(begun) == flaw


def test_only_clients_mask():
    """RFC 6455, section 5.1; the length is looked at whoever sends it."""
    assert flaw_of(b"\x81\x80") == flaw_of(b"\x88\x00", masked=True) == "incorrect masking"
    assert flaw_of(b"\x81\x80", masked=True) is None
    assert flaw_of(b"\x82\xfe\0\x7d", masked=True) == SHORTEST


def test_a_message_may_be_compressed():
    """RFC 7692, section 6: its first frame says so, no other may, and no other bit is set."""
    assert flaw_of(b"\xc1\x00", extended=True) is flaw_of(b"\x42\x00", extended=True) is None
    assert flaw_of(b"\xc0\x00", extended=True, within=True) == RESERVED
    assert flaw_of(b"\xc9\x00", extended=True) == RESERVED
    assert flaw_of(b"\xa1\x00", extended=True) == flaw_of(b"\xd1\x00", extended=True) == RESERVED


def test_fragments_follow_their_message():
    """RFC 6455, section 5.4; control frames may come between them."""
    assert flaw_of(b"\x80\x00") == "unexpected continuation frame"
    assert flaw_of(b"\x81\x00", within=True) == "expected a continuation frame"
    assert flaw_of(b"\x02\x00", within=True) == "expected a continuation frame"
    assert flaw_of(b"\x80\x00", within=True) is flaw_of(b"\x89\x00", within=True) is None


@pytest.mark.parametrize("within", [False, True])
def test_what_is_under_way_behind_a_frame(within):
    """A message in fragments, up to its last one; control frames leave it as it is."""
    assert frame_header.goes_on_after(0x01, within=within)
    assert frame_header.goes_on_after(0x00, within=within)
    assert not frame_header.goes_on_after(0x80, within=within)
    assert not frame_header.goes_on_after(0x82, within=within)
    assert frame_header.goes_on_after(0x89, within=within) is within
    assert frame_header.goes_on_after(0x88, within=within) is within


def changed(data, place, value):
    return data[:place] + bytes([value]) + data[place + 1 :]


# Frames, of which one byte is another in most.
whole = st.builds(
    lambda opcode, payload, fin, rsv: frame(opcode, payload, fin=fin, rsv=rsv, masked=True),
    st.sampled_from([TEXT, BINARY, PING, PONG, CLOSE, CONT, 0x3, 0xF]),
    st.binary(max_size=8) | st.sampled_from([bytes(125), bytes(126), bytes(130)]),
    st.just(True) | st.booleans(),
    st.sampled_from([0, 0, 0, 4]),
)
nearly = st.builds(changed, whole, st.integers(0, 12), st.integers(0, 255)) | whole


@look
@given(nearly)
def test_what_is_taken_for_a_short_frame_is_one(data):
    """The sans-I/O layer makes the same of it, and so does the proxy."""
    short = short_frames.read(data, masked=True)
    if short is None:
        return

    protocol, passing = ServerProtocol(state=State.OPEN), FrameReader()
    protocol.receive_data(data)
    (event,) = protocol.events_received()
    (piece,) = passing.feed(data)
    assert protocol.parser_exc is None
    assert (event.opcode, event.data, event.fin) == (*short, True)
    assert (piece.opcode, piece.size) == (short[0], len(short[1]))
