"""Where frames begin, and which of their headers break RFC 6455, section 5.2: wherever the bytes are cut."""

import pytest

from pytest_wsstability.net.heads import Heads
from tests.net.peers import BINARY, CLOSE, CONT, PING, TEXT, frame

SHORTEST = "length not in its shortest form"


def pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


FRAMES = (
    frame(TEXT, b"one"), frame(PING, b""), frame(BINARY, b"x" * 126), frame(TEXT, b"", fin=False),
    frame(CONT, b"y" * 2**16, masked=True), frame(CLOSE, b"\x03\xe8", masked=True),
)  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 5, 13, 14, 15, 4096, 10**6])
@pytest.mark.parametrize("number", range(len(FRAMES) + 1))
def test_a_wrong_header_is_found_where_it_begins(number, size):
    """Behind whole frames of all kinds, in as few bytes as tell it."""
    before = b"".join(FRAMES[:number])
    heads, at = Heads(), 0
    for piece in pieces(before + b"\x82\x7e\0\x01" + b"\xff" * 20, size):
        found = heads.find_flaw(piece, extended=False)
        if found is not None:
            assert (at + found[0], found[1]) == (len(before), SHORTEST)
            assert at + len(piece) >= len(before) + 4
            return
        assert at + len(piece) < len(before) + 4
        at += len(piece)
    pytest.fail("no flaw was found")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "handshake", [b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_frames_begin_behind_the_blank_line(handshake, size):
    """A message may be a blank line itself."""
    frames = frame(TEXT, b"\r\n\r\n") + frame(TEXT, b"two")
    heads = Heads()
    found = b"".join(map(heads.behind_handshake, pieces(handshake + frames, size)))
    assert found == frames
