"""Connections that open stay: the garbage collector need not look through them again and again."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable
from typing import TypeVar

from .slot import INTERVAL

T = TypeVar("T")

# Fewer connections than this are looked through in 30 ms.
MANY = 1_000
# Those that were made last: what of them is garbage is not put aside.
_YOUNG = 1


async def put_aside(running: Awaitable[T], seconds: float) -> T:
    """
    Run something that opens many connections, and keep them from the garbage collector while it runs.

    Looked through for garbage, ten thousand connections hold the loop up for a third of a second: nine times
    while they open, and every quarter of a minute while they are held. So what there is is put aside each
    second (`gc.freeze`) until all have opened; what the process then makes is collected as ever.

    Args:
        running: it; stopped with this, which is over when it is.
        seconds: over how long they open.

    """
    task, others = asyncio.ensure_future(running), gc.get_freeze_count()
    try:
        for _ in range(int(seconds / INTERVAL) + 2):
            gc.collect(_YOUNG)
            gc.freeze()
            if (await asyncio.wait([task], timeout=INTERVAL))[0]:
                break
        return await task
    finally:
        task.cancel()
        try:
            # It has connections to close, and frames to tell.
            await asyncio.gather(task, return_exceptions=True)
        finally:
            # What somebody else has put aside stays there.
            if not others:
                gc.unfreeze()
