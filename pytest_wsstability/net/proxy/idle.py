"""The idle timer of a middlebox: how long nothing passed, and what counts as something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ...core.faults import Flow, IdleTimeout, ResetBy
from ..timers import Deadline

# Which directions a timer listens to; each entry is a timer of its own.
_TIMERS = {
    ResetBy.ANY: ({Flow.UPSTREAM, Flow.DOWNSTREAM},),
    ResetBy.DATA: ({Flow.UPSTREAM, Flow.DOWNSTREAM},),
    ResetBy.UPSTREAM: ({Flow.UPSTREAM},),
    ResetBy.DOWNSTREAM: ({Flow.DOWNSTREAM},),
    ResetBy.EACH: ({Flow.UPSTREAM}, {Flow.DOWNSTREAM}),
}


class IdleTimer:
    """Calls back once, with the instant at which the silence had lasted too long."""

    __slots__ = ("_deadlines", "_fault", "_last", "_timers")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, fault: IdleTimeout, expired: Callable[[float], object]
    ) -> None:
        self._fault = fault
        self._timers = _TIMERS[fault.reset_by]
        # When each timer was last reset.
        self._last = [loop.time()] * len(self._timers)
        self._deadlines = [
            Deadline(loop, fault.seconds, partial(self._expire, index, expired))
            for index in range(len(self._timers))
        ]

    def touch(self, now: float, flow: Flow, *, message: bool) -> None:
        """Bytes came in a direction, of a message or of something else."""
        if self._fault.reset_by is ResetBy.DATA and not message:
            return
        for index, flows in enumerate(self._timers):
            if flow in flows:
                self._last[index] = now
                self._deadlines[index].reset(now)

    def _expire(self, index: int, expired: Callable[[float], object]) -> None:
        self.cancel()
        expired(self._last[index] + self._fault.seconds)

    def cancel(self) -> None:
        """No call any more."""
        for deadline in self._deadlines:
            deadline.cancel()
