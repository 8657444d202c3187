"""Private event loops, for tests that have none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_private(coroutine: Coroutine[Any, Any, T], *, seed: int | None) -> T:
    """
    Run a coroutine on a loop of its own, in a thread of its own where a loop runs already.

    Args:
        coroutine: what to run.
        seed: of virtual time; None for real time.

    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(coroutine, seed)
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(_run(coroutine, seed))
        except BaseException as exc:
            errors.append(exc)

    thread = threading.Thread(target=target, name="wsstability-soak")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _run(coroutine: Coroutine[Any, Any, T], seed: int | None) -> T:
    if seed is not None:
        from .virtual import run_virtual

        return run_virtual(coroutine, seed=seed)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)
