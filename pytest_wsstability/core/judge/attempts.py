"""What a server saw of its clients over more than one connection: who came, when, and what became of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from ..duration import show_duration as show
from ..redact import show_session
from ..timeline.events import SAME, Direction, End, Role, Tier
from ..timeline.timeline import Timeline
from .verdict import Finding, Verdict

# A connection that ended within so many seconds is a failed attempt to the client: one that was let in for
# a moment only. (Clients that count them as successes begin their waits anew each time.)
BRIEF = 1.0


@dataclass(slots=True, eq=False)
class ConnectionAttempt:
    """Somebody connected to the server. A port that is closed records nobody: nothing sees those attempts."""

    # The clock's reading when the transport was there.
    at: float
    # The HTTP status of the answer, 101 when the connection opened; None while there is none.
    status: int | None = None
    # Seconds after which a refused client was asked to come back (Retry-After); None if it was not.
    retry_after: float | None = None
    # The first line of the answer's body; empty where there is none.
    told: str = ""
    # What the server saw of the connection; None when it did not open.
    timeline: Timeline | None = None
    # What took from the client every sign that its peer lives, on purpose, and the clock's readings when that
    # was applied, when it was undone, and when something of the client's end of the connection was seen. None
    # where there is none.
    lost_by: str | None = None
    lost_at: float | None = None
    healed_at: float | None = None
    given_up_at: float | None = None
    # Seconds from its opening until which faults may be applied to it; 0 where none is planned.
    faults_until: float = 0.0

    @property
    def session_id(self) -> str | None:
        """The session that the client named; None when it named none."""
        return self.timeline.session_id if self.timeline is not None else None

    @property
    def client(self) -> str:
        """Its client, for a sentence."""
        return f"session {show_session(self.session_id)!r}" if self.session_id else "the client"

    @property
    def ended(self) -> float | None:
        """The clock's reading when the connection ended; None while it is open, or if it never opened."""
        if self.timeline is None or self.timeline.close is None:
            return None
        return self.timeline.opened + self.timeline.close.at

    @property
    def gone(self) -> float | None:
        """The clock's reading from which on its client had lost it: the end, or the loss before that."""
        return min((at for at in (self.lost_at, self.ended) if at is not None), default=None)

    @property
    def said_goodbye(self) -> bool:
        """Whether the client closed the connection normally or said that it goes, and not after a loss."""
        close = self.timeline.close if self.timeline is not None else None
        if self.timeline is None or close is None:
            return False
        closed = close.by is End.CLIENT and close.code in (1000, 1001)
        if not closed and goodbye_at(self.timeline) is None:
            return False
        return self.lost_at is None or self.ended is None or self.ended < self.lost_at

    @property
    def was_brief(self) -> bool:
        """Whether it ended at once, before its session was confirmed or any data was exchanged."""
        timeline = self.timeline
        if timeline is None or timeline.close is None or timeline.close.at >= BRIEF:
            return False
        ways = (Direction.SENT, Direction.RECEIVED)
        served = any(timeline.last(direction=way, role=Role.DATA) is not None for way in ways)
        return timeline.session_confirmed_at is None and not served

    def __str__(self) -> str:
        if self.timeline is None:
            later = f", Retry-After: {self.retry_after:g}" if self.retry_after is not None else ""
            return f"refused with HTTP {self.status}{later}" if self.status else "no opening handshake"
        name = self.session_id
        return f"opened, session {show_session(name)!r}" if name is not None else "opened"


@dataclass(frozen=True, kw_only=True)
class ConnectionHistory:
    """All attempts up to now, in the order of arrival."""

    attempts: Sequence[ConnectionAttempt]
    # The clock's reading.
    now: float
    tier: Tier

    @property
    def start(self) -> float:
        """The clock's reading at the first attempt; now if there was none. Instants are told from here."""
        return self.attempts[0].at if self.attempts else self.now

    def since_start(self, now: float) -> float:
        """A reading of the clock as seconds since the first attempt."""
        return now - self.start

    def verdict(self, findings: Iterable[Finding]) -> Verdict:
        """The verdict that follows from what a rule found in it."""
        return Verdict.of(findings, horizon=self.since_start(self.now), tier=self.tier)

    @cached_property
    def opened(self) -> list[ConnectionAttempt]:
        """Those that opened."""
        return [attempt for attempt in self.attempts if attempt.timeline is not None]

    @cached_property
    def _unopened(self) -> list[ConnectionAttempt]:
        """The others: of thousands who come back, each is asked what failed before it."""
        return [attempt for attempt in self.attempts if attempt.timeline is None]

    @property
    def tolerance(self) -> float:
        """Seconds by which two instants may differ and be the same."""
        # Two sockets of one client become readable in any order; virtual time is exact.
        return SAME if self.tier is Tier.VIRTUAL else 0.05

    def unopened(self, start: float, end: float) -> list[ConnectionAttempt]:
        """Attempts that did not open, from one reading of the clock to before another."""
        first = bisect_left(self._unopened, start, key=_at)
        return self._unopened[first : bisect_left(self._unopened, end, key=_at)]

    def successors(self) -> dict[ConnectionAttempt, ConnectionAttempt]:
        """
        For each connection that ended or was lost, the one with which its client came back.

        That is the next one of the same session; or else, unless the client said goodbye, the first that
        began after the end and belongs to a session that was not there before, each taken once.

        """
        opened = self.opened
        before: dict[str, ConnectionAttempt] = {}
        found: dict[ConnectionAttempt, ConnectionAttempt] = {}
        unknown = []
        for attempt in opened:
            name = attempt.session_id
            if name is not None and name in before:
                found[before[name]] = attempt
            else:
                unknown.append(attempt)
            if name is not None:
                before[name] = attempt
        lost = [
            (gone, attempt)
            for attempt in opened
            if attempt not in found and (gone := _gone(attempt)) is not None
        ]
        first = 0
        for gone, attempt in sorted(lost, key=itemgetter(0)):
            # Both by time: who came too early for this end is too early for the later ones.
            while first < len(unknown) and unknown[first].at < gone - self.tolerance:
                first += 1
            place = first + (unknown[first : first + 1] == [attempt])
            if place < len(unknown):
                found[attempt] = unknown.pop(place)
        return found

    def farewells(self, successors: Mapping[ConnectionAttempt, ConnectionAttempt]) -> set[ConnectionAttempt]:
        """
        Connections whose clients wished to leave: they do not have to come back.

        A client that comes back with the same session after a polite close did not.

        """
        return {attempt for attempt in self.opened if attempt.said_goodbye and attempt not in successors}

    def moments(self) -> list[str]:
        """What happened, a line each, by time."""
        # Those of one instant in the order of their attempts: an end stands before who came back at once.
        moments = sorted(self._moments(), key=itemgetter(0))
        return [f"{_instant(at - self.start)} {text}" for at, text in moments]

    def _moments(self) -> Iterator[tuple[float, str]]:
        for number, attempt in enumerate(self.attempts, 1):
            yield attempt.at, f"< attempt {number}: {attempt}"
            if attempt.lost_at is not None:
                yield attempt.lost_at, f"= attempt {number}: {attempt.lost_by} was applied"
            if attempt.ended is not None and attempt.timeline is not None and attempt.timeline.close:
                close = attempt.timeline.close
                yield attempt.ended, f"= attempt {number} ended: {close.code} at {show(close.at)}: {close}"


def goodbye_at(timeline: Timeline) -> float | None:
    """
    When a client last said that it goes, by the record of its server; None if it did not.

    What it says after a notice or an error of the server is the answer to that (WAMP's GOODBYE). And who
    begins another session on the connection has not gone (Socket.IO's ``41`` and then ``40``).

    """
    at = timeline.last(direction=Direction.RECEIVED, role=Role.GOODBYE)
    again = timeline.last(direction=Direction.RECEIVED, role=Role.SESSION_INFO)
    if at is not None and again is not None and again > at:
        return None
    before = (timeline.last(direction=Direction.SENT, role=role) for role in (Role.NOTICE, Role.ERROR))
    return at if at is not None and all(said is None or said > at for said in before) else None


def _gone(attempt: ConnectionAttempt) -> float | None:
    """The clock's reading from which on a client may be back; None while it has nothing to come back for."""
    if attempt.said_goodbye:
        return None
    return attempt.ended if attempt.ended is not None else attempt.lost_at


def _at(attempt: ConnectionAttempt) -> float:
    return attempt.at


def _instant(seconds: float) -> str:
    return f"{f'+{seconds:.3f} s':>12}"
