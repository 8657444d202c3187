"""How far a hold has come."""

from __future__ import annotations

import math

from ..timeline.events import SAME
from ..timeline.timeline import Timeline
from .requirement import Requirement


def held_for(requirement: Requirement, timeline: Timeline) -> float:
    """Seconds of the record that belong to the hold; all of them where it has no duration."""
    hold = requirement.alive_for
    return timeline.duration if hold is None else min(timeline.duration, hold)


def is_over(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether the time of a hold is over; never where it has no duration."""
    hold = requirement.alive_for
    return hold is not None and timeline.duration >= hold - SAME


def goes_on(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether a hold is under way: its connection is open, and its time is not over."""
    has_end = requirement.alive_for is not None
    return timeline.close is None and has_end and not is_over(requirement, timeline)


def asks_until(requirement: Requirement) -> float:
    """What is asked before this belongs to the hold; all of it where it has no duration."""
    return math.inf if requirement.alive_for is None else requirement.alive_for - SAME
