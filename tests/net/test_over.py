"""A connection is over with the first sign of its end, and everybody is told then, TCP lingering or not."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from pytest_wsstability import (
    ConnectionEnded,
    Orchestrator,
    Outcome,
    Requirement,
    StabilityError,
    connect,
    hold,
    run_virtual,
)
from pytest_wsstability.core.timeline.close import CloseFrame, TransportEnd
from pytest_wsstability.net.websocket import CLOSE_TIMEOUT, LINGER
from tests.net.peers import BINARY, CLOSE, TEXT, close, connected, frame, opened, serving, talking

GREETING = frame(TEXT, b'{"type":"connection_established"}')
CONFIRMED = frame(TEXT, b'{"type":"session_confirmed"}')
ANSWER = frame(TEXT, b'{"type":"pong"}')
LONG = 30.0
PROTOCOL = "frames that break the protocol"
NO_TEXT = "text messages that are no UTF-8"

# What ends a connection, masked where a client sends it, and what the first line of the failure says.
ENDS = {
    "close 1000": (lambda masked: _close(1000, masked), "1000"),
    "close 1011": (lambda masked: _close(1011, masked), "1011"),
    "close 1012": (lambda masked: _close(1012, masked), "1012"),
    "close 4000": (lambda masked: _close(4000, masked), "4000"),
    "empty close": (lambda masked: frame(CLOSE, masked=masked), "1005"),
    "two closes": (lambda masked: _close(1000, masked) + _close(1011, masked), "1000"),
    "close and data": (lambda masked: _close(1000, masked) + frame(TEXT, b"late", masked=masked), "1000"),
    "short close": (lambda masked: frame(CLOSE, b"\x03", masked=masked), PROTOCOL),
    "invalid code": (lambda masked: _close(1005, masked), "a wrong close frame: 1005"),
    "reserved bit": (lambda masked: frame(TEXT, b"x", rsv=4, masked=masked), PROTOCOL),
    "reserved opcode": (lambda masked: frame(0x3, b"x", masked=masked), PROTOCOL),
    "wrong masking": (lambda masked: frame(TEXT, b"x", masked=not masked), PROTOCOL),
    "bad UTF-8": (lambda masked: frame(TEXT, b"\xff", masked=masked), NO_TEXT),
    "bad UTF-8 in fragments": (
        lambda masked: frame(TEXT, b"\xc3", fin=False, masked=masked) + frame(0, b"(", masked=masked),
        NO_TEXT,
    ),
    "too big": (lambda masked: frame(BINARY, bytes(2**20 + 1), masked=masked), "max_size"),
    "FIN": (lambda masked: b"", "1006"),
}  # fmt: skip
# Each is met by a peer that goes on; the end comes at 1.9 s, so that the last one is due any moment.
REQUIREMENTS = {
    "alive": {"alive_for": "4s"},
    "no abnormal closure": {"alive_for": "4s", "no_abnormal_closure": True},
    "heartbeats": {"alive_for": "4s", "heartbeat_every": "1s", "heartbeat_within": "500ms"},
    "session": {"alive_for": "4s", "session_within": "2s"},
    "at the last moment": {"alive_for": "2s", "heartbeat_every": "1s", "heartbeat_within": "500ms"},
}
AT = 1.9
# The first heartbeat goes out at 1 s.
ANSWERED = 1.25


def _close(code, masked):
    return frame(CLOSE, code.to_bytes(2, "big"), masked=masked)


async def speak(send, end, linger):
    """Greet, confirm, answer the first heartbeat; then end."""
    send(GREETING + CONFIRMED)
    await asyncio.sleep(ANSWERED)
    send(ANSWER)
    await asyncio.sleep(AT - ANSWERED)
    send(end)
    if linger and end:
        await asyncio.sleep(LONG)


async def at_the_client(end, requirement, linger):
    """What a client makes of a server that ends: the verdict's error, and when it was raised."""

    async def script(peer):
        await peer.upgrade()
        await speak(peer.send, end, linger)

    heartbeat = requirement.get("heartbeat_every")
    async with serving(script) as url, opened(url, heartbeat=heartbeat) as connection:
        return await judged(connection, requirement)


async def at_the_server(end, requirement, linger):
    """What a server makes of a client that ends."""
    async with Orchestrator(read_deadline=None, ping_interval=None) as orchestrator:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(orchestrator.url).port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")

        async def client():
            hello = json.dumps({"type": "session_info", "session_id": "s"}).encode()
            writer.write(frame(TEXT, hello, masked=True))
            await asyncio.sleep(1.0)
            writer.write(frame(TEXT, b'{"type":"ping"}', masked=True))
            await asyncio.sleep(AT - 1.0)
            writer.write(end)
            if linger and end:
                await asyncio.sleep(LONG)
            writer.close()

        playing = asyncio.ensure_future(client())
        try:
            session = await orchestrator.wait_for_session("s")
            return await judged(session.connection, requirement)
        finally:
            playing.cancel()
            writer.transport.abort()


async def judged(connection, requirement):
    loop = asyncio.get_running_loop()
    with pytest.raises(StabilityError) as caught:
        await connection.assert_stable(**requirement)
    return caught.value, loop.time() - connection.timeline.opened, connection.timeline


async def side_by_side(side, cells):
    """What a side makes of many peers at once, by end and requirement; each end lingers or not."""
    found = await asyncio.gather(
        *(
            side(ENDS[end][0](side is at_the_server), REQUIREMENTS[name], linger)
            for end, name, linger in cells
        )
    )
    return zip(cells, found, strict=True)


@pytest.mark.parametrize("linger", [True, False], ids=["lingers", "closes"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("side", [at_the_client, at_the_server])
def test_every_end_breaks_every_requirement_at_once(side, end, linger):
    """The same verdict, what the peer did in its first line, and told at the instant."""
    cells = [(end, name, linger) for name in REQUIREMENTS]
    for cell, (error, took, timeline) in run_virtual(side_by_side(side, cells)):
        assert error.verdict.outcome is Outcome.UNSTABLE, cell
        assert ENDS[end][1] in str(error).partition("\n")[0], cell
        assert AT <= took <= AT + 0.1, cell
        assert timeline.close.at == pytest.approx(AT, abs=0.001), cell


@pytest.mark.real
@pytest.mark.parametrize("side", [at_the_client, at_the_server])
def test_every_end_breaks_every_requirement_on_kernel_sockets(side):
    """With TCP left open; told long before anybody gives up on the peer."""
    # On a busy machine the last moment may be over.
    cells = [(end, name, True) for end in ENDS for name in REQUIREMENTS if name != "at the last moment"]
    for cell, (error, took, _) in asyncio.run(side_by_side(side, cells)):
        assert error.verdict.outcome is Outcome.UNSTABLE, cell
        assert ENDS[cell[0]][1] in str(error).partition("\n")[0], cell
        assert took < CLOSE_TIMEOUT, cell


async def told(connection, use):
    """What a use of the connection raises once it is over, and when."""
    loop = asyncio.get_running_loop()
    with pytest.raises(ConnectionEnded) as caught:
        await use(connection)
    return caught.value, loop.time() - connection.timeline.opened


async def iterate(connection):
    async for _ in connection:
        pass


async def fill(connection):
    while True:
        await connection.send(bytes(2**16))


USES = {
    "recv": lambda connection: connection.recv(),
    "iterate": iterate,
    "ping": lambda connection: connection.ping(),
    "send": fill,
}  # fmt: skip


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("use", USES)
async def test_everybody_who_waits_is_told(use):
    """Though the peer neither reads nor ends the stream."""

    async def script(peer):
        peer.pause()
        await asyncio.sleep(AT)
        peer.send(close(1011, "enough"))
        await asyncio.sleep(LONG)

    async with talking(script) as connection:
        error, took = await told(connection, USES[use])

        assert took == pytest.approx(AT, abs=0.001)
        assert (error.evidence.received, error.evidence.transport) == (
            CloseFrame(1011, "enough"), TransportEnd.OPEN,
        )  # fmt: skip


@pytest.mark.ws_stability(time="virtual")
async def test_a_session_is_not_waited_for_on_a_connection_that_is_over():
    """Nor is the end of the time that it has."""

    async def script(peer):
        await asyncio.sleep(AT)
        peer.send(close(1000))
        await asyncio.sleep(LONG)

    async with talking(script, profile="json") as connection:
        with pytest.raises(StabilityError):
            await connection.assert_session_confirmed(within="20s")

        assert connection.timeline.close.at == pytest.approx(AT, abs=0.001)
        assert connection.websocket.loop.time() - connection.timeline.opened == pytest.approx(AT, abs=0.001)


@pytest.mark.ws_stability(time="virtual")
async def test_our_own_close_is_an_end_too():
    """At the instant of the frame, and whoever else waits is told."""
    async with connected({"faults": []}) as (connection, _):
        waiting = asyncio.ensure_future(told(connection, USES["recv"]))
        await asyncio.sleep(1)
        connection.websocket.start_close(1000)
        assert connection.timeline.close.sent == CloseFrame(1000)
        assert connection.timeline.close.transport is TransportEnd.OPEN
        _, took = await waiting

        assert took == pytest.approx(1.0, abs=0.001)


@pytest.mark.ws_stability(time="virtual")
async def test_what_came_before_the_end_can_still_be_taken():
    """The end is told after the last message."""

    async def script(peer):
        peer.send(frame(TEXT, b"one"), frame(TEXT, b"two"), close(1000))
        await asyncio.sleep(LONG)

    async with talking(script) as connection:
        await asyncio.sleep(1)

        assert [message async for message in connection] == ["one", "two"]


@pytest.mark.ws_stability(time="virtual")
async def test_the_first_end_counts():
    """A close frame, then our answer, then FIN at leisure: the evidence grows, its instant does not."""

    async def script(peer):
        await asyncio.sleep(1)
        peer.send(close(1001))
        await asyncio.sleep(3)

    async with talking(script) as connection:
        await connection.websocket.wait_over(LONG)
        first = connection.timeline.close
        await connection.wait_closed()
        last = connection.timeline.close

        assert (first.at, first.transport) == (last.at, TransportEnd.OPEN)
        assert last.transport is TransportEnd.FIN
        assert connection.websocket.loop.time() - connection.timeline.opened == pytest.approx(4, abs=0.01)


def lingering(code):
    async def script(peer):
        await peer.upgrade()
        await asyncio.sleep(1)
        peer.send(close(code))
        await asyncio.sleep(LONG)

    return serving(script)


def test_a_whole_hold_is_told_at_once():
    """It waits no longer than `LINGER` for a peer that leaves TCP open."""

    async def main():
        async with lingering(1011) as url:
            loop = asyncio.get_running_loop()
            held = await hold(Requirement.of(alive_for="20s"), url=url, profile="frames")
            return held, loop.time() - held.timeline.opened

    held, took = run_virtual(main())
    assert held.verdict.outcome is Outcome.UNSTABLE
    assert 1.0 <= took <= 1.0 + LINGER + 0.001


def test_closing_does_not_wait_for_a_peer_that_has_closed():
    """The peer had its time."""

    async def main():
        async with lingering(1000) as url:
            connection = await connect(url, profile="frames")
            await asyncio.sleep(2)
            await connection.close()
            return connection.websocket.loop.time() - connection.timeline.opened, connection.timeline

    took, timeline = run_virtual(main())
    assert 2.0 <= took <= 2.0 + LINGER + 0.001
    assert timeline.close.transport is TransportEnd.CLOSED
