"""Worker processes that execnet starts, here and on other machines."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ...core.fleet.merge import FleetMerge
from ...core.fleet.plan import FleetPlan
from ..resources import carries
from .engine import Watch, WorkerError, check_together
from .job import FleetJob
from .worker import describe
from .worker_listener import WorkerListener

if TYPE_CHECKING:
    from execnet import Channel, Group

# Workers that have started say so within, in seconds: an interpreter on a busy machine, over ssh.
READY_WITHIN = 60.0
# What a worker has to end by itself before it is killed, in seconds.
_LEAVING = 2.0
# More workers than this are a mistake: each has two pipes and a thread of the process that starts it, whose
# descriptors end at 1,024 on many systems.
MOST = 500
# What a spec of execnet can say of a worker, besides its environment: all but the last two need a value.
_KEYS = ("ssh", "ssh_config", "python", "chdir", "nice", "id", "execmodel", "popen", "dont_write_bytecode")
# ssh asks for no password, and gives up on a host that does not answer.
_BATCH = "-o BatchMode=yes -o ConnectTimeout=10 "


@dataclass(slots=True)
class _Worker:
    """A worker as the controller sees it."""

    slot: int
    name: str
    channel: Channel


def spread(connections: int) -> tuple[str, ...]:
    """
    Specs of workers here for more connections than one process carries: as many as cores, or more.

    Empty where this process carries them, and without execnet, which `Workers` would need.

    """
    most = carries()
    if most is None or connections <= most or find_spec("execnet") is None:
        return ()
    return (f"{max(os.cpu_count() or 1, -(-connections // max(1, most)))}*popen",)


class Workers:
    """
    Worker processes that execnet starts: ``popen`` is one here, ``ssh=load1`` one there.

    A worker that dies or falls silent is lost, and its slot is not run again.

    Args:
        specs: of execnet, such as ``popen``, ``4*popen``, ``ssh=load1//python=/venv/bin/python``,
            ``popen//python=kubectl exec -i ws-0 -- python3``; ssh never asks for a password.

    Raises:
        ValueError: for a spec that execnet cannot read, and for an id that two workers have.
        WorkerError: without execnet.

    """

    def __init__(self, specs: Sequence[str]) -> None:
        self.specs = tuple(each for spec in specs for each in expanded(spec))
        ids = Counter(_execnet().XSpec(spec).id for spec in self.specs)
        if twice := [name for name, number in ids.items() if name is not None and number > 1]:
            raise ValueError(f"workers: two have the id {twice[0]!r}; leave it out")

    def __len__(self) -> int:
        return len(self.specs)

    def close(self) -> None:
        """Nothing to leave: its processes are those of a run."""

    def check(self, plan: FleetPlan, sources: Sequence[str]) -> None:
        """
        See that this machine has what its workers of a plan need, before one is started.

        Raises:
            WorkerError: if not, with what there is and what helps.

        """
        here = [len(slot) for spec, slot in zip(self.specs, plan.slots, strict=False) if _is_here(spec)]
        check_together(sum(here), sources, here=len(here), workers=min(len(self), len(plan.slots)))

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> None:
        """See `Engine`."""
        self.check(plan, job.sources)
        merge.one_clock = all(map(_is_here, self.specs))
        async with self._started(plan, job) as workers:
            for worker, spec in zip(workers, self.specs, strict=False):
                merge.names[worker.slot] = spec.replace(_BATCH, "")
                merge.labels[worker.slot] = tuple(
                    f"{name}={value}" for name, value in sorted(_execnet().XSpec(spec).env.items())
                )
            listener = WorkerListener({worker.slot: worker.name for worker in workers}, merge, watch)
            for worker in workers:
                # What came before the callback is handed over too.
                worker.channel.setcallback(partial(listener.hand_over, worker.slot), endmarker=None)
                worker.channel.send("go")
                listener.begin(worker.slot)
            await listener.to_the_end()

    @asynccontextmanager
    async def _started(self, plan: FleetPlan, job: FleetJob) -> AsyncIterator[list[_Worker]]:
        """All workers, loaded and ready; ended with the block."""
        processes: list[subprocess.Popen[bytes]] = []
        is_over = threading.Event()
        group = _execnet().Group(execmodel=_remembering(processes, is_over))
        # Each may wait for its worker in a thread: those of the loop are there to end it then.
        pool = ThreadPoolExecutor(max(1, len(self.specs)), thread_name_prefix="wsstability-worker")
        try:
            starts = [
                _started_in(pool, group, spec, slot.number, describe(slot.number, plan, job))
                for spec, slot in zip(self.specs, plan.slots, strict=False)
            ]
            yield list(await asyncio.gather(*starts))
        finally:
            is_over.set()
            pool.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(group.terminate, timeout=_LEAVING)
            await asyncio.to_thread(_close, processes)


async def _started_in(pool: ThreadPoolExecutor, group: Group, spec: str, slot: int, task: str) -> _Worker:
    """Start a worker in a thread of a pool, from its process to its answer in `READY_WITHIN`."""
    starting = asyncio.get_running_loop().run_in_executor(pool, _start, group, spec, slot, task)
    try:
        return await asyncio.wait_for(starting, READY_WITHIN)
    except TimeoutError:
        raise WorkerError(f"{_name_of(slot, spec)} did not start within {READY_WITHIN:.0f} s") from None


def _remembering(processes: list[subprocess.Popen[bytes]], is_over: threading.Event) -> Any:
    """Threads, as execnet has them by default, and the processes that it starts until all is over."""
    from execnet.gateway_base import MainThreadOnlyExecModel

    def start(*args: Any, **keywords: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(*args, **keywords)
        processes.append(process)
        if is_over.is_set():
            # Who ends the others may not have seen this one.
            _close([process])
        return process

    class Remembering(MainThreadOnlyExecModel):
        @property
        def subprocess(self) -> SimpleNamespace:
            return SimpleNamespace(Popen=start, PIPE=subprocess.PIPE)

    return Remembering()


def _close(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """
    See that nothing is left of processes.

    execnet leaves the pipes of one that was killed to the garbage collector, which warns: under
    ``-W error`` that would fail the test of a user's that runs then.

    """
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # What was not written yet is for nobody.
                with suppress(OSError):
                    pipe.close()


def _start(group: Group, spec: str, slot: int, task: str) -> _Worker:
    """Start a worker, tell it its slot, and wait until it says that it can."""
    name = _name_of(slot, spec)
    try:
        channel = group.makegateway(spec).remote_exec(_source(spec))
        channel.send(task)
        answer = json.loads(channel.receive())
    except Exception as error:
        raise WorkerError(f"{name} did not start: {_reason(error)}") from error
    if "error" in answer:
        raise WorkerError(f"{name}: {answer['error']}")
    return _Worker(slot, name, channel)


def _name_of(slot: int, spec: str) -> str:
    return f"worker {slot} ({spec.replace(_BATCH, '')})"


def _source(spec: str) -> str:
    """What runs in the worker's interpreter, which has a package of its own."""
    # pytest puts the folders of tests there, whose functions a worker loads by their names.
    # Python passes over what is no text, such as the Path that a conftest has put there.
    path = [each for each in sys.path if isinstance(each, str)] if _is_here(spec) else []
    return f"""
import sys
sys.path += [each for each in {path!r} if each not in sys.path]
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
    times, single = (int(number), rest) if star and number.isdecimal() else (1, spec)
    if times > MOST:
        raise ValueError(f"workers: {spec!r} are more than {MOST}; give fewer, or a Dask cluster")
    parts = single.split("//")
    made = "//".join(f"ssh={_BATCH}{part[4:]}" if part.startswith("ssh=") else part for part in parts)
    try:
        read = _execnet().XSpec(single)
    except (AttributeError, IndexError, ValueError) as error:
        raise ValueError(f"workers: {spec!r} is no spec of execnet: {error}") from None
    if not times or (read.popen is None and read.ssh is None):
        raise ValueError(f"workers: {spec!r} starts nothing; give 'popen' or 'ssh=HOST', such as '4*popen'")
    _check_keys(spec, read)
    if read.id is not None and times > 1:
        raise ValueError(f"workers: {spec!r} gives {times} workers one id; leave it out")
    return [made] * times


def _check_keys(spec: str, read: Any) -> None:
    """
    See that a spec says nothing that execnet would pass over, or that leads to no worker of a fleet.

    Raises:
        ValueError: if it does, naming the part.

    """
    given = {name: value for name, value in vars(read).items() if name != "env" and not name.startswith("_")}
    if read.popen and read.ssh:
        raise ValueError(f"workers: {spec!r} is here and elsewhere; leave out 'popen' or 'ssh'")
    if unknown := [name for name in given if name not in _KEYS]:
        valid = ", ".join([*_KEYS, "env:NAME"])
        raise ValueError(f"workers: {spec!r}: a worker has no {unknown[0]!r}; valid ones: {valid}")
    unset = [name for name in _KEYS[:-2] if given.get(name) in (True, "")]
    unset += [f"env:{name}" for name, value in read.env.items() if value is True]
    if unset:
        raise ValueError(f"workers: {spec!r} gives {unset[0]} no value; write {unset[0]}=VALUE")


def _is_here(spec: str) -> bool:
    """Whether a worker is a process of this machine; a command in front of it may lead anywhere."""
    read = _execnet().XSpec(spec)
    return bool(read.popen and not read.python)


def _reason(error: Exception) -> str:
    """The last line of what went wrong there, which is the one that says it."""
    # What execnet can't read or write any more has no number of an error, as what can't be started has.
    if isinstance(error, EOFError | BrokenPipeError) or (isinstance(error, OSError) and error.errno is None):
        return "its process ended before it had answered"
    if isinstance(error, _execnet().HostNotFound):
        # ssh has said why, to where this process writes its errors; this is what it was given.
        return f"ssh did not get in, and asks for no password: `ssh {error}` says why"
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


def _execnet() -> Any:
    try:
        import execnet
    except ImportError:
        raise WorkerError("workers need execnet: pip install 'pytest-wsstability[workers]'") from None
    return execnet
