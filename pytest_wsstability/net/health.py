"""How well the test process itself is: its loop's lag, the machine's sleep, the kernel's view of a socket."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from itertools import takewhile
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

from ..core.timeline.events import EventKind, Tier
from ..core.timeline.tcp import TCP_INFO_SIZE, state_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.timeline.timeline import Timeline

# How often the loop is looked at, and from which lag on it is recorded, in seconds.
_INTERVAL = 0.1
_LAG = 0.1
_SLEPT = 1.0
# A clock that goes is another one within so many readings (Windows: 16 ms), and not by so many seconds.
_READINGS = 50_000
_JUMP = 1.0
# linux/sockios.h; neither `socket` nor `termios` has it.
_SIOCOUTQNSD = 0x894B

# The kernel is asked about a connection when what this end wrote goes unanswered for so long, in seconds, and
# then each second: Linux sends nothing again before (TCP_RTO_MIN of net/tcp.h).
UNANSWERED = 0.2
_AGAIN = 1.0


def tier_of(loop: asyncio.AbstractEventLoop) -> Tier:
    """Whether a loop runs in virtual time: virtual loops say so with ``is_virtual``."""
    return Tier.VIRTUAL if getattr(loop, "is_virtual", False) else Tier.REAL


def check_clock(loop: asyncio.AbstractEventLoop) -> None:
    """
    See that the clock of a loop in real time goes on by itself, before somebody waits by it.

    Raises:
        RuntimeError: if it has been replaced by one that stands still or jumps, saying what to write.

    """
    clock = time.monotonic
    # Other loops than asyncio's own have their own clock.
    if isinstance(clock, BuiltinFunctionType) or not isinstance(loop, asyncio.BaseEventLoop):
        return
    if tier_of(loop) is Tier.VIRTUAL:
        return
    before, step = loop.time(), 0.0
    for _ in range(_READINGS):
        if step := loop.time() - before:
            break
    if not 0.0 < step < _JUMP:
        # A mock has no name.
        name = getattr(clock, "__name__", type(clock).__name__)
        raise RuntimeError(
            f"the clock of the event loop {'jumps' if step else 'stands still'}: time.monotonic is "
            f"{clock.__module__}.{name}, so a hold in real time would never end, or prove nothing; "
            "let asyncio have the real one (freezegun: freeze_time(..., real_asyncio=True)), or run the test "
            "in virtual time (--ws-time virtual)"
        )


def ask_until(loop: asyncio.AbstractEventLoop, when: float) -> None:
    """Tell a virtual loop that a hold lasts until an instant, so that it does not give up before."""
    ask = getattr(loop, "ask_until", None)
    if ask is not None:
        ask(when)


class LoopMonitor:
    """
    Watches one event loop while connections are open on it.

    A loop that stood still cannot answer pings: without this the server would be blamed for it.
    Virtual loops cannot lag, so they are not watched. The kernel is asked about sockets on which something
    waits for an answer.

    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # With the socket to look at; None where the kernel does not tell.
        self._sockets: dict[Timeline, Any] = {}
        # When the first byte of what waits for an answer was written, in the order of writing; and when the
        # kernel was asked last about those that got none by then, in the order of asking.
        self._written: dict[Timeline, float] = {}
        self._unanswered: dict[Timeline, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._asleep = 0.0

    def watch(self, timeline: Timeline, sock: Any = None) -> None:
        """Record lags, and what the kernel says of the socket, in this timeline from now on."""
        self._sockets[timeline] = sock
        if self._timer is None:
            self._asleep = _time_asleep()
            self._schedule()

    def wrote(self, timeline: Timeline) -> None:
        """This end wrote something: unless the peer is heard, its kernel is asked."""
        # Written out: each frame comes along here.
        waiting = self._written
        since = waiting.get(timeline)
        if since is None:
            waiting = self._unanswered
            since = waiting.get(timeline)
        if since is not None:
            if timeline.opened + timeline.heard_at < since:
                return
            # What waited has its answer; this is what waits now.
            del waiting[timeline]
        self._written[timeline] = self._loop.time()

    def forget(self, timeline: Timeline) -> None:
        """Stop recording in this timeline; the last one stops the watch."""
        if self._timer is not None:
            # What ended the connection may be the very lag or sleep that the next look would have found:
            # in this timeline only, as a thousand ends at once are not to be a thousand lags in each.
            self._look([timeline])
        for kept in (self._sockets, self._written, self._unanswered):
            kept.pop(timeline, None)
        if not self._sockets and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self._timer = self._loop.call_later(_INTERVAL, self._tick)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to watch."""
        return not self._sockets

    def _tick(self) -> None:
        self._asleep += self._look(self._sockets)
        self._sample()
        self._schedule()

    def _sample(self) -> None:
        now = self._loop.time()
        for waiting, patience in ((self._written, UNANSWERED), (self._unanswered, _AGAIN)):
            due = list(takewhile(lambda timeline: waiting[timeline] <= now - patience, waiting))  # noqa: B023
            for timeline in due:
                since, sock = waiting.pop(timeline), self._sockets.get(timeline)
                if sock is not None and not _heard(timeline, since):
                    sample(timeline, sock, now)
                    self._unanswered[timeline] = now

    def _look(self, timelines: Iterable[Timeline]) -> float:
        """Record a lag or a sleep since the last tick; give the seconds slept."""
        assert self._timer is not None
        now = self._loop.time()
        lag = now - self._timer.when()
        slept = _time_asleep() - self._asleep
        if slept < _SLEPT and lag < _LAG:
            return slept
        for timeline in timelines:
            if slept >= _SLEPT:
                timeline.mark(now, EventKind.SUSPENDED, slept)
            if lag >= _LAG:
                timeline.mark(now, EventKind.LOOP_LAG, lag)
        return slept


def _heard(timeline: Timeline, since: float) -> bool:
    return timeline.opened + timeline.heard_at >= since


_monitors: dict[asyncio.AbstractEventLoop, LoopMonitor] = {}


def watch(loop: asyncio.AbstractEventLoop, timeline: Timeline, sock: Any = None) -> None:
    """Record the lags of the loop, and what the kernel says of the socket, in the timeline."""
    if timeline.tier is Tier.REAL:
        if loop not in _monitors:
            _monitors[loop] = LoopMonitor(loop)
        timeline.tcp_unseen = unseen(sock)
        _monitors[loop].watch(timeline, sock if timeline.tcp_unseen is None else None)


def wrote(loop: asyncio.AbstractEventLoop, timeline: Timeline) -> None:
    """Something was written on the connection of a timeline whose kernel can be asked."""
    if (monitor := _monitors.get(loop)) is not None:
        monitor.wrote(timeline)


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


def unseen(sock: Any) -> str | None:
    """Why the kernel tells nothing about a socket; None if it does."""
    if sys.platform != "linux":
        return f"only Linux tells (TCP_INFO), and this is {sys.platform}"
    if getattr(sock, "family", None) not in (socket.AF_INET, socket.AF_INET6):
        return "the transport has no TCP socket"
    if _tcp_info(sock) is None:
        return f"the socket cannot be asked (a {type(sock).__module__}.{type(sock).__name__})"
    return None


def sample(timeline: Timeline, sock: Any, now: float) -> None:
    """Record what the kernel says about a socket, if it says anything."""
    info = _tcp_info(sock)
    if info is not None:
        timeline.kernel(now, info, _send_queue(sock))


def _tcp_info(sock: Any) -> bytes | None:
    try:
        info: bytes = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
    except (OSError, AttributeError, NotImplementedError, TypeError):
        # Closed, of another kind, or one that only looks like a socket (uvloop's).
        return None
    return info if len(info) == TCP_INFO_SIZE else None


def _send_queue(sock: Any) -> int:
    """Bytes that are not acknowledged: SIOCOUTQ of tcp(7), which has the number of TIOCOUTQ."""
    import termios

    return _queue(sock, termios.TIOCOUTQ)


def unsent(sock: Any) -> int:
    """Bytes that the kernel has taken and not sent yet (Linux, ``SIOCOUTQNSD``); 0 where it does not tell."""
    return _queue(sock, _SIOCOUTQNSD) if sys.platform == "linux" else 0


def _queue(sock: Any, request: int) -> int:
    import fcntl

    try:
        answer: bytes = fcntl.ioctl(sock.fileno(), request, bytes(4))
    except (OSError, ValueError, AttributeError):
        return 0
    return int.from_bytes(answer, sys.byteorder)


def tcp_state(sock: Any) -> str | None:
    """The kernel's state of a TCP socket, such as ``CLOSE_WAIT``; None where it cannot be read."""
    if sys.platform != "linux" or getattr(sock, "family", None) not in (socket.AF_INET, socket.AF_INET6):
        return None
    info = _tcp_info(sock)
    return state_name(info) if info is not None else None
