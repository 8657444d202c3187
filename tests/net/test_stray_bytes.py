"""What is kept of bytes that are no whole frame, of pongs that answer nothing, and of bytes that wait."""

import asyncio
import os

import pytest
import websockets

from pytest_wsstability import connect
from pytest_wsstability.core.cause import Blame, Cause
from pytest_wsstability.core.diagnosis import diagnose
from pytest_wsstability.core.timeline.close import TransportEnd
from pytest_wsstability.core.timeline.events import Direction, Opcode
from pytest_wsstability.net.heads import KEPT
from pytest_wsstability.profiles import FRAMES
from tests.net.certificates import server_context, trusting
from tests.net.peers import BINARY, PING, TEXT, close, frame, serving, talking

pytestmark = pytest.mark.ws_stability(time="virtual")

RESPONSE = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"
ENDED = RESPONSE + b"x" * 200
HELLO = frame(TEXT, b"hello")
LARGE = frame(BINARY, b"x" * 300)


def then_dropping(*chunks):
    """A server that sends this, piece by piece, and closes the stream (FIN)."""

    async def script(peer):
        for chunk in chunks:
            peer.send(chunk)
            await asyncio.sleep(1)

    return script


@pytest.mark.ws_stability(time="real")
async def test_plain_text_in_tls_is_told_as_what_failed(tmp_path):
    """As a proxy writes it that has forgotten its own TLS."""

    async def script(peer):
        await peer.upgrade()
        await peer.frame()
        os.write(peer.writer.get_extra_info("socket").fileno(), RESPONSE)
        await peer.gone()

    async with serving(script, tls=server_context("127.0.0.1")) as url:
        connection = await connect(url, profile=FRAMES, tls=trusting(tmp_path))
        await connection.send("hello")
        await connection.wait_closed()
    found = diagnose(connection.timeline)

    assert connection.timeline.close.transport is TransportEnd.TLS_FAILED
    assert (found.cause, found.blame) == (Cause.NO_FRAMES, Blame.PATH)


async def stray_of(*chunks, **options):
    async with talking(then_dropping(*chunks), **options) as connection:
        await connection.wait_closed()
        return connection.timeline.close.stray


@pytest.mark.parametrize("compression", [True, False])
@pytest.mark.parametrize(
    "chunks",
    [
        [ENDED],
        [HELLO, ENDED],
        [HELLO + LARGE + ENDED],
        [LARGE[:100], LARGE[100:] + ENDED],
        [RESPONSE[:60]],
        [RESPONSE[:60], LARGE],
        [ENDED, HELLO, HELLO],
    ],
    ids=[
        "at once",
        "behind a frame",
        "in one piece with frames",
        "behind a frame in two pieces",
        "and no more",
        "before a frame",
        "before frames",
    ],
)
async def test_a_response_in_the_stream_is_kept(chunks, compression):
    """From its first byte, wherever it begins, whether the parser refuses it or waits for more."""
    found = await stray_of(*chunks, compression=compression)

    assert found is not None
    assert RESPONSE.decode().startswith(found[:60])
    assert len(found) <= KEPT


@pytest.mark.parametrize("compression", [True, False])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9, 79, 80, 81])
async def test_a_response_that_comes_in_pieces_is_kept(size, compression):
    """Two bytes tell that it is no frame, and not what it is."""
    found = await stray_of(HELLO, ENDED[:size], ENDED[size:], compression=compression)

    assert found.encode("latin-1") == ENDED[:KEPT]


async def test_what_follows_a_message_that_is_too_large_is_none_of_it():
    """Its head is right: nothing stands in its place."""
    assert await stray_of(LARGE, RESPONSE, compression=False, max_size=200) is None


@pytest.mark.parametrize(
    ("chunks", "head"),
    [
        ([HELLO, b"\xc1\x02hi"], b"\xc1\x02hi"),
        ([b"\x8a\x7e\x00\xc8" + b"x" * 200], b"\x8a\x7e\x00\xc8"),
        ([LARGE[:100]], LARGE[:80]),
        ([LARGE[:50], LARGE[50:100]], LARGE[:80]),
    ],
    ids=["a reserved bit", "a pong of 200 bytes", "half a frame", "half a frame in two pieces"],
)
async def test_a_frame_that_is_refused_or_cut_is_kept(chunks, head):
    """Its head tells what is wrong with it."""
    found = await stray_of(*chunks, compression=False)

    assert found.encode("latin-1").startswith(head)


DAMAGED = bytes([0xC1, 3]) + b"\xff" * 3


@pytest.mark.parametrize("behind", [b"", HELLO, LARGE[:100]])
@pytest.mark.parametrize(
    ("refused", "remedy"), [(close(1006), "1006 may not be sent"), (DAMAGED, "compression off")]
)
async def test_a_whole_frame_that_is_refused_for_what_is_in_it_is_kept(refused, remedy, behind):
    """A code that no end may send, and data that do not decompress."""

    async def handler(ws):
        ws.transport.write(HELLO + refused + behind)
        await asyncio.sleep(1)

    async with websockets.serve(handler, "127.0.0.1", 0, compression="deflate") as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        connection = await connect(url, profile=FRAMES, inbox=0, compression=True)
        await connection.wait_closed()

    assert connection.timeline.close.stray.encode("latin-1") == refused
    assert remedy in diagnose(connection.timeline).remedy


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize(
    ("size", "parts"),
    [
        (20, [10]),
        (125, [80]),
        # The bytes of such lengths are text too: "09" and "AB".
        (126, [100]),
        (12_345, [9_000]),
        (12_345, [30]),
        (12_345, [2_000, 9_000]),
        (16_706, [9_000]),
        (70_000, [50_000]),
        (70_000, [1_000, 50_000, 60_000]),
        # In the middle of the head.
        (12_345, [1]),
        (12_345, [3]),
        (70_000, [6]),
    ],
)
async def test_half_a_message_is_kept_from_its_head_on(compression, size, parts):
    """Its text is none that stands in the place of a frame."""
    whole = frame(TEXT, (b"only text " * 8_000)[:size])
    pieces = [whole[since:until] for since, until in zip([0, *parts], parts, strict=False)]

    async def handler(ws):
        await ws.send("hello")
        for piece in (HELLO + pieces[0], *pieces[1:]):
            ws.transport.write(piece)
            await asyncio.sleep(1)
        ws.transport.abort()

    async with websockets.serve(handler, "127.0.0.1", 0, compression=compression) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        connection = await connect(url, profile=FRAMES, inbox=0, compression=compression)
        await connection.wait_closed()
        found = connection.timeline.close.stray.encode("latin-1")

    # Of a head that is not whole, what the sans-I/O layer has not read yet.
    assert found in (whole[: parts[-1]][:KEPT], whole[2 : parts[-1]])
    assert found[:1] == whole[:1] or len(found) < 8


async def test_bytes_behind_a_close_frame_of_the_peer_are_nobodys():
    """RFC 6455, section 5.5.1: nothing follows it, and nobody reads on; in however many pieces it comes."""

    async def script(peer):
        for piece in (close(1000), RESPONSE[:2], RESPONSE[2:60]):
            peer.send(piece)
            await asyncio.sleep(0.01)
        await peer.gone()

    async with talking(script) as connection:
        await asyncio.sleep(1)
        evidence = connection.timeline.close
        assert (evidence.code, evidence.stray, evidence.parser_error) == (1000, None, None)


async def test_whole_frames_leave_nothing():
    """An end between two frames has no stray bytes."""
    assert await stray_of(HELLO, LARGE, compression=False) is None
    assert await stray_of(HELLO, LARGE) is None


@pytest.mark.parametrize("compression", [True, False])
@pytest.mark.parametrize(
    ("pieces", "seen"),
    [
        # There until its rest comes: since the first piece, not since the last.
        ((LARGE[:50], LARGE[50:100], LARGE[100:], LARGE[:20]), [(0, 0), (0, 1), (None, None), (3, 3)]),
        # A stream that is read in the middle of each of its frames has no old half.
        ((LARGE[:50], LARGE[50:] + LARGE[:50], LARGE[50:100]), [(0, 0), (1, 1), (1, 2)]),
    ],
)
async def test_half_a_frame_is_there_since_its_own_first_piece(pieces, seen, compression):
    async def script(peer):
        for piece in pieces:
            peer.send(piece)
            await asyncio.sleep(1)
        await peer.gone()

    async with talking(script, compression=compression) as connection:
        line = connection.timeline
        for expected in seen:
            await asyncio.sleep(0.5)
            assert (line.half_frame_since, line.half_frame_last) == expected
            await asyncio.sleep(0.5)


async def test_a_pong_that_nobody_asked_for_answers_no_ping():
    """Its payload is its own; the answer of the sans-I/O layer has the ping's."""

    async def script(peer):
        await asyncio.sleep(1)
        peer.send(frame(PING, b"are you there?"))
        await peer.gone()

    async with talking(script, client="mute") as connection:
        await asyncio.sleep(2)
        connection.websocket.send_pong(b"")
        assert connection.timeline.ping_answered_at is None
        connection.websocket.send_pong(b"are you there?")
        assert connection.timeline.ping_answered_at == 2.0
    async with talking(script) as connection:
        await asyncio.sleep(2)
        assert connection.timeline.ping_answered_at == 1.0


async def test_a_pong_behind_bytes_that_have_not_left():
    """It waits for room, and the record says behind how many, since when."""

    async def script(peer):
        peer.pause()
        await asyncio.sleep(5)
        peer.send(frame(PING, b"1"))
        await asyncio.sleep(60)

    async with talking(script, compression=False) as connection:
        line = connection.timeline
        sending = asyncio.create_task(connection.send(b"x" * 1_000_000))
        await asyncio.sleep(6)
        assert line.count(Direction.RECEIVED, Opcode.PING) == 1
        assert line.count(Direction.SENT, Opcode.PONG) == 0
        assert line.unsent > 500_000
        assert line.unsent_since == 0.0
        sending.cancel()
