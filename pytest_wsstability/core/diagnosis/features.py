"""What the rules look at: read from a timeline once, as numbers and yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..close import CloseEvidence, TransportEnd
from ..events import Direction, End, Event, Kind, Opcode, Role, Tier, Traffic
from ..heartbeat import RoundTrips
from ..tcp import TcpSample
from ..timeline import Timeline
from ..verdict import HARNESS, Outcome, Reason, Rule, Verdict

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED

# An end so soon after a frame may be the answer to it; round trips that were measured count threefold.
_REACTION = 0.05
_REACTION_MAX = 2.0
# Seconds that the other end has to answer, and that this end has: its own answers travel nowhere.
TO_ANSWER = 1.0
TO_ANSWER_HERE = 0.25
# A message of this end is a rare one when none went out for so long before it. What then ends without
# another frame is the answer to it, however busy the machine is: measured up to 0.17 s with every core busy.
_RARE = 10.0
_REACTION_TO_RARE = 0.5
# An answer that takes so much longer than the slowest before is missing.
_SLOWER = 1.5
# More messages than this in so many seconds are a stream.
_STREAM, _STREAMED = 5.0, 3
# What the test process did wrong up to so long before the end may have caused it: two rounds of the
# slowest common keepalive (60 s).
WINDOW = 120.0
# Connections that end within this time end together.
TOGETHER = 2.0
# A silence shorter than this is no timer's.
SILENCE = 1.0


@dataclass(frozen=True, slots=True)
class Pings:
    """Ping frames of the peer, and the pongs of this end."""

    received: int
    ponged: int
    # When the last ping came, and when the last pong went out; None if never.
    last: float | None
    last_pong: float | None
    # The first ping that this end had time to answer and did not; None when there is none.
    unanswered: float | None
    # The slowest answer in the record, in seconds.
    latest: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Heartbeats, or ping frames, of one end and what the other answered."""

    sent: int
    answered: int
    # The oldest open question that there was time to answer; None when there is none.
    open_since: float | None
    slowest: float


_NONE = Asked(0, 0, None, 0.0)


@dataclass(frozen=True, slots=True)
class Tail:
    """What happened in the last moment before the end, close frames aside."""

    # The last frames, and the silence before them.
    sent: tuple[Event, ...]
    received: tuple[Event, ...]
    quiet_before: float

    @property
    def message(self) -> Event | None:
        """The last application message that this end sent; None when it sent none."""
        return next(
            (event for event in reversed(self.sent) if event.role <= Role.DATA and is_data(event)), None
        )

    @property
    def only_sent(self) -> bool:
        """Whether this end spoke last, and nobody answered."""
        return bool(self.sent) and not self.received


@dataclass(frozen=True, slots=True)
class Messages:
    """Application messages that this end sent, as far as the record reaches."""

    # Bytes of the largest; 0 if there was none.
    largest: int
    # Whether the last one was larger than any before.
    last_is_largest: bool
    # Whether none had gone out for a while before the last one.
    last_is_rare: bool
    # Whether they are so dense that any end comes right after one.
    streaming: bool
    # How soon after the last one an end may be the answer to it, in seconds.
    reaction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One timeline, as the rules see it. Instants are seconds since the opening handshake ended."""

    timeline: Timeline
    # What is on record, oldest first.
    events: Sequence[Event]
    end: End
    tier: Tier
    close: CloseEvidence | None
    # The end, or the last look at an open one.
    age: float
    # Seconds without a byte either way before it, and the longest that was survived before.
    silence: float
    longest_silence: float
    pings: Pings
    # Heartbeats of this end, heartbeats of the peer, and ping frames of this end.
    heartbeats: Asked
    beaten: Asked
    asked: Asked
    tail: Tail
    messages: Messages
    confirmations: int
    notice: float | None
    # Trouble in the test process that may have caused what happened.
    harness: frozenset[Reason]
    lag: float
    # The kernel's last look at the connection (see core.tcp); None where there was none.
    tcp: TcpSample | None
    # Promises that were broken; empty when nobody judged.
    broken: frozenset[Rule]
    # The fault that a proxy or orchestrator of the test says it ended the connection with; None if none did.
    injected: str | None = None
    # The other end of the same connection; None when we do not hold it.
    other: Features | None = None
    # Other connections that ended within two seconds of this one, and those that lived on.
    together: int = 0
    survivors: int = 0
    # Whether those that ended together had the same age, or had been silent for as long.
    alike: bool = False

    @property
    def ended(self) -> bool:
        """Whether the connection is gone."""
        return self.close is not None

    @property
    def cut(self) -> bool:
        """Whether the stream ended without a word: no close frame either way, and not by this end."""
        close = self.close
        return (
            close is not None
            and close.received is None
            and close.sent is None
            and close.transport not in (TransportEnd.ABORTED, TransportEnd.CLOSED)
        )

    @property
    def path_cut(self) -> bool:
        """Whether each end saw the other one go, so that the path between them cut the connection."""
        other = self.other
        return self.cut and other is not None and other.cut

    @property
    def code(self) -> int | None:
        """The close code that the peer sent; None when it sent no close frame."""
        return self.close.received.code if self.close and self.close.received else None

    @property
    def reason(self) -> str:
        """The close reason of the peer in lower case."""
        return self.close.reason.lower() if self.close else ""

    @property
    def sent_code(self) -> int | None:
        """The close code that this end sent first, of its own; None when it sent none."""
        close = self.close
        if close is None or close.sent is None or close.received_first:
            return None
        return close.sent.code

    @property
    def paused_for(self) -> float:
        """Seconds since when this end reads nothing; 0 while it reads."""
        since = self.timeline.paused_since
        return 0.0 if since is None else self.age - since

    @property
    def asked_since(self) -> float | None:
        """Since when a heartbeat or ping of this end is open; None when none is."""
        open_since = (self.heartbeats.open_since, self.asked.open_since)
        return min((at for at in open_since if at is not None), default=None)

    @property
    def hears(self) -> bool:
        """Whether the peer was heard since the oldest question to it that stayed open."""
        since = self.asked_since
        # What was on its way when the question went out is no sign of life after it.
        rtt = max(_REACTION, self.heartbeats.slowest, self.asked.slowest)
        return since is not None and self.silent(RECEIVED) < self.age - since - rtt

    @property
    def prompt_pongs(self) -> bool:
        """Whether pings of the peer came, and each was answered at once."""
        return self.pings.ponged > 0 and self.pings.unanswered is None and self.pings.latest < TO_ANSWER

    @property
    def network_dead(self) -> bool:
        """Whether the kernel sent again and again, and nothing was acknowledged (measured: 7 of 7)."""
        return self.tcp is not None and self.tcp.unacked >= 1 and self.tcp.retransmits >= 2

    @property
    def network_fine(self) -> bool:
        """
        Whether the peer's kernel acknowledged what was asked (measured: 26 of 26 with a frozen process).

        A frame that went out as the kernel was looked at is not acknowledged yet, and says nothing.

        """
        tcp, since = self.tcp, self.asked_since
        if tcp is None or tcp.retransmits:
            return False
        if since is not None and tcp.at - tcp.last_ack_recv > since:
            return True
        return not (tcp.unacked or tcp.send_queue)

    @property
    def passive(self) -> bool:
        """Whether nothing was said since the session stood, so that silence and age cannot be told apart."""
        return self.age - self.silence < max(1.0, 0.02 * self.age)

    def silent(self, direction: Direction, traffic: Traffic = Traffic.ANY) -> float:
        """Seconds without this traffic before the end."""
        return self.timeline.silent_for(direction, traffic)

    def broke_silence(self, direction: Direction, traffic: Traffic = Traffic.ANY) -> bool:
        """Whether the silence before the end was the longest: only then may a timer have run out."""
        running = self.timeline.silent_for(direction, traffic)
        return running > self.timeline.longest_gap(direction, traffic) + 0.01

    @property
    def longest_quiet(self) -> bool:
        """The same for bytes either way."""
        return self.silence > self.longest_silence + 0.01


def is_data(event: Event) -> bool:
    """Whether an event is a text, binary or continuation frame."""
    return event.kind is Kind.FRAME and event.opcode < Opcode.CLOSE


def extract(
    timeline: Timeline,
    others: Sequence[Timeline] = (),
    *,
    together: int = 0,
    alike: bool = False,
    survivors: int = 0,
    verdict: Verdict | None = None,
) -> Features:
    """
    Read a timeline.

    Args:
        timeline: the end whose connection broke.
        others: timelines of other ends of the same connection.
        together: other connections that ended within two seconds.
        alike: whether all of those had the age of this one, or its silence.
        survivors: other connections that lived on.
        verdict: what was judged of it; None when nobody did.

    """
    peer = next((each for each in others if each.end is timeline.end.peer), None)
    other = extract(peer) if peer is not None and peer is not timeline else None
    events = list(timeline)
    frames = [event for event in events if event.kind is Kind.FRAME and event.opcode is not Opcode.CLOSE]
    messages = _messages(frames, timeline.duration)
    at = verdict.violations[0].at if verdict is not None and verdict.violations else timeline.duration
    close, age = timeline.close, timeline.duration
    return Features(
        timeline=timeline,
        events=events,
        end=timeline.end,
        tier=timeline.tier,
        close=close,
        age=age,
        silence=min(timeline.silent_for(SENT), timeline.silent_for(RECEIVED)),
        longest_silence=timeline.longest_silence,
        pings=_pings(timeline, frames),
        heartbeats=_asked(timeline.heartbeats, age) if timeline.heartbeat_sender is not RECEIVED else _NONE,
        beaten=_beaten(timeline, age),
        asked=_asked(timeline.pings, age),
        tail=_tail(timeline, frames, messages.reaction),
        messages=messages,
        confirmations=_count(frames, Role.SESSION_CONFIRMED),
        notice=timeline.last(direction=RECEIVED, role=Role.NOTICE),
        harness=_harness(timeline, verdict, at),
        lag=timeline.max_lag if timeline.max_lag_at >= at - WINDOW else 0.0,
        tcp=next(reversed(timeline.tcp), None),
        broken=frozenset(each.rule for each in verdict.violations) if verdict is not None else frozenset(),
        other=other,
        injected=_injected((timeline, *others)),
        together=together,
        survivors=survivors,
        alike=alike,
    )


def _messages(frames: Sequence[Event], age: float) -> Messages:
    data = [event for event in frames if event.direction is SENT and is_data(event)]
    sizes = [event.size for event in data]
    said = [event for event in data if event.role <= Role.DATA]
    rare = bool(said) and (len(said) == 1 or said[-1].at - said[-2].at >= _RARE)
    return Messages(
        max(sizes, default=0),
        bool(sizes) and sizes[-1] > max(sizes[:-1], default=0),
        rare,
        sum(event.at >= age - _STREAM for event in said) > _STREAMED,
        _REACTION_TO_RARE if rare and frames[-1] is said[-1] else 0.0,
    )


def _injected(timelines: Sequence[Timeline]) -> str | None:
    reasons = (each.close.local_reason or "" for each in timelines if each.close is not None)
    return next((reason for reason in reasons if reason.startswith(("fault ", "faults."))), None)


def _count(frames: Sequence[Event], role: Role) -> int:
    return sum(event.role is role and event.direction is RECEIVED for event in frames)


def _pings(timeline: Timeline, frames: Sequence[Event]) -> Pings:
    last_pong = timeline.last(direction=SENT, opcode=Opcode.PONG)
    answered_until = -1.0 if last_pong is None else last_pong
    received = [event.at for event in frames if event.opcode is Opcode.PING and event.direction is RECEIVED]
    open_pings = [at for at in received if answered_until < at <= timeline.duration - TO_ANSWER_HERE]
    pongs = [event.at for event in frames if event.opcode is Opcode.PONG and event.direction is SENT]
    return Pings(
        received=timeline.count(RECEIVED, Opcode.PING),
        ponged=timeline.count(SENT, Opcode.PONG),
        last=timeline.last(direction=RECEIVED, opcode=Opcode.PING),
        last_pong=last_pong,
        unanswered=open_pings[0] if open_pings else None,
        latest=_latest(received, pongs),
    )


def _latest(asked: Sequence[float], answers: Sequence[float]) -> float:
    """The longest time from a question to the first answer after it; both are ascending."""
    longest, place = 0.0, 0
    for at in asked:
        while place < len(answers) and answers[place] < at:
            place += 1
        if place == len(answers):
            break
        longest = max(longest, answers[place] - at)
    return longest


def _beaten(timeline: Timeline, now: float) -> Asked:
    """Heartbeats of the peer, which this end has to answer."""
    if timeline.heartbeat_sender is not RECEIVED:
        return _NONE
    return _asked(timeline.heartbeats, now, TO_ANSWER_HERE)


def _asked(trips: RoundTrips, now: float, within: float = TO_ANSWER) -> Asked:
    slowest = trips.rtts.maximum if trips.answered else 0.0
    # Where answers are slow, one that is not there yet is no wonder.
    overdue = trips.overdue(now, max(within, _SLOWER * slowest))
    return Asked(trips.sent, trips.answered, overdue[0] if overdue else None, slowest)


def _tail(timeline: Timeline, frames: Sequence[Event], at_least: float) -> Tail:
    end = timeline.duration
    rtts = [trips.rtts.quantile(0.5) for trips in (timeline.heartbeats, timeline.pings) if trips.answered]
    reaction = min(_REACTION_MAX, max(_REACTION, at_least, 3 * max(rtts, default=0.0)))
    tail = [event for event in frames if event.at >= end - reaction]
    before = next((event.at for event in reversed(frames) if event.at < end - reaction), 0.0)
    return Tail(
        tuple(event for event in tail if event.direction is SENT),
        tuple(event for event in tail if event.direction is RECEIVED),
        (tail[0].at if tail else end) - before,
    )


def _harness(timeline: Timeline, verdict: Verdict | None, at: float) -> frozenset[Reason]:
    """The judge's doubts about the test process; when nobody judged, the same facts without his limits."""
    if verdict is not None:
        if verdict.outcome is not Outcome.INCONCLUSIVE:
            return frozenset()
        return frozenset(doubt.reason for doubt in verdict.doubts) & HARNESS
    from ..judge import harness_trouble

    return harness_trouble(timeline, at) if timeline.close is not None else frozenset()
