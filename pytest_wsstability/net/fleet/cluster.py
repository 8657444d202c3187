"""
Workers of a Dask cluster: one slot on each, told and heard over the scheduler.

Dask runs a task again when its worker dies. A slot must not be run again, for its connections are not the
ones that were lost: so each attempt says its name first and waits for the word, and only the first one to
ask gets it.

"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ...core import version
from ...core.fleet.frame import Frame
from ...core.fleet.merge import FleetMerge
from ...core.fleet.plan import FleetPlan
from .engine import Watch, WorkerError
from .job import FleetJob
from .slot import INTERVAL
from .worker import Task, describe, read_task
from .worker_listener import SILENT, WorkerListener

if TYPE_CHECKING:
    from distributed import Client

# A scheduler answers within, in seconds.
_CONNECT_WITHIN = 10
# Workers that have a free thread say so within, in seconds.
READY_WITHIN = 60.0
# States of a worker that has left its scheduler, or is about to.
_LEFT = frozenset({"closed", "closing", "failed", "stopped", "stopping"})
# What each worker has to have.
_NEEDED = f"{version.__name__}:__version__"


class Cluster:
    """
    The workers of a Dask cluster, one slot each.

    Args:
        client: a ``distributed.Client``, or the address of a scheduler such as ``tcp://scheduler:8786``.

    Raises:
        ValueError: for a client that is asynchronous.
        WorkerError: without distributed, without an answer from the scheduler, or without workers.

    """

    def __init__(self, client: Client | str) -> None:
        self._distributed = _distributed()
        self._is_ours = isinstance(client, str)
        self._client: Any = self._connected(client) if isinstance(client, str) else client
        if self._client.asynchronous:
            raise ValueError("the Dask client is asynchronous; give a Client(...) that was not awaited")
        self._workers: list[str] = sorted(self._client.scheduler_info(n_workers=-1)["workers"])
        if not self._workers:
            self.close()
            raise WorkerError("the Dask cluster has no workers")

    def _connected(self, address: str) -> Any:
        try:
            # Of what is no address Dask makes a client too, and the end of the process waits for that, 20 s.
            self._distributed.comm.get_address_host(address)
            return self._distributed.Client(address, timeout=_CONNECT_WITHIN, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkerError(f"no Dask scheduler at {address!r}: {error}") from error

    def __len__(self) -> int:
        return len(self._workers)

    def close(self) -> None:
        """Leave the cluster, once, unless the client was given; `run` does so at its end."""
        if self._is_ours:
            self._is_ours = False
            self._client.close()

    async def run(self, plan: FleetPlan, job: FleetJob, merge: FleetMerge, watch: Watch) -> None:
        """See `Engine`."""
        try:
            async with self._started(plan, job) as run:
                merge.names.update(run.addresses)
                listener = WorkerListener(run.names, merge, watch)
                await asyncio.to_thread(run.listen, listener)
                await listener.to_the_end()
        finally:
            await asyncio.to_thread(self.close)

    @asynccontextmanager
    async def _started(self, plan: FleetPlan, job: FleetJob) -> AsyncIterator[_Run]:
        """All slots submitted and asking for the word; told to stop with the block."""
        addresses = dict(zip((slot.number for slot in plan.slots), self._workers, strict=False))
        run = _Run(self._client, addresses)
        try:
            tasks = {slot: describe(slot, plan, job) for slot in addresses}
            await asyncio.to_thread(run.start, tasks)
            yield run
        finally:
            await asyncio.to_thread(run.stop)


class _Run:
    """One run of a fleet on a cluster, as the controller sees it."""

    def __init__(self, client: Any, addresses: dict[int, str]) -> None:
        self._client = client
        self.addresses = addresses
        self.names = {slot: f"worker {slot} ({address})" for slot, address in addresses.items()}
        self._name = f"wsstability-{uuid4().hex}"
        self._distributed = _distributed()
        self._futures: list[Any] = []
        # The attempt that got the word, by slot; the lock is between the client's thread and ours.
        self._attempts: dict[int, str] = {}
        self._asked = threading.Condition()
        self._errors: dict[int, str] = {}
        self._is_stopped = False
        self._listener: WorkerListener | None = None

    def start(self, tasks: dict[int, str]) -> None:
        """
        Submit the slots, and wait until each asks for the word, or until `stop` says that none shall.

        Raises:
            WorkerError: if one does not, or can't do its task: none has opened a connection then.

        """
        self._see_that_all_have_it()
        if self._is_stopped:
            return
        self._client.subscribe_topic(self._name, self._heard)
        for slot, text in tasks.items():
            future = self._client.submit(
                _work, self._name, slot, text,
                key=f"{self._name}-{slot}", workers=[self.addresses[slot]], allow_other_workers=False,
                retries=0, pure=False,
            )  # fmt: skip
            future.add_done_callback(lambda future, slot=slot: self._done(slot, future))
            self._futures.append(future)
            if self._is_stopped:
                # `stop` may not have seen this one.
                self._client.cancel(self._futures)
                return
        with self._asked:
            self._wait_for(lambda: len(self._attempts) == len(tasks))
            for slot in tasks:
                if slot not in self._attempts and not self._is_stopped:
                    raise WorkerError(f"{self.names[slot]} did not start within {READY_WITHIN:.0f} s")

    def _wait_for(self, is_done: Callable[[], bool]) -> None:
        """Wait for what workers say, with the lock: until it is all there, one has an error, or `stop`."""
        self._asked.wait_for(lambda: self._is_stopped or self._errors or is_done(), READY_WITHIN)
        # An error ends the wait, so that others may not have said anything yet.
        if self._errors and not self._is_stopped:
            slot, error = min(self._errors.items())
            raise WorkerError(f"{self.names[slot]}{error}")

    def _see_that_all_have_it(self) -> None:
        """Of a worker that cannot import a task, Dask tells nobody why: it leaves the cluster."""
        waiting = set(self.addresses)

        def imported(slot: int, future: Any) -> None:
            with self._asked:
                waiting.discard(slot)
                if future.status == "error":
                    self._errors[slot] = f" can't import it: {future.exception()}"
                self._asked.notify_all()

        asked = []
        for slot, address in self.addresses.items():
            future = self._client.submit(
                resolve_name, _NEEDED, workers=[address], allow_other_workers=False, retries=0, pure=False
            )
            future.add_done_callback(partial(imported, slot))
            # Dask forgets a task that nobody holds.
            asked.append(future)
        # Who says nothing is waited for in the next step too, and told there.
        with self._asked:
            self._wait_for(lambda: not waiting)

    def listen(self, listener: WorkerListener) -> None:
        """Give the word to all."""
        self._listener = listener
        for slot, attempt in self._attempts.items():
            listener.begin(slot)
            self._event(attempt).set()

    def stop(self) -> None:
        """Tell what still runs to end; nothing that it says counts any more, and nothing else is begun."""
        self._listener = None
        with self._asked:
            self._is_stopped = True
            self._asked.notify_all()
        with suppress(Exception):
            self._client.unsubscribe_topic(self._name)
            self._event("stop").set()
            self._client.cancel(self._futures)

    def _event(self, name: str) -> Any:
        return self._distributed.Event(f"{self._name}-{name}", client=self._client)

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        """What an attempt said: in the client's thread."""
        _, said = event
        slot, attempt = said["slot"], said["attempt"]
        with self._asked:
            if (error := said.get("error")) is not None:
                self._errors[slot] = f": {error}"
            first = self._attempts.setdefault(slot, attempt)
            self._asked.notify_all()
        if first != attempt:
            if self._listener is not None and "frame" not in said:
                again = Frame(slot=slot, attempt=2, sequence=0, at=0.0)
                self._listener.hand_over(slot, json.dumps(again.as_dict()))
        elif self._listener is not None and "frame" in said:
            self._listener.hand_over(slot, said["frame"])

    def _done(self, slot: int, future: Any) -> None:
        """A task that is over without its last frame is a worker that ended."""
        if future.status == "error":
            error = future.exception()
            with self._asked:
                self._errors.setdefault(slot, f": {type(error).__name__}: {error}")
                self._asked.notify_all()
        if self._listener is not None and future.status != "cancelled":
            self._listener.hand_over(slot, None)


def _work(run: str, slot: int, text: str) -> None:
    """One attempt at a slot: in a thread of a worker of the cluster."""
    distributed = _distributed()
    worker = distributed.get_worker()
    attempt = uuid4().hex

    def tell(**what: str) -> None:
        worker.log_event(run, {"slot": slot, "attempt": attempt, **what})

    try:
        task = read_task(text)
    except ValueError as error:
        tell(error=str(error))
        return
    tell()
    is_orphaned = partial(_is_orphaned, worker, worker.get_current_task())
    # All start together: each waits for the word. An attempt that never gets it has opened nothing.
    if distributed.Event(f"{run}-{attempt}").wait(timeout=READY_WITHIN):
        stop = distributed.Event(f"{run}-stop")
        asyncio.run(_until_stopped(task, stop, is_orphaned, lambda frame: tell(frame=frame)))


def _is_orphaned(worker: Any, key: str) -> bool:
    """Whether nobody waits for a task any more: its client is gone, or the worker has left its scheduler."""
    task = worker.state.tasks.get(key)
    return task is None or task.state == "cancelled" or worker.status.name in _LEFT


async def _until_stopped(task: Task, stop: Any, is_orphaned: Callable[[], bool], say: Any) -> None:
    """Run a task until its end, the word to stop, or an instant at which nobody can give that word."""
    running = asyncio.ensure_future(task.run(say))
    told = asyncio.ensure_future(_is_told(stop))
    while not running.done():
        await asyncio.wait([running, told], timeout=INTERVAL, return_when=asyncio.FIRST_COMPLETED)
        if told.done() or is_orphaned():
            running.cancel()
            await asyncio.wait([running])
    told.cancel()
    with suppress(asyncio.CancelledError):
        running.result()


async def _is_told(stop: Any) -> None:
    """Wait for the word to stop; a scheduler that does not answer has none to give any more."""
    loop, is_set = asyncio.get_running_loop(), False
    while not is_set:
        asking = loop.run_in_executor(None, partial(stop.wait, timeout=INTERVAL))
        done, _ = await asyncio.wait([asking], timeout=INTERVAL + SILENT)
        is_set = not done or asking.exception() is not None or asking.result()


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise WorkerError(
            "a Dask cluster needs distributed: pip install 'pytest-wsstability[dask]'"
        ) from None
    return distributed
