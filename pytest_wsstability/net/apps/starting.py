"""What the servers have in common: a task that serves, and what it says when it ends too soon."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from .kinds import AppError


async def start(serving: Coroutine[Any, Any, None], up: asyncio.Event, server: str) -> asyncio.Task[Any]:
    """
    Let a server run until it accepts connections.

    Args:
        serving: runs as long as the server does.
        up: set by it once connections are accepted.
        server: its name, for messages.

    Raises:
        AppError: if it ends before.

    """
    task = asyncio.ensure_future(_told(serving))
    waiting = asyncio.ensure_future(up.wait())
    try:
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    except BaseException:
        task.cancel()
        raise
    finally:
        waiting.cancel()
    if task.done():
        error = await task
        # A SystemExit says a number.
        reason = f": {error}" if isinstance(error, Exception) and str(error) else ""
        raise AppError(
            f"the app did not start under {server}{reason}; what it logged stands below"
        ) from error
    return task


async def stop(task: asyncio.Task[Any]) -> None:
    """Wait until a server that was told to stop has stopped."""
    with suppress(asyncio.CancelledError):
        await task


async def _told(serving: Coroutine[Any, Any, None]) -> BaseException | None:
    """What ended a server; a task that raises SystemExit would end the loop with it."""
    try:
        await serving
    except (Exception, SystemExit) as exc:
        return exc
    return None
