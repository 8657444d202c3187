"""Where frames begin, and which of their headers break RFC 6455, wherever the bytes are cut."""

import pytest

from pytest_wsstability.net.heads import Heads
from tests.net.peers import BINARY, CLOSE, CONT, PING, TEXT, frame

SHORTEST = "length not in its shortest form"
SIZES = [1, 2, 3, 5, 13, 14, 15, 79, 80, 81, 4096, 10**6]


def pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def look(heads, data, *, masked=False, within=False):
    return heads.find_flaw(data, masked=masked, extended=False, within=within)


FRAMES = (
    frame(TEXT, b"one"), frame(PING), frame(BINARY, b"x" * 126), frame(TEXT, b"y" * 80), frame(TEXT),
    frame(BINARY, b"y" * 2**16), frame(CLOSE, b"\x03\xe8"),
)  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", range(len(FRAMES) + 1))
def test_a_wrong_header_is_found_where_it_begins(number, size):
    """Behind whole frames of all kinds, in as few bytes as tell it."""
    before, wrong = b"".join(FRAMES[:number]), b"\x82\x7e\0\x01"
    heads, at = Heads(), 0
    for piece in pieces(before + wrong + b"\xff" * 100, size):
        found = look(heads, piece)
        if found is not None:
            assert (at + found[0], found[1]) == (len(before), SHORTEST)
            assert at + len(piece) >= len(before) + 4
            assert (wrong + b"\xff" * 100).startswith(heads.begun)
            return
        at += len(piece)
        assert at < len(before) + 4
    pytest.fail("no flaw was found")


@pytest.mark.parametrize("size", [2, 3, 79, 80, 81, 200])
def test_all_that_comes_behind_a_flaw_is_taken_for_the_same_frame(size):
    """Nobody knows where the next one would begin."""
    wrong, heads = b"HTTP" + b"x" * 100, Heads()
    data = wrong + frame(PING, b"x", fin=False) + wrong
    assert look(heads, data[:size]) == (0, "reserved bits must be 0")
    assert heads.is_flawed
    assert look(heads, data[size:]) is None
    assert (heads.begun, heads.there) == (data[:80], len(data))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_what_is_not_whole_is_known(size, masked):
    """How much of a frame is there, and its first 80 bytes, after each piece."""
    frames = [frame(TEXT, b"a" * length, masked=masked) for length in (0, 3, 125, 126, 70_000, 70_000)]
    ends = [sum(map(len, frames[:number])) for number in range(len(frames) + 1)]
    data, heads, at = b"".join(frames)[:-1], Heads(), 0
    for piece in pieces(data, size):
        assert look(heads, piece, masked=masked) is None
        at += len(piece)
        begins = max(end for end in ends if end <= at)
        assert heads.there == at - begins
        assert heads.begun == data[begins:at][:80]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_fragments_are_followed_over_pieces(size):
    """The last one ends the message, and a control frame between two of them does not."""
    parts = [frame(TEXT, b"a", fin=False), frame(PING), frame(CONT, b"b", fin=False), frame(CONT, b"c")]
    good, heads, within, at = b"".join(parts), Heads(), False, 0
    whole = {sum(map(len, parts[:number])): number for number in range(len(parts) + 1)}
    found = []
    for piece in pieces(good + frame(CONT, b"d"), size):
        found.append(look(heads, piece, within=within))
        at += len(piece)
        # What the reader of frames knows by then.
        done = max((end for end in whole if end <= at), default=0)
        within = 1 <= whole[done] < 4
        if found[-1] is not None:
            break
    assert found[-1] is not None
    assert found[-1][1] == "unexpected continuation frame"
    assert found[:-1] == [None] * (len(found) - 1)


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


@pytest.mark.parametrize(
    ("data", "doubtful"),
    [
        # Compressed data may not decompress, and a close frame may say what no end may.
        (b"\xc1\x01a", b"\xc1\x01a"),
        (b"\xc2\x02ab", b"\xc2\x02ab"),
        (b"\x88\x02\x03\xee", b"\x88\x02\x03\xee"),
        (b"\xc1\x01a\x82\x01b", b"\xc1\x01a"),
        (b"\xc1\x01a\xc1\x01b", b"\xc1\x01b"),
        # Nothing in these is refused, nor in a frame that is not whole.
        (b"\x81\x01a", b""),
        (b"\x82\x01a", b""),
        (b"\x89\x01a\x8a\x01b", b""),
        (b"\xc1\x02a", b""),
    ],
)
def test_whole_frames_that_may_be_refused_for_what_is_in_them_are_kept(data, doubtful):
    heads = Heads()

    assert heads.find_flaw(data, masked=False, extended=True, within=False) is None
    assert heads.doubtful == doubtful
