"""Reads what the rules look at from a timeline, once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ..judge.excuses import harness_trouble
from ..judge.verdict import HARNESS, Outcome, Reason, Rule, Verdict, Violation
from ..timeline.close import CloseEvidence, LocalReason
from ..timeline.close_reasons import NO_REASON, Reading, read_close
from ..timeline.delays import Delay
from ..timeline.events import SAME, Direction, End, Event, EventKind, FaultName, Opcode, Role
from ..timeline.round_trips import RoundTrips
from ..timeline.timeline import Timeline
from .cohort import ALONE, Beside
from .features import (
    AT_ONCE,
    REACTION,
    RECEIVED,
    SENT,
    TO_ANSWER,
    Asked,
    Features,
    Messages,
    PeerPings,
    ProxyView,
    Tail,
    is_data,
)
from .protocol import SAID_BEFORE
from .stray import NOTHING_STRAY, Stray

_REACTION_MAX = 2.0
# A lag is found as the end is, or at the next tenth of a second.
_JUST_BEFORE = 0.05
# Seconds that this end has to answer: its own answers travel nowhere.
_TO_ANSWER_HERE = 0.25
# A message of this end is a rare one when none went out for so long before it. What then ends without
# another message is the answer to it, however busy the machine is: measured up to 0.19 s, every core busy.
_RARE = 10.0
_REACTION_TO_RARE = 0.5
# Answers are slow from so many seconds on, or so many times the fastest.
_SLOW, _SLOW_TIMES = 0.25, 5.0
# An answer that takes so much longer than the slowest before is missing.
_SLOWER = 1.5
# More messages than this in so many seconds are a stream.
_STREAM, _STREAMED = 5.0, 3
# Rules about how a connection ends; and those that what is said breaks, however it ends later.
_OF_THE_END = frozenset({Rule.ALIVE, Rule.CLOSURE, Rule.CLOSED})
_OF_WHAT_IS_SAID = frozenset({Rule.APART, Rule.HANDSHAKE})
# What the test process did wrong up to so long before the end may have caused it: two rounds of the
# slowest common keepalive (60 s).
_WINDOW = 120.0


def extract(
    timeline: Timeline,
    others: Sequence[Timeline] = (),
    *,
    beside: Beside = ALONE,
    verdict: Verdict | None = None,
) -> Features:
    """
    Read a timeline.

    Args:
        timeline: the end whose connection broke.
        others: timelines of other ends of the same connection.
        beside: what other connections of the run show.
        verdict: what was judged of it; None when nobody did.

    """
    peer = next((each for each in others if each.end is timeline.end.peer), None)
    other = extract(peer) if peer is not None and peer is not timeline else None
    events = list(timeline)
    frames = [event for event in events if event.kind is EventKind.FRAME and event.opcode is not Opcode.CLOSE]
    messages = _messages(frames, timeline.duration)
    at = verdict.violations[0].at if verdict is not None and verdict.violations else timeline.duration
    close, age = _close(timeline, verdict), timeline.duration
    return Features(
        timeline=timeline,
        events=events,
        end=timeline.end,
        tier=timeline.tier,
        close=close,
        age=age,
        silence=min(timeline.silent_for(SENT), timeline.silent_for(RECEIVED)),
        longest_silence=timeline.longest_silence,
        own_heartbeats=_asked(timeline.own_heartbeats, age, _patience(verdict, Rule.HEARTBEATS)),
        peer_heartbeats=_asked(_peers_heartbeats(timeline), age, _TO_ANSWER_HERE),
        own_pings=_with_proof(_asked(timeline.pings, age, _patience(verdict, Rule.PINGS)), timeline),
        peer_pings=_peer_pings(timeline, frames),
        tail=_tail(timeline, frames, messages.reaction + _seen_late(events, age)),
        messages=messages,
        confirmations=_count(frames, Role.SESSION_CONFIRMED),
        notice=timeline.last(direction=RECEIVED, role=Role.NOTICE),
        harness=_harness(timeline, verdict),
        lag=timeline.max_lag if timeline.max_lag_at >= at - _WINDOW else 0.0,
        tcp=next(reversed(timeline.tcp), None),
        broken=frozenset(each.rule for each in verdict.violations) if verdict is not None else frozenset(),
        other=other,
        faults=frozenset().union(*(_faults(each) for each in (timeline, *others))),
        injected=_injected((timeline, *others)),
        advice=next(
            (each.close.advice for each in (timeline, *others) if each.close and each.close.advice), None
        ),
        beside=beside,
        between=_between(timeline, [each for each in others if each.end is End.PROXY]),
        reading=_reading(timeline),
        stray=Stray((close.stray or "").encode("latin-1", "replace")) if close is not None else NOTHING_STRAY,
    )


def _close(timeline: Timeline, verdict: Verdict | None) -> CloseEvidence | None:
    """
    How it ended; None where it is open, or the end is another story than what is to be explained.

    So is that of a connection which went on for long after a promise was broken, or which somebody left.

    """
    close, violations = timeline.close, verdict.violations if verdict is not None else ()
    if close is None or not violations or any(each.rule in _OF_THE_END for each in violations):
        return close
    broke = min(each.at for each in violations)
    if not close.planned and _is_said_before(close, violations):
        return close
    went_on = close.received is None and timeline.heard_at > broke + TO_ANSWER
    is_said = _OF_WHAT_IS_SAID.issuperset(each.rule for each in violations)
    is_another = close.planned or close.is_goodbye or went_on or is_said
    return None if is_another and broke < close.at - SAME else close


def _is_said_before(close: CloseEvidence, violations: Sequence[Violation]) -> bool:
    """Whether an error message came right before the end, which then is about the same."""
    return any(each.rule is Rule.ERRORS and close.at - each.at <= SAID_BEFORE for each in violations)


def _messages(frames: Sequence[Event], age: float) -> Messages:
    data = [event for event in frames if event.direction is SENT and is_data(event)]
    sizes = [event.size for event in data]
    said = [event for event in data if event.role <= Role.DATA]
    rare = bool(said) and (len(said) == 1 or said[-1].at - said[-2].at >= _RARE)
    heard = [event for event in frames if event.direction is RECEIVED and is_data(event)]
    answered = bool(said) and any(event.at >= said[-1].at for event in heard)
    return Messages(
        max(sizes, default=0),
        bool(sizes) and sizes[-1] > max(sizes[:-1], default=0),
        rare,
        sum(event.at >= age - _STREAM for event in said) > _STREAMED,
        _REACTION_TO_RARE if rare and not answered else 0.0,
        said=sum(_is_spoken(event) for event in data),
        heard=sum(_is_spoken(event) for event in heard),
        received_stream=_streamed(heard),
    )


def _is_spoken(event: Event) -> bool:
    """Whether a message is none of the session's handshake."""
    return event.role not in (Role.GREETING, Role.SESSION_INFO, Role.SESSION_CONFIRMED)


def _streamed(heard: Sequence[Event]) -> bool:
    """Whether messages of the peer came one after the other in the last seconds that it was heard."""
    return sum(event.at >= heard[-1].at - _STREAM for event in heard) > _STREAMED


def _faults(timeline: Timeline) -> set[FaultName]:
    found: set[FaultName] = set()
    for event in timeline:
        if event.fault is FaultName.HEAL:
            found.clear()
        elif event.fault is not None:
            found.add(event.fault)
    return found


def _injected(timelines: Sequence[Timeline]) -> str | None:
    ends = (each.close for each in timelines if each.close is not None)
    return next((close.local_text for close in ends if close.local_reason is LocalReason.FAULT), None)


def _count(frames: Sequence[Event], role: Role) -> int:
    return sum(event.role is role and event.direction is RECEIVED for event in frames)


def _peer_pings(timeline: Timeline, frames: Sequence[Event]) -> PeerPings:
    last_pong = timeline.ping_answered_at
    answered_until = -1.0 if last_pong is None else last_pong
    received = [event.at for event in frames if event.opcode is Opcode.PING and event.direction is RECEIVED]
    open_pings = [at for at in received if answered_until < at <= timeline.duration - _TO_ANSWER_HERE]
    pongs = [event.at for event in frames if event.opcode is Opcode.PONG and event.direction is SENT]
    gaps = [later - earlier for earlier, later in pairwise(received)]
    return PeerPings(
        received=timeline.count(RECEIVED, Opcode.PING),
        ponged=timeline.count(SENT, Opcode.PONG),
        last=timeline.last(direction=RECEIVED, opcode=Opcode.PING),
        last_pong=last_pong,
        unanswered=open_pings[0] if open_pings else None,
        latest=_latest(received, pongs),
        first=received[0] if len(received) == timeline.count(RECEIVED, Opcode.PING) > 0 else None,
        shortest_gap=min(gaps, default=0.0),
        longest_gap=max(gaps, default=0.0),
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


def _peers_heartbeats(timeline: Timeline) -> RoundTrips:
    """Heartbeats of the peer, which this end has to answer."""
    if timeline.protocol is not None and timeline.protocol.both_ask and timeline.end is End.CLIENT:
        return timeline.server_heartbeats
    return timeline.heartbeats if timeline.heartbeat_sender is RECEIVED else RoundTrips()


def _patience(verdict: Verdict | None, rule: Rule) -> float | None:
    """Seconds that an answer has; none where a requirement says that it is missing."""
    missed = verdict is not None and any(each.rule is rule for each in verdict.violations)
    return None if missed else TO_ANSWER


def _slow(trips: RoundTrips) -> float:
    """How long two answers took at least, or the only one: of several, one that was slow is a pause."""
    longest = sorted(seconds for _, seconds in trips.rtts.slowest_above(-math.inf))
    return min(longest[-2:], default=0.0)


def _asked(trips: RoundTrips, now: float, within: float | None = TO_ANSWER) -> Asked:
    slowest = trips.rtts.maximum if trips.answered else 0.0
    # Where answers are slow, one that is not there yet is no wonder; nor is it missing, though it is too late
    # for the requirement, while others took longer.
    overdue = trips.overdue(now, _slow(trips) if within is None else max(within, _SLOWER * slowest))
    bunches, stood_still = _bunches(trips)
    return Asked(
        sent=trips.sent,
        answered=trips.answered,
        last=trips.last_at,
        open_since=overdue[0] if overdue else None,
        slowest=slowest,
        usual=trips.rtts.quantile(0.5) if trips.answered else 0.0,
        last_answered=_last_answered(trips),
        bunches=bunches,
        stood_still=stood_still,
    )


def _with_proof(asked: Asked, timeline: Timeline) -> Asked:
    """The ping at the end of a hold among them, where the peer had time for a sign of life and gave none."""
    at = timeline.proof_asked_at
    if at is None or timeline.proof_at is not None or timeline.close is not None:
        return asked
    if timeline.duration - at < TO_ANSWER or timeline.heard_at > at:
        return asked
    since = at if asked.open_since is None else asked.open_since
    return replace(asked, sent=asked.sent + 1, open_since=since)


def _last_answered(trips: RoundTrips) -> float | None:
    """When the youngest answered question was asked, as far as that is sure: all are answered."""
    return trips.last_at if trips.answered and trips.oldest_pending is None else None


def _bunches(trips: RoundTrips) -> tuple[int, float]:
    """How often slow answers to several questions came at one instant, and the longest wait for them."""
    slow = trips.rtts.slowest_above(max(_SLOW, _SLOW_TIMES * trips.rtts.minimum))
    bunches: list[list[float]] = []
    last = -math.inf
    for came, rtt in sorted((at + rtt, rtt) for at, rtt in slow):
        if came - last > AT_ONCE:
            bunches.append([])
        bunches[-1].append(rtt)
        last = came
    several = [max(rtts) for rtts in bunches if len(rtts) > 1]
    return len(several), max(several, default=0.0)


def _reading(timeline: Timeline) -> Reading:
    close = timeline.close
    if close is None or close.received is None:
        return NO_REASON
    reading = read_close(close.received.reason)
    known = timeline.protocol.code(close.received.code, timeline.end.peer) if timeline.protocol else None
    return reading if known is None or known.topic is None else reading.beside(known.topic)


def _between(timeline: Timeline, proxies: Sequence[Timeline]) -> ProxyView | None:
    """What the first proxy of the test saw; instants are compared on the clock, which all records have."""
    if not proxies:
        return None
    proxy = proxies[0]
    passed, answered = _at(proxy, RECEIVED, Opcode.PING), _at(proxy, SENT, Opcode.PONG)
    ponged = _at(timeline, SENT, Opcode.PONG)
    missing = (
        passed is not None
        and ponged is not None
        and ponged >= passed
        and (answered is None or answered < passed)
    )
    return ProxyView(
        behind=max(0.0, _heard(timeline) - _heard(proxy)) if timeline.end is End.CLIENT else 0.0,
        pong_missing=missing,
        overtaken=missing and _overtaken(timeline, proxy, ponged or 0.0),
        behind_first=_behind_first(timeline, proxy),
        delays=[delay for each in proxies for delay in _delays(timeline, each)],
    )


def _delays(timeline: Timeline, proxy: Timeline) -> list[Delay]:
    later = proxy.opened - timeline.opened
    return [each._replace(since=each.since + later, until=each.until + later) for each in proxy.delays]


def _behind_first(timeline: Timeline, proxy: Timeline) -> float | None:
    """How long after the proxy this end had the server's first frame; None where one of them has it not."""
    here, there = _first_heard(timeline), _first_heard(proxy)
    if here is None or there is None or timeline.end is not End.CLIENT:
        return None
    return max(0.0, here - there)


def _first_heard(timeline: Timeline) -> float | None:
    """When the first frame of the server was seen, on the clock; None when the record lacks its beginning."""
    heard = [each.at for each in timeline if each.kind is EventKind.FRAME and each.direction is RECEIVED]
    return timeline.opened + heard[0] if 0 < len(heard) == timeline.count(RECEIVED) else None


def _overtaken(timeline: Timeline, proxy: Timeline, ponged: float) -> bool:
    """Whether more messages of this end have passed the proxy than had gone out before the pong did."""
    behind = sum(
        is_data(each) and each.direction is SENT and timeline.opened + each.at > ponged for each in timeline
    )
    messages = (SENT, Opcode.TEXT, Opcode.BINARY)
    return proxy.count(*messages) > timeline.count(*messages) - behind


def _heard(timeline: Timeline) -> float:
    """When the last frame of the server was seen, on the clock."""
    instants = (_at(timeline, RECEIVED, opcode) for opcode in Opcode if opcode is not Opcode.NONE)
    return max((at for at in instants if at is not None), default=timeline.opened)


def _at(timeline: Timeline, direction: Direction, opcode: Opcode) -> float | None:
    at = timeline.last(direction=direction, opcode=opcode)
    return None if at is None else timeline.opened + at


def _seen_late(events: Sequence[Event], end: float) -> float:
    """By how much a loop that stood still may have seen the end later than it was, in seconds."""
    lags = (
        each.seconds for each in events if each.kind is EventKind.LOOP_LAG and each.at >= end - _JUST_BEFORE
    )
    return max(lags, default=0.0)


def _tail(timeline: Timeline, frames: Sequence[Event], at_least: float) -> Tail:
    end = timeline.duration
    rtts = [trips.rtts.quantile(0.5) for trips in (timeline.own_heartbeats, timeline.pings) if trips.answered]
    reaction = min(_REACTION_MAX, max(REACTION, at_least, 3 * max(rtts, default=0.0)))
    tail = [event for event in frames if event.at >= end - reaction]
    before = next((event.at for event in reversed(frames) if event.at < end - reaction), 0.0)
    return Tail(
        tuple(event for event in tail if event.direction is SENT),
        tuple(event for event in tail if event.direction is RECEIVED),
        (tail[0].at if tail else end) - before,
    )


def _harness(timeline: Timeline, verdict: Verdict | None) -> frozenset[Reason]:
    """The judge's doubts about the test process; when nobody judged, the same facts without his limits."""
    if verdict is not None:
        if verdict.outcome is not Outcome.INCONCLUSIVE:
            return frozenset()
        return frozenset(doubt.reason for doubt in verdict.doubts) & HARNESS
    return harness_trouble(timeline)
