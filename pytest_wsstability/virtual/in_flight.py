"""What happens outside the loop and keeps its clock from moving."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What `VirtualLoop.hold` is called among the things in flight.
HOLD = "loop.hold()"


class InFlight:
    """Counts things in flight. Safe in all threads."""

    def __init__(self, awaken: Callable[[], None]) -> None:
        self._awaken = awaken
        self._lock = threading.Lock()
        self._things: Counter[str] = Counter()
        # How many there are; an attribute, because the loop asks at each turn.
        self.total = 0

    def start(self, thing: str) -> None:
        """One more is in flight."""
        with self._lock:
            self._things[thing] += 1
            self.total += 1

    def finish(self, thing: str) -> None:
        """One has landed; the loop looks again whether its clock may move."""
        with self._lock:
            self._things[thing] -= 1
            self.total -= 1
        self._awaken()

    @contextmanager
    def one(self, thing: str) -> Iterator[None]:
        """One in flight as long as the block runs."""
        self.start(thing)
        try:
            yield
        finally:
            self.finish(thing)

    @property
    def is_held(self) -> bool:
        """Whether somebody has asked for a standstill, with `VirtualLoop.hold`."""
        return self._things[HOLD] > 0

    def describe(self) -> str:
        """What is in flight, such as ``2 x executor job``; empty if nothing is."""
        with self._lock:
            return ", ".join(f"{number} x {thing}" for thing, number in self._things.items() if number)
