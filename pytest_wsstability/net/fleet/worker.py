"""
One slot of a fleet in a process of its own, told what to do by execnet or Dask.

It is given and gives JSON, never pickles: a controller that reads frames runs nothing of them.

"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...core.fleet.frame import Frame
from ...core.fleet.plan import FleetPlan, Slot
from ...core.plain import plain, restore
from ...core.version import __version__
from .aside import put_aside
from .engine import WorkerError, check_here
from .job import FleetJob
from .slot import run_slot


def describe(slot: int, plan: FleetPlan, job: FleetJob) -> str:
    """The task of a worker, as `read_task` reads it."""
    return json.dumps({"version": __version__, "slot": slot, "plan": plain(plan), "job": job.as_dict()})


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker has to do."""

    slot: Slot
    plan: FleetPlan
    job: FleetJob

    async def run(self, say: Callable[[str], object]) -> None:
        """Run the slot to its end; says each frame as JSON."""

        def emit(frame: Frame) -> None:
            say(json.dumps(frame.as_dict(), separators=(",", ":")))

        # What a function of the user's raises is told as text by the last frame.
        with suppress(BaseExceptionGroup):
            await run_slot(self.slot, self.plan, self.job, emit)


def read_task(text: str) -> Task:
    """
    The task that `describe` wrote.

    A worker of another version refuses: what its frames mean is then anybody's guess.

    Raises:
        ValueError: for a task that this worker can't do, saying why.

    """
    task = json.loads(text)
    if task["version"] != __version__:
        has = f"pytest-wsstability {__version__} on Python {sys.version.split()[0]}"
        raise ValueError(f"it has {has}, not {task['version']}")
    try:
        plan, job = restore(FleetPlan, task["plan"], "plan"), FleetJob.from_dict(task["job"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"it can't do the job: {error}") from error
    slot = plan.slots[task["slot"]]
    try:
        check_here(len(slot), job.sources)
    except WorkerError as error:
        raise ValueError(str(error)) from error
    return Task(slot, plan, job)


def work(channel: Any) -> None:
    """Run the slot that the first message of an execnet channel describes, and send its frames."""
    try:
        task = read_task(channel.receive())
    except ValueError as error:
        channel.send(json.dumps({"error": str(error)}))
        return
    channel.send(json.dumps({"ready": True}))
    # All start together: each waits for the word.
    channel.receive()
    asyncio.run(put_aside(task.run(channel.send), task.plan.ramp))
