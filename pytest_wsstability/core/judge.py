"""The rules: what each part of a requirement finds in a timeline. Nothing else judges."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .close import describe_code
from .duration import show_duration as show
from .events import Direction, End, Event, Kind, Role
from .requirement import CADENCE_TOLERANCE, Requirement
from .timeline import Timeline
from .verdict import HARNESS, Doubt, Outcome, Reason, Rule, Verdict, Violation

# How long before a violation the test process's own trouble may have caused it, in seconds: two
# rounds of the slowest common keepalive (60 s).
_WINDOW = 120.0
# A lag of our loop this long can cost a connection, or half of the time a heartbeat has.
_LAG = 1.0
_SAME = 1e-9


def judge(requirement: Requirement, timeline: Timeline) -> Verdict:
    """Judge what the timeline holds up to now."""
    findings = [finding for rule in _RULES for finding in rule(requirement, timeline)]
    violations = [finding for finding in findings if isinstance(finding, Violation)]
    doubts = [finding for finding in findings if isinstance(finding, Doubt)]
    if violations:
        doubts = list(_harness(requirement, timeline, min(violation.at for violation in violations)))
        blameless = any(doubt.reason in HARNESS for doubt in doubts)
        outcome = Outcome.INCONCLUSIVE if blameless else Outcome.UNSTABLE
    else:
        outcome = Outcome.INCONCLUSIVE if doubts else Outcome.STABLE
    horizon = timeline.duration if requirement.alive_for is None else min(timeline.duration, requirement.alive_for)
    return Verdict(
        outcome=outcome, violations=tuple(violations), doubts=tuple(doubts), horizon=horizon, tier=timeline.tier
    )


def next_check(requirement: Requirement, timeline: Timeline) -> float | None:
    """When the verdict may change next if nothing happens; None when time alone changes nothing."""
    now = timeline.duration
    instants = [requirement.alive_for]
    if timeline.session_confirmed_at is None:
        instants.append(requirement.session_within)
    heartbeats = timeline.heartbeats
    if requirement.answer_within is not None:
        instants.append(heartbeats.next_overdue(now, requirement.answer_within))
    if requirement.pings_within is not None:
        instants.append(timeline.pings.next_overdue(now, requirement.pings_within))
    if requirement.heartbeat_every is not None and _peer_beats(timeline):
        instants.append((heartbeats.last_at or 0.0) + requirement.heartbeat_every * CADENCE_TOLERANCE)
    return min((at for at in instants if at is not None and at > now + _SAME), default=None)


def _peer_beats(timeline: Timeline) -> bool:
    """Whether heartbeats are the peer's to send: at a server, unless the server was seen to send them."""
    if timeline.heartbeat_sender is None:
        return timeline.end is End.SERVER
    return timeline.heartbeat_sender is Direction.RECEIVED


def _alive(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    hold, close = requirement.alive_for, timeline.close
    hidden = close is not None and close.hidden_since is not None
    if hold is None or (timeline.duration >= hold - _SAME and not hidden):
        if hold is not None and timeline.paused and not timeline.deliberately_stalled and close is None:
            yield _paused_doubt(timeline)
        return
    if close is None or close.planned:
        who = "this end closed it" if close else "it is still open"
        yield Doubt(Reason.TOO_SHORT, f"watched {show(timeline.duration)} of {show(hold)}: {who}")
        return
    if close.code in requirement.allow_close:
        return
    if requirement.max_age_ok is not None and close.at >= requirement.max_age_ok:
        return
    yield Violation(
        Rule.ALIVE,
        close.at,
        f"alive for {show(hold)}",
        f"{close.headline()}: {close}",
        f"{close.headline()} of {show(hold)}: {close}",
    )


def _session(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    within, confirmed = requirement.session_within, timeline.session_confirmed_at
    if within is None or (confirmed is not None and confirmed <= within + _SAME):
        return
    if confirmed is None and timeline.close is None and timeline.duration < within - _SAME:
        yield Doubt(Reason.TOO_SHORT, f"watched {show(timeline.duration)} of the {show(within)} a session has")
        return
    if confirmed is not None:
        observed = f"confirmed after {show(confirmed)}"
    elif timeline.session_info_at is not None:
        verb = "received" if timeline.end is End.SERVER else "sent"
        observed = f"session_info {verb} at {show(timeline.session_info_at)}, never confirmed"
    elif timeline.end is End.SERVER:
        observed = "the client never sent session_info"
    elif timeline.last(direction=Direction.RECEIVED, role=Role.GREETING) is None:
        observed = "no greeting arrived, so session_info was not sent"
    else:
        observed = "session_info was never sent"
    at = confirmed if confirmed is not None else min(within, timeline.duration)
    yield Violation(
        Rule.SESSION,
        at,
        f"session confirmed within {show(within)}",
        observed,
        f"session not confirmed within {show(within)}: {observed}",
    )


def _heartbeats(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    within = requirement.answer_within
    if within is None:
        return
    heartbeats, now = timeline.heartbeats, timeline.duration
    missed = heartbeats.missed(now, within)
    if missed > requirement.heartbeat_missed_max:
        yield _missed(Rule.HEARTBEATS, requirement, timeline, within, missed)
        return
    in_time = heartbeats.answered - heartbeats.rtts.above(within)
    if in_time < max(1, requirement.heartbeats_at_least):
        wanted = max(1, requirement.heartbeats_at_least)
        text = f"{in_time} of at least {wanted} heartbeats answered ({heartbeats.sent} sent in {show(now)})"
        if timeline.close is None and _peer_beats(timeline):
            yield Violation(Rule.HEARTBEATS, now, f"at least {wanted} heartbeats answered", text, text)
        else:
            hint = "" if heartbeats.sent else '; none was sent: heartbeat="25s" sends them'
            yield Doubt(Reason.TOO_FEW, text + hint)


def _missed(rule: Rule, requirement: Requirement, timeline: Timeline, within: float, missed: int) -> Violation:
    heartbeats = timeline.heartbeats if rule is Rule.HEARTBEATS else timeline.pings
    noun = "heartbeat" if rule is Rule.HEARTBEATS else "ping"
    overdue = heartbeats.overdue(timeline.duration, within)
    late = heartbeats.rtts.slowest_above(within)
    first = min([at + within for at in overdue] + [at + within for at, _ in late], default=timeline.duration)
    details = [f"sent at {show(at)}: no answer" for at in overdue]
    details += [f"sent at {show(at)}: answered after {show(rtt)}" for at, rtt in late]
    more = f" and {missed - 3} more" if missed > 3 else ""
    allowed = requirement.heartbeat_missed_max if rule is Rule.HEARTBEATS else 0
    return Violation(
        rule,
        first,
        f"every {noun} answered within {show(within)}" + (f", {allowed} may be missed" if allowed else ""),
        f"{missed} of {heartbeats.sent} missed ({', '.join(details[:3])}{more})",
        f"{missed} of {heartbeats.sent} {noun}s not answered within {show(within)}: {details[0] if details else ''}",
    )


def _cadence(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    every = requirement.heartbeat_every
    if every is None:
        return
    heartbeats = timeline.heartbeats
    span = timeline.duration if requirement.alive_for is None else min(timeline.duration, requirement.alive_for)
    if not _peer_beats(timeline):
        due = max(0, math.ceil(span / every - _SAME) - 1)
        if heartbeats.sent < due:
            yield Doubt(Reason.TOO_FEW, f"{heartbeats.sent} of {due} heartbeats went out in {show(span)}")
        return
    gap = max(heartbeats.longest_gap, span - (heartbeats.last_at or 0.0))
    if gap > every * CADENCE_TOLERANCE + _SAME:
        observed = f"{heartbeats.sent} heartbeats in {show(span)}, {show(gap)} without one"
        expected = f"a heartbeat every {show(every)}"
        yield Violation(Rule.CADENCE, span, expected, observed, f"no heartbeat for {show(gap)} (every {show(every)})")


def _pings(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    within = requirement.pings_within
    if within is None:
        return
    missed = timeline.pings.missed(timeline.duration, within)
    if missed:
        yield _missed(Rule.PINGS, requirement, timeline, within, missed)
    elif not timeline.pings.answered:
        hint = "" if timeline.pings.sent else ': this end sent none (client="keepalive", connection.ping())'
        yield Doubt(Reason.TOO_FEW, f"no ping was answered yet{hint}")


def _rtt(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    limit = requirement.rtt_p95
    if limit is None:
        return
    rtts = timeline.heartbeats.rtts if timeline.heartbeats.rtts.count else timeline.pings.rtts
    if not rtts.count:
        yield Doubt(Reason.TOO_FEW, "no round trip was measured")
        return
    p95 = rtts.quantile(0.95)
    if p95 > limit:
        sample = f"p95 of {rtts.count}" if rtts.count >= 20 else f"slowest of {rtts.count}, too few for a p95"
        observed = f"{show(p95)} ({sample})"
        yield Violation(Rule.RTT, timeline.duration, f"rtt p95 within {show(limit)}", observed, f"rtt {observed}")


def _closure(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    close = timeline.close
    if requirement.no_abnormal_closure and close is not None and close.abnormal:
        yield Violation(Rule.CLOSURE, close.at, "no abnormal closure", str(close), f"{close.headline()}: {close}")


def _closed(requirement: Requirement, timeline: Timeline) -> Iterator[Violation | Doubt]:
    expected, close = requirement.closed, timeline.close
    if expected is None:
        return
    if close is None:
        text = f"still open after {show(timeline.duration)}"
        yield Violation(Rule.CLOSED, timeline.duration, str(expected), text, text)
        return
    matches = (
        expected.code in (None, close.code)
        and expected.reason in (None, close.reason)
        and expected.by in (None, close.by)
    )
    if not matches:
        observed = f"{describe_code(close.code)}, by the {close.by.value}: {close}"
        yield Violation(Rule.CLOSED, close.at, str(expected), observed, f"not {expected}: {observed}")


_RULES = (_alive, _session, _heartbeats, _cadence, _pings, _rtt, _closure, _closed)


def _harness(requirement: Requirement, timeline: Timeline, at: float) -> Iterator[Doubt]:
    """What in the test process itself may have caused a violation at ``at``."""
    window = [event for event in timeline if at - _WINDOW <= event.at <= timeline.duration]
    limit = min(_LAG, (requirement.answer_within or math.inf) / 2)
    lag = max((event.seconds for event in window if event.kind is Kind.LOOP_LAG), default=0.0)
    if lag >= limit:
        yield Doubt(Reason.LOOP_LAG, f"the test's own event loop stood still for {show(lag)}")
    slept = sum(event.seconds for event in window if event.kind is Kind.SUSPENDED)
    if slept:
        yield Doubt(Reason.SUSPENDED, f"the machine slept for {show(slept)}")
    if not timeline.deliberately_stalled and _paused_in(timeline, window) >= limit:
        yield _paused_doubt(timeline)


def _paused_in(timeline: Timeline, window: list[Event]) -> float:
    total, since = 0.0, None
    for event in window:
        if event.kind is Kind.READING_PAUSED:
            since = event.at
        elif event.kind is Kind.READING_RESUMED and since is not None:
            total, since = total + event.at - since, None
    return total + (timeline.duration - since if since is not None else 0.0)


def _paused_doubt(timeline: Timeline) -> Doubt:
    text = "reading was paused, because messages were not taken with recv()"
    return Doubt(Reason.READING_PAUSED, f"{text}: pings and closes behind them were not seen in time")
