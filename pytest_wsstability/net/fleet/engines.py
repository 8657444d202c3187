"""Where the slots of a fleet run: in this process, or in workers that execnet starts here and elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ...core.fleet.frame import Frame
from ...core.fleet.merge import FleetMerge
from ...core.fleet.plan import FleetPlan
from ...core.plain import plain
from ...core.timeline.timeline import Timeline
from ...core.version import VERSION
from .job import FleetJob
from .slot import INTERVAL, run_slot

if TYPE_CHECKING:
    from execnet import Channel, Group

# A worker that says nothing for so long is lost, in seconds: six of its frames.
SILENT = 6 * INTERVAL
# Workers that have started say so within, in seconds: an interpreter on a busy machine, over ssh.
READY_WITHIN = 60.0
# What a worker has to end by itself before it is killed, in seconds.
_LEAVING = 2.0
# ssh asks for no password, and gives up on a host that does not answer.
_BATCH = "-o BatchMode=yes -o ConnectTimeout=10 "

Watch = Callable[[FleetMerge], object]
Records = dict[str, list[tuple[int, Timeline]]]


class WorkerError(Exception):
    """A worker that could not begin: no connection was opened."""


class Engine(Protocol):
    """Runs all slots of a plan to their end."""

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

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> Records:
        """See `Engine`."""

        def emit(frame: Frame) -> None:
            merge.add(frame)
            watch(merge)

        kept: Records = {}
        for slot in await asyncio.gather(*[run_slot(slot, plan, job, emit) for slot in plan.slots]):
            for cause, records in slot.kept.items():
                kept.setdefault(cause, []).extend(records)
        return kept


@dataclass(slots=True)
class _Worker:
    """A worker as the controller sees it."""

    slot: int
    name: str
    channel: Channel
    # When it last said something, by the loop's clock.
    heard: float = 0.0


# What a worker has said: the number of its slot, and JSON; None where its channel has ended.
_Message = tuple[int, str | None]


class Workers:
    """
    Worker processes that execnet starts: ``popen`` is one here, ``ssh=load1`` one there.

    A worker that dies or falls silent is lost, and its slot is not run again.

    Args:
        specs: of execnet, such as ``popen``, ``4*popen``, ``ssh=load1//python=/venv/bin/python``,
            ``popen//python=kubectl exec -i ws-0 -- python3``; ssh never asks for a password.

    Raises:
        ValueError: for a spec that execnet cannot read.
        WorkerError: without execnet.

    """

    def __init__(self, specs: Sequence[str]) -> None:
        self.specs = tuple(each for spec in specs for each in expanded(spec))

    def __len__(self) -> int:
        return len(self.specs)

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> Records:
        """See `Engine`; the records stay with the workers."""
        loop = asyncio.get_running_loop()
        messages: asyncio.Queue[_Message] = asyncio.Queue()
        async with self._started(plan, job) as workers:
            for worker in workers:
                hand_over = partial(_hand_over, loop, messages, worker.slot)
                # What came before the callback is handed over too.
                worker.channel.setcallback(hand_over, endmarker=None)
                worker.channel.send("go")
                worker.heard = loop.time()
            while not merge.is_over:
                await self._listen(workers, messages, merge)
                watch(merge)
        return {}

    async def _listen(
        self, workers: Sequence[_Worker], messages: asyncio.Queue[_Message], merge: FleetMerge
    ) -> None:
        loop = asyncio.get_running_loop()
        try:
            slot, text = await asyncio.wait_for(messages.get(), INTERVAL)
        except TimeoutError:
            pass
        else:
            workers[slot].heard = loop.time()
            if text is None:
                merge.lose(slot, f"{workers[slot].name} ended")
            else:
                merge.add(Frame.from_dict(json.loads(text)))
        for slot in merge.waiting:
            silent = loop.time() - workers[slot].heard
            if silent > SILENT:
                merge.lose(slot, f"{workers[slot].name} was silent for {silent:.0f} s")

    @asynccontextmanager
    async def _started(self, plan: FleetPlan, job: FleetJob) -> AsyncIterator[list[_Worker]]:
        """All workers, loaded and ready; ended with the block."""
        description = job.as_dict()
        group = _execnet().Group(execmodel="main_thread_only")
        try:
            starts = [
                asyncio.to_thread(_start, group, spec, slot.number, plan, description)
                for spec, slot in zip(self.specs, plan.slots, strict=False)
            ]
            yield list(await asyncio.gather(*starts))
        finally:
            await asyncio.to_thread(group.terminate, timeout=_LEAVING)


def _hand_over(
    loop: asyncio.AbstractEventLoop, messages: asyncio.Queue[_Message], slot: int, text: str | None
) -> None:
    """From execnet's thread to the loop; one that is closed listens no more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(messages.put_nowait, (slot, text))


def _start(group: Group, spec: str, slot: int, plan: FleetPlan, job: dict[str, Any]) -> _Worker:
    """Start a worker, tell it its slot, and wait until it says that it can."""
    name = f"worker {slot} ({spec.replace(_BATCH, '')})"
    task = {"version": VERSION, "slot": slot, "plan": plain(plan), "job": job}
    try:
        channel = group.makegateway(spec).remote_exec(_SOURCE)
        channel.send(json.dumps(task))
        answer = json.loads(channel.receive(timeout=READY_WITHIN))
    except Exception as error:
        raise WorkerError(f"{name} did not start: {_reason(error)}") from error
    if "error" in answer:
        raise WorkerError(f"{name}: {answer['error']}")
    return _Worker(slot, name, channel)


# What runs in the worker's interpreter, which has a package of its own.
_SOURCE = """
from pytest_wsstability.net.fleet.worker import work
work(channel)
"""


def expanded(spec: str) -> list[str]:
    """
    The specs that ``4*popen`` stands for; ssh in batch mode.

    Raises:
        ValueError: for a spec that execnet cannot read, or that starts nothing.

    """
    number, star, rest = spec.partition("*")
    times, single = (int(number), rest) if star and number.isdigit() else (1, spec)
    parts = single.split("//")
    made = "//".join(f"ssh={_BATCH}{part[4:]}" if part.startswith("ssh=") else part for part in parts)
    try:
        read = _execnet().XSpec(made)
    except (AttributeError, IndexError, ValueError) as error:
        raise ValueError(f"workers: {spec!r} is no spec of execnet: {error}") from None
    if not times or not (read.popen or read.ssh):
        raise ValueError(f"workers: {spec!r} starts nothing; give 'popen' or 'ssh=HOST', such as '4*popen'")
    return [made] * times


def _reason(error: Exception) -> str:
    """The last line of what went wrong there, which is the one that says it."""
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


def _execnet() -> Any:
    try:
        import execnet
    except ImportError:
        raise WorkerError("workers need execnet: pip install 'pytest-wsstability[workers]'") from None
    return execnet
