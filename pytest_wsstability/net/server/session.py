"""A session as the server knows it: one id, one connection after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from ...core.asserted import awaited
from ...core.assertions import Judged
from ...core.duration import Duration
from ...core.judge.judgement import Judgement
from ...core.judge.numbering import MessageCount, count_messages
from ...core.judge.requirement import RequirementKeywords
from ...core.judge.verdict import Verdict
from ...core.redact import show_session
from ...core.timeline.timeline import Timeline
from ..connection import Connection
from .connection_log import ConnectionLog
from .reconnects import assert_notices_loss, assert_reconnects

if TYPE_CHECKING:
    from ...core.judge.backoff import Backoff


class Session(Judged):
    """
    What the `Orchestrator` recorded about one session; assertions are on its latest connection.

    Attributes:
        id: what the client calls it; None for a connection that never said.
        connections: one for each time the client (re)connected, oldest first.

    """

    __slots__ = ("_log", "connections", "id")

    def __init__(self, session_id: str | None, connection: Connection, log: ConnectionLog) -> None:
        self.id = session_id
        self.connections = [connection]
        self._log = log

    @property
    def connection(self) -> Connection:
        """The latest connection."""
        return self.connections[-1]

    @property
    def timeline(self) -> Timeline:
        """What the server saw of the latest connection."""
        return self.connection.timeline

    @property
    def timelines(self) -> Sequence[Timeline]:
        """The timeline of the latest connection, then those of its other ends that we hold."""
        return self.connection.timelines

    @property
    def confirmed_at(self) -> float | None:
        """Seconds from the opening of the latest connection to its confirmation; None when there was none."""
        return self.timeline.session_confirmed_at

    def __repr__(self) -> str:
        name = show_session(self.id) if self.id else "without id"
        return f"<Session {name}, {len(self.connections)} connection(s): {self.timeline!r}>"

    def note(self, judgement: Judgement) -> None:
        """Take down what was judged, for reports."""
        self.connection.note(judgement)

    @awaited
    async def assert_alive_for(self, duration: Duration) -> None:
        """The latest connection stays open so long after its opening handshake; waits for the rest of it."""
        __tracebackhide__ = True
        await self.connection.assert_alive_for(duration)

    @awaited
    async def assert_session_confirmed(self, *, within: Duration) -> None:
        """The session is confirmed so soon after the opening handshake; waits for it."""
        __tracebackhide__ = True
        await self.connection.assert_session_confirmed(within=within)

    @awaited
    async def assert_stable(self, **requirement: Unpack[RequirementKeywords]) -> Verdict:
        """Every part of the requirement holds; the keywords are those of the ``ws_stability`` marker."""
        __tracebackhide__ = True
        return await self.connection.assert_stable(**requirement)

    @property
    def message_count(self) -> MessageCount:
        """Messages of the client that carry a number (`Profile.sequence`), over all its connections."""
        return count_messages(connection.websocket.messages.numbers for connection in self.connections)

    def assert_messages_intact(
        self, *, lost_max: int = 0, duplicated_max: int = 0, reordered_max: int = 0
    ) -> None:
        """
        Of the client's messages none is missing, double or out of order, over the session's connections.

        See `Connection.assert_messages_intact`.

        """
        __tracebackhide__ = True
        self.connection.judge_messages(self.message_count, lost_max, duplicated_max, reordered_max)

    @awaited
    async def assert_reconnects(
        self,
        *,
        within: Duration,
        same_session: bool | None = None,
        backoff: Backoff | Duration | None = None,
    ) -> Verdict:
        """
        The client came back after each end that it did not wish itself; waits while it is away.

        Args:
            within: the time from the end to the opening of the next connection.
            same_session: it must carry the same session id; None: if the profile has sessions.
            backoff: no attempt may come sooner: a `Backoff`, or a duration for equal waits. Attempts that
                meet a closed port are seen by nobody.

        Raises:
            SessionError: if it did not, or none of its connections has ended.

        """
        __tracebackhide__ = True
        return await assert_reconnects(self._log, self.connections, within, same_session, backoff)

    @awaited
    async def assert_notices_loss(self, *, within: Duration) -> Verdict:
        """
        The client notices that its path or its server went dead: it gives up or comes back; waits for it.

        Args:
            within: the time from the instant at which a fault was applied that ends or silences a
                connection: of this orchestrator, or of a fault proxy on the way. One that is still due is
                waited for.

        Raises:
            SessionError: if it did not.
            ValueError: if no such fault was applied.

        """
        __tracebackhide__ = True
        return await assert_notices_loss(self._log, self.connections, within)
