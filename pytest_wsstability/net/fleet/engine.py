"""Where the slots of a fleet run: the interface of all engines, and the one of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from ...core.fleet.frame import Frame
from ...core.fleet.merge import FleetMerge
from ...core.fleet.plan import FleetPlan
from ...core.timeline.events import Tier
from ...core.timeline.timeline import Timeline
from ..health import tier_of
from ..resources import Needs, claim
from .job import FleetJob
from .slot import run_slot

Watch = Callable[[FleetMerge], object]
Records = dict[str, list[tuple[int, Timeline]]]


class WorkerError(Exception):
    """A worker that could not begin: no connection was opened."""


class Engine(Protocol):
    """Runs all slots of a plan to their end."""

    def __len__(self) -> int:
        """Over how many workers a plan is spread."""

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> Records:
        """
        Run the fleet.

        Args:
            plan: which connections.
            job: what they do.
            merge: takes the frames; slots that are lost are lost in it.
            watch: called after each frame.

        Returns:
            The records that were kept in this process, by cause; those of stable connections under "".

        """


class InProcess:
    """All slots on the running loop, in its time."""

    def __len__(self) -> int:
        return 1

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> Records:
        """See `Engine`."""
        needs = Needs(connections=plan.connections, to_one_target=plan.connections)
        if tier_of(asyncio.get_running_loop()) is Tier.REAL and (lacking := claim(needs)) is not None:
            raise WorkerError(lacking)

        def emit(frame: Frame) -> None:
            merge.add(frame)
            watch(merge)

        kept: Records = {}
        for slot in await asyncio.gather(*[run_slot(slot, plan, job, emit) for slot in plan.slots]):
            for cause, records in slot.kept.items():
                kept.setdefault(cause, []).extend(records)
        return kept
