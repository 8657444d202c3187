"""What comes of the frames that a test writes."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_wsstability.core.fleet.frame import Frame
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan


def merged(plan: FleetPlan, frames: Iterable[Frame], *, heartbeat_within: float | None = None) -> FleetMerge:
    """The state after these frames."""
    merge = FleetMerge(plan, heartbeat_within)
    for frame in frames:
        merge.add(frame)
    return merge
