"""
What in the test process may have brought a violation about: an incident, its effect, and how long after.

An excuse is a cause. A lag of the loop explains an answer that waited unread while it lasted, and an end
by a peer that gave up meanwhile; it explains nothing that was due before it or after, no close that says
why, and no frame that breaks the protocol.

"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from ..duration import show_duration as show
from ..timeline.close import PING_TIMEOUT_CODES, REFUSALS, CloseEvidence
from ..timeline.close_reasons import Topic, read_close
from ..timeline.events import SAME, Direction, End, EventKind, Opcode, Role
from ..timeline.timeline import Timeline
from .verdict import Doubt, Reason


class Effect(Enum):
    """What an incident may bring about."""

    # An answer of the peer, or another message that was due, was read late.
    LATE = "read late"
    # The peer gave up on this end.
    END = "given up"


# Each incident with what it can cause, and for how many seconds after it; it causes nothing else.
LASTS = {
    # Waiting frames are read when the loop runs again. It is looked at ten times a second, so that it is seen
    # to run one look later, and a lag may have begun one earlier.
    (Reason.LOOP_LAG, Effect.LATE): 0.2,
    # What a peer decided meanwhile arrives a round trip and one repeated segment later (RFC 6298: 1 s).
    (Reason.LOOP_LAG, Effect.END): 2.0,
    (Reason.READING_PAUSED, Effect.LATE): 1.0,
    (Reason.READING_PAUSED, Effect.END): 1.0,
    # Networks, addresses and the states of boxes on the way may be others. That shows with the next timers of
    # TCP and of the peer: two rounds of the slowest common keepalive (30 s), an idle timeout (nginx: 60 s).
    (Reason.SUSPENDED, Effect.LATE): 60.0,
    (Reason.SUSPENDED, Effect.END): 60.0,
}

# A lag or pause this long can cost a connection: the shortest ping timeouts in use are of one second.
COSTLY = 1.0
# A shorter one can if a ping of the peer was read no sooner than its end.
LATE_READ = 0.25
# What a close reason may speak of where a peer gave up on this end.
_SILENCE = frozenset({Topic.KEEPALIVE, Topic.IDLE, Topic.TIMEOUT, Topic.SLOW})


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that befell the test process."""

    reason: Reason
    # Seconds since the opening handshake ended.
    start: float
    end: float
    # How long it was, on a clock that does not stand still.
    seconds: float


class Incidents:
    """
    What befell the test process while it recorded a timeline, and what that explains.

    Args:
        timeline: the record.

    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    @cached_property
    def all(self) -> Sequence[Incident]:
        """All of them; looked for when something is to be explained, and not at each look at a connection."""
        return tuple(_incidents(self._timeline))

    def late(self, due: float, came: float | None) -> tuple[Doubt, ...]:
        """
        What may have made something be read late.

        Args:
            due: when it should have come.
            came: when it was read; None if it was not up to the end of the record.

        """
        read = self._timeline.duration if came is None else came
        return self._told(
            each
            for each in self.all
            if each.start <= due + SAME and read <= each.end + LASTS[each.reason, Effect.LATE] + SAME
        )

    def end(self, close: CloseEvidence) -> tuple[Doubt, ...]:
        """What may have made the peer give up on this end; nothing where the end itself says why."""
        if not self.all or _says_why(close):
            return ()
        at = close.at if close.hidden_since is None else close.hidden_since
        return self._told(
            each
            for each in self.all
            if each.start <= close.at + SAME
            and min(at, close.at) <= each.end + LASTS[each.reason, Effect.END] + SAME
            and self._is_costly(each, close)
        )

    def _is_costly(self, incident: Incident, close: CloseEvidence) -> bool:
        if incident.reason is Reason.SUSPENDED:
            return True
        if incident.reason is Reason.READING_PAUSED and self._timeline.deliberately_stalled:
            # What a stall on purpose brings about is what the test is for.
            return False
        if incident.seconds >= COSTLY:
            return True
        return incident.seconds >= LATE_READ and _asked_at(self._timeline, close.at)

    def unread(self, until: float) -> tuple[Doubt, ...]:
        """That this end did not read up to an instant, so that what it has not seen may be there."""
        paused = any(since <= until + SAME and until <= end + SAME for since, end in pauses(self._timeline))
        return (paused_doubt(self._timeline),) if paused else ()

    def longer_than(self, seconds: float, until: float) -> tuple[Doubt, ...]:
        """Lags and sleeps that were longer, and began before an instant."""
        if max(self._timeline.max_lag, self._timeline.suspended) <= seconds:
            return ()
        stood_still = (Reason.LOOP_LAG, Reason.SUSPENDED)
        return self._told(
            each
            for each in self.all
            if each.reason in stood_still and each.seconds > seconds + SAME and each.start < until - SAME
        )

    def _told(self, incidents: Iterable[Incident]) -> tuple[Doubt, ...]:
        """One doubt for each kind of incident, with the longest of them."""
        longest: dict[Reason, float] = {}
        for each in incidents:
            longest[each.reason] = max(longest.get(each.reason, 0.0), each.seconds)
        return tuple(self._doubt(reason, seconds) for reason, seconds in longest.items())

    def _doubt(self, reason: Reason, seconds: float) -> Doubt:
        if reason is Reason.READING_PAUSED:
            return paused_doubt(self._timeline)
        if reason is Reason.SUSPENDED:
            return Doubt(reason, f"the machine slept for {show(seconds)}")
        return Doubt(reason, f"the test's own event loop stood still for {show(seconds)}")


def _incidents(timeline: Timeline) -> Iterator[Incident]:
    paused = timeline.paused_total or timeline.paused_since is not None
    for event in timeline if timeline.max_lag or timeline.suspended else ():
        if event.kind is EventKind.LOOP_LAG:
            yield _lag(event.at, event.seconds)
        elif event.kind is EventKind.SUSPENDED:
            # The clock of the instants stands still while the machine sleeps.
            yield Incident(Reason.SUSPENDED, event.at, event.at, event.seconds)
    for at, seconds in timeline.lags:
        # The ring may have lost it.
        yield _lag(at, seconds)
    for since, until in pauses(timeline) if paused else ():
        yield Incident(Reason.READING_PAUSED, since, until, until - since)


def _lag(at: float, seconds: float) -> Incident:
    return Incident(Reason.LOOP_LAG, at - seconds - LASTS[Reason.LOOP_LAG, Effect.LATE] / 2, at, seconds)


def pauses(timeline: Timeline) -> list[tuple[float, float]]:
    """When reading was paused, as ``(from, to)``; a pause whose start the record lost starts at 0."""
    found = []
    since = 0.0
    for event in timeline:
        if event.kind is EventKind.READING_PAUSED:
            since = event.at
        elif event.kind is EventKind.READING_RESUMED:
            found.append((since, event.at))
    if timeline.paused_since is not None:
        found.append((timeline.paused_since, timeline.duration))
    return found


def paused_doubt(timeline: Timeline) -> Doubt:
    """That this end did not read."""
    if timeline.deliberately_stalled:
        told = 'client="stalled"' if timeline.end is End.CLIENT else "faults.StopReading()"
        text = f"this end reads nothing, as it was told to ({told})"
    else:
        text = "reading was paused, because messages were not taken with recv()"
    return Doubt(Reason.READING_PAUSED, f"{text}: pings and closes behind them were not seen in time")


def _says_why(close: CloseEvidence) -> bool:
    """Whether an end has another cause than silence of this end: a refusal, or a close that says so."""
    if close.parser_error is not None or (close.sent is not None and close.sent.code in REFUSALS):
        return True
    if close.received is None:
        return False
    topic = read_close(close.reason).topic
    if topic is not None:
        return topic not in _SILENCE
    return close.code not in PING_TIMEOUT_CODES


def _asked_at(timeline: Timeline, at: float) -> bool:
    """Whether a ping or heartbeat of the peer was read only as the end came."""
    asked = [timeline.last(direction=Direction.RECEIVED, opcode=Opcode.PING)]
    if timeline.heartbeat_sender is Direction.RECEIVED:
        asked.append(timeline.last(direction=Direction.RECEIVED, role=Role.HEARTBEAT))
    noticed = LASTS[Reason.LOOP_LAG, Effect.LATE]
    return any(each is not None and 0 <= at - each <= noticed for each in asked)


def harness_trouble(timeline: Timeline) -> frozenset[Reason]:
    """What in the test process may have caused the end of a connection; nothing of one that is open."""
    if timeline.close is None:
        return frozenset()
    return frozenset(doubt.reason for doubt in Incidents(timeline).end(timeline.close))
