"""How well the test process itself is: its loop's lag, the machine's sleep, the kernel's view of a socket."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

from ..core.events import Kind, Tier

if TYPE_CHECKING:
    from ..core.timeline import Timeline

# How often the loop is looked at, and from which lag on it is recorded, in seconds.
_INTERVAL = 0.1
_LAG = 0.1
_SLEPT = 1.0

_TCP_STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING",
)  # fmt: skip


def tier_of(loop: asyncio.AbstractEventLoop) -> Tier:
    """Whether a loop runs in virtual time: virtual loops say so with ``is_virtual``."""
    return Tier.VIRTUAL if getattr(loop, "is_virtual", False) else Tier.REAL


class LoopMonitor:
    """
    Watches one event loop while connections are open on it.

    A loop that stood still cannot answer pings: without this the server would be blamed for it.
    Virtual loops cannot lag, so they are not watched.

    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timelines: dict[int, Timeline] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._asleep = 0.0

    def watch(self, timeline: Timeline) -> None:
        """Record lags in this timeline from now on."""
        self._timelines[id(timeline)] = timeline
        if self._timer is None:
            self._asleep = _time_asleep()
            self._schedule()

    def forget(self, timeline: Timeline) -> None:
        """Stop recording in this timeline; the last one stops the watch."""
        if self._timer is not None:
            # What ended the connection may be the very lag or sleep that the next look would have found.
            self._look()
        self._timelines.pop(id(timeline), None)
        if not self._timelines and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self._timer = self._loop.call_later(_INTERVAL, self._tick)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to watch."""
        return not self._timelines

    def _tick(self) -> None:
        self._look()
        self._schedule()

    def _look(self) -> None:
        assert self._timer is not None
        now = self._loop.time()
        lag = now - self._timer.when()
        asleep = _time_asleep()
        slept, self._asleep = asleep - self._asleep, asleep
        for timeline in self._timelines.values():
            if slept >= _SLEPT:
                timeline.mark(now, Kind.SUSPENDED, slept)
            if lag >= _LAG:
                timeline.mark(now, Kind.LOOP_LAG, lag)


_monitors: dict[asyncio.AbstractEventLoop, LoopMonitor] = {}


def watch(loop: asyncio.AbstractEventLoop, timeline: Timeline) -> None:
    """Record the lags of the loop in the timeline."""
    if timeline.tier is Tier.REAL:
        if loop not in _monitors:
            _monitors[loop] = LoopMonitor(loop)
        _monitors[loop].watch(timeline)


def forget(loop: asyncio.AbstractEventLoop, timeline: Timeline) -> None:
    """Stop recording lags in the timeline."""
    if monitor := _monitors.get(loop):
        monitor.forget(timeline)
        if monitor.is_idle:
            del _monitors[loop]


def _time_asleep() -> float:
    """Seconds the machine has slept since it booted; 0.0 where the kernel does not tell."""
    if sys.platform != "linux":
        return 0.0
    # The loop's clock stands still while the machine sleeps, CLOCK_BOOTTIME goes on (clock_gettime(2)).
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def tcp_state(sock: Any) -> str | None:
    """The kernel's state of a TCP socket, such as ``CLOSE_WAIT``; None where it cannot be read."""
    if sys.platform != "linux" or getattr(sock, "family", None) not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        # The first byte of struct tcp_info (linux/tcp.h).
        state: int = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0]
    except (OSError, AttributeError, NotImplementedError):
        return None
    return _TCP_STATES[state] if state < len(_TCP_STATES) else None
