"""How far a hold has come."""

from __future__ import annotations

from ..timeline.events import SAME
from ..timeline.timeline import Timeline
from .requirement import Requirement


def held_for(requirement: Requirement, timeline: Timeline) -> float:
    """Seconds of the record that belong to the hold; all of them where it has no duration."""
    hold = requirement.alive_for
    return timeline.duration if hold is None else min(timeline.duration, hold)


def goes_on(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether a hold is under way: its connection is open, and its time is not over."""
    hold = requirement.alive_for
    return timeline.close is None and hold is not None and timeline.duration < hold - SAME
