"""What takes long in real time is told while it does: until it is over, nothing else would be seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.duration import show_duration
from ..virtual.loop import VirtualLoop
from .markers import id_of
from .plans import is_virtual
from .stash import hold_loop_key, loop_key

if TYPE_CHECKING:
    import pytest

# Seconds after which what never ends is told from what takes long: by who reads the line.
SLOW = 15.0


@contextmanager
def told_if_slow(config: pytest.Config, what: Callable[[], str]) -> Iterator[None]:
    """Show a line once the block has taken long; ``what`` gives it, in a thread of its own."""

    def tell() -> None:
        if (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:
            reporter.write_line(f"wsstability: {what()}")

    timer = threading.Timer(SLOW, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # The next test finds no thread of this one.
        timer.join()


@contextmanager
def virtual_time_told(item: pytest.Item) -> Iterator[None]:
    """Show how far a test in virtual time has come, once it has taken long: its app may be one that polls."""
    if not is_virtual(item):
        yield
        return
    with told_if_slow(item.config, lambda: _so_far(item)):
        yield


def _so_far(item: pytest.Item) -> str:
    loop = item.stash.get(hold_loop_key, item.stash.get(loop_key, None))
    now = f", for {show_duration(loop.time())} of virtual time" if isinstance(loop, VirtualLoop) else ""
    return (
        f"{id_of(item)} takes {SLOW:.0f} s so far{now}; each timer and each message of the app is run: a "
        "shorter hold takes less"
    )
