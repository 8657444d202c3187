"""
However a connection ends, whatever is required, at either end and in either time: one verdict, at once.

One table of ends, one of requirements, and all pairs of them, with a peer that leaves TCP open and with one
that closes it.

"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from pytest_wsstability import Orchestrator, StabilityError, run_virtual
from pytest_wsstability.core.judge.verdict import Outcome
from tests.net.peers import BINARY, TEXT, close, frame, talking

# What ends a connection, as the bytes of the peer (unmasked, as a server's are), or None for the end of TCP.
CLOSES = {
    "close 1000": close(1000),
    "close 1001": close(1001),
    "close 1011": close(1011),
    "close 1012": close(1012),
    "close 4000": close(4000),
    "empty close": frame(8, b""),
    "two closes": close(1000) + close(1011),
}
FAILURES = {
    "reserved bit": b"\xc1\x01x",
    "bad UTF-8": b"\x81\x01\xff",
    "reserved opcode": b"\x83\x01x",
    "too long": b"\x82\x7f" + (2**40).to_bytes(8, "big"),
    "fragmented ping": b"\x09\x01x",
}
ENDS: dict[str, bytes | None] = {**CLOSES, **FAILURES, "FIN": None, "RST": None}
# At 1 s of 4 s.
AT = 1.0
HOLDS = {
    "alive": {"alive_for": "4s"},
    "no abnormal closure": {"alive_for": "4s", "no_abnormal_closure": True},
    "heartbeats": {"alive_for": "4s", "heartbeat_every": "400ms", "heartbeat_within": "300ms"},
    "session": {"alive_for": "4s", "session_within": "2s"},
    "pings": {"alive_for": "4s", "pings_within": "2s"},
    "rtt": {"alive_for": "4s", "heartbeat_every": "400ms", "rtt_p95": "1s"},
    "messages": {"alive_for": "4s", "message_every": "3s", "messages_at_least": 1},
    # Every heartbeat that was due is answered, and the end comes shortly before that of the hold.
    "at the last moment": {"alive_for": "1050ms", "heartbeat_every": "700ms", "heartbeat_within": "250ms"},
}
WORDS = ("1000", "1001", "1002", "1005", "1006", "1007", "1009", "1011", "1012", "4000")
# A verdict is told this soon after the end.
TOLD = 0.1

Played = tuple[Outcome, str, float]


async def _judged(connection, requirement) -> Played:
    loop = asyncio.get_running_loop()
    try:
        outcome, first = (await connection.assert_stable(**requirement)).outcome, "stable"
    except StabilityError as exc:
        outcome, first = exc.verdict.outcome, str(exc).partition("\n")[0]
    return outcome, first, loop.time() - connection.timeline.opened - AT


async def _end(writer: asyncio.StreamWriter, what: str, *, lingers: bool, masked: bool) -> None:
    data = ENDS[what]
    if what == "RST":
        writer.transport.abort()
    elif data is None:
        writer.close()
    else:
        writer.write(_masked(data) if masked else data)
        if not lingers:
            # The answer is read, or else TCP makes a reset of the end.
            await asyncio.sleep(0.01)
            writer.close()


def _masked(data: bytes) -> bytes:
    """The same frame as a client sends it: short ones only, with a mask of zeros."""
    length = data[1] & 0x7F
    head = 2 + {126: 2, 127: 8}.get(length, 0)
    whole = head + length if length < 126 else len(data)
    rest = data[whole:]
    return (
        bytes([data[0], data[1] | 0x80])
        + data[2:head]
        + bytes(4)
        + data[head:whole]
        + (_masked(rest) if rest else b"")
    )


async def at_a_client(what: str, requirement: dict, *, lingers: bool) -> Played:
    """A raw server ends it."""

    async def script(peer) -> None:
        loop = asyncio.get_running_loop()
        answering = asyncio.create_task(_answer(peer))
        peer.send(frame(TEXT, b'{"type":"connection_established"}'), frame(BINARY, b"news"))

        def finish() -> None:
            tasks.append(loop.create_task(_end(peer.writer, what, lingers=lingers, masked=False)))

        loop.call_later(AT, finish)
        await answering
        await asyncio.sleep(6)

    tasks: list[asyncio.Task[None]] = []
    kind = "keepalive" if "pings_within" in requirement else "browser"
    async with talking(
        script, profile="json", client=kind, heartbeat=requirement.get("heartbeat_every"), inbox=0
    ) as connection:
        return await _judged(connection, requirement)


async def _answer(peer) -> None:
    """Confirm the session and answer heartbeats, until nothing comes any more."""
    try:
        while True:
            opcode, payload = await peer.frame()
            if opcode == TEXT and b"session_info" in payload:
                peer.send(frame(TEXT, payload.replace(b"session_info", b"session_confirmed")))
            elif opcode == TEXT and b"ping" in payload:
                peer.send(frame(TEXT, b'{"type":"pong"}'))
    except Exception:
        return


@asynccontextmanager
async def raw_client(url: str):
    """A client of a server of ours: its streams, after the upgrade."""
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def at_a_server(what: str, requirement: dict, *, lingers: bool) -> Played:
    """A raw client ends it."""
    async with AsyncExitStack() as stack:
        server = {"read_deadline": None, "ping_interval": "300ms", "max_size": 2**20}
        orchestrator = await stack.enter_async_context(Orchestrator(**server))
        _, writer = await stack.enter_async_context(raw_client(orchestrator.url))
        loop = asyncio.get_running_loop()
        session_info = b'{"type":"session_info","session_id":"raw"}'
        writer.write(_masked(frame(TEXT, session_info)) + _masked(frame(BINARY, b"news")))
        session = await orchestrator.wait_for_session("raw")
        start = session.timeline.opened

        async def beat() -> None:
            for number in range(1, 20):
                await asyncio.sleep(start + 0.35 * number - loop.time())
                if loop.time() > start + AT - 0.01:
                    return
                writer.write(_masked(frame(TEXT, b'{"type":"ping"}')))

        async def finish() -> None:
            await asyncio.sleep(start + AT - loop.time())
            await _end(writer, what, lingers=lingers, masked=True)

        acting = [asyncio.create_task(beat()), asyncio.create_task(finish())]
        try:
            return await _judged(session.connection, requirement)
        finally:
            for task in acting:
                task.cancel()


SIDES: dict[str, Callable[..., Awaitable[Played]]] = {"client": at_a_client, "server": at_a_server}
CELLS = [
    (side, what, name, lingers)
    for side in SIDES
    for what in ENDS
    for name in HOLDS
    for lingers in ((True, False) if ENDS[what] is not None else (False,))
    # A raw client answers no ping, so that nothing is to be measured there.
    if not (side == "server" and name == "pings")
]


def check(side: str, what: str, name: str, found: Played, told: float = TOLD) -> None:
    """Unstable, for its end, and told at once."""
    outcome, first, after = found
    assert outcome is Outcome.UNSTABLE, (side, what, name, first)
    assert any(word in first for word in WORDS), (side, what, name, first)
    # In real time the peer has begun to count a moment before this end.
    assert -0.1 <= after <= told, (side, what, name, after)


@pytest.mark.parametrize(("side", "what", "name", "lingers"), CELLS)
def test_an_end_is_an_end(side, what, name, lingers):
    """In virtual time, each end with each requirement, lingering or not, at both ends."""
    check(side, what, name, run_virtual(SIDES[side](what, HOLDS[name], lingers=lingers)))


@pytest.mark.real
@pytest.mark.parametrize("side", SIDES)
def test_an_end_is_an_end_in_real_time(side):
    """Rows of the table on the machine's clock, all at once; a second for a machine that is busy."""
    row = [(what, name) for what in ENDS for name in ("alive", "session")]

    async def main() -> list[Played]:
        return await asyncio.gather(*(SIDES[side](what, HOLDS[name], lingers=True) for what, name in row))

    for (what, name), each in zip(row, asyncio.run(main()), strict=True):
        if each[0] is not Outcome.INCONCLUSIVE:
            check(side, what, name, each, told=1.0)
