"""One bounded writer: hostile peers cost little memory, no log lines, and no time that others would miss."""

import asyncio
import logging
import tracemalloc
import zlib
from contextlib import asynccontextmanager
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from pytest_wsstability import Direction, EventKind, Orchestrator
from pytest_wsstability.core.timeline.events import Opcode
from pytest_wsstability.net.inbox import MAX_BYTES
from pytest_wsstability.net.websocket import BITE, FRAMES_AT_ONCE, MOST_ANSWERS
from tests.net.peers import CLOSE, PING, PONG, TEXT, close, frame, length, opened, serving, talking, until

pytestmark = pytest.mark.ws_stability(time="virtual")

MB = 2**20
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


class RawClient:
    """A client that obeys nobody."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, *frames):
        self.writer.write(b"".join(frames))


@asynccontextmanager
async def attacking(orchestrator, *fields):
    """A raw client of an orchestrator, and the server's end of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(orchestrator.url).port)
    writer.write(UPGRADE + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n")
    await reader.readuntil(b"\r\n\r\n")
    session = orchestrator.sessions[-1]
    try:
        yield RawClient(reader, writer), session.connection
    finally:
        writer.transport.abort()
        await session.connection.wait_closed()


def quiet_server(**options):
    return Orchestrator(ping_interval=None, read_deadline=None, **options)


async def flood(peer, piece, number):
    """Send a frame so many times, a thousand at once, or as often as there is room, and read nothing."""
    peer.writer.transport.pause_reading()
    for _ in range(number // 1000):
        if peer.writer.transport.is_closing():
            return
        peer.send(piece * 1000)
        try:
            async with asyncio.timeout(1):
                await peer.writer.drain()
        except TimeoutError:
            return


def unsent(connection):
    transport = connection.websocket.transport
    return 0 if transport is None else transport.get_write_buffer_size()


async def the_most(connection, task):
    """The most that an end keeps for its peer while a task runs."""
    most = 0
    while not task.done():
        most = max(most, unsent(connection))
        await asyncio.sleep(0.01)
    task.result()
    return most


PINGS = [b"", b"p" * 125]


@pytest.mark.parametrize("payload", PINGS, ids=len)
async def test_pings_of_a_server_that_reads_nothing_cost_a_client_little(payload):
    """40,000 of them; what is unsent is on the timeline."""
    done = asyncio.Event()

    async def script(peer):
        await flood(peer, frame(PING, payload), 40_000)
        done.set()
        await asyncio.sleep(3600)

    async with talking(script) as connection:
        most = await the_most(connection, asyncio.ensure_future(done.wait()))

        assert most < MB
        assert connection.timeline.count(Direction.RECEIVED, Opcode.PING) == 40_000
        connection.websocket.ask_kernel()
        if payload:
            assert connection.timeline.unsent > 0
            assert connection.timeline.unsent_since is not None


@pytest.mark.parametrize("payload", PINGS, ids=len)
async def test_pings_of_a_client_that_reads_nothing_cost_a_server_little(payload):
    """The same at the other end."""
    async with quiet_server() as orchestrator, attacking(orchestrator) as (client, connection):
        flooding = flood(client, frame(PING, payload, masked=True), 40_000)
        most = await the_most(connection, asyncio.ensure_future(flooding))

        assert most < MB
        if payload:
            assert connection.timeline.unsent_since is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "message",
    [b'{"type":"ping"}', b'{"type":"session_info","session_id":"x"}'],
    ids=["heartbeats", "sessions"],
)
async def test_answers_to_a_client_that_reads_nothing_are_bounded(message):
    """Each wants an answer of its own: so at some time the server reads nothing either."""
    async with quiet_server() as orchestrator, attacking(orchestrator) as (client, connection):
        flooding = flood(client, frame(TEXT, message, masked=True), 200_000)
        most = await the_most(connection, asyncio.ensure_future(flooding))

        assert MOST_ANSWERS / 2 < most < 2 * MOST_ANSWERS
        assert not connection.timeline.paused
        assert not connection.websocket.transport.is_reading()
        # It is not the server's choice to read nothing, so that nothing is excused by it.
        assert connection.timeline.last(direction=Direction.RECEIVED, opcode=Opcode.TEXT) is not None
        assert EventKind.READING_PAUSED not in {event.kind for event in connection.timeline}


@pytest.mark.slow
async def test_a_server_reads_on_once_its_answers_are_taken():
    """Nothing is lost."""
    async with quiet_server() as orchestrator, attacking(orchestrator) as (client, connection):
        await flood(client, frame(TEXT, b'{"type":"ping"}', masked=True), 200_000)
        await until(lambda: not connection.websocket.transport.is_reading())

        async def take():
            while True:
                await client.reader.read(2**16)

        client.writer.transport.resume_reading()
        taking = asyncio.ensure_future(take())
        await until(lambda: unsent(connection) == 0 and connection.websocket.transport.is_reading())
        taking.cancel()
        count = connection.timeline.count
        assert count(Direction.SENT, Opcode.TEXT) == count(Direction.RECEIVED, Opcode.TEXT) + 1


async def test_the_latest_pong_answers_for_those_that_were_kept_back():
    """RFC 6455, section 5.5.3; and it goes out as soon as there is room."""
    go = asyncio.Event()

    async def script(peer):
        transport = peer.writer.transport
        transport.pause_reading()
        for number in range(20_000):
            peer.send(frame(PING, b"%06d" % number + bytes(100)))
            if number % 100 == 0:
                await peer.writer.drain()
        await go.wait()
        transport.resume_reading()
        while True:
            opcode, payload = await peer.frame()
            pongs.append(payload[:6])
            assert opcode == PONG

    pongs = []
    async with talking(script) as connection:
        count = connection.timeline.count
        await until(lambda: count(Direction.RECEIVED, Opcode.PING) == 20_000)
        sent = count(Direction.SENT, Opcode.PONG)
        assert sent < 20_000
        go.set()
        await until(lambda: pongs and pongs[-1] == b"019999")

        assert pongs == [b"%06d" % number for number in range(sent)] + [b"019999"]
        assert count(Direction.SENT, Opcode.PONG) == sent + 1
        connection.websocket.ask_kernel()
        assert connection.timeline.unsent_since is None


async def test_no_pong_follows_our_close_frame():
    """RFC 6455, section 5.5.1: an answer that was kept back is not sent any more."""
    go = asyncio.Event()

    async def script(peer):
        transport = peer.writer.transport
        transport.pause_reading()
        peer.send(*(frame(PING, bytes(125)) for _ in range(20_000)))
        await go.wait()
        transport.resume_reading()
        while (await peer.frame())[0] != CLOSE:
            pass
        peer.send(close(1000))
        behind.append(await peer.reader.read())

    behind = []
    async with talking(script) as connection:
        await until(lambda: connection.timeline.count(Direction.RECEIVED, Opcode.PING) == 20_000)
        connection.websocket.start_close(1000)
        go.set()
        await connection.wait_closed()
        await until(lambda: behind)

        assert behind == [b""]


async def test_a_pong_that_was_asked_for_before_the_close_is_sent():
    """In the order in which they came, where there is room."""

    async def script(peer):
        peer.send(frame(PING, b"one"), close(1000))
        got.append(await peer.frame())
        got.append((await peer.frame())[0])

    got = []
    async with talking(script) as connection:
        await connection.wait_closed()

        assert got == [(PONG, b"one"), CLOSE]


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_a_dead_socket_is_not_written_to(caplog):
    """One read may hold a thousand pings; the first write that fails is the last."""
    caplog.set_level(logging.WARNING, "asyncio")

    async def script(peer):
        peer.send(frame(PING, b"x" * 100) * 2000)
        # RST: what the client has sent is left unread.
        peer.writer.transport.pause_reading()
        await asyncio.sleep(0.05)
        peer.cut()

    for _ in range(5):
        async with talking(script) as connection:
            await asyncio.sleep(0.02)
            if connection.websocket.is_open:
                connection.websocket.send_message("unread")
            await connection.wait_closed()
    assert [record.message for record in caplog.records] == []


# Floods cost the loop no time that others would miss.


async def test_others_have_their_turn_in_a_flood_of_frames():
    """A read of 256 KiB may be 100,000 frames: so many at once would be a lag of our own loop."""
    seen = []

    async def script(peer):
        peer.send(frame(PONG) * 30_000)
        await asyncio.sleep(3600)

    async with talking(script) as connection:
        count = connection.timeline.count
        while count(Direction.RECEIVED, Opcode.PONG) < 30_000:
            seen.append(count(Direction.RECEIVED, Opcode.PONG))
            await asyncio.sleep(0)

        steps = {later - earlier for earlier, later in pairwise(seen)}
        assert max(steps) <= FRAMES_AT_ONCE + 4 * BITE // 2


async def test_the_last_words_of_a_flood_are_heard():
    """The close frame behind it, and what came with the end of the stream."""

    async def script(peer):
        peer.send(frame(PONG) * 50_000, frame(TEXT, b"last"), close(1000, "done"))

    async with talking(script) as connection:
        assert [message async for message in connection] == ["last"]
        await connection.wait_closed()
        assert connection.timeline.count(Direction.RECEIVED, Opcode.PONG) == 50_000
        assert connection.timeline.close.received.reason == "done"


# Deflate bombs.


def bomb(size, *, masked=False):
    """A frame of about a thousandth of what it inflates to (RFC 7692, section 7.2.1)."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    payload = (deflate.compress(bytes(size)) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    head = bytes([0x80 | 0x40 | 0x2]) + length(len(payload), masked=masked)
    return head + (bytes(4) if masked else b"") + payload


async def test_a_hail_of_deflate_bombs_is_bounded_by_what_is_held():
    """
    Each message is below max_size, and 200 of them come in one read.

    Nobody takes them: so the inbox is what they may cost, and one bite more.

    """
    size = MB - 1
    hail = bomb(size) * 200
    assert len(hail) < 2**18

    async def script(peer):
        await peer.upgrade("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover")
        peer.send(hail)
        await asyncio.sleep(3600)

    async with serving(script) as url:
        tracemalloc.start()
        try:
            async with opened(url, profile="frames", compression=True) as connection:
                await until(lambda: connection.timeline.paused)
                _, most = tracemalloc.get_traced_memory()
                assert most < MAX_BYTES + 6 * MB
                # All of them are there for who takes them.
                for _ in range(200):
                    assert len(await connection.recv(within="10s")) == size
        finally:
            tracemalloc.stop()


async def test_a_server_bounds_them_too():
    """One that throws messages away holds one bite at a time."""
    async with (
        quiet_server(compression=True) as orchestrator,
        attacking(orchestrator, DEFLATE) as (client, connection),
    ):
        tracemalloc.start()
        try:
            client.send(bomb(MB - 1, masked=True) * 200)
            await until(lambda: connection.timeline.dropped_reads == 200)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert most < 8 * MB


async def test_messages_wait_where_the_inbox_is_full():
    """Many small ones in one read: reading pauses within it, and goes on with `recv`."""

    async def script(peer):
        peer.send(*(frame(TEXT, b"%05d" % number) for number in range(5000)))
        await asyncio.sleep(3600)

    async with talking(script, inbox=10) as connection:
        await until(lambda: connection.timeline.paused)
        assert len(connection.websocket.messages.inbox) < 10 + 4 * BITE // 7 + 1
        taken = [int(await connection.recv(within="5s")) for _ in range(5000)]

        assert taken == list(range(5000))
        assert connection.timeline.dropped_reads == 0
