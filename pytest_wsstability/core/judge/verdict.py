"""What a requirement makes of a timeline: an outcome, with what was broken and what is in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import total_ordering
from typing import TypeAlias

from ..cause import Blame, Cause, Diagnosis
from ..site import code
from ..timeline.events import Tier


@total_ordering
class Outcome(Enum):
    """
    The three ways a hold can end, the better one being the lesser.

    INCONCLUSIVE is when the evidence cannot carry the claim: it is no pass, and blames nobody.

    """

    STABLE = "stable"
    INCONCLUSIVE = "inconclusive"
    UNSTABLE = "unstable"

    def __lt__(self, other: Outcome) -> bool:
        order = list(Outcome)
        return order.index(self) < order.index(other)


class Rule(Enum):
    """The promise that was broken."""

    OPENED = "opened"
    ALIVE = "alive"
    PROOF = "proof of life"
    SESSION = "session confirmed"
    RESUMED = "session resumed"
    HEARTBEATS = "heartbeats answered"
    CADENCE = "heartbeat cadence"
    APART = "heartbeats apart"
    PINGS = "pings answered"
    RTT = "rtt"
    FLOW = "messages keep coming"
    ERRORS = "no error messages"
    CLOSURE = "no abnormal closure"
    CLOSED = "closed as expected"
    HANDSHAKE = "session handshake"
    PROTOCOL = "the protocol"
    RECONNECTS = "reconnects"
    BACKOFF = "waits before it reconnects"
    STORM = "no reconnect storm"
    DUPLICATE = "no duplicate session"
    LOSS = "notices a loss"
    MESSAGES = "no message lost, duplicated or out of order"
    # Of many connections as one.
    SURVIVAL = "connections survive"
    DRAIN = "connections are let go slowly"
    FANOUT = "messages reach all"
    # Of a spoken conversation.
    TURNS = "turns answered"
    FIRST_AUDIO = "first audio"
    UNDERRUNS = "no underrun"
    BARGE_IN = "audio stops at a barge-in"
    TRANSCRIPTS = "speech transcribed"
    AUDIO = "audio is whole"
    AHEAD = "audio not far ahead"

    @property
    def code(self) -> str:
        """What the FAQ explains it under: ``rule-alive``."""
        return code(self.name, "rule")


class Reason(Enum):
    """Why the evidence cannot carry the claim."""

    LOOP_LAG = "our event loop ran late"
    READING_PAUSED = "reading was paused"
    SUSPENDED = "the machine slept"
    OWN_BEATS = "our own heartbeats were late"
    OWN_END = "this end closed before all was answered"
    DESCRIPTORS = "no descriptor was left"
    PORTS = "no local port was left"
    RESOLVER = "the resolver did not answer"
    MEMORY = "no memory was left"
    AMBIGUOUS = "answers cannot be told apart"
    TOO_SHORT = "not watched long enough"
    TOO_FEW = "too little was seen"
    TIE = "the order of simultaneous timers decides"
    INTERRUPTED = "the hold was interrupted"
    PROFILE = "a function of the profile raised"
    UNOBSERVED = "nobody watched to the end"
    ANNOUNCED = "the peer announced the end"

    @property
    def code(self) -> str:
        """What the FAQ explains it under: ``doubt-loop-lag``."""
        return code(self.name, "doubt")


# Where the cause says more than what was observed; the others say both.
_EXPLAINED = frozenset(
    {
        Rule.ALIVE, Rule.PROOF, Rule.SESSION, Rule.RESUMED, Rule.HEARTBEATS, Rule.PINGS, Rule.RTT,
        Rule.CLOSURE, Rule.TURNS, Rule.FIRST_AUDIO, Rule.UNDERRUNS, Rule.BARGE_IN, Rule.TRANSCRIPTS,
        Rule.AUDIO, Rule.AHEAD,
    }
)  # fmt: skip

# With one of these, an end or a late answer may be the test process's own doing.
HARNESS = frozenset(
    {
        Reason.LOOP_LAG, Reason.READING_PAUSED, Reason.SUSPENDED, Reason.DESCRIPTORS, Reason.PORTS,
        Reason.RESOLVER, Reason.MEMORY,
    }
)  # fmt: skip
# Told beside whatever else there is: they are about the verdict, and not about what was seen.
_ALWAYS_TOLD = frozenset({Reason.TIE, Reason.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that keeps the evidence from carrying the claim."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken."""

    rule: Rule
    # Seconds since the opening handshake ended.
    at: float
    # What was promised, what was seen instead, and both in a few words: "1006 at 60 s of 120 s".
    expected: str
    observed: str
    headline: str
    # What follows the few words where no cause is known; empty when they say it all.
    detail: str = ""
    # What in the test process itself may have brought it about, so that nobody is to be blamed for it.
    excuses: tuple[Doubt, ...] = ()

    @property
    def line(self) -> str:
        """The few words and the detail in one line."""
        return f"{self.headline}: {self.detail}" if self.detail else self.headline


Finding: TypeAlias = Violation | Doubt


class Noted(Enum):
    """What there may be to know beside a verdict."""

    # A hold without heartbeats ends with a ping.
    PROOF = "proof of life"
    # Answers to heartbeats that were not open: a second one to the same, or one to another's id.
    STRAY = "stray answers"
    # Messages came, and none behind one that says why.
    SAID_WHY = "a last message"
    # Heartbeats stayed away, or were not answered any more, where nothing requires them.
    STOPPED = "heartbeats that stopped"
    # Virtual time went on though a task never let the loop come to rest.
    SPIN = "a task that spun"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know beside a verdict, which changes nothing of it."""

    noted: Noted
    # Seconds since the opening handshake ended.
    at: float
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
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(
        cls,
        findings: Iterable[Finding],
        *,
        horizon: float,
        tier: Tier,
        diagnosis: Diagnosis | None = None,
        notes: Iterable[Note] = (),
    ) -> Verdict:
        """
        The verdict that findings make: nothing else makes one.

        One violation that nothing of ours explains makes it UNSTABLE, and is told first; violations that
        all have an excuse, and doubts, make it INCONCLUSIVE; no finding at all is STABLE.

        """
        found = list(dict.fromkeys(findings))
        violations = [each for each in found if isinstance(each, Violation)]
        doubts = [each for each in found if isinstance(each, Doubt)]
        blamed = [each for each in violations if not each.excuses]
        if violations:
            excuses = [] if blamed else [excuse for each in violations for excuse in each.excuses]
            doubts = [each for each in doubts if each.reason in _ALWAYS_TOLD] + excuses
        return cls(
            outcome=_outcome(violations, blamed, doubts),
            violations=tuple(blamed + [each for each in violations if each.excuses]),
            doubts=tuple(dict.fromkeys(doubts)),
            horizon=horizon,
            tier=tier,
            diagnosis=diagnosis,
            notes=tuple(notes),
        )

    @property
    def headline(self) -> str:
        """The verdict in one line, the cause first: ``idle timeout 60 s (1006 at 60 s of 120 s)``."""
        found = self._told
        if self.outcome is Outcome.STABLE:
            return "stable"
        if self.outcome is Outcome.INCONCLUSIVE:
            return (
                f"inconclusive: {found.headline if found else '; '.join(each.text for each in self.doubts)}"
            )
        first = self.violations[0]
        # Why, then what was broken: a summary shows the beginning of a line.
        return first.line if found is None else f"{found.headline} ({first.headline})"

    @property
    def code(self) -> str:
        """What the FAQ explains the headline under; empty for a stable one."""
        if found := self._told:
            return found.cause.code
        if self.outcome is Outcome.INCONCLUSIVE:
            return self.doubts[0].reason.code
        return self.violations[0].rule.code if self.violations else ""

    @property
    def _told(self) -> Diagnosis | None:
        """The diagnosis where it is what the headline begins with."""
        found = self.diagnosis
        if found is None or self.outcome is Outcome.STABLE:
            return None
        if self.outcome is Outcome.INCONCLUSIVE:
            return found if found.blame is Blame.HARNESS else None
        explained = self.violations[0].rule in _EXPLAINED and found.cause is not Cause.UNDETERMINED
        return found if explained else None

    def __bool__(self) -> bool:
        raise TypeError("a verdict has three outcomes: compare verdict.outcome with Outcome.STABLE")


def _outcome(
    violations: Sequence[Violation], blamed: Sequence[Violation], doubts: Sequence[Doubt]
) -> Outcome:
    if blamed:
        return Outcome.UNSTABLE
    return Outcome.INCONCLUSIVE if violations or doubts else Outcome.STABLE
