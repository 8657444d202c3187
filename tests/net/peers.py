"""Raw peers that obey nobody: bytes in, bytes out, over asyncio streams in either time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from pytest_wsstability import Connection, Orchestrator, connect
from pytest_wsstability.core.timeline.close import LocalReason

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Script = Callable[["Peer"], Awaitable[object]]


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = False
) -> bytes:
    """A frame on the wire (RFC 6455, section 5.2); masked with zeros, so that it stays readable."""
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    return head + length(len(payload), masked=masked) + (bytes(4) if masked else b"") + payload


def length(size: int, *, masked: bool = False) -> bytes:
    """The length of a payload as a frame's head says it."""
    bit = 0x80 if masked else 0
    if size < 126:
        return bytes([bit | size])
    if size < 2**16:
        return bytes([bit | 126]) + size.to_bytes(2, "big")
    return bytes([bit | 127]) + size.to_bytes(8, "big")


def close(code: int, reason: str = "") -> bytes:
    """A close frame, whatever the code."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode())


class Peer:
    """A raw server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """The head of the client's HTTP request."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def upgrade(self, *fields: str) -> bytes:
        """Accept the upgrade, with further header fields; gives the request."""
        request = await self.request()
        self.send(accepting(request, *fields))
        return request

    def send(self, *chunks: bytes) -> None:
        """Put bytes on the wire."""
        self.writer.write(b"".join(chunks))

    async def frame(self) -> tuple[int, bytes]:
        """The client's next frame, as opcode and payload without its mask."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(size)
        return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))

    async def gone(self) -> None:
        """Wait until the client has closed its side, whatever it sends before."""
        while await self.reader.read(2**16):
            pass

    def pause(self) -> None:
        """Read nothing more; what comes stays with the kernel."""
        self.writer.transport.pause_reading()

    def cut(self) -> None:
        """Close: a FIN, or RST where bytes are left unread (RFC 2525, section 2.17)."""
        self.writer.transport.abort()


def accepting(request: bytes, *fields: str) -> bytes:
    """The response that accepts an upgrade (RFC 6455, section 4.2.2)."""
    lines = [line.partition(b":") for line in request.split(b"\r\n")]
    key = next(value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
    head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    return "\r\n".join([*head, f"Sec-WebSocket-Accept: {accept}", *fields, "", ""]).encode()


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A raw server that plays the script with each client, and closes when it ends; gives its URL."""
    failures: list[Exception] = []
    playing: set[asyncio.Task[object] | None] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing.add(asyncio.current_task())
        try:
            # The client may go first, in the middle of the script, and so may the test.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await script(Peer(reader, writer))
        except Exception as exc:
            failures.append(exc)
        finally:
            writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'ws' if tls is None else 'wss'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        tasks = [task for task in playing if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
    if failures:
        raise failures[0]


@asynccontextmanager
async def talking(script: Script, **options: object) -> AsyncIterator[Connection]:
    """A client's connection to a raw server that accepts the upgrade and then plays the script."""

    async def whole(peer: Peer) -> None:
        await peer.upgrade()
        await script(peer)

    async with serving(whole) as url, opened(url, **{"profile": "frames", **options}) as connection:
        yield connection


@asynccontextmanager
async def opened(url: str, **options: object) -> AsyncIterator[Connection]:
    """A client's connection that is cut in the end, if it is still there."""
    connection = await connect(url, **options)
    try:
        yield connection
    finally:
        connection.websocket.abort(LocalReason.INTERRUPTED, "the test is over")
        await connection.wait_closed()


@asynccontextmanager
async def served(
    server: dict[str, object] | None = None, **client: object
) -> AsyncIterator[tuple[Connection, Orchestrator]]:
    """A client's connection to an orchestrator with these keywords; it speaks what the orchestrator does."""
    async with (
        Orchestrator(**(server or {})) as orchestrator,
        opened(orchestrator.url, **{"profile": orchestrator.profile, **client}) as connection,
    ):
        yield connection, orchestrator


@asynccontextmanager
async def connected(
    server: dict[str, object] | None = None, **client: object
) -> AsyncIterator[tuple[Connection, Orchestrator]]:
    """The same, its session confirmed."""
    async with served(server, **client) as (connection, orchestrator):
        behaviour = orchestrator.behaviour
        if behaviour.greet == behaviour.confirm_sessions == 0.0 and orchestrator.profile.has_session:
            await connection.assert_session_confirmed(within="5s")
        yield connection, orchestrator


async def silent(peer: Peer) -> None:
    """Say nothing, until the client goes."""
    await peer.gone()


def answering(said: bytes, *, stay: bool = False) -> Script:
    """Answer the request with these bytes, whatever it asks, and close the stream or stay."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(said)
        if stay:
            await peer.gone()

    return script


async def answer_pings(peer: Peer, after: float = 0.0) -> None:
    """Live on, and answer each ping so late."""
    while True:
        opcode, payload = await peer.frame()
        if opcode == PING:
            asyncio.get_running_loop().call_later(after, peer.send, frame(PONG, payload))


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the loop brings about: turns in memory, milliseconds with the kernel."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the conditions are of many kinds
            await asyncio.sleep(0.001)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes, until its end."""
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
