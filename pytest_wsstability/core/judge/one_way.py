"""Heartbeats that the peer sends by itself: what is judged is its longest silence."""

from __future__ import annotations

from collections.abc import Iterator

from ..duration import show_duration as show
from ..timeline.events import SAME, Direction, End, FrameKind
from ..timeline.timeline import Timeline
from .excuses import Incidents
from .progress import asks_until, held_for
from .requirement import CADENCE_TOLERANCE, Requirement
from .verdict import Doubt, Finding, Reason, Rule, Violation


def silent_from(requirement: Requirement, timeline: Timeline, within: float) -> float | None:
    """When the peer will have been silent for too long, if it goes on to say nothing; None: it may be."""
    limit = silence_limit(requirement, timeline, within)
    if limit is None:
        return None
    heard = timeline.duration - timeline.silent_for(Direction.RECEIVED, FrameKind.DATA)
    return heard + limit + 2 * SAME


def silence_limit(requirement: Requirement, timeline: Timeline, within: float) -> float | None:
    """How long the peer may say nothing; None where no message of it is due."""
    every, theirs = requirement.heartbeat_every or 0.0, timeline.peer_interval or 0.0
    if not timeline.peer_sends_heartbeats:
        return None
    if timeline.is_one_way:
        # The requirement says how often the client sends; a peer may have agreed on a longer interval.
        return max(every, theirs) + within
    protocol = timeline.protocol
    named = protocol is not None and protocol.names_interval and timeline.intervals is not None
    if every or not named or timeline.end is not End.CLIENT or not _beats_alone(timeline):
        return None
    # A server that asks may count its interval from the last answer, or from its last look.
    return max(theirs * CADENCE_TOLERANCE, theirs + within)


def too_silent(
    requirement: Requirement, timeline: Timeline, incidents: Incidents, within: float
) -> Iterator[Finding]:
    """Messages of a peer whose heartbeats nobody answers, or that has named their interval, stay away."""
    limit = silence_limit(requirement, timeline, within)
    if limit is None:
        return
    rule, due = Rule.HEARTBEATS, "heartbeats that nobody answers"
    if not timeline.is_one_way:
        rule, due = Rule.CADENCE, named_interval(timeline)
    for gap, since, came in _silences(timeline, held_for(requirement, timeline)):
        if gap > limit + SAME:
            yield Violation(
                rule,
                since + limit,
                f"a message at least every {show(limit)}",
                f"no message for {show(gap)}: {due}",
                f"no message for {show(gap)}",
                excuses=incidents.late(since + limit, came),
            )


def named_interval(timeline: Timeline) -> str:
    """How often heartbeats of a server are due that has named their interval."""
    return f"the server's heartbeats are due every {show(timeline.peer_interval or 0.0)}"


def too_few(requirement: Requirement, timeline: Timeline, within: float) -> Iterator[Finding]:
    """So many heartbeats came, where no answer is ever due."""
    limit, span = silence_limit(requirement, timeline, within), held_for(requirement, timeline)
    seen = limit is not None and span > limit + SAME and _beats_alone(timeline)
    if seen and not requirement.heartbeats_at_least:
        # Some beat only when they are idle, and a silence would have been seen.
        return
    wanted = max(1, requirement.heartbeats_at_least)
    _, sent = timeline.heartbeats.sent_before(asks_until(requirement))
    if sent < wanted:
        yield Doubt(Reason.TOO_FEW, f"{sent} of at least {wanted} heartbeats in {show(span)}")


def _beats_alone(timeline: Timeline) -> bool:
    """Whether the peer sends heartbeats, and this end sends none."""
    protocol = timeline.protocol
    return protocol is not None and not protocol.both_ask and timeline.peer_sends_heartbeats


def _silences(timeline: Timeline, until: float) -> Iterator[tuple[float, float, float | None]]:
    """The longest time without a message, and the one still running: how long, since when, when it ended."""
    gap, since = timeline.data_gap_before(until)
    yield min(gap, until - since), since, since + gap
    heard = timeline.duration - timeline.silent_for(Direction.RECEIVED, FrameKind.DATA)
    yield until - heard, heard, None
