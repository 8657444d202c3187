"""What takes long in real time is told while it does: until it is over, nothing else would be seen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from ..core.duration import show_duration
from ..virtual.loop import VirtualLoop
from .markers import id_of

if TYPE_CHECKING:
    import pytest

# Seconds after which what never ends is told from what takes long: by who reads the line.
SLOW = 15.0


@contextmanager
def told_if_slow(config: pytest.Config, text: str) -> Iterator[None]:
    """Show a line once the block has taken long, from a thread of its own: it may never end."""
    timer = threading.Timer(SLOW, _tell, (config, text))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # The next test finds no thread of this one.
        timer.join()


def tell_if_slow(item: pytest.Item, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """
    Show how far a test in virtual time has come, once it has taken long: its app may be one that polls.

    Returns:
        What ends that, where the loop goes on to the next test.

    """
    if not isinstance(loop, VirtualLoop):
        return lambda: None
    start, begun = perf_counter(), loop.time()

    def look() -> None:
        if perf_counter() - start < SLOW:
            return
        stop()
        passed = show_duration(loop.time() - begun)
        _tell(
            item.config,
            f"{id_of(item)} takes {SLOW:.0f} s so far, for {passed} of virtual time; "
            "each timer and each message of the app is run: a shorter hold takes less",
        )

    def stop() -> None:
        loop.on_moves = None

    loop.on_moves = look
    return stop


def _tell(config: pytest.Config, text: str) -> None:
    if (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:
        reporter.write_line(f"wsstability: {text}")
