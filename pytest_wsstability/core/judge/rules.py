"""The rules: what each part of a requirement finds in a timeline. Nothing else judges."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

from ..duration import show_duration as show
from ..timeline.close import PING_TIMEOUT_CODES, describe_code
from ..timeline.events import Direction, End, EventKind, Opcode, Role
from ..timeline.round_trips import RoundTrips
from ..timeline.timeline import Timeline
from .handshake import handshake, protocol, wrong_session
from .one_way import silence, silent_from
from .requirement import CADENCE_TOLERANCE, Requirement
from .verdict import Doubt, Finding, Reason, Rule, Verdict, Violation

# How long before a violation the test process's own trouble may have caused it, in seconds: two
# rounds of the slowest common keepalive (60 s).
_WINDOW = 120.0
# A lag of our loop this long can cost a connection; half of the time that an answer has, the answer.
_LAG = 1.0
# The loop is looked at ten times a second, so a lag may have begun this much before it was seen to.
_NOTICED = 0.2
# A lag like this explains why a question of the peer was read no sooner than the end.
_LATE_READ = 0.25
# An end that was waiting unread shows itself this soon after reading goes on.
_SHOWN = 1.0
_SAME = 1e-9


def judge(requirement: Requirement, timeline: Timeline) -> Verdict:
    """Judge what the timeline holds up to now."""
    findings = [
        _with_excuses(requirement, timeline, finding)
        for rule in _RULES
        for finding in rule(requirement, timeline)
    ]
    return Verdict.of(findings, horizon=_horizon(requirement, timeline, findings), tier=timeline.tier)


def _with_excuses(requirement: Requirement, timeline: Timeline, finding: Finding) -> Finding:
    if isinstance(finding, Doubt):
        return finding
    return dataclasses.replace(finding, excuses=tuple(_harness(requirement, timeline, finding)))


def _horizon(requirement: Requirement, timeline: Timeline, findings: Iterable[Finding]) -> float:
    """How far the verdict reaches: not beyond the hold; and unless it is broken, not beyond what was read."""
    broken = any(isinstance(finding, Violation) and not finding.excuses for finding in findings)
    limits = [timeline.duration, requirement.alive_for, None if broken else _blind_since(timeline)]
    return min(limit for limit in limits if limit is not None)


def _blind_since(timeline: Timeline) -> float | None:
    """Since when an end could not have been seen, so that it may be as old as this; None if it could."""
    close = timeline.close
    if close is None or timeline.paused:
        return timeline.paused_since
    if close.hidden_since is not None:
        return close.hidden_since
    pauses = [(since, until) for since, until in _pauses(timeline) if close.at - until <= _SHOWN]
    return pauses[-1][0] if pauses else None


def next_check(requirement: Requirement, timeline: Timeline) -> float | None:
    """
    When the verdict may change next, unless the connection ends before.

    During a hold (``alive_for``) that is also when a heartbeat that is still to come may be overdue.

    Returns:
        Seconds since the opening handshake ended, later than the timeline's last look; None when
        the passing of time alone changes nothing any more.

    """
    now, hold = timeline.duration, requirement.alive_for
    if timeline.close is not None:
        return None
    instants = [hold]
    if timeline.session_confirmed_at is None:
        instants.append(requirement.session_within)
    heartbeats, every = timeline.heartbeats, requirement.heartbeat_every
    # While a connection is held, questions go out that are not open yet; else only the open ones count.
    held = hold is not None and now < hold - _SAME
    due = (heartbeats.last_at or 0.0) + (every or 0.0)
    if requirement.answer_within is not None:
        instants.append(_next_overdue(heartbeats, now, requirement.answer_within, due if held else None))
    if requirement.answer_within is not None and timeline.is_one_way and timeline.peer_sends_heartbeats:
        instants.append(silent_from(requirement, timeline, requirement.answer_within))
    if requirement.pings_within is not None:
        instants.append(_next_overdue(timeline.pings, now, requirement.pings_within, now if held else None))
    if every is not None and held and _peer_beats(timeline):
        instants.append(due - every + every * CADENCE_TOLERANCE)
    return min((at for at in instants if at is not None and at > now + _SAME), default=None)


def _next_overdue(trips: RoundTrips, now: float, within: float, due: float | None) -> float | None:
    """When a question will be overdue: an open one, or else one that is due; None when neither is there."""
    overdue = trips.next_overdue(now, within)
    if overdue is None and due is not None:
        overdue = max(now, due) + within
    return overdue


def _peer_beats(timeline: Timeline) -> bool:
    """Whether heartbeats are the peer's to send: as was seen, or else as the protocol has it."""
    if timeline.heartbeat_sender is None:
        protocol = timeline.protocol
        if protocol is not None and not protocol.both_ask:
            return timeline.end not in protocol.heartbeats_from
        return timeline.end is End.SERVER
    return timeline.heartbeat_sender is Direction.RECEIVED


def _alive(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    hold, close = requirement.alive_for, timeline.close
    if hold is None:
        return
    hidden = close is not None and close.hidden_since is not None and close.hidden_since < hold - _SAME
    if timeline.duration >= hold - _SAME and not hidden:
        blind = _blind_since(timeline)
        if blind is not None and blind < hold - _SAME:
            yield _paused_doubt(timeline)
        return
    if close is None or close.planned:
        who = "this end closed it" if close else "it is still open"
        yield Doubt(Reason.TOO_SHORT, f"watched {show(timeline.duration)} of {show(hold)}: {who}")
        return
    if close.code in requirement.allow_close:
        return
    if requirement.max_age_ok is not None and close.at >= requirement.max_age_ok - _SAME:
        return
    yield Violation(
        Rule.ALIVE,
        close.at,
        f"alive for {show(hold)}",
        f"{close.headline()}: {close}",
        f"{close.headline()} of {show(hold)}",
        str(close),
    )


def _session(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    within, confirmed = requirement.session_within, timeline.session_confirmed_at
    wrong = wrong_session(timeline)
    if within is None or (confirmed is not None and confirmed <= within + _SAME and wrong is None):
        return
    unasked = timeline.close is None or timeline.close.planned
    if confirmed is None and unasked and timeline.duration < within - _SAME:
        text = f"watched {show(timeline.duration)} of the {show(within)} a session has"
        yield Doubt(Reason.TOO_SHORT, text)
        return
    if wrong is not None:
        observed = wrong.detail
    elif confirmed is not None:
        observed = f"confirmed after {show(confirmed)}"
    elif timeline.session_info_at is not None:
        verb = "received" if timeline.end is End.SERVER else "sent"
        observed = f"session_info {verb} at {show(timeline.session_info_at)}, never confirmed"
    elif timeline.end is End.SERVER:
        observed = "the client never sent session_info"
    elif _waits_for_greeting(timeline):
        observed = "no greeting arrived, so session_info was not sent"
    else:
        observed = "session_info was never sent"
    at = confirmed if confirmed is not None else min(within, timeline.duration)
    yield Violation(
        Rule.SESSION,
        at,
        f"session confirmed within {show(within)}",
        observed,
        f"session not confirmed within {show(within)}",
        observed,
    )


def _waits_for_greeting(timeline: Timeline) -> bool:
    greets = timeline.protocol is None or timeline.protocol.greets
    return greets and timeline.last(direction=Direction.RECEIVED, role=Role.GREETING) is None


def _heartbeats(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    within = requirement.answer_within
    if within is None:
        return
    heartbeats, now = timeline.heartbeats, timeline.duration
    if timeline.is_one_way:
        yield from silence(requirement, timeline, within)
        return
    missed = heartbeats.missed(now, within)
    if missed > requirement.heartbeat_missed_max:
        yield _missed(Rule.HEARTBEATS, requirement, timeline, within, missed)
        return
    in_time = heartbeats.answered - heartbeats.late(within)
    wanted = max(1, requirement.heartbeats_at_least)
    if in_time >= wanted:
        return
    text = f"{in_time} of at least {wanted} heartbeats answered ({heartbeats.sent} sent in {show(now)})"
    hold_is_over = now >= (requirement.alive_for or 0.0) - _SAME
    if timeline.close is None and hold_is_over and _peer_beats(timeline):
        yield Violation(Rule.HEARTBEATS, now, f"at least {wanted} heartbeats answered", text, text)
    else:
        ours = not heartbeats.sent and not _peer_beats(timeline)
        yield Doubt(Reason.TOO_FEW, text + ('; none was sent: heartbeat="25s" sends them' if ours else ""))


def _missed(rule: Rule, requirement: Requirement, timeline: Timeline, within: float, missed: int) -> Finding:
    if timeline.deliberately_stalled and timeline.paused:
        # The answers may be there, unread; what the stall does to the connection is another rule's affair.
        return _paused_doubt(timeline)
    heartbeats = timeline.heartbeats if rule is Rule.HEARTBEATS else timeline.pings
    noun = "heartbeat" if rule is Rule.HEARTBEATS else "ping"
    found = [(at, "no answer") for at in heartbeats.overdue(timeline.duration, within)]
    late = heartbeats.rtts.slowest_above(within + _SAME)
    found = sorted(found + [(at, f"answered after {show(rtt)}") for at, rtt in late])
    details = [f"sent at {show(at)}: {what}" for at, what in found]
    more = f" and {missed - 3} more" if missed > 3 else ""
    allowed = requirement.heartbeat_missed_max if rule is Rule.HEARTBEATS else 0
    count = f"{missed} of {heartbeats.sent} {noun}s"
    return Violation(
        rule,
        found[0][0] + within if found else timeline.duration,
        f"every {noun} answered within {show(within)}" + (f", {allowed} may be missed" if allowed else ""),
        f"{missed} of {heartbeats.sent} missed ({', '.join(details[:3])}{more})",
        f"{count} not answered within {show(within)}",
        "".join(details[:1]),
    )


def _cadence(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    every = requirement.heartbeat_every
    if every is None:
        return
    heartbeats = timeline.heartbeats
    now, hold = timeline.duration, requirement.alive_for
    span = now if hold is None else min(now, hold)
    if not _peer_beats(timeline):
        due = max(0, math.ceil(span / every - _SAME) - 1)
        if heartbeats.sent < due:
            yield Doubt(Reason.TOO_FEW, f"{heartbeats.sent} of {due} heartbeats went out in {show(span)}")
        return
    limit = every * CADENCE_TOLERANCE
    last = heartbeats.last_at or 0.0
    gap, since = heartbeats.longest_gap, heartbeats.longest_gap_from
    # One that came at the limit came in time; one that has not come at the limit has not.
    if gap <= limit + _SAME:
        gap, since = span - last, last
        if gap < limit - _SAME:
            return
    observed = f"{heartbeats.sent} heartbeats in {show(now)}, {show(gap)} without one from {show(since)} on"
    headline = f"no heartbeat for {show(gap)} (every {show(every)})"
    yield Violation(Rule.CADENCE, since + limit, f"a heartbeat every {show(every)}", observed, headline)


def _pings(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    within = requirement.pings_within
    if within is None:
        return
    missed = timeline.pings.missed(timeline.duration, within)
    if missed:
        yield _missed(Rule.PINGS, requirement, timeline, within, missed)
    elif not timeline.pings.answered:
        hint = "" if timeline.pings.sent else ': this end sent none (client="keepalive", connection.ping())'
        yield Doubt(Reason.TOO_FEW, f"no ping was answered yet{hint}")


def _rtt(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    limit = requirement.rtt_p95
    if limit is None:
        return
    rtts = timeline.heartbeats.rtts if timeline.heartbeats.rtts.count else timeline.pings.rtts
    if not rtts.count:
        yield Doubt(Reason.TOO_FEW, "no round trip was measured")
        return
    # More than one in twenty, counted: the quantile itself is right within half a percent only.
    if 20 * rtts.above(limit + _SAME) > rtts.count:
        sample = f"p95 of {rtts.count}" if rtts.count >= 20 else f"slowest of {rtts.count}, too few for a p95"
        observed = f"{show(rtts.quantile(0.95))} ({sample})"
        asked, slowest = max(rtts.slowest_above(limit), key=lambda pair: pair[1])
        yield Violation(
            Rule.RTT, asked + slowest, f"rtt p95 within {show(limit)}", observed, f"rtt {observed}"
        )


def _closure(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    close = timeline.close
    if requirement.no_abnormal_closure and close is not None and close.abnormal:
        yield Violation(
            Rule.CLOSURE, close.at, "no abnormal closure", str(close), close.headline(), str(close)
        )


def _closed(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
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
        yield Violation(Rule.CLOSED, close.at, str(expected), observed, f"not {expected}", observed)


_RULES = (_alive, _session, _heartbeats, _cadence, _pings, _rtt, _closure, _closed, handshake, protocol)


# Rules about what the peer sends, which an end that does not read cannot see.
_ANSWERS = frozenset({Rule.SESSION, Rule.HEARTBEATS, Rule.CADENCE, Rule.PINGS, Rule.RTT})


def _harness(requirement: Requirement, timeline: Timeline, violation: Violation) -> Iterator[Doubt]:
    """What in the test process itself may have caused a violation: trouble that began before it."""
    start, end = violation.at - _WINDOW, violation.at + _NOTICED
    limit = min(_LAG, (_time_to_answer(requirement, violation.rule) or math.inf) / 2)
    events = [event for event in timeline if event.at >= start]
    lags = [(event.at, event.seconds) for event in events if event.kind is EventKind.LOOP_LAG]
    # The worst one, should the record have lost it.
    lags.append((timeline.max_lag_at, timeline.max_lag))
    lag = max((seconds for at, seconds in lags if at >= start and at - seconds <= end), default=0.0)
    if lag >= limit or _read_too_late(timeline, lags):
        yield Doubt(Reason.LOOP_LAG, f"the test's own event loop stood still for {show(lag)}")
    slept = sum(event.seconds for event in events if event.kind is EventKind.SUSPENDED and event.at <= end)
    if slept:
        yield Doubt(Reason.SUSPENDED, f"the machine slept for {show(slept)}")
    paused = sum(max(0.0, min(until, end) - max(since, start)) for since, until in _pauses(timeline))
    # A stall on purpose excuses late answers, which nobody read, but not the end that it brought about.
    if paused >= limit and (violation.rule in _ANSWERS or not timeline.deliberately_stalled):
        yield _paused_doubt(timeline)


def _read_too_late(timeline: Timeline, lags: Sequence[tuple[float, float]]) -> bool:
    """Whether this end read a ping or heartbeat of the peer only as the end came, because it stood still."""
    close = timeline.close
    asked = [timeline.last(direction=Direction.RECEIVED, opcode=Opcode.PING)]
    if timeline.heartbeat_sender is Direction.RECEIVED:
        asked.append(timeline.last(direction=Direction.RECEIVED, role=Role.HEARTBEAT))
    if close is None or (close.received is not None and close.code not in PING_TIMEOUT_CODES):
        return False
    if not any(at is not None and close.at - at <= _NOTICED for at in asked):
        return False
    return any(abs(at - close.at) <= _NOTICED and seconds >= _LATE_READ for at, seconds in lags)


def harness_trouble(timeline: Timeline, at: float) -> frozenset[Reason]:
    """What in the test process itself may have caused an end at an instant."""
    paused = timeline.paused_total or timeline.paused_since is not None
    if not (timeline.max_lag or timeline.suspended or paused):
        return frozenset()
    ended = Violation(Rule.ALIVE, at, "", "", "")
    return frozenset(doubt.reason for doubt in _harness(Requirement(), timeline, ended))


def _time_to_answer(requirement: Requirement, rule: Rule) -> float | None:
    """The seconds that a rule gives the peer to answer; None for rules about other things."""
    return {
        Rule.HEARTBEATS: requirement.answer_within,
        Rule.PINGS: requirement.pings_within,
        Rule.RTT: requirement.rtt_p95,
        Rule.SESSION: requirement.session_within,
    }.get(rule)


def _pauses(timeline: Timeline) -> list[tuple[float, float]]:
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


def _paused_doubt(timeline: Timeline) -> Doubt:
    if timeline.deliberately_stalled:
        told = 'client="stalled"' if timeline.end is End.CLIENT else "faults.StopReading()"
        text = f"this end reads nothing, as it was told to ({told})"
    else:
        text = "reading was paused, because messages were not taken with recv()"
    return Doubt(Reason.READING_PAUSED, f"{text}: pings and closes behind them were not seen in time")
