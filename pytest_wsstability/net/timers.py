"""Timers of a connection: callbacks of the loop, because a task for each would cost kilobytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def call_again(
    loop: asyncio.AbstractEventLoop,
    timer: asyncio.TimerHandle | None,
    at: float,
    callback: Callable[[], object],
) -> asyncio.TimerHandle:
    """
    Call back at an instant, by a timer that has come and was not cancelled, if there is one.

    In virtual time it is used once more; other loops make another.

    """
    again = getattr(loop, "call_again", None)
    if timer is None or again is None:
        return loop.call_at(at, callback)
    again(timer, at)
    return timer


class Ticker:
    """
    Calls back at ``start + n * interval``: late calls do not shift the later ones.

    The callback gets ``args``; a closure instead would cost a connection 250 bytes more.

    """

    __slots__ = ("_args", "_callback", "_handle", "_interval", "_loop", "_start", "_ticks")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        start: float,
        interval: float,
        callback: Callable[..., object],
        *args: object,
    ) -> None:
        self._loop = loop
        self._start = start
        self._interval = interval
        self._callback = callback
        self._args = args
        self._ticks = 0
        self._handle: asyncio.TimerHandle | None = None
        self._schedule()

    def _schedule(self) -> None:
        self._ticks += 1
        at = self._start + self._ticks * self._interval
        now = self._loop.time()
        if at < now:
            # Ticks that a blocked loop slept through are lost: a burst of late heartbeats proves nothing.
            self._ticks = int((now - self._start) / self._interval)
            at = self._start + self._ticks * self._interval
        self._handle = call_again(self._loop, self._handle, at, self._tick)

    def _tick(self) -> None:
        self._schedule()
        self._callback(*self._args)

    def cancel(self) -> None:
        """No further call."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Deadline:
    """
    Calls back once when nothing has reset it for ``seconds``.

    A reset moves one number; the timer finds out when it fires. (A timer cancelled and made anew for
    each frame would be the dearest thing on a busy connection.)

    """

    __slots__ = ("_args", "_at", "_callback", "_handle", "_loop", "_seconds")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        callback: Callable[..., object],
        *args: object,
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._callback = callback
        self._args = args
        self._at = loop.time() + seconds
        self._handle: asyncio.TimerHandle | None = loop.call_at(self._at, self.check)

    def reset(self, now: float) -> None:
        """Start anew from ``now``."""
        self._at = now + self._seconds

    def check(self) -> None:
        """Call back if nothing has come in time; the loop does this by itself."""
        if self._at > self._loop.time():
            self._handle = call_again(self._loop, self._handle, self._at, self.check)
            return
        self._handle = None
        self._callback(*self._args)

    def cancel(self) -> None:
        """No call any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
