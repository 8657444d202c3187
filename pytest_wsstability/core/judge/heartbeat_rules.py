"""The rules about questions and answers: heartbeats, how often they go out, pings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..duration import show_duration as show
from ..timeline.events import SAME, Direction, End, Tier
from ..timeline.round_trips import SHIFT, Pairing, RoundTrips
from ..timeline.timeline import Timeline
from .asked import AskedInHold
from .excuses import Incidents, paused_doubt
from .one_way import named_interval, silence_limit, too_few, too_silent
from .progress import asks_until, held_for, is_over
from .requirement import CADENCE_TOLERANCE, Requirement
from .verdict import Doubt, Finding, Reason, Rule, Violation

# Two heartbeats of one timer may arrive this much closer in real time: the network holds up the first.
_BUNCHED = 0.05


def peer_beats(timeline: Timeline) -> bool:
    """Whether heartbeats are the peer's to send: as was seen, or else as the protocol has it."""
    if timeline.heartbeat_sender is not None:
        return timeline.heartbeat_sender is Direction.RECEIVED
    protocol = timeline.protocol
    if protocol is not None and not protocol.both_ask:
        return timeline.end not in protocol.heartbeats_from
    return timeline.end is End.SERVER


def answered_by_peer(timeline: Timeline) -> Sequence[RoundTrips]:
    """
    The heartbeats whose answers are judged.

    Where both ends ask, a server has the client's, which it answers itself, and its own: what the client
    sends does not stand for what it answers, and one that sends none is judged by its answers.

    """
    theirs, own = timeline.heartbeats, timeline.server_heartbeats
    if timeline.end is not End.SERVER or not own.sent:
        return (theirs,)
    return (theirs, own) if theirs.sent else (own,)


def _never(timeline: Timeline) -> str:
    """That the peer sent no heartbeat."""
    who = f"the {timeline.end.peer.value}"
    if not timeline.heartbeats_before:
        return f"{who} never sent a heartbeat"
    return f"{who} sent no heartbeat after its reconnect, and {timeline.heartbeats_before} before"


def heartbeats(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """Each heartbeat is answered in time, and so many are; what is open after a hold is waited for."""
    within = requirement.answer_within
    if within is None:
        return
    yield from too_silent(requirement, timeline, incidents, within)
    if timeline.is_one_way:
        yield from too_few(requirement, timeline, within)
        return
    for trips in answered_by_peer(timeline):
        yield from _answered(requirement, timeline, incidents, trips, within)


def _answered(
    requirement: Requirement, timeline: Timeline, incidents: Incidents, trips: RoundTrips, within: float
) -> Iterator[Finding]:
    """Of the heartbeats of one end."""
    asked, readings = AskedInHold(requirement, timeline, trips, within), trips.readings(within)
    missed = [*map(asked.missed, readings)]
    if min(missed)[0] > requirement.heartbeat_missed_max:
        best = readings[missed.index(min(missed))]
        yield _missed(Rule.HEARTBEATS, requirement, timeline, incidents, best, asked)
        return
    if max(most for _, most in missed) > requirement.heartbeat_missed_max:
        yield ambiguous(trips)
    yield from _enough(requirement, timeline, incidents, trips, readings, asked)
    yield from _stray(trips, within)


def heartbeats_so_far(
    requirement: Requirement, timeline: Timeline, incidents: Incidents
) -> Iterator[Finding]:
    """The same while a hold goes on, when only what is not answered in time can break it."""
    within = requirement.answer_within
    # Nobody asks this otherwise: see `BROKEN_WHILE_HELD`.
    assert within is not None
    trips = answered_by_peer(timeline)
    if timeline.is_one_way or not all(each.are_in_time(timeline.duration, within) for each in trips):
        yield from heartbeats(requirement, timeline, incidents)
    else:
        yield from too_silent(requirement, timeline, incidents, within)


def _enough(
    requirement: Requirement,
    timeline: Timeline,
    incidents: Incidents,
    trips: RoundTrips,
    readings: Sequence[Pairing],
    asked: AskedInHold,
) -> Iterator[Finding]:
    """So many answers came in time; and none that still has time may change that."""
    now, sent = timeline.duration, asked.sent[1]
    hold, wanted = requirement.alive_for, max(1, requirement.heartbeats_at_least)
    least, most = (sorted(each) for each in zip(*map(asked.in_time, readings), strict=True))
    over, young = now >= (hold or 0.0) - SAME, max(map(asked.young, readings))
    if over and young and hold is not None:
        reason = Reason.TOO_SHORT if timeline.close is None else Reason.OWN_END
        yield Doubt(reason, f"{young} of {sent} heartbeats {'is' if young == 1 else 'are'} still open")
    if most[-1] < wanted:
        # Where nothing says how long it lasts, more may have come but for the end.
        held = over and (hold is not None or timeline.close is None)
        yield _short_of(requirement, timeline, incidents, asked, most[-1], may_grow=not held or young > 0)
    elif least[0] < wanted:
        yield ambiguous(trips)


def _short_of(
    requirement: Requirement,
    timeline: Timeline,
    incidents: Incidents,
    asked: AskedInHold,
    answered: int,
    *,
    may_grow: bool,
) -> Finding:
    """Too few were answered in time: a violation, unless more may have been, or none was due."""
    now, sent, span = timeline.duration, asked.sent[1], show(asked.span)
    wanted = max(1, requirement.heartbeats_at_least)
    text = f"{answered} of at least {wanted} heartbeats answered ({sent} sent in {span})"
    theirs = peer_beats(timeline)
    limit = silence_limit(requirement, timeline, requirement.answer_within or 0.0)
    # A hold may be shorter than the interval that the peer has named; one that goes on, than that required.
    every = requirement.heartbeat_every if requirement.alive_for is None else None
    undue = not sent and limit is not None and asked.span <= limit + SAME
    early = not sent and every is not None and asked.span < every * CADENCE_TOLERANCE - SAME
    if not may_grow and not undue and not early and (theirs or sent >= wanted):
        told = f"{_never(timeline)} in {span}" if theirs and not sent else text
        excuses = incidents.unread(min(now, requirement.alive_for or now))
        return Violation(
            Rule.HEARTBEATS, now, f"at least {wanted} heartbeats answered", text, told, excuses=excuses
        )
    if undue:
        text += f"; {named_interval(timeline)}"
    # One that is asked for is not due before its time.
    if not sent and not theirs and now >= (requirement.heartbeat_every or 0.0):
        keyword = "heartbeat" if timeline.end is End.CLIENT else "heartbeat_interval"
        text += f'; none was sent: {keyword}="25s" sends them'
    return Doubt(Reason.TOO_FEW, text)


def ambiguous(trips: RoundTrips) -> Doubt:
    """That the answers cannot be told apart."""
    found = trips.range
    if found is None:
        text = "the record goes on after the hold: it is not known any more how many of so many were in it"
        return Doubt(Reason.TOO_FEW, text)
    how = f"a round trip is between {show(found[0])} and {show(found[1])}"
    return Doubt(Reason.AMBIGUOUS, f"answers cannot be told apart, {how}: give the heartbeat an id")


def _stray(trips: RoundTrips, within: float) -> Iterator[Finding]:
    """Answers to no question: where they come late or in numbers, none can be told from an answer."""
    if trips.unasked and (trips.unasked_after > within + SAME or trips.unasked > trips.sent):
        text = f"{trips.unasked} answers came that nobody asked for: give the heartbeat an id"
        yield Doubt(Reason.AMBIGUOUS, text)
    if trips.unsettled:
        text = f"{trips.unsettled} answers could not be told apart: give the heartbeat an id"
        yield Doubt(Reason.AMBIGUOUS, text)


def _missed(
    rule: Rule,
    requirement: Requirement,
    timeline: Timeline,
    incidents: Incidents,
    reading: Pairing,
    asked: AskedInHold,
) -> Finding:
    within, noun, allowed = requirement.answer_within, "heartbeat", 0
    if rule is Rule.PINGS:
        within, noun = requirement.pings_within, "ping"
    else:
        allowed = requirement.heartbeat_missed_max
    assert within is not None
    missed, sent = asked.missed(reading)[0], asked.sent[1]
    found: list[tuple[float, float | None]] = [(at, None) for at in reading.open if asked.overdue(at)]
    found = sorted(found + [(at, at + rtt) for at, rtt in asked.late(reading)], key=lambda each: each[0])
    stalled = timeline.paused_since if timeline.deliberately_stalled else None
    if stalled is not None and found and stalled <= found[0][0] + within:
        # The answers may be there, unread; what the stall does to the connection is another rule's affair.
        return paused_doubt(timeline)
    # Of the others only the number is kept.
    late = missed - len(found) - reading.abandoned
    details = [
        f"sent at {show(at)}: " + ("no answer" if came is None else f"answered after {show(came - at)}")
        for at, came in found
    ]
    more = f" and {missed - 3} more" if missed > 3 else ""
    return Violation(
        rule,
        found[0][0] + within if found else timeline.duration,
        f"every {noun} answered within {show(within)}" + (f", {allowed} may be missed" if allowed else ""),
        f"{missed} of {sent} missed ({', '.join(details[:3])}{more})",
        f"{missed} of {sent} {noun}s not answered within {show(within)}",
        "".join(details[:1]),
        excuses=_excuses(incidents, found, within, late=late, unanswered=reading.abandoned, allowed=allowed),
    )


def _excuses(
    incidents: Incidents,
    found: list[tuple[float, float | None]],
    within: float,
    *,
    late: int,
    unanswered: int,
    allowed: int,
) -> tuple[Doubt, ...]:
    """What of ours explains so many of the missed ones that the others may be missed."""
    each = [incidents.late(asked + within, came) for asked, came in found]
    unexplained = unanswered + sum(not excuses for excuses in each)
    if unexplained:
        # Nobody knows when the others were: where each of the slowest was our doing, they may have been too.
        unexplained += late
    if unexplained > allowed:
        return ()
    return tuple(dict.fromkeys(doubt for excuses in each for doubt in excuses))


def cadence(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """Heartbeats go out as often as required; one of ours that was late is our doing, and proves nothing."""
    every, trips = requirement.heartbeat_every, timeline.heartbeats
    if every is None:
        return
    now, span = timeline.duration, held_for(requirement, timeline)
    theirs, within = peer_beats(timeline), requirement.answer_within or every
    begun = 0.0 if theirs else timeline.heartbeats_begun
    if begun is None:
        # None is due yet.
        begun = now
    limit = every * CADENCE_TOLERANCE
    if not theirs:
        limit = every + within
        yield from _all_sent(trips, every, span, begun)
    last = trips.last_at or begun
    gap, since = trips.longest_gap_before(span)
    came: float | None = since + gap
    # One that came at the limit came in time; one that has not come at the limit has not.
    if gap <= limit + SAME:
        gap, since, came = span - last, last, None
    gap = min(gap, span - since)
    if gap < limit - SAME:
        return
    if not theirs:
        if trips.sent:
            text = (
                f"no heartbeat of ours went out for {show(gap)} from {show(since)} on (every {show(every)})"
            )
            yield Doubt(Reason.OWN_BEATS, text)
        return
    observed = f"{trips.sent} heartbeats in {show(now)}, {show(gap)} without one from {show(since)} on"
    headline = f"no heartbeat for {show(gap)} (every {show(every)})"
    if not trips.sent:
        headline = f"{_never(timeline)} in {show(gap)} (every {show(every)})"
    due = since + limit
    yield Violation(
        Rule.CADENCE,
        due,
        f"a heartbeat every {show(every)}",
        observed,
        headline,
        excuses=incidents.late(due, came),
    )


def _all_sent(trips: RoundTrips, every: float, span: float, begun: float) -> Iterator[Finding]:
    """Each heartbeat of this end went out, from an instant on."""
    due, (_, sent) = max(0, math.ceil((span - begun) / every - SAME) - 1), trips.sent_before(span + SAME)
    if sent < due:
        yield Doubt(Reason.TOO_FEW, f"{sent} of {due} heartbeats went out in {show(span)}")


def apart(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """Two heartbeats are never closer than that: a timer that was not stopped sends its own."""
    least, trips = requirement.heartbeats_apart, timeline.heartbeats
    if least is None:
        return
    until = asks_until(requirement)
    _, seen = trips.sent_before(until)
    if trips.shortest_gap is None or seen < 2:
        yield Doubt(Reason.TOO_FEW, f"{seen} heartbeats were seen: two show how far apart they are")
        return
    # After one without an answer this end sends one early, by which the answers can be told apart.
    early = SHIFT * least
    if peer_beats(timeline):
        early = _BUNCHED if timeline.tier is Tier.REAL else 0.0
    limit, found = least - early - SAME, trips.shortest_gap_before(until)
    if trips.shortest_gap >= limit:
        return
    if found is None:
        text = f"two heartbeats {show(trips.shortest_gap)} apart after the hold: those in it are not known"
        yield Doubt(Reason.TOO_FEW, text)
    elif found[0] < limit:
        gap, since = found
        yield Violation(
            Rule.APART,
            since + gap,
            f"heartbeats at least {show(least)} apart",
            f"{show(gap)} from one at {show(since)} to the next",
            f"two heartbeats {show(gap)} apart, not {show(least)} or more",
            excuses=incidents.late(since, since) if peer_beats(timeline) else (),
        )


def pings(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """Each protocol ping of this end is answered in time, and there is one at least."""
    within, trips = requirement.pings_within, timeline.pings
    if within is None:
        return
    asked, (reading, *_) = AskedInHold(requirement, timeline, trips, within), trips.readings(within)
    young, (answered, _), (_, sent) = asked.young(reading), asked.answered(reading), asked.sent
    if asked.missed(reading)[0]:
        yield _missed(Rule.PINGS, requirement, timeline, incidents, reading, asked)
    elif asked.missed(reading)[1]:
        yield ambiguous(trips)
    elif trips.unsettled:
        text = f"{trips.unsettled} of {trips.sent} pings were too many to tell how long their answers took"
        yield Doubt(Reason.AMBIGUOUS, text)
    elif not answered:
        hint = "" if sent else ': this end sent none (client="keepalive", connection.ping())'
        yield Doubt(Reason.TOO_FEW, f"no ping was answered yet{hint}")
    elif is_over(requirement, timeline) and young and timeline.close is None:
        yield Doubt(Reason.TOO_SHORT, f"{young} of {sent} pings are still open")
