"""Heartbeats that nobody answers: what is judged is the longest silence of a peer that sends some."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..duration import show_duration as show
from ..timeline.events import SAME, Direction, FrameKind
from ..timeline.timeline import Timeline
from .excuses import Incidents
from .progress import held_for
from .requirement import Requirement
from .verdict import Doubt, Finding, Reason, Rule, Violation


def silent_from(requirement: Requirement, timeline: Timeline, within: float) -> float:
    """When the peer will have been silent for too long, if it goes on to say nothing."""
    heard = timeline.duration - timeline.silent_for(Direction.RECEIVED, FrameKind.DATA)
    return heard + _limit(requirement, timeline, within) + 2 * SAME


def _limit(requirement: Requirement, timeline: Timeline, within: float) -> float:
    # The requirement says how often the client sends; a peer may have agreed on a longer interval.
    return max(requirement.heartbeat_every or 0.0, timeline.peer_interval or 0.0) + within


def silence(
    requirement: Requirement, timeline: Timeline, incidents: Incidents, within: float
) -> Iterator[Finding]:
    """Where no answer is ever due: messages of a peer that sends heartbeats are never so long away."""
    limit, hold = _limit(requirement, timeline, within), requirement.alive_for
    span = held_for(requirement, timeline)
    for gap, since, came in _silences(timeline, span) if timeline.peer_sends_heartbeats else ():
        if gap > limit + SAME:
            yield Violation(
                Rule.HEARTBEATS,
                since + limit,
                f"a message at least every {show(limit)}",
                f"no message for {show(gap)}: heartbeats that nobody answers",
                f"no message for {show(gap)}",
                excuses=incidents.late(since + limit, came),
            )
    if not requirement.heartbeats_at_least and span > limit + SAME and _beats_alone(timeline):
        # Some beat only when they are idle, and a silence would have been seen.
        return
    wanted = max(1, requirement.heartbeats_at_least)
    _, sent = timeline.heartbeats.sent_before(math.inf if hold is None else hold - SAME)
    if sent < wanted:
        yield Doubt(Reason.TOO_FEW, f"{sent} of at least {wanted} heartbeats in {show(span)}")


def _beats_alone(timeline: Timeline) -> bool:
    """Whether the peer sends heartbeats, and this end sends none."""
    alone = timeline.protocol is not None and not timeline.protocol.both_ask
    return alone and timeline.peer_sends_heartbeats


def _silences(timeline: Timeline, until: float) -> Iterator[tuple[float, float, float | None]]:
    """The longest time without a message, and the one still running: how long, since when, when it ended."""
    gap, since = timeline.data_gap_before(until)
    yield min(gap, until - since), since, since + gap
    heard = timeline.duration - timeline.silent_for(Direction.RECEIVED, FrameKind.DATA)
    yield until - heard, heard, None
