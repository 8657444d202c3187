"""What a server saw of its clients: who connected, with what outcome, and who is connected now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from ...core.judge.attempts import ConnectionAttempt, ConnectionHistory
from ...core.timeline.close import LocalReason
from ...profiles import Profile
from ..connection import Connection
from ..health import tier_of
from ..proxy.link import Link
from ..proxy.proxy import links_to
from ..waiters import Changes
from ..websocket import WebSocket


class ConnectionLog:
    """
    Connections of one server, and attempts that did not become one.

    Args:
        profile: the application protocol: whether there are sessions at all.
        faults_until: gives the age, in seconds, until which faults may be applied to one that comes now.
        keep: how many attempts and sessions are remembered once they are over, the latest; None: all.

    """

    def __init__(self, profile: Profile, *, faults_until: Callable[[], float], keep: int | None) -> None:
        self._profile = profile
        self.faults_until = faults_until
        self._keep = keep
        # How many have asked for the upgrade.
        self.count = 0
        # Everybody who connected, refused ones too, in the order of arrival.
        self.attempts: list[ConnectionAttempt] = []
        # Open connections, by the address of their client.
        self._open: dict[Any, Connection] = {}
        # Transports that are not gone yet, with their attempt, and the address of their client once they are
        # open; a dict, because a set would have an order of its own.
        self._transports: dict[WebSocket, tuple[ConnectionAttempt, Any]] = {}
        # The links on the way of each connection, the nearest first; none where nothing is done to it.
        self._links: dict[ConnectionAttempt, list[Link]] = {}
        # Gives the links on the way to the client with an address.
        self.links_to: Callable[[Any], list[Link]] = links_to
        # Is told of each attempt that did not become a connection, once it is over.
        self.on_refused: Callable[[ConnectionAttempt], object] | None = None
        self._changes = Changes()

    # What the server's half of each connection says.

    def on_connect(self, websocket: WebSocket) -> None:
        """A transport is there; after a TLS handshake that failed none is, and nobody says so."""
        attempt = ConnectionAttempt(websocket.loop.time(), faults_until=self.faults_until())
        self.attempts.append(attempt)
        if self._keep is not None and len(self.attempts) > self._keep + len(self._transports):
            self._links.pop(self.attempts.pop(0), None)
        self._transports[websocket] = attempt, None

    def on_upgrade(self) -> int:
        """
        A client asks for the upgrade; who looks at a page, or asks something else by HTTP, does not.

        Returns:
            The number of the request, counted from 0.

        """
        self.count += 1
        return self.count - 1

    def on_response(
        self, websocket: WebSocket, status: int, retry_after: float | None, body: bytes = b""
    ) -> None:
        """A request was answered with HTTP, and does not become a connection."""
        attempt, _ = self._transports[websocket]
        attempt.status, attempt.retry_after = status, retry_after
        attempt.told = body.decode(errors="replace").partition("\n")[0]
        if status == HTTPStatus.OK:
            # A browser that looked at the page wanted no connection.
            with suppress(ValueError):
                self.attempts.remove(attempt)
        self._changes.tell()

    def on_open(self, connection: Connection) -> None:
        """A connection is open."""
        assert connection.websocket.transport is not None
        peer = connection.websocket.transport.get_extra_info("peername")
        attempt, _ = self._transports[connection.websocket]
        attempt.status, attempt.timeline = 101, connection.timeline
        self._transports[connection.websocket] = attempt, peer
        self._open[peer] = connection
        if links := self.links_to(peer):
            self._links[attempt] = links
            for link in links:
                link.on_change = self._changes.tell
        self._changes.tell()

    def on_close(self, websocket: WebSocket, connection: Connection | None) -> None:
        """A transport is gone; no connection where the opening handshake failed."""
        attempt, peer = self._transports.pop(websocket, (None, None))
        if connection is not None:
            self._open.pop(peer, None)
        elif attempt is not None and (attempt.status or 0) // 100 != 2 and self.on_refused is not None:
            self.on_refused(attempt)
        self._changes.tell()

    def on_loss(self, websocket: WebSocket, by: str, *, seconds: float | None) -> None:
        """A fault takes every sign of this server from a client, for so many seconds or for good."""
        attempt, _ = self._transports[websocket]
        if attempt.lost_at is None:
            attempt.lost_by, attempt.lost_at = by, websocket.loop.time()
            attempt.healed_at = None if seconds is None else attempt.lost_at + seconds
            self._changes.tell()

    # What others ask.

    @property
    def has_sessions(self) -> bool:
        """Whether connections belong to sessions."""
        return self._profile.has_session or self._profile.session_info is not None

    @property
    def keeps_sessions(self) -> bool:
        """Whether a client can come back to its session."""
        return self._profile.keeps_session

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

    def history(self) -> ConnectionHistory:
        """Everybody who connected, for the rules about reconnecting clients."""
        loop = asyncio.get_running_loop()
        for attempt in self.attempts:
            if attempt.timeline is not None:
                _look(attempt, self._links.get(attempt, ()))
        return ConnectionHistory(attempts=self.attempts, now=loop.time(), tier=tier_of(loop))

    def due_until(self) -> float:
        """The loop's clock when the last fault is due that is planned for an open connection."""
        instants = [
            each.timeline.opened + each.faults_until
            for each in self.attempts
            if each.faults_until and each.timeline is not None and each.ended is None
        ]
        instants += [link.due_until for links in self._links.values() for link in links]
        return max(instants, default=0.0)

    async def changed(self, until: float | None, *, times: int = 1) -> None:
        """Wait until something has changed here, so many times, or until this instant of the loop's clock."""
        loop = asyncio.get_running_loop()
        enough = self._changes.count + times
        while self._changes.count < enough and (until is None or loop.time() < until):
            await self._changes.wait(until)

    async def wait_gone(self, until: float | None = None) -> None:
        """Wait until every transport is gone, or until this instant of the loop's clock."""
        loop = asyncio.get_running_loop()
        while self._transports and (until is None or loop.time() < until):
            await self.changed(until)

    async def end_all(self, code: int | None, reason: str, *, until: float) -> None:
        """
        End every connection on the user's behalf, and wait until nothing of them is left.

        Args:
            code: of the close frame that clients see; None for FIN without a close frame.
            reason: in the close frame, and in the server's evidence.
            until: the reading of the loop's clock at which those that do not answer are cut.

        """
        for connection in self.open_connections:
            websocket = connection.websocket
            if code is not None:
                websocket.start_close(code, reason, planned=True)
            else:
                websocket.drop(LocalReason.RESTART, reason, planned=True)
        if code is not None:
            await self.wait_gone(until)
        for websocket in self.websockets:
            if websocket.transport is not None:
                websocket.transport.abort()
        await self.wait_gone()


def _look(attempt: ConnectionAttempt, links: Sequence[Link]) -> None:
    """Note on an attempt what is known now of its loss, and of its client's end."""
    for link in links:
        if link.lost_at is not None and (attempt.lost_at is None or link.lost_at <= attempt.lost_at):
            attempt.lost_by, attempt.lost_at, attempt.healed_at = link.lost_by, link.lost_at, link.healed_at
    if links:
        # What the server sees may be the link's doing.
        instants = [link.client_ended_at for link in links]
        attempt.given_up_at = min((at for at in instants if at is not None), default=None)
    else:
        # Nothing on the way keeps an end from its client.
        attempt.given_up_at = attempt.ended
