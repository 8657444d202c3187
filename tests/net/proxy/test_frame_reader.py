"""A passive reader of frames: it finds each one, however the bytes are cut, and changes none."""

import random

import pytest

from pytest_wsstability.net.proxy.frame_reader import FrameReader
from tests.net.peers import BINARY, CLOSE, CONT, PING, PONG, TEXT, close, frame

MASK = bytes([1, 2, 3, 4])


def masked(opcode, payload=b""):
    """A client's frame with a mask that changes bytes."""
    plain = frame(opcode, payload, masked=True)
    body = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return plain[: len(plain) - len(payload) - 4] + MASK + body


FRAMES = [
    (frame(TEXT, b"hello"), [(TEXT, 5)]),
    (frame(PING), [(PING, 0)]),
    (frame(BINARY, bytes(125)), [(BINARY, 125)]),
    (frame(BINARY, bytes(126)), [(BINARY, 126)]),
    (frame(BINARY, bytes(65535)), [(BINARY, 65535)]),
    (frame(BINARY, bytes(65536)), [(BINARY, 65536)]),
    (frame(TEXT, b"a", fin=False) + frame(PONG, b"x") + frame(CONT, b"b"), [(TEXT, 1), (PONG, 1), (CONT, 1)]),
    (masked(TEXT, b"hello") + masked(PING), [(TEXT, 5), (PING, 0)]),
    (masked(BINARY, bytes(70000)) + frame(TEXT, b"z"), [(BINARY, 70000), (TEXT, 1)]),
]


def whole(reader, data):
    """The frames that end in these bytes."""
    return [(piece.opcode, piece.size) for piece in reader.feed(data) if piece.size >= 0]


@pytest.mark.parametrize(("data", "frames"), FRAMES, ids=lambda value: str(value)[:30])
def test_frames_are_found(data, frames):
    """Opcode and payload size of each."""
    assert whole(FrameReader(), data) == frames


@pytest.mark.parametrize(("data", "frames"), FRAMES, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("seed", range(5))
def test_cuts_do_not_matter(data, frames, seed):
    """Headers and payloads arrive in any pieces, and the pieces told cover every byte once, in order."""
    chance = random.Random(seed)
    largest = 3 if len(data) < 1000 else 5000
    reader, found, covered = FrameReader(), [], b""
    while data:
        size = chance.randint(1, largest)
        chunk, data = data[:size], data[size:]
        pieces = list(reader.feed(chunk))
        assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces[:-1])]
        assert pieces[-1].stop == len(chunk)
        found += [(piece.opcode, piece.size) for piece in pieces if piece.size >= 0]
        covered += chunk

    assert found == frames
    assert not reader.mid_frame


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (close(1001, "bye"), b"\x03\xe9bye"),
        (masked(CLOSE, b"\x03\xe8"), b"\x03\xe8"),
        (frame(CLOSE), b""),
        (frame(TEXT, b"close"), None),
        (close(1001) + close(1011), b"\x03\xe9"),
        # More than a control frame may hold: as much as one may is kept.
        (frame(CLOSE, b"\x03\xe8" + bytes(200_000)), b"\x03\xe8" + bytes(123)),
        (masked(CLOSE, b"\x03\xe8" + bytes(200)), b"\x03\xe8" + bytes(123)),
    ],
)
def test_the_close_frame_is_read(data, body):
    """Its code and reason, without the mask; the first one counts."""
    reader = FrameReader()
    for position in range(len(data)):
        list(reader.feed(data[position : position + 1]))

    assert reader.close_body == body


@pytest.mark.parametrize(
    ("data", "mid_frame"),
    [
        (b"", False),
        (frame(TEXT, b"hello"), False),
        (frame(TEXT, b"hello")[:-1], True),
        (frame(TEXT, b"hello")[:1], True),
        (masked(TEXT, b"hello")[:5], True),
    ],
)
def test_a_stream_can_end_within_a_frame(data, mid_frame):
    """In its header or in its payload."""
    reader = FrameReader()
    list(reader.feed(data))

    assert reader.mid_frame is mid_frame
