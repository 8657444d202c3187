"""Who is connected to a server: connections and the sessions that they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.duration import Duration, parse_duration, show_duration
from ...core.message.protocol import misfit
from ...core.redact import show_session, show_text
from ...core.timeline.events import Tier
from ...profiles import Profile
from ..connection import Connection
from ..health import tier_of
from ..websocket import WebSocket
from .connection_log import ConnectionLog
from .session import Session

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.server import ServerProtocol

_OUTSIDE = (
    "  hint      in virtual time a server is reached from this process only: a client in another one needs "
    "ws_stability(time='real')"
)


# A connection whose opening handshake ended so many seconds before its client's is the other end of it.
JUST_NOW = 1.0


class NoSessionError(AssertionError):
    """No session came while the test waited for one."""


NoSessionError.__module__ = "pytest_wsstability"


class SessionRegistry(ConnectionLog):
    """
    Connections and sessions of one server.

    Args:
        profile, faults_until, keep: see `ConnectionLog`.
        on_open: called with each connection that has opened.
        on_close: called with each connection that has ended.
        on_goodbye: called with each connection whose client says that it goes, and what the protocol then
            does.

    """

    def __init__(
        self,
        profile: Profile,
        *,
        on_open: Callable[[Connection], object],
        on_close: Callable[[Connection], object],
        on_goodbye: Callable[[Connection, Callable[[], None]], object],
        faults_until: Callable[[], float],
        keep: int | None,
    ) -> None:
        super().__init__(profile, faults_until=faults_until, keep=keep)
        self._call_on_open, self._call_on_close = on_open, on_close
        self.on_goodbye = on_goodbye
        # Responds to requests that do not become connections; None where all may ask for the upgrade.
        self.answer: Callable[[ServerProtocol, Request], Response | None] | None = None
        # Every session so far, in the order of arrival; those with an id also by it.
        self.sessions: list[Session] = []
        self._by_id: dict[str, Session] = {}
        # Connections that have not said yet which session they belong to.
        self._anonymous: dict[Connection, Session] = {}

    def on_open(self, connection: Connection) -> None:
        """A connection is open."""
        super().on_open(connection)
        self._anonymous[connection] = session = Session(None, connection, self)
        self.sessions.append(session)
        self._call_on_open(connection)

    def on_session(self, connection: Connection, session_id: str) -> None:
        """A connection has said which session it belongs to."""
        connection.timeline.session_id = session_id
        anonymous = self._anonymous.pop(connection, None)
        known = self._by_id.get(session_id)
        if known is None and anonymous is not None:
            anonymous.id = session_id
            self._by_id[session_id] = anonymous
        elif known is not None and connection not in known.connections:
            earlier = (each.timeline.heartbeats.sent for each in known.connections)
            connection.timeline.heartbeats_before = sum(earlier)
            known.connections.append(connection)
            if anonymous is not None:
                self.sessions.remove(anonymous)
        self._changes.tell()

    def on_close(self, websocket: WebSocket, connection: Connection | None) -> None:
        """A transport is gone; no connection where the opening handshake failed."""
        super().on_close(websocket, connection)
        if connection is not None:
            self._anonymous.pop(connection, None)
            self._call_on_close(connection)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Forget the oldest that is over, once there are too many; one at a time, as they end."""
        if self._keep is None or len(self.sessions) <= self._keep:
            return
        oldest = next((each for each in self.sessions if each.connection.websocket.transport is None), None)
        if oldest is not None:
            self.sessions.remove(oldest)
            if oldest.id is not None:
                del self._by_id[oldest.id]

    def knows(self, session_id: str) -> bool:
        """Whether there was a session with an id."""
        return session_id in self._by_id

    def other_end(self, client: Connection) -> Connection | None:
        """
        The server's end of a client's connection, by its session; None if there is none here.

        Its address says nothing where a relay stands between that we do not know.

        """
        session = self._by_id.get(client.session_id or "")
        opened = client.timeline.opened
        ends = session.connections if session is not None else ()
        fits = (end for end in ends if end.peer is None and 0 <= opened - end.timeline.opened < JUST_NOW)
        return next(fits, None)

    def find(self, session_id: str | None) -> Session | None:
        """The session with an id, or the first one; the first connection where there are no sessions."""
        if session_id is not None:
            return self._by_id.get(session_id)
        named = self.has_sessions
        return next((session for session in self.sessions if session.id is not None or not named), None)

    async def wait_for_session(self, session_id: str | None, within: Duration, url: str) -> Session:
        """See `Orchestrator.wait_for_session`."""
        __tracebackhide__ = True
        if not isinstance(session_id, str | None):
            raise TypeError(
                f"id: {session_id!r} is no id of a session; give text, or nothing for the first one"
            )
        loop = asyncio.get_running_loop()
        seconds = parse_duration(within, "within")
        until = loop.time() + seconds
        while (session := self.find(session_id)) is None:
            if loop.time() >= until:
                raise NoSessionError(self._nobody(session_id, seconds, url))
            await self.changed(until)
        return session

    def _nobody(self, session_id: str | None, seconds: float, url: str) -> str:
        what = "no session" if session_id is None else f"no session {show_session(session_id)!r}"
        lines = [f"{what} came to {url} within {show_duration(seconds)}"]
        if not self.sessions:
            came = [": ".join(filter(None, [str(each), each.told])) for each in self.attempts[:5]]
            lines += [f"  observed  a client connected: {show_text(each, 300)}" for each in came]
            lines += [] if came else ["  observed  no client opened a connection"]
            if tier_of(asyncio.get_running_loop()) is Tier.VIRTUAL:
                lines.append(_OUTSIDE)
        lines += [f"  observed  {_who(session)}: {session.timeline!r}" for session in self.sessions[:5]]
        if any(_is_silent(session) for session in self.sessions[:5]):
            lines.append(
                f"  hint      a client of the profile {self._profile.name!r} begins its session with "
                "session_info; one that needs none is sessions[0] of the orchestrator"
            )
        spoken = filter(None, (misfit(session.timeline) for session in self.sessions[:5]))
        lines += [f"  hint      {each}" for each in dict.fromkeys(spoken)]
        silent = [session.timeline.unchosen for session in self.sessions[:5] if _is_silent(session)]
        lines += [
            f"  hint      it offered the subprotocol {show_text(names, 64)}, and none was chosen: browsers "
            "and node's ws go no further (Orchestrator(subprotocols=), or the profile that has it)"
            for names in dict.fromkeys(silent)
            if names is not None
        ]
        return "\n".join(lines)


def _is_silent(session: Session) -> bool:
    """Whether the client has not said which session it belongs to."""
    return session.id is None and session.timeline.session_info_at is None


def _who(session: Session) -> str:
    if session.id is not None:
        return f"session {show_session(session.id)!r}"
    if _is_silent(session):
        return "a connection without session_info"
    return "a connection whose session was not confirmed"
