"""When the connections of a slot are looked at next: one timer of the loop for all of one step of time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.timeline.events import Tier
from ..health import tier_of

if TYPE_CHECKING:
    from .held import Held

# In real time those that are due within so many seconds are looked at together, at the end of them: a timer
# of the loop for each costs as much as its look. What a look finds has its own instant on record.
STEP = 0.1


class LookSchedule:
    """
    Calls back for each connection at its instant, or in real time up to `STEP` seconds later.

    Args:
        loop: whose clock the instants are of.
        look: called with each connection that is due.

    """

    def __init__(self, loop: asyncio.AbstractEventLoop, look: Callable[[Held], object]) -> None:
        self._loop, self._look = loop, look
        self._step = STEP if tier_of(loop) is Tier.REAL else 0.0
        self._due: dict[float, list[Held]] = {}
        self._timers: dict[float, asyncio.TimerHandle] = {}

    def set(self, held: Held, at: float) -> None:
        """Look at a connection at an instant of the loop's clock, in the place of what was set before."""
        if self._step:
            at = math.ceil(at / self._step) * self._step
        held.look_at = at
        together = self._due.get(at)
        if together is None:
            together = self._due[at] = []
            self._timers[at] = self._loop.call_at(at, self._ring, at)
        together.append(held)

    def stop(self) -> None:
        """Look at none any more."""
        for timer in self._timers.values():
            timer.cancel()

    def _ring(self, at: float) -> None:
        del self._timers[at]
        for held in self._due.pop(at):
            if held.look_at == at:
                self._look(held)
