"""
One slot of a fleet in a process of its own, told what to do by execnet.

It is given and gives JSON, never pickles: a controller that reads frames runs nothing of them.

"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from ...core.fleet.frame import Frame
from ...core.fleet.plan import FleetPlan
from ...core.plain import restore
from ...core.version import VERSION
from .job import FleetJob
from .slot import run_slot


def work(channel: Any) -> None:
    """
    Run the slot that the first message describes, and send its frames.

    A worker of another version refuses: what its frames mean is then anybody's guess.

    """
    task = json.loads(channel.receive())
    if task["version"] != VERSION:
        has = f"pytest-wsstability {VERSION} on Python {sys.version.split()[0]}"
        channel.send(json.dumps({"error": f"it has {has}, not {task['version']}"}))
        return
    try:
        plan, job = restore(FleetPlan, task["plan"], "plan"), FleetJob.from_dict(task["job"])
    except (KeyError, TypeError, ValueError) as error:
        channel.send(json.dumps({"error": f"it can't do the job: {error}"}))
        return

    def emit(frame: Frame) -> None:
        channel.send(json.dumps(frame.as_dict(), separators=(",", ":")))

    channel.send(json.dumps({"ready": True}))
    # All start together: each waits for the word.
    channel.receive()
    asyncio.run(run_slot(plan.slots[task["slot"]], plan, job, emit))
