"""The reference server: the orchestrator of the story, with every timer in the open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ..core.duration import Duration, parse_duration, show_duration
from ..profiles import JSON, Profile
from .behaviour import Behaviour
from .client import INBOX, MAX_SIZE, profile_of
from .connection import Connection
from .errors import ConnectionEnded
from .server import ServerSide
from .session import Session
from .stream import LOGGER
from .target import Headers, parse_headers
from .websocket import WebSocket

Handler = Callable[[Connection], Awaitable[None]]

# Seconds that clients have to answer the close frame of a server that stops.
CLOSE_GRACE = 1.0
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class NoSessionError(AssertionError):
    """No session came while the test waited for one."""


NoSessionError.__module__ = "pytest_wsstability"


async def echo_messages(connection: Connection) -> None:
    """Send each message back."""
    async for message in connection:
        await connection.send(message)


class Orchestrator:
    """
    A WebSocket server that speaks a profile's protocol and records what it sees.

    Use it as ``async with Orchestrator() as orchestrator:``, or through the ``ws_orchestrator`` fixture.

    Args:
        behaviour: keywords of `Behaviour`: ``read_deadline`` (default 60 s), ``ping_interval`` (30 s),
            ``deadline_reset_by`` (a set of "pong", "ping", "data", "heartbeat", "any"; default "pong"),
            ``on_deadline`` ("drop" or a close code), and ``greet``, ``confirm_sessions``,
            ``answer_heartbeats`` (True, False, or a delay).
        profile: the application protocol.
        echo: send each application message back.
        handler: a coroutine function that is given each `Connection`; it may `recv` and `send`, and the
            connection is closed with 1000 when it returns.
        host, port: where to listen; port 0 takes a free one.
        tls: the server's context for wss://.
        subprotocols: names to choose from.
        compression: accept permessage-deflate (RFC 7692).
        headers: further header fields of the handshake response.
        max_size: bytes of a message above which a connection fails with 1009; None for no limit.
        ended: called with each connection that has ended.
        page: HTML for browsers that ask for ``/`` without an upgrade; None answers them with HTTP 426.

    Raises:
        TypeError, ValueError: for a keyword or value that makes no sense, naming it.

    """

    def __init__(
        self,
        *,
        profile: Profile | str = JSON,
        echo: bool = False,
        handler: Handler | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        subprotocols: Sequence[str] = (),
        compression: bool = False,
        headers: Headers = (),
        max_size: int | None = MAX_SIZE,
        ended: Callable[[Connection], object] | None = None,
        page: str | None = None,
        **behaviour: Any,
    ) -> None:
        self.behaviour = Behaviour.of(**behaviour)
        self.profile = profile_of(profile)
        if echo and handler is not None:
            raise ValueError("echo: there is a handler already; give one of the two")
        self._handler = echo_messages if echo else handler
        self._host, self._port = host, port
        self._tls = tls
        self._subprotocols = [Subprotocol(name) for name in subprotocols]
        self._extensions = [ServerPerMessageDeflateFactory()] if compression else None
        self._headers = parse_headers(headers)
        self._max_size = max_size
        self._ended = ended
        self.page = page
        self._server: asyncio.Server | None = None
        self._url: str | None = None
        # Every session so far, in the order of arrival; those with an id also by it.
        self.sessions: list[Session] = []
        self._by_id: dict[str, Session] = {}
        # Open connections, by the address of their client.
        self._open: dict[Any, Connection] = {}
        # Transports that are not gone yet, with the addresses of their clients once they are open; a
        # dict, because a set would have an order of its own.
        self._transports: dict[WebSocket, Any] = {}
        # Connections that have not said yet which session they belong to.
        self._anonymous: dict[Connection, Session] = {}
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._handler_error: BaseException | None = None
        # Those who wait for a session.
        self._waiting: list[asyncio.Future[None]] = []
        self._gone: asyncio.Future[None] | None = None

    @property
    def url(self) -> str:
        """
        Where clients connect to.

        Raises:
            RuntimeError: if the orchestrator was never started.

        """
        if self._url is None:
            raise RuntimeError(
                "the orchestrator has no URL before it is started: use 'async with' or start()"
            )
        return self._url

    def __repr__(self) -> str:
        return f"<Orchestrator {self._url or 'not started'}, {len(self.sessions)} session(s)>"

    async def __aenter__(self) -> Orchestrator:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """
        Listen.

        Raises:
            OSError: if the address is in use or not ours, naming it.

        """
        if self._server is not None:
            raise RuntimeError("the orchestrator is running already")
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: self._connection(loop), self._host, self._port, ssl=self._tls
            )
        except OSError as exc:
            where = f"{self._host}:{self._port}"
            raise OSError(exc.errno, f"the orchestrator cannot listen on {where}: {exc.strerror}") from None
        port = self._server.sockets[0].getsockname()[1]
        # Who listens everywhere is reached here by the loopback.
        host = _HERE.get(self._host, self._host)
        host = f"[{host}]" if ":" in host else host
        self._url = f"{'wss' if self._tls else 'ws'}://{host}:{port}/"

    def _connection(self, loop: asyncio.AbstractEventLoop) -> WebSocket:
        protocol = ServerProtocol(
            subprotocols=self._subprotocols or None,
            extensions=self._extensions,
            max_size=self._max_size,
            logger=LOGGER,
        )
        side = ServerSide(self.behaviour, self, self._headers)
        inbox = INBOX if self._handler is not None else 0
        return WebSocket(protocol, side, self.profile, loop=loop, inbox=inbox)

    async def stop(self) -> None:
        """
        Close every connection with 1001 and wait until nothing of the server is left.

        Raises:
            BaseException: what a handler raised, the first of them.

        """
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        loop = asyncio.get_running_loop()
        for connection in list(self._open.values()):
            connection.websocket.start_close(1001, "server shutdown", planned=True)
        await self._wait_gone(loop.time() + CLOSE_GRACE)
        for websocket in list(self._transports):
            if websocket.transport is not None:
                websocket.transport.abort()
        await self._wait_gone(None)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await server.wait_closed()
        error, self._handler_error = self._handler_error, None
        if error is not None:
            raise error

    async def _wait_gone(self, until: float | None) -> None:
        if not self._transports:
            return
        self._gone = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout_at(until):
                await self._gone
        except TimeoutError:
            pass
        finally:
            self._gone = None

    # The book of connections and sessions (see `Register`).

    def reached(self, websocket: WebSocket) -> None:
        """A transport is there; after a TLS handshake that failed none is, and nobody says so."""
        self._transports[websocket] = None

    def came(self, connection: Connection) -> None:
        """A connection is open."""
        assert connection.websocket.transport is not None
        peer = connection.websocket.transport.get_extra_info("peername")
        self._transports[connection.websocket] = peer
        self._open[peer] = connection
        self._anonymous[connection] = session = Session(None, connection)
        self.sessions.append(session)
        if self._handler is not None:
            self._tasks[connection] = asyncio.get_running_loop().create_task(self._handle(connection))
        if not self.profile.has_session:
            self._wake()

    def named(self, connection: Connection, session_id: str) -> None:
        """A connection has said which session it belongs to."""
        connection.session_id = connection.timeline.session_id = session_id
        anonymous = self._anonymous.pop(connection, None)
        known = self._by_id.get(session_id)
        if known is None and anonymous is not None:
            anonymous.id = session_id
            self._by_id[session_id] = anonymous
        elif known is not None and connection not in known.connections:
            known.connections.append(connection)
            if anonymous is not None:
                self.sessions.remove(anonymous)
        self._wake()

    def went(self, websocket: WebSocket, connection: Connection | None) -> None:
        """A transport is gone."""
        peer = self._transports.pop(websocket, None)
        if connection is not None:
            self._open.pop(peer, None)
            self._anonymous.pop(connection, None)
            if self._ended is not None:
                self._ended(connection)
        if not self._transports and self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def witness(self, connection: Connection) -> None:
        """Show this server's timeline with the failures of a client's connection, if it leads here."""
        transport = connection.websocket.transport
        mine = self._open.get(transport.get_extra_info("sockname")) if transport is not None else None
        if mine is not None:
            connection.others = (mine.timeline,)

    async def _handle(self, connection: Connection) -> None:
        assert self._handler is not None
        try:
            await self._handler(connection)
        except ConnectionEnded:
            pass
        except Exception as exc:
            self._handler_error = self._handler_error or exc
            connection.websocket.start_close(1011, local_reason=f"the handler raised {exc!r}"[:200])
        else:
            connection.websocket.start_close(1000, local_reason="the handler returned")
        finally:
            del self._tasks[connection]

    # Waiting for clients.

    async def wait_for_session(self, id: str | None = None, *, within: Duration = "10s") -> Session:
        """
        Wait for a client's session.

        Args:
            id: what the client calls it; None takes the first one, or the first connection where the
                profile has no sessions.
            within: how long to wait.

        Raises:
            NoSessionError: if none came in time, saying what came instead.

        """
        __tracebackhide__ = True
        loop = asyncio.get_running_loop()
        seconds = parse_duration(within, "within")
        until = loop.time() + seconds
        while (session := self._find(id)) is None:
            if loop.time() >= until:
                raise NoSessionError(self._nobody(id, seconds))
            waiter = loop.create_future()
            self._waiting.append(waiter)
            timer = loop.call_at(until, _settle, waiter)
            try:
                await waiter
            finally:
                timer.cancel()
                self._waiting.remove(waiter)
        return session

    def _find(self, session_id: str | None) -> Session | None:
        if session_id is not None:
            return self._by_id.get(session_id)
        named = self.profile.has_session
        return next((session for session in self.sessions if session.id is not None or not named), None)

    def _nobody(self, session_id: str | None, seconds: float) -> str:
        what = "no session" if session_id is None else f"no session {session_id!r}"
        lines = [f"{what} came to {self.url} within {show_duration(seconds)}"]
        if not self.sessions:
            lines.append("  observed  no client opened a connection")
        for session in self.sessions[:5]:
            name = f"session {session.id!r}" if session.id else "a connection without session_info"
            lines.append(f"  observed  {name}: {session.timeline!r}")
        return "\n".join(lines)

    def _wake(self) -> None:
        for waiter in self._waiting:
            _settle(waiter)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
