"""Heartbeats that nobody answers: what is judged is the longest silence of a peer that sends some."""

from __future__ import annotations

from collections.abc import Iterator

from ..duration import show_duration as show
from ..timeline.events import SAME, Direction, FrameKind
from ..timeline.timeline import Timeline
from .excuses import Incidents
from .requirement import Requirement
from .verdict import Doubt, Finding, Reason, Rule, Violation


def silent_from(requirement: Requirement, timeline: Timeline, within: float) -> float:
    """When the peer will have been silent for too long, if it goes on to say nothing."""
    heard = timeline.duration - timeline.silent_for(Direction.RECEIVED, FrameKind.DATA)
    return heard + _limit(requirement, within) + 2 * SAME


def _limit(requirement: Requirement, within: float) -> float:
    return (requirement.heartbeat_every or 0.0) + within


def silence(
    requirement: Requirement, timeline: Timeline, incidents: Incidents, within: float
) -> Iterator[Finding]:
    """Where no answer is ever due: messages of a peer that sends heartbeats are never so long away."""
    heartbeats, now = timeline.heartbeats, timeline.duration
    limit = _limit(requirement, within)
    silent = timeline.silent_for(Direction.RECEIVED, FrameKind.DATA)
    gap = max(silent, timeline.longest_gap(Direction.RECEIVED, FrameKind.DATA))
    if timeline.peer_sends_heartbeats and gap > limit + SAME:
        at = min(now, now - silent + limit)
        headline = f"no message for {show(gap)}"
        expected = f"a message at least every {show(limit)}"
        yield Violation(
            Rule.HEARTBEATS,
            at,
            expected,
            f"{headline}: heartbeats that nobody answers",
            headline,
            excuses=incidents.late(at, None) if at < now else (),
        )
    wanted = max(1, requirement.heartbeats_at_least)
    if heartbeats.sent < wanted:
        yield Doubt(Reason.TOO_FEW, f"{heartbeats.sent} of at least {wanted} heartbeats in {show(now)}")
