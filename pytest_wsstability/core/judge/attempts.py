"""What a server saw of its clients over more than one connection: who came, when, and what became of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from ..duration import show_duration as show
from ..redact import show_text
from ..timeline.events import End, Tier
from ..timeline.timeline import Timeline


@dataclass(slots=True, eq=False)
class ConnectionAttempt:
    """Somebody connected to the server. A port that is closed records nobody: nothing sees those attempts."""

    # The clock's reading when the transport was there.
    at: float
    # The HTTP status of the answer, 101 when the connection opened; None while there is none.
    status: int | None = None
    # Seconds after which a refused client was asked to come back (Retry-After); None if it was not.
    retry_after: float | None = None
    # What the server saw of the connection; None when it did not open.
    timeline: Timeline | None = None

    @property
    def session_id(self) -> str | None:
        """The session that the client named; None when it named none."""
        return self.timeline.session_id if self.timeline is not None else None

    @property
    def ended(self) -> float | None:
        """The clock's reading when the connection ended; None while it is open, or if it never opened."""
        if self.timeline is None or self.timeline.close is None:
            return None
        return self.timeline.opened + self.timeline.close.at

    @property
    def left(self) -> bool:
        """Whether the client closed the connection itself, normally: it does not have to come back."""
        close = self.timeline.close if self.timeline is not None else None
        return close is not None and close.by is End.CLIENT and close.code in (1000, 1001)

    def __str__(self) -> str:
        if self.timeline is None:
            later = f", Retry-After: {self.retry_after:g}" if self.retry_after is not None else ""
            return f"refused with HTTP {self.status}{later}" if self.status else "no opening handshake"
        name = self.session_id
        return f"opened, session {show_text(name, 40)!r}" if name is not None else "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
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

    @property
    def opened(self) -> list[ConnectionAttempt]:
        """Those that opened."""
        return [attempt for attempt in self.attempts if attempt.timeline is not None]

    @property
    def tolerance(self) -> float:
        """Seconds by which two instants may differ and be the same."""
        # Two sockets of one client become readable in any order; virtual time is exact.
        return 1e-9 if self.tier is Tier.VIRTUAL else 0.05

    def unopened(self, start: float, end: float) -> list[ConnectionAttempt]:
        """Attempts that did not open, from one reading of the clock to before another."""
        first = bisect_left(self.attempts, start, key=_at)
        last = bisect_left(self.attempts, end, key=_at)
        return [attempt for attempt in self.attempts[first:last] if attempt.timeline is None]

    def successors(self) -> dict[ConnectionAttempt, ConnectionAttempt]:
        """
        For each connection that ended, the one with which its client came back.

        That is the next one of the same session; or else the first that began after the end and belongs to a
        session that was not there before, each taken once.

        """
        opened = self.opened
        before: dict[str, ConnectionAttempt] = {}
        found: dict[ConnectionAttempt, ConnectionAttempt] = {}
        strangers = []
        for attempt in opened:
            name = attempt.session_id
            if name is not None and name in before:
                found[before[name]] = attempt
            else:
                strangers.append(attempt)
            if name is not None:
                before[name] = attempt
        lost = [attempt for attempt in opened if attempt not in found and attempt.ended is not None]
        first = 0
        for attempt in sorted(lost, key=lambda each: each.ended or 0.0):
            end = (attempt.ended or 0.0) - self.tolerance
            # Both by time: who came too early for this end is too early for the later ones.
            while first < len(strangers) and strangers[first].at < end:
                first += 1
            place = first + (strangers[first : first + 1] == [attempt])
            if place < len(strangers):
                found[attempt] = strangers.pop(place)
        return found

    def moments(self) -> list[str]:
        """What happened, a line each, by time."""
        # Those of one instant in the order of their attempts: an end stands before who came back at once.
        moments = sorted(self._moments(), key=itemgetter(0))
        return [f"{_instant(at - self.start)} {text}" for at, text in moments]

    def _moments(self) -> Iterator[tuple[float, str]]:
        for number, attempt in enumerate(self.attempts, 1):
            yield attempt.at, f"< attempt {number}: {attempt}"
            if attempt.ended is not None and attempt.timeline is not None and attempt.timeline.close:
                close = attempt.timeline.close
                yield attempt.ended, f"= attempt {number} ended: {close.code} at {show(close.at)}: {close}"


def _at(attempt: ConnectionAttempt) -> float:
    return attempt.at


def _instant(seconds: float) -> str:
    return f"{f'+{seconds:.3f} s':>12}"
