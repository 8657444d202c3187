"""What the application's protocol says about an end: which of its timers ran out, and what its code means."""

from __future__ import annotations

from dataclasses import dataclass

from ..cause import Cause
from ..judge.announcing import ends_otherwise
from ..timeline.close import MEAN_ONE_THING
from ..timeline.close_reasons import names, read_error, says_wrong, tells_clearly
from ..timeline.events import End, FrameKind, Opcode, Role
from ..timeline.protocol_facts import Awaited, Intervals, ProtocolCode, ProtocolTimer
from . import timers
from .features import ANNOUNCED, RECEIVED, SENT, Features

# What the record of a cut shows in the place of a code.
_CUT = 1006
# Codes of a close that says nothing: normal, and an empty close frame.
ORDINARY = frozenset({1000, 1005})
# An error message, or a refusal, is about an end that follows within so many seconds: servers write one and
# close at once (STOMP's ERROR, OpenAI's error events).
SAID_BEFORE = 5.0
# What a timer of a protocol that ran out is the cause of, by what it waits for.
AWAITED = {
    Awaited.ANSWER: Cause.HEARTBEAT_UNANSWERED,
    Awaited.PONG: Cause.PING_UNANSWERED,
    Awaited.SESSION: Cause.SESSION_NOT_CONFIRMED,
    Awaited.HEARTBEAT: Cause.READ_DEADLINE,
    Awaited.MESSAGE: Cause.READ_DEADLINE,
    Awaited.AGE: Cause.MAX_AGE,
}


@dataclass(frozen=True, slots=True)
class RanOut:
    """A timer of the peer that fits an end."""

    timer: ProtocolTimer
    # Seconds for which what it waits for did not come.
    waited: float
    # How long it runs on this connection; None where nobody named the interval that it depends on.
    runs: float | None
    # Whether the close reason has its words.
    named: bool
    # Whether what was waited is its length.
    fits: bool

    @property
    def is_overdue(self) -> bool:
        """Whether it has run for its length, or for longer."""
        return self.runs is None or self.waited >= self.runs - timers.EARLY


def ran_out(f: Features) -> RanOut | None:
    """The timer of the peer that fits an end best; None where none does, or no protocol is known."""
    protocol = f.timeline.protocol
    if protocol is None or not f.ended:
        return None
    found = [each for timer in protocol.timers if (each := _run(f, timer)) is not None]
    return max(found, key=lambda each: (each.named, each.fits), default=None)


def _run(f: Features, timer: ProtocolTimer) -> RanOut | None:
    waited = _waited(f, timer) if timer.by is f.end.peer else None
    if waited is None:
        return None
    code = _CUT if f.cut else f.code
    runs = _length(f, timer)
    # Brokers say "MQTT died" of other ends too; in less than one interval none of several was missed.
    early = timer.intervals is not None and runs is not None and waited * timer.intervals < runs
    named = f.code is not None and names(f.reason, timer.words) and not early
    ran = RanOut(timer, waited, runs, named, runs is not None and timers.fits(waited, runs, f.tier))
    ends_so = code in (timer.code, *timer.also) and runs is not None and ran.is_overdue
    survived = timer.awaits is Awaited.MESSAGE and f.timeline.longest_gap(SENT, FrameKind.DATA) > waited
    return ran if named or (ends_so and not survived) else None


def _length(f: Features, timer: ProtocolTimer) -> float | None:
    agreed = f.timeline.intervals or Intervals()
    of = timer.by if timer.awaits is Awaited.ANSWER else timer.by.peer
    named = agreed.client if of is End.CLIENT else agreed.server
    protocol = f.timeline.protocol
    # STOMP's "heart-beat:0,0" wants none, which no default stands in for.
    is_none = protocol is not None and protocol.agrees and f.timeline.intervals is not None
    if named is None and protocol is not None and not is_none:
        named = protocol.every
    return timer.runs(named, agreed.timeout)


def _waited(f: Features, timer: ProtocolTimer) -> float | None:
    """Seconds for which what a timer of the peer waits for had not come; None where it has."""
    line = f.timeline
    if timer.awaits is Awaited.ANSWER:
        return None if f.peer_heartbeats.open_since is None else f.age - f.peer_heartbeats.open_since
    if timer.awaits is Awaited.PONG:
        return None if f.peer_pings.unanswered is None else f.age - f.peer_pings.unanswered
    if timer.awaits is Awaited.HEARTBEAT:
        return f.age - (line.last(direction=SENT, role=Role.HEARTBEAT) or 0.0)
    if timer.awaits is Awaited.MESSAGE:
        return f.silent(SENT, FrameKind.DATA)
    if timer.awaits is Awaited.SESSION:
        begun = line.session_info_at if f.end is End.CLIENT else line.session_confirmed_at
        return f.age if begun is None else None
    return f.age


def awaits(f: Features, what: Awaited) -> RanOut | None:
    """The timer of the peer that fits, if it waits for this."""
    ran = ran_out(f)
    return ran if ran is not None and ran.timer.awaits is what else None


def meaning(f: Features) -> ProtocolCode | None:
    """
    What the peer's close code means in the protocol; None where that gives it no meaning.

    An ordinary close of a server that has not begun to speak the protocol means nothing in it: something
    else may answer at this path.

    """
    protocol = f.timeline.protocol
    if protocol is None or f.code is None:
        return None
    # A session that the client does not begin, the server does.
    is_first = protocol.greets or (protocol.has_session and not protocol.begins_session)
    is_due = f.end is End.CLIENT and is_first
    if is_due and f.code in ORDINARY and not f.timeline.count(RECEIVED, Opcode.TEXT, Opcode.BINARY):
        return None
    return protocol.code(f.code, f.end.peer)


def said_wrong(f: Features) -> tuple[float, str] | None:
    """The last message that the protocol calls an error, or a notice that says that something is wrong."""
    said = [*f.timeline.errors, *(each for each in f.timeline.notices if says_wrong(each[1]))]
    return max(said, default=None)


def told_in_message(f: Features) -> bool:
    """Whether a message right before the end tells of one thing, and not only that there was an error."""
    said = said_wrong(f)
    if said is None or f.age - said[0] > SAID_BEFORE:
        # A code that means another thing is read before such a message.
        known = meaning(f)
        agrees = f.code not in MEAN_ONE_THING if known is None else known.topic is f.told.topic
        return f.clearly_told and agrees
    return tells_clearly(read_error(said[1]))


def announced(f: Features) -> bool:
    """Whether the peer gave notice of the end a short time before it, and of nothing that is wrong."""
    if f.close is None or f.notice is None or f.age - f.notice > ANNOUNCED:
        return False
    wrong = said_wrong(f)
    return (wrong is None or wrong[0] < f.notice) and not ends_otherwise(f.close)
