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
LONG, CUT = "control frame too long", "fragmented control frame"

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


@pytest.mark.parametrize(
    ("begun", "flaw"),
    [
        (b"", None),
        # One byte is no header, whatever it says.
        (b"\xff", None),
        (b"\x81\x00", None),
        (b"\x80\x7d", None),
        (b"\xc1\x00", RESERVED),
        (b"\xa1\x00", RESERVED),
        (b"\x91\x00", RESERVED),
        (b"HT", RESERVED),
        # Opcodes that nobody knows are the sans-I/O layer's affair, control frames or none.
        (b"\x83\x00", None),
        (b"\x07\x7e\0\x7e", None),
        (b"\x88\x7d", None),
        (b"\x88\x7e", LONG),
        (b"\x89\xff", LONG),
        (b"\x8f\x7e", LONG),
        (b"\x08\x00", CUT),
        (b"\x0a\xfd", CUT),
        (b"\x82\x7e\0", None),
        (b"\x82\x7e\0\x7d", SHORTEST),
        (b"\x82\xfe\0\x7d", SHORTEST),
        (b"\x82\x7e\0\x7e", None),
        (b"\x82\x7f\0\0\0\0\0\0\xff", None),
        (b"\x82\x7f\0\0\0\0\0\0\xff\xff", SHORTEST),
        (b"\x82\x7f\0\0\0\0\0\1\0\0", None),
        (b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", None),
        (b"\x82\x7f\x80\0\0\0\0\0\0\0", MOST),
    ],
)
def test_the_first_bytes_tell_what_is_wrong(begun, flaw):
    assert frame_header.flaw_of(begun, extended=False) == flaw


def test_extensions_give_the_reserved_bits_a_meaning():
    """And change nothing else."""
    assert frame_header.flaw_of(b"\xf1\x00", extended=True) is None
    assert frame_header.flaw_of(b"\xc9\x7e", extended=True) == LONG


@pytest.mark.parametrize(
    ("size", "masked", "expected"),
    [
        (0, False, 2), (125, False, 2), (126, False, 4), (65_535, False, 4), (65_536, False, 10),
        (0, True, 6), (126, True, 8), (65_536, True, 14),
    ],
)  # fmt: skip
def test_the_shortest_header(size, masked, expected):
    """RFC 6455, section 5.2."""
    assert frame_header.size_of(size, masked=masked) == expected


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
