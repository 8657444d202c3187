"""Executors and subprocesses: they take real time, so the clock stands still for them."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from .clock import ClockLoop

T = TypeVar("T")

_JOB = "executor job"
_SUBPROCESS = "subprocess"


class JobLoop(ClockLoop):
    """A loop in virtual time with executors (`asyncio.to_thread`, `getaddrinfo`) and subprocesses."""

    _default_executor: concurrent.futures.Executor | None
    _check_default_executor: Callable[[], None]

    def run_in_executor(  # type: ignore[override]
        self, executor: concurrent.futures.Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As in asyncio; the clock stands still until the job is done, even if nobody waits for it."""
        self._check_closed()
        job = (executor or self._executor()).submit(func, *args)
        self._in_flight.start(_JOB)
        result: asyncio.Future[T] = self.create_future()
        result.add_done_callback(lambda result: result.cancelled() and job.cancel())
        job.add_done_callback(partial(self._job_done, result))
        return result

    def _executor(self) -> concurrent.futures.Executor:
        self._check_default_executor()
        if self._default_executor is None:
            self._default_executor = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="asyncio")
        return self._default_executor

    def _job_done(self, result: asyncio.Future[T], job: concurrent.futures.Future[T]) -> None:
        """Called in the job's thread."""
        try:
            self.call_soon_threadsafe(self._land, result, job)
        except RuntimeError:
            if not self.is_closed():
                raise

    def _land(self, result: asyncio.Future[T], job: concurrent.futures.Future[T]) -> None:
        self._in_flight.finish(_JOB)
        if result.cancelled():
            return
        if job.cancelled():
            result.cancel()
        elif (error := job.exception()) is not None:
            result.set_exception(error)
        else:
            result.set_result(job.result())

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As in asyncio, which joins the executor in a thread of its own."""
        with self.hold():
            await super().shutdown_default_executor(*() if timeout is None else (timeout,))

    async def _make_subprocess_transport(self, *args: Any, **kwargs: Any) -> Any:
        self._in_flight.start(_SUBPROCESS)
        try:
            return await super()._make_subprocess_transport(*args, **kwargs)  # type: ignore[misc]
        except BaseException:
            self._in_flight.finish(_SUBPROCESS)
            raise

    def _child_watcher_callback(self, pid: int, returncode: int, transp: Any) -> None:
        super()._child_watcher_callback(pid, returncode, transp)  # type: ignore[misc]
        self.call_soon(self._in_flight.finish, _SUBPROCESS)
