"""A side that does not read slows the other one down, and that is recorded."""

import asyncio

import pytest

from pytest_wsstability import Direction, EventKind, Orchestrator, Outcome, Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.core.timeline.events import Opcode
from tests.net.peers import BINARY, CLOSE, TEXT, close, connected, frame, opened, serving, talking, until

pytestmark = pytest.mark.ws_stability

MB = 2**20


def kinds(timeline):
    return [
        event.kind
        for event in timeline
        if event.kind in (EventKind.READING_PAUSED, EventKind.READING_RESUMED)
    ]


async def test_send_waits_for_a_peer_that_does_not_read():
    """The transport's buffer is bounded, so memory is; reading again lets send() go on."""
    read = asyncio.Event()

    async def script(peer):
        peer.pause()
        await read.wait()
        peer.writer.transport.resume_reading()
        await peer.gone()

    async with talking(script) as connection:

        async def fill():
            # More than what the kernels of both ends hold for each other.
            for _ in range(64):
                await connection.send(b"x" * MB)

        filling = asyncio.create_task(fill())
        await turns(200)
        sent = connection.timeline.count(Direction.SENT, Opcode.BINARY)
        assert not filling.done()
        assert sent < 64

        read.set()
        await filling
        assert connection.timeline.count(Direction.SENT, Opcode.BINARY) == 64


async def turns(number):
    """Let the loop run: enough for whatever can happen now, and no time."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_send_that_waits_ends_with_the_connection():
    """Nobody waits for room in a buffer that is gone."""

    async def script(peer):
        peer.pause()
        await cut.wait()
        peer.cut()

    cut = asyncio.Event()
    async with talking(script) as connection:
        sending = asyncio.create_task(connection.send(b"x" * 64 * MB))
        await turns(20)
        assert not sending.done()
        cut.set()
        with pytest.raises(ConnectionError, match=r"^the connection ended: 1006 at "):
            await sending


@pytest.mark.parametrize("limit", [1, 2, 10])
async def test_a_full_inbox_pauses_reading_and_recv_resumes_it(limit):
    """At the limit it stops, half empty it goes on; both stand on the timeline, no message is lost."""
    number = 25
    async with serving_numbers(number) as url, opened(url, profile="frames", inbox=limit) as connection:
        await until(lambda: connection.timeline.paused)
        assert kinds(connection.timeline) == [EventKind.READING_PAUSED]
        taken = [int(await connection.recv()) for _ in range(number)]

        assert taken == list(range(number))
        assert kinds(connection.timeline).count(EventKind.READING_RESUMED) >= 1
        assert connection.timeline.dropped_reads == 0
        await connection.wait_closed()
        assert connection.timeline.paused is False


def serving_numbers(number):
    async def script(peer):
        await peer.upgrade()
        for each in range(number):
            peer.send(frame(TEXT, str(each).encode()))
            await peer.writer.drain()
            # A frame a segment, or else they all come in one read.
            await asyncio.sleep(0.001)
        peer.send(close(1000))
        await answered(peer)

    return serving(script)


async def answered(peer):
    """Wait for the client's close frame."""
    while (await peer.frame())[0] != CLOSE:
        pass


async def test_large_messages_fill_the_inbox_before_their_number_does():
    """4 MiB unread are enough."""

    async def script(peer):
        for _ in range(20):
            peer.send(frame(BINARY, b"x" * (MB - 1)))
            await peer.writer.drain()
        peer.send(close(1000))
        await answered(peer)

    async with talking(script) as connection:
        await until(lambda: connection.timeline.paused)
        assert 5 <= connection.timeline.count(Direction.RECEIVED, Opcode.BINARY) < 20
        assert len([message async for message in connection]) == 20


async def test_an_inbox_of_nothing_throws_away_and_never_pauses():
    """A hold takes no messages; they are counted."""

    async def script(peer):
        peer.send(*[frame(TEXT, b"news")] * 2000, close(1000))
        await peer.frame()

    async with talking(script, inbox=0) as connection:
        await connection.wait_closed()

        assert connection.timeline.dropped_reads == 2000
        assert kinds(connection.timeline) == []
        connection.assert_closed(code=1000)


@pytest.mark.ws_stability(time="virtual")
async def test_pings_behind_a_full_inbox_are_not_seen_and_nobody_is_blamed():
    """The end that did not read lost the connection: the verdict is inconclusive."""

    async def handler(connection):
        for number in range(10):
            await connection.send(str(number))
            # A read of its own for each.
            await asyncio.sleep(1)
        await connection.wait_closed()

    async with (
        Orchestrator(handler=handler, read_deadline="60s", ping_interval="30s") as orchestrator,
        opened(orchestrator.url, inbox=2) as connection,
    ):
        session = await orchestrator.wait_for_session()
        await session.connection.wait_closed()
        assert session.timeline.close.at == 60.0
        assert connection.timeline.close is None
        await asyncio.sleep(60)

        verdict = judge(Requirement.of(alive_for="2m"), connection.timeline)
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert [doubt.reason for doubt in verdict.doubts] == [Reason.READING_PAUSED]


async def test_closing_reads_on():
    """A full inbox must not keep the answer to our own close frame out."""
    async with serving_numbers(20) as url, opened(url, profile="frames", inbox=1) as connection:
        await until(lambda: connection.timeline.paused)
        await connection.close()

        connection.assert_closed(code=1000)


@pytest.mark.ws_stability(time="virtual")
async def test_closing_with_a_full_inbox_takes_no_time():
    """The answer is found behind the messages that nobody took."""

    async def script(peer):
        peer.send(*[frame(TEXT, b"x" * 1000)] * 1000)
        await peer.frame()
        peer.send(close(1000))

    async with talking(script, inbox=1) as connection:
        await until(lambda: connection.timeline.paused)
        before = connection.websocket.loop.time()
        await connection.close()

        assert connection.websocket.loop.time() == before
        assert connection.timeline.close.received.code == 1000


async def test_a_message_over_the_limit_fails_with_1009_at_this_end():
    """The peer is told, and the evidence says who refused what."""
    async with connected({"echo": True, "max_size": None}, max_size=1000) as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.send("x" * 1001)
        await connection.wait_closed()
        await session.connection.wait_closed()

        evidence = connection.timeline.close
        assert evidence.sent.code == 1009
        assert evidence.abnormal
        assert "1001" in evidence.parser_error
        session.assert_closed(code=1009, by="client")


async def test_a_message_at_the_limit_is_taken():
    """The limit is the largest size that is allowed."""
    async with connected({"echo": True}, max_size=1000) as (connection, _):
        await connection.send("x" * 1000)

        assert len(await connection.recv()) == 1000


async def test_fragments_over_the_limit_together_fail_too():
    """No fragment is too long, the message is."""

    async def script(peer):
        peer.send(frame(TEXT, b"x" * 600, fin=False), frame(0, b"x" * 600))
        assert (await peer.frame())[1][:2] == (1009).to_bytes(2, "big")

    async with talking(script, max_size=1000) as connection:
        await connection.wait_closed()

        assert connection.timeline.close.sent.code == 1009


async def test_an_announced_giant_is_refused_before_it_comes():
    """100 MB in a frame's head: nothing is waited for, and nothing is kept."""
    answer = asyncio.get_running_loop().create_future()

    async def script(peer):
        peer.send(frame(BINARY, b"")[:1], b"\x7f", (100_000_000).to_bytes(8, "big"), b"x" * 1000)
        answer.set_result(await peer.frame())

    async with talking(script) as connection:
        await connection.wait_closed()

        opcode, payload = await answer
        assert (opcode, payload[:2]) == (CLOSE, (1009).to_bytes(2, "big"))
        assert connection.timeline.close.parser_error is not None
        assert connection.timeline.bytes(Direction.RECEIVED) == 0
        assert len(connection.websocket.messages.inbox) == 0
