"""What ``ws_clock`` gives."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from ..core.asserted import advancing
from ..core.duration import Duration, parse_duration


class Clock:
    """The clock of a test: ``now`` in seconds, and a way to let time pass."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @property
    def now(self) -> float:
        """Seconds on the loop's clock; differences of it are durations, in either time."""
        return self._loop.time()

    @property
    def is_virtual(self) -> bool:
        """Whether waiting costs nothing."""
        return bool(getattr(self._loop, "is_virtual", False))

    def advance(self, duration: Duration) -> Coroutine[Any, Any, None]:
        """Let so much time pass: at once in virtual time, by waiting in real time."""
        waiting = asyncio.sleep(parse_duration(duration, "advance", zero=True))
        advancing(waiting)
        return waiting

    def __repr__(self) -> str:
        return f"<Clock {'virtual' if self.is_virtual else 'real'}, {self.now:.3f} s>"
