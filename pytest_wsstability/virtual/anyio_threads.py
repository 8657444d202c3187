"""
Threads of anyio, which runs ``anyio.to_thread.run_sync`` in workers of its own, not in the loop's executor.

Starlette and FastAPI serve plain functions and files that way. anyio says nowhere whether a worker is busy,
so three attributes of its threads are read: ``loop``, ``idle_workers`` and ``stopping``.

"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterable, Iterator

_BACKEND = "anyio._backends._asyncio"


def is_worker(thread: threading.Thread, loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a thread is an anyio worker of the loop."""
    return any(_workers((thread,), loop))


def any_busy(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether an anyio worker does something for the loop, or its result is still on the way."""
    # The clock asks before each of its moves.
    if _BACKEND not in sys.modules or threading.active_count() == 1:
        return False
    return any(map(_is_busy, _workers(threading.enumerate(), loop)))


def busy_workers(loop: asyncio.AbstractEventLoop) -> list[threading.Thread]:
    """Those that do."""
    return [*filter(_is_busy, _workers(threading.enumerate(), loop))]


def _workers(
    threads: Iterable[threading.Thread], loop: asyncio.AbstractEventLoop
) -> Iterator[threading.Thread]:
    worker = getattr(sys.modules.get(_BACKEND), "WorkerThread", None)
    if worker is not None:
        yield from (
            each for each in threads if isinstance(each, worker) and getattr(each, "loop", None) is loop
        )


def _is_busy(thread: threading.Thread) -> bool:
    # The loop takes a worker off the idle ones when it gives it work, and puts it back with the result.
    return not getattr(thread, "stopping", False) and thread not in getattr(thread, "idle_workers", (thread,))
