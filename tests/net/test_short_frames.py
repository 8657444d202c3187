"""Short frames, read and written in one step: the same frames as the sans-I/O layer's, and no others."""

import asyncio
import os
import warnings
from types import SimpleNamespace

import pytest
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from pytest_wsstability import Direction
from pytest_wsstability.net import short_frames
from tests.net.peers import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    accepting,
    close,
    frame,
    opened,
    serving,
    talking,
)

pytestmark = pytest.mark.ws_stability(time="virtual")

SIZES = [0, 1, 3, 4, 5, 124, 125]
LONGER = [126, 127, 128, 255, 256, 640, 2**14]


def receiver(*, masked):
    """The sans-I/O layer's end that takes masked frames, or the other, with a connection open."""
    if masked:
        return ServerProtocol(state=State.OPEN)
    return ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG])
def test_a_short_frame_is_read_back_as_written(opcode, size, masked):
    """By us, and by the sans-I/O layer."""
    payload = bytes(range(size))
    written = short_frames.write(opcode, payload, masked=masked)
    protocol = receiver(masked=masked)
    protocol.receive_data(written)
    (event,) = protocol.events_received()

    assert short_frames.read(written, masked=masked) == (opcode, payload)
    assert (event.opcode, event.data, event.fin) == (opcode, payload, True)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", LONGER)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_frame_of_audio_is_one_too(opcode, size, masked):
    """Its length stands in two bytes of its own."""
    payload = b"a" * size
    written = short_frames.write(opcode, payload, masked=masked)
    protocol = receiver(masked=masked)
    protocol.receive_data(written)
    (event,) = protocol.events_received()

    assert short_frames.read(written, masked=masked) == (opcode, payload)
    assert (event.opcode, event.data, event.fin) == (opcode, payload, True)


def test_each_mask_is_another():
    """RFC 6455, section 5.3: whoever chose the payload must not foretell what is on the wire."""
    assert len(set(masks(1_000))) > 998


def masks(number):
    """Of so many frames of this process."""
    return [short_frames.write(TEXT, b"12345678", masked=True)[2:6] for _ in range(number)]


def test_masks_are_the_systems_random_bytes(monkeypatch):
    """Each is used once, and a call of the system gives 256 of them."""
    calls = []

    def urandom(size):
        calls.append(bytes([len(calls)]) + os.urandom(size - 1))
        return calls[-1]

    monkeypatch.setattr(short_frames, "_masks", [])
    monkeypatch.setattr(short_frames, "os", SimpleNamespace(urandom=urandom))
    used = masks(256)

    assert len(calls) == 1
    assert sorted(used) == sorted(calls[0][start : start + 4] for start in range(0, 1_024, 4))
    used = masks(256)
    assert len(calls) == 2
    assert sorted(used) == sorted(calls[1][start : start + 4] for start in range(0, 1_024, 4))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_uses_masks_of_its_own():
    """A child has the memory of its parent, and must not write what that will write."""
    short_frames._masks.clear()
    masks(1)
    read, write = os.pipe()
    with warnings.catch_warnings():
        # Threads beside it are no matter to a child that only writes.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            os.write(write, b"".join(masks(100)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 400)
    os.close(read)
    os.close(write)

    assert len(theirs) == 400
    assert not {theirs[start : start + 4] for start in range(0, 400, 4)} & set(masks(255))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",
        frame(TEXT, b"abc")[:-1],
        frame(TEXT, b"abc") + b"\x81",
        frame(TEXT, bytes(2**14 + 1)),
        frame(TEXT, bytes(2**16)),
        frame(TEXT, bytes(126))[:-1],
        frame(TEXT, bytes(126)) + b"\x81",
        frame(TEXT, bytes(126), fin=False),
        frame(CONT, bytes(126)),
        frame(TEXT, bytes(126), masked=True),
        # Control frames are no longer than 125 bytes.
        b"\x89\x7e\x00\x7e" + bytes(126),
        # Not the shortest way to write the length.
        b"\x81\x7e\x00\x03abc",
        b"\x81\x7e\x00\x7d" + bytes(125),
        b"\x81\x7f" + bytes(6) + b"\x00\x7e" + bytes(126),
        frame(TEXT, b"abc", fin=False),
        frame(CONT, b"abc"),
        frame(CLOSE, b"\x03\xe8"),
        frame(TEXT, b"abc", rsv=4),
        frame(0x3, b"abc"),
        frame(TEXT, b"abc", masked=True),
    ],
)
def test_what_is_not_one_short_frame_is_left_alone(data):
    """Cut, joined, long, a fragment, a close frame, extended, unknown, wrongly masked."""
    assert short_frames.read(data, masked=False) is None


@pytest.mark.parametrize("cut", range(1, 11))
async def test_short_frames_around_one_that_was_cut(cut):
    """Wherever the bytes are cut or joined, each message comes, whole and in order."""
    rest = frame(TEXT, b"three") + frame(TEXT, b"four")

    async def script(peer):
        for chunk in (
            frame(TEXT, b"one"),
            frame(TEXT, b"two") + rest[:cut],
            rest[cut:],
            frame(TEXT, b"five"),
        ):
            peer.send(chunk)
            await asyncio.sleep(1)
        await peer.gone()

    async with talking(script) as connection:
        messages = [await connection.recv() for _ in range(5)]

        assert messages == ["one", "two", "three", "four", "five"]
        assert connection.timeline.count(Direction.RECEIVED) == 5


async def test_a_length_that_is_too_long_is_no_half_frame():
    """RFC 6455, section 5.2, forbids it: what came before is kept, and the frame is refused."""

    async def script(peer):
        for chunk in (frame(TEXT, b"one"), b"\x81\x7e\x00\x03two", frame(TEXT, b"three")):
            peer.send(chunk)
            await asyncio.sleep(1)
        await peer.gone()

    async with talking(script) as connection:
        assert await connection.recv() == "one"
        await connection.wait_closed()

        evidence = connection.timeline.close
        assert (evidence.sent.code, evidence.mid_frame, evidence.at) == (1002, False, 1)
        assert connection.timeline.half_frame_since is None


async def test_a_short_frame_between_fragments_is_an_error():
    """RFC 6455, section 5.4: fragments of one message stand together; a ping may come between."""

    async def script(peer):
        for chunk in (frame(TEXT, b"a", fin=False), frame(PING, b"p"), frame(TEXT, b"b")):
            peer.send(chunk)
            await asyncio.sleep(1)
        await peer.gone()

    async with talking(script) as connection:
        await connection.wait_closed()

        assert connection.timeline.close.sent.code == 1002
        assert connection.timeline.count(Direction.SENT) == 2


@pytest.mark.parametrize("joined", [False, True])
async def test_a_ping_is_answered_with_its_payload(joined):
    """RFC 6455, section 5.5.3; alone in a read, or together with another frame."""
    answers = asyncio.get_running_loop().create_future()

    async def script(peer):
        peer.send(frame(PING, b"payload"), frame(TEXT, b"x") if joined else b"")
        answers.set_result(await peer.frame())
        await peer.gone()

    async with talking(script):
        assert await answers == (PONG, b"payload")


async def test_what_is_no_short_frame_finds_the_limit_of_the_connection():
    """The sans-I/O layer of the handshake is gone by then; the one in its place keeps to `max_size`."""

    async def script(peer):
        await asyncio.sleep(1)
        peer.send(frame(TEXT, bytes(2**14 + 1)))
        await asyncio.sleep(1)
        peer.send(frame(TEXT, bytes(2**15 + 1)))
        await peer.gone()

    async with talking(script, max_size=2**15) as connection:
        assert connection.websocket._parser is None
        assert await connection.recv() == "\0" * (2**14 + 1)
        await connection.wait_closed()

        assert connection.timeline.close.sent.code == 1009


@pytest.mark.parametrize("count", [0, 1, 2])
async def test_whole_frames_that_came_with_the_handshake_leave_nothing_behind(count):
    """The sans-I/O layer of the handshake, a quarter of what a connection costs, goes all the same."""

    async def upgrade(peer):
        peer.send(accepting(await peer.request()), frame(TEXT, b"hello") * count)
        await peer.gone()

    async with serving(upgrade) as url, opened(url, profile="frames") as connection:
        assert [await connection.recv() for _ in range(count)] == ["hello"] * count
        assert connection.websocket._parser is None


async def test_where_messages_are_compressed_the_sans_io_layer_of_the_handshake_stays():
    """It alone knows how."""

    async def upgrade(peer):
        peer.send(accepting(await peer.request(), "Sec-WebSocket-Extensions: permessage-deflate"))
        await peer.gone()

    async with serving(upgrade) as url, opened(url, profile="frames", compression=True) as connection:
        assert connection.websocket.protocol.extensions


@pytest.mark.parametrize("cut", [1, 20, -3, -1])
async def test_a_handshake_that_was_cut_is_no_reason_to_read_slowly(cut):
    """Wherever its head was cut: the frames behind it are known to begin there."""

    async def upgrade(peer):
        response = accepting(await peer.request())
        peer.send(response[:cut])
        await asyncio.sleep(1)
        peer.send(response[cut:], frame(TEXT, b"hello"))
        await peer.gone()

    async with serving(upgrade) as url, opened(url, profile="frames") as connection:
        assert await connection.recv() == "hello"
        assert connection.websocket._parser is None


@pytest.mark.parametrize("behind", [frame(TEXT, b"a", fin=False), frame(TEXT, b"abc")[:-1], close(1001)])
async def test_what_came_in_part_with_the_handshake_stays_where_it_is(behind):
    """Half a message, half a frame, or the end: the sans-I/O layer that has read it goes on."""

    async def upgrade(peer):
        peer.send(accepting(await peer.request()), behind)
        await asyncio.sleep(1)
        peer.send(frame(CONT, b"b") if not behind[0] & 0x80 else b"c")
        await peer.gone()

    async with serving(upgrade) as url, opened(url, profile="frames") as connection:
        if behind[0] == 0x80 | CLOSE:
            assert connection.websocket._parser is not None
            await connection.wait_closed()
            assert connection.timeline.close.received.code == 1001
        else:
            assert await connection.recv() == ("abc" if behind[0] & 0x80 else "ab")
