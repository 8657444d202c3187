"""Reads what the rules look at from a timeline, once."""

from __future__ import annotations

from collections.abc import Sequence

from ..judge.verdict import HARNESS, Outcome, Reason, Verdict
from ..timeline.close import LocalReason
from ..timeline.events import Event, EventKind, Opcode, Role
from ..timeline.round_trips import RoundTrips
from ..timeline.timeline import Timeline
from .features import (
    REACTION,
    RECEIVED,
    SENT,
    TO_ANSWER,
    Asked,
    Features,
    Messages,
    Pings,
    Shared,
    Tail,
    is_data,
)

_REACTION_MAX = 2.0
# A lag is found as the end is, or at the next tenth of a second.
_JUST_BEFORE = 0.05
# Seconds that this end has to answer: its own answers travel nowhere.
_TO_ANSWER_HERE = 0.25
# A message of this end is a rare one when none went out for so long before it. What then ends without
# another message is the answer to it, however busy the machine is: measured up to 0.19 s, every core busy.
_RARE = 10.0
_REACTION_TO_RARE = 0.5
# An answer that takes so much longer than the slowest before is missing.
_SLOWER = 1.5
# More messages than this in so many seconds are a stream.
_STREAM, _STREAMED = 5.0, 3
# What the test process did wrong up to so long before the end may have caused it: two rounds of the
# slowest common keepalive (60 s).
_WINDOW = 120.0
_NONE = Asked(0, 0, None, 0.0)


def extract(
    timeline: Timeline,
    others: Sequence[Timeline] = (),
    *,
    together: int = 0,
    shared: Shared = Shared.INSTANT,
    survivors: int = 0,
    verdict: Verdict | None = None,
) -> Features:
    """
    Read a timeline.

    Args:
        timeline: the end whose connection broke.
        others: timelines of other ends of the same connection.
        together: other connections that ended within two seconds.
        shared: what all of those share with this one.
        survivors: other connections that lived on.
        verdict: what was judged of it; None when nobody did.

    """
    peer = next((each for each in others if each.end is timeline.end.peer), None)
    other = extract(peer) if peer is not None and peer is not timeline else None
    events = list(timeline)
    frames = [event for event in events if event.kind is EventKind.FRAME and event.opcode is not Opcode.CLOSE]
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
        tail=_tail(timeline, frames, messages.reaction + _seen_late(events, age)),
        messages=messages,
        confirmations=_count(frames, Role.SESSION_CONFIRMED),
        notice=timeline.last(direction=RECEIVED, role=Role.NOTICE),
        harness=_harness(timeline, verdict, at),
        lag=timeline.max_lag if timeline.max_lag_at >= at - _WINDOW else 0.0,
        tcp=next(reversed(timeline.tcp), None),
        broken=frozenset(each.rule for each in verdict.violations) if verdict is not None else frozenset(),
        other=other,
        injected=_injected((timeline, *others)),
        together=together,
        survivors=survivors,
        shared=shared,
    )


def _messages(frames: Sequence[Event], age: float) -> Messages:
    data = [event for event in frames if event.direction is SENT and is_data(event)]
    sizes = [event.size for event in data]
    said = [event for event in data if event.role <= Role.DATA]
    rare = bool(said) and (len(said) == 1 or said[-1].at - said[-2].at >= _RARE)
    heard = max((each.at for each in frames if each.direction is RECEIVED and is_data(each)), default=-1.0)
    return Messages(
        max(sizes, default=0),
        bool(sizes) and sizes[-1] > max(sizes[:-1], default=0),
        rare,
        sum(event.at >= age - _STREAM for event in said) > _STREAMED,
        _REACTION_TO_RARE if rare and heard < said[-1].at else 0.0,
    )


def _injected(timelines: Sequence[Timeline]) -> str | None:
    ends = (each.close for each in timelines if each.close is not None)
    return next((close.local_text for close in ends if close.local_reason is LocalReason.FAULT), None)


def _count(frames: Sequence[Event], role: Role) -> int:
    return sum(event.role is role and event.direction is RECEIVED for event in frames)


def _pings(timeline: Timeline, frames: Sequence[Event]) -> Pings:
    last_pong = timeline.last(direction=SENT, opcode=Opcode.PONG)
    answered_until = -1.0 if last_pong is None else last_pong
    received = [event.at for event in frames if event.opcode is Opcode.PING and event.direction is RECEIVED]
    open_pings = [at for at in received if answered_until < at <= timeline.duration - _TO_ANSWER_HERE]
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
    return _asked(timeline.heartbeats, now, _TO_ANSWER_HERE)


def _asked(trips: RoundTrips, now: float, within: float = TO_ANSWER) -> Asked:
    slowest = trips.rtts.maximum if trips.answered else 0.0
    # Where answers are slow, one that is not there yet is no wonder.
    overdue = trips.overdue(now, max(within, _SLOWER * slowest))
    return Asked(trips.sent, trips.answered, overdue[0] if overdue else None, slowest)


def _seen_late(events: Sequence[Event], end: float) -> float:
    """By how much a loop that stood still may have seen the end later than it was, in seconds."""
    lags = (
        each.seconds for each in events if each.kind is EventKind.LOOP_LAG and each.at >= end - _JUST_BEFORE
    )
    return max(lags, default=0.0)


def _tail(timeline: Timeline, frames: Sequence[Event], at_least: float) -> Tail:
    end = timeline.duration
    rtts = [trips.rtts.quantile(0.5) for trips in (timeline.heartbeats, timeline.pings) if trips.answered]
    reaction = min(_REACTION_MAX, max(REACTION, at_least, 3 * max(rtts, default=0.0)))
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
    from ..judge.rules import harness_trouble

    return harness_trouble(timeline, at) if timeline.close is not None else frozenset()
