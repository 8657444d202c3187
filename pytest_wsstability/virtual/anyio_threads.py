"""
Threads of anyio, which runs ``anyio.to_thread.run_sync`` in workers of its own, not in the loop's executor.

Starlette and FastAPI serve plain functions and files that way. anyio says nowhere whether a worker is busy,
so three attributes of its threads are read: ``loop``, ``idle_workers`` and ``stopping``.

"""

from __future__ import annotations

import asyncio
import sys
import threading

_BACKEND = "anyio._backends._asyncio"


def is_worker(thread: threading.Thread, loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a thread is an anyio worker of the loop."""
    worker = getattr(sys.modules.get(_BACKEND), "WorkerThread", None)
    return worker is not None and isinstance(thread, worker) and getattr(thread, "loop", None) is loop


def any_busy(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether an anyio worker does something for the loop, or its result is still on the way."""
    if _BACKEND not in sys.modules or threading.active_count() == 1:
        return False
    return any(is_busy(thread, loop) for thread in threading.enumerate())


def is_busy(thread: threading.Thread, loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a thread is an anyio worker of the loop, and does something."""
    # The loop takes a worker off the idle ones when it gives it work, and puts it back with the result.
    return (
        is_worker(thread, loop)
        and not getattr(thread, "stopping", False)
        and thread not in getattr(thread, "idle_workers", (thread,))
    )
