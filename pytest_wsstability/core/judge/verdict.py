"""What a requirement makes of a timeline: an outcome, with what was broken and what is in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..cause import Blame, Cause, Diagnosis
from ..timeline.events import Tier


class Outcome(Enum):
    """
    The three ways a hold can end.

    INCONCLUSIVE is when the evidence cannot carry the claim: it is no pass, and blames nobody.

    """

    STABLE = "stable"
    UNSTABLE = "unstable"
    INCONCLUSIVE = "inconclusive"


class Rule(Enum):
    """The promise that was broken."""

    OPENED = "opened"
    ALIVE = "alive"
    SESSION = "session confirmed"
    HEARTBEATS = "heartbeats answered"
    CADENCE = "heartbeat cadence"
    PINGS = "pings answered"
    RTT = "rtt"
    CLOSURE = "no abnormal closure"
    CLOSED = "closed as expected"
    HANDSHAKE = "session handshake"
    RECONNECTS = "reconnects"
    BACKOFF = "waits before it reconnects"
    STORM = "no reconnect storm"
    DUPLICATE = "no duplicate session"
    MESSAGES = "no message lost or duplicated"


class Reason(Enum):
    """Why the evidence cannot carry the claim."""

    LOOP_LAG = "our event loop ran late"
    READING_PAUSED = "reading was paused"
    SUSPENDED = "the machine slept"
    TOO_SHORT = "not watched long enough"
    TOO_FEW = "too little was seen"
    TIE = "the order of simultaneous timers decides"
    INTERRUPTED = "the hold was interrupted"


# Where the cause says more than what was observed; the others say both.
_EXPLAINED = frozenset({Rule.ALIVE, Rule.SESSION, Rule.HEARTBEATS, Rule.PINGS, Rule.RTT, Rule.CLOSURE})

# With one of these, an end or a late answer may be the test process's own doing.
HARNESS = frozenset({Reason.LOOP_LAG, Reason.READING_PAUSED, Reason.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken."""

    rule: Rule
    # Seconds since the opening handshake ended.
    at: float
    # What was promised, what was seen instead, and both in one short line.
    expected: str
    observed: str
    headline: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that keeps the evidence from carrying the claim."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one requirement over one timeline."""

    outcome: Outcome
    violations: tuple[Violation, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    # Seconds of connection that the verdict covers: nothing is known beyond.
    horizon: float
    tier: Tier
    # Why, once the verdict is final and not stable (see `core.diagnosis.diagnosed`); None before, and when
    # there was only too little to see.
    diagnosis: Diagnosis | None = None

    @property
    def headline(self) -> str:
        """The verdict in one line: ``1006 at 60 s of 120 s: idle timeout 60 s``."""
        found = self.diagnosis
        if self.outcome is Outcome.STABLE:
            return "stable"
        if self.outcome is Outcome.INCONCLUSIVE:
            why = "; ".join(doubt.text for doubt in self.doubts)
            ours = found is not None and found.blame is Blame.HARNESS
            return f"inconclusive: {found.headline if found and ours else why}"
        first = self.violations[0]
        if found is None or found.cause is Cause.UNDETERMINED or first.rule not in _EXPLAINED:
            return first.headline
        # What was broken, then why.
        return f"{first.headline.partition(': ')[0]}: {found.headline}"

    def __bool__(self) -> bool:
        raise TypeError("a verdict has three outcomes: compare verdict.outcome with Outcome.STABLE")
