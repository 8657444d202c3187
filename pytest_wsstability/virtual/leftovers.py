"""What a run leaves behind: tasks on its loop, and jobs of executors that still run in their threads."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, TypeVar

from .waiting import in_order, places_of

T = TypeVar("T")

# Real seconds that jobs have to end after their run, and between two looks whether they did.
_GRACE, _LOOK = 5.0, 0.01


class Jobs:
    """
    The jobs that executors run for a loop. Safe in all threads.

    Attributes:
        given_up: whether they had their time to end, and some have not.

    """

    def __init__(self) -> None:
        self.given_up = False
        # The threads; one twice where asgiref runs a job in the thread of another that waits for it.
        self._threads: list[int] = []

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run a job; called in its thread."""
        thread = threading.get_ident()
        self._threads.append(thread)
        try:
            return function(*args)
        finally:
            self._threads.remove(thread)

    def ended_within(self, seconds: float) -> bool:
        """Whether no job runs any more, after at most so many real seconds."""
        until = perf_counter() + seconds
        while self._threads and (left := until - perf_counter()) > 0:
            threading.Event().wait(min(left, _LOOK))
        return not self._threads

    def places(self) -> list[str]:
        """The threads that still run a job, by name, with the place in the code where each stands."""
        return places_of(filter(self.run_in, threading.enumerate()))

    def run_in(self, thread: threading.Thread) -> bool:
        """Whether a job runs in a thread."""
        return thread.ident in self._threads


class Threads(ThreadPoolExecutor):
    """asyncio's default executor, which is not joined for ever where a job never ends."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(thread_name_prefix="asyncio")
        self._jobs = jobs

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As in concurrent.futures."""
        ended = wait and not self._jobs.given_up and self._jobs.ended_within(_GRACE)
        super().shutdown(wait=ended, cancel_futures=cancel_futures)


async def end_leftovers(jobs: Jobs) -> None:
    """
    Cancel the tasks that a run has left, and give the jobs that still run a few real seconds to end.

    A task is cancelled after its first step: before, nothing of it runs, not even what tells a thread that
    waits for it (asgiref's `async_to_sync`), and that thread would wait for ever. What a thread starts
    meanwhile is ended likewise.

    Warns:
        RuntimeWarning: of jobs that have not ended, with the places where they stand.

    """
    until = perf_counter() + _GRACE
    while True:
        # Those that there are have their first step before this one goes on.
        tasks = in_order(asyncio.all_tasks() - {asyncio.current_task()})
        await asyncio.sleep(0)
        await _cancel(tasks)
        if perf_counter() >= until or (jobs.ended_within(_LOOK) and len(asyncio.all_tasks()) == 1):
            break
    if places := jobs.places():
        jobs.given_up = True
        warnings.warn(
            f"still at work for a loop that has ended: {', '.join(places)}; Python exits when that ends",
            RuntimeWarning,
            stacklevel=2,
        )


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    loop = asyncio.get_running_loop()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            message = "unhandled exception while what was left of a run was cancelled"
            loop.call_exception_handler({"message": message, "exception": error, "task": task})
