"""The orchestrator's book: who came, which session they belong to, and who is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ...core.duration import Duration, parse_duration, show_duration
from ...core.judge.attempts import ConnectionAttempt, ConnectionHistory
from ...core.timeline.events import Tier
from ...profiles import Profile
from ..connection import Connection
from ..health import tier_of
from ..websocket import WebSocket
from .session import Session

_OUTSIDE = (
    "  hint      in virtual time a server is reached from this process only: a client in another one needs "
    "ws_stability(time='real')"
)


class NoSessionError(AssertionError):
    """No session came while the test waited for one."""


NoSessionError.__module__ = "pytest_wsstability"


class Book:
    """
    Connections and sessions of one server (see `Register`).

    Args:
        profile: the application protocol: whether there are sessions at all.
        opened: called with each connection that has opened.
        ended: called with each connection that has ended.
        struck_until: gives the age, in seconds, until which faults may strike a connection.

    """

    def __init__(
        self,
        profile: Profile,
        *,
        opened: Callable[[Connection], object],
        ended: Callable[[Connection], object],
        struck_until: Callable[[], float] = float,
    ) -> None:
        self._profile = profile
        self._opened, self._ended = opened, ended
        self.struck_until = struck_until
        # HTML for browsers that only look at the address; None where there is none.
        self.page: str | None = None
        # Every session so far, in the order of arrival; those with an id also by it.
        self.sessions: list[Session] = []
        self._by_id: dict[str, Session] = {}
        # Everybody who connected, refused ones too, in the order of arrival.
        self.attempts: list[ConnectionAttempt] = []
        # Open connections, by the address of their client.
        self._open: dict[Any, Connection] = {}
        # Transports that are not gone yet, with their attempt, and the address of their client once they are
        # open; a dict, because a set would have an order of its own.
        self._transports: dict[WebSocket, tuple[ConnectionAttempt, Any]] = {}
        # Connections that have not said yet which session they belong to.
        self._anonymous: dict[Connection, Session] = {}
        # How often something was written here.
        self._changes = 0
        # Those who wait for something to be written here.
        self._waiting: list[asyncio.Future[None]] = []

    # What the server's half of each connection says.

    def reached(self, websocket: WebSocket) -> int:
        """A transport is there; after a TLS handshake that failed none is, and nobody says so."""
        attempt = ConnectionAttempt(websocket.loop.time())
        self.attempts.append(attempt)
        self._transports[websocket] = attempt, None
        return len(self.attempts) - 1

    def answered(self, websocket: WebSocket, status: int, retry_after: float | None) -> None:
        """A request was answered with HTTP, and does not become a connection."""
        attempt, _ = self._transports[websocket]
        attempt.status, attempt.retry_after = status, retry_after
        if status == HTTPStatus.OK:
            # A browser that looked at the page wanted no connection.
            self.attempts.remove(attempt)
        self._wake()

    def came(self, connection: Connection) -> None:
        """A connection is open."""
        assert connection.websocket.transport is not None
        peer = connection.websocket.transport.get_extra_info("peername")
        attempt, _ = self._transports[connection.websocket]
        attempt.status, attempt.timeline = 101, connection.timeline
        self._transports[connection.websocket] = attempt, peer
        self._open[peer] = connection
        self._anonymous[connection] = session = Session(None, connection, self)
        self.sessions.append(session)
        self._opened(connection)
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
        _, peer = self._transports.pop(websocket, (None, None))
        if connection is not None:
            self._open.pop(peer, None)
            self._anonymous.pop(connection, None)
            self._ended(connection)
        self._wake()

    # What others ask.

    @property
    def has_sessions(self) -> bool:
        """Whether clients say which session they belong to."""
        return self._profile.has_session

    @property
    def open_connections(self) -> list[Connection]:
        """Connections that have not ended."""
        return list(self._open.values())

    @property
    def websockets(self) -> list[WebSocket]:
        """Everybody whose transport is still there."""
        return list(self._transports)

    def seen_by(self, client: Any) -> Connection | None:
        """The server's end of the open connection of the client with this address; None if it has none."""
        return self._open.get(client)

    def find(self, session_id: str | None) -> Session | None:
        """The session with an id, or the first one; the first connection where there are no sessions."""
        if session_id is not None:
            return self._by_id.get(session_id)
        named = self._profile.has_session
        return next((session for session in self.sessions if session.id is not None or not named), None)

    def history(self) -> ConnectionHistory:
        """Everybody who connected, for the rules about reconnecting clients."""
        loop = asyncio.get_running_loop()
        return ConnectionHistory(attempts=self.attempts, now=loop.time(), tier=tier_of(loop))

    async def changed(self, until: float | None, *, times: int = 1) -> None:
        """Wait until something is written here, so many times, or until this instant of the loop's clock."""
        loop = asyncio.get_running_loop()
        enough = self._changes + times
        while self._changes < enough and (until is None or loop.time() < until):
            waiter = loop.create_future()
            self._waiting.append(waiter)
            timer = loop.call_at(until, _settle, waiter) if until is not None else None
            try:
                await waiter
            finally:
                if timer is not None:
                    timer.cancel()
                self._waiting.remove(waiter)

    async def wait_gone(self, until: float | None = None) -> None:
        """Wait until every transport is gone, or until this instant of the loop's clock."""
        loop = asyncio.get_running_loop()
        while self._transports and (until is None or loop.time() < until):
            await self.changed(until)

    async def wait_for_session(self, session_id: str | None, within: Duration, url: str) -> Session:
        """See `Orchestrator.wait_for_session`."""
        __tracebackhide__ = True
        loop = asyncio.get_running_loop()
        seconds = parse_duration(within, "within")
        until = loop.time() + seconds
        while (session := self.find(session_id)) is None:
            if loop.time() >= until:
                raise NoSessionError(self._nobody(session_id, seconds, url))
            await self.changed(until)
        return session

    def _nobody(self, session_id: str | None, seconds: float, url: str) -> str:
        what = "no session" if session_id is None else f"no session {session_id!r}"
        lines = [f"{what} came to {url} within {show_duration(seconds)}"]
        if not self.sessions:
            lines.append("  observed  no client opened a connection")
            if tier_of(asyncio.get_running_loop()) is Tier.VIRTUAL:
                lines.append(_OUTSIDE)
        for session in self.sessions[:5]:
            name = f"session {session.id!r}" if session.id else "a connection without session_info"
            lines.append(f"  observed  {name}: {session.timeline!r}")
        return "\n".join(lines)

    def _wake(self) -> None:
        self._changes += 1
        for waiter in self._waiting:
            _settle(waiter)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
