"""Where the slots of a fleet run: the interface of all engines, and the one of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from ...core.fleet.frame import Frame
from ...core.fleet.merge import FleetMerge
from ...core.fleet.plan import FleetPlan
from ...core.timeline.events import Tier
from ..health import tier_of
from ..resources import BYTES_OF_PAIR, Needs, claim, look, missing, not_ours
from .aside import MANY, put_aside
from .job import FleetJob
from .slot import run_slot

Watch = Callable[[FleetMerge], object]


class WorkerError(Exception):
    """A worker that could not begin: no connection was opened."""


class Engine(Protocol):
    """Runs all slots of a plan to their end."""

    def __len__(self) -> int:
        """Over how many workers a plan is spread."""

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> None:
        """
        Run the fleet.

        Args:
            plan: which connections.
            job: what they do.
            merge: takes the frames; slots that are lost are lost in it.
            watch: called after each frame, or after several that came together.

        """

    def close(self) -> None:
        """Leave what it needs besides a run, such as the client of a cluster; once more does no harm."""


def check_here(connections: int, sources: Sequence[str], *, beside: int = 0) -> None:
    """
    See that this process can open so many connections to one target.

    Args:
        connections: how many.
        sources: the addresses that they are opened from; empty for the system's choice.
        beside: descriptors besides theirs.

    Raises:
        WorkerError: if not, with what there is and what helps.

    """
    needs = Needs(
        connections=connections, beside=beside, to_one_target=connections, sources=len(set(sources)) or 1
    )
    lacking = not_ours(sources) or claim(needs)
    if lacking is not None:
        raise WorkerError(lacking)


def check_together(connections: int, sources: Sequence[str], *, here: int, workers: int) -> None:
    """
    See that this machine has what connections of several of its processes need together: ports and memory.

    Each process looks after the descriptors of its connections, by `check_here`; this one after its pipes.

    Args:
        connections: how many of them are opened here.
        sources: the addresses that they are opened from; empty for the system's choice.
        here: how many workers run here.
        workers: how many this process starts, wherever they run.

    Raises:
        WorkerError: if not, with what there is and what helps.

    """
    needs = Needs(
        connections=connections, to_one_target=connections, sources=len(set(sources)) or 1, workers=here
    )
    lacking = missing(needs, replace(look(), descriptors=None)) or claim(
        Needs(connections=0, workers=workers)
    )
    if lacking is not None:
        raise WorkerError(lacking)


def check_virtual(connections: int) -> None:
    """
    See that this process can hold so many connections in virtual time, with both of their ends in its memory.

    Raises:
        WorkerError: if not, with what there is.

    """
    needed, left = connections * BYTES_OF_PAIR, look().memory
    if left is not None and left < needed:
        raise WorkerError(
            f"{connections:,} connections in virtual time need about {needed / 2**20:,.0f} MiB of memory; "
            f"{left / 2**20:,.0f} are left: hold fewer, or run in real time"
        )


class InProcess:
    """All slots on the running loop, in its time."""

    def __len__(self) -> int:
        return 1

    def close(self) -> None:
        """Nothing to leave."""

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> None:
        """See `Engine`."""
        is_real = tier_of(asyncio.get_running_loop()) is Tier.REAL
        if is_real:
            check_here(plan.connections, job.sources)
        else:
            check_virtual(plan.connections)

        def emit(frame: Frame) -> None:
            merge.add(frame)
            watch(merge)

        running = asyncio.gather(*[run_slot(slot, plan, job, emit) for slot in plan.slots])
        await (put_aside(running, plan.ramp) if is_real and plan.connections >= MANY else running)
