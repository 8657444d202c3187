"""
The event loop whose clock jumps.

The clock stands still while anything can still happen at the current instant: a callback is ready, the
kernel has I/O ready, or something is in flight that the loop can't see (a job of an executor, a
subprocess, a `hold`). Then it jumps to the next timer, exactly, and releases that one timer.
Everything that follows from it runs before the next timer is released, even one due at the same instant.

"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import selectors
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from .errors import REAL_TIME, VirtualDeadlock, VirtualTimeError
from .in_flight import InFlight
from .private import check_asyncio
from .timers import Order, Ties, TimerQueue
from .waiting import describe_waiting
from .workers import any_busy, is_worker

logger = logging.getLogger("pytest_wsstability.virtual")

# Turns of the loop at one instant without I/O, after which it is taken to spin.
_SPINNING = 1_000_000

# A task that spins (`while not done: await sleep(0)`) never lets the ready callbacks run out. So that
# often, in turns, a timer that is due is released all the same.
_CROWDED = 1_000

# How long to stand still, in real seconds, before the log says what for.
_PATIENCE = 10.0


class ClockLoop(asyncio.SelectorEventLoop):
    """
    A selector event loop in virtual time; `VirtualLoop` adds the network to it.

    Args:
        order: which of several timers due at exactly the same instant comes first: the one scheduled
            first (``"fifo"``), the one scheduled last (``"lifo"``) or a ``"random"`` one.
        seed: for ``order="random"``.

    """

    is_virtual = True

    # Declared by asyncio, but not in its published types; see private.py.
    _debug: bool
    _ready: deque[asyncio.Handle]
    _selector: selectors.BaseSelector
    _stopping: bool
    _thread_id: int | None
    _process_events: Callable[[Any], None]
    _write_to_self: Callable[[], None]
    _check_closed: Callable[[], None]
    slow_callback_duration: float

    # For asyncio's destructor, if the constructor fails.
    _closed = True

    # asyncio's constructor already registers the self-pipe.
    _kernel = False

    def __init__(self, *, order: Order = "fifo", seed: int = 0) -> None:
        check_asyncio()
        self._timers = TimerQueue(order, seed)
        self._now = 0.0
        self._turns = 0
        self._moved = False
        self._in_flight = InFlight(self._awaken)
        # What another thread or a signal handler did; the next turn raises it.
        self._failure: BaseException | None = None
        # Signals that have a handler: they can always come.
        self._signals: set[int] = set()
        self.ties = Ties()
        super().__init__()

    def __repr__(self) -> str:
        state = "closed" if self.is_closed() else "running" if self.is_running() else "idle"
        return f"<{type(self).__name__} {state} t={self._now:.9g} timers={len(self._timers)}>"

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    @contextmanager
    def hold(self) -> Iterator[None]:
        """
        Keep the clock from moving while another thread works for this loop.

        Enter it in the loop's thread, before the other thread starts; leave it anywhere.

        Raises:
            VirtualTimeError: if entered in another thread while the loop runs: the clock may have moved.

        """
        if self._thread_id not in (None, threading.get_ident()):
            raise VirtualTimeError(
                f"loop.hold() entered in thread {threading.current_thread().name!r}, where virtual time may "
                f"have passed already; enter it in the loop's thread, before the other one starts"
            )
        with self._in_flight.one("loop.hold()"):
            yield

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio."""
        self._check_closed()
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers.push(when, timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._timers.note_cancelled()

    def call_soon_threadsafe(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As in asyncio, but another thread must not come when the clock has moved on without it."""
        if self._moved and self._is_foreign() and not self._is_expected():
            self._failure = self._failure or self._passed_by(callback)
        return super().call_soon_threadsafe(callback, *args, context=context)

    def _passed_by(self, callback: Callable[..., object]) -> VirtualTimeError:
        thread = threading.current_thread().name
        return VirtualTimeError(
            f"thread {thread!r} woke the loop with {callback!r} after virtual time had moved to "
            f"t={self._now:.9g} s without it: timeouts may have fired that would not in real time; put the "
            f"thread's work in `with loop.hold():`, use asyncio.to_thread, or {REAL_TIME}"
        )

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """As in asyncio, but what no program should survive is raised by the next turn and not logged."""
        error = context.get("exception")
        if error is None or isinstance(error, Exception | asyncio.CancelledError):
            super().call_exception_handler(context)
        else:
            # pytest-timeout fails a test from a signal handler, which may run inside any callback.
            self._failure = error

    def _is_foreign(self) -> bool:
        return self._thread_id is not None and self._thread_id != threading.get_ident()

    def _is_expected(self) -> bool:
        """Whether the clock has stood still for the thread that calls."""
        return self._in_flight.total > 0 or is_worker(threading.current_thread(), self)

    def _awaken(self) -> None:
        """End the wait for the kernel; called in any thread."""
        self._write_to_self()

    def close(self) -> None:
        """As in asyncio."""
        super().close()
        if self.is_closed():
            self._timers.clear()

    # Which descriptors of the kernel are watched decides whether it must be asked at every turn.

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        handle: asyncio.Handle = super()._add_reader(fd, callback, *args)  # type: ignore[misc]
        self._note_descriptors()
        return handle

    def _add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        handle: asyncio.Handle = super()._add_writer(fd, callback, *args)  # type: ignore[misc]
        self._note_descriptors()
        return handle

    def _remove_reader(self, fd: Any) -> bool:
        removed: bool = super()._remove_reader(fd)  # type: ignore[misc]
        self._note_descriptors()
        return removed

    def _remove_writer(self, fd: Any) -> bool:
        removed: bool = super()._remove_writer(fd)  # type: ignore[misc]
        self._note_descriptors()
        return removed

    def _note_descriptors(self) -> None:
        if not self.is_closed():
            # One is always there: the self-pipe.
            self._kernel = len(self._selector.get_map()) > 1

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """As in asyncio; from now on the loop waits for signals rather than calling it a deadlock."""
        super().add_signal_handler(sig, callback, *args)
        self._signals.add(sig)

    def remove_signal_handler(self, sig: int) -> bool:
        """As in asyncio."""
        self._signals.discard(sig)
        return super().remove_signal_handler(sig)

    # One turn.

    def _run_once(self) -> None:
        ready = self._ready
        self._turns += 1
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._kernel or self._signals or self._in_flight.total:
            self._poll(0)
        if not ready:
            if not self._stopping:
                self._release()
        elif self._turns % _CROWDED == 0:
            self._release_crowded()
        if self._debug:
            self._run_ready_slowly()
            return
        # Callbacks that these make ready belong to the next turn, as in asyncio.
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _run_ready_slowly(self) -> None:
        """As asyncio's debug mode, whose slow callbacks virtual time itself can't see."""
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if handle._cancelled:
                continue
            start = perf_counter()
            handle._run()
            took = perf_counter() - start
            if took >= self.slow_callback_duration:
                logger.warning("executing %r took %.3f real seconds", handle, took)

    def _release(self) -> None:
        """All is quiet: let the next timer come, or wait for what is in flight."""
        when = self._timers.next_instant()
        if when is not None and when <= self._now:
            self._ready.append(self._timers.pop())
        elif self._in_flight.total or any_busy(self):
            self._wait()
        elif when is not None:
            tied = self._timers.tied()
            if tied > 1:
                self.ties.record(when, tied)
            self._now = when
            self._moved = True
            self._turns = 0
            self._ready.append(self._timers.pop())
        elif self._kernel or self._signals:
            self._wait()
        else:
            raise self._deadlock(
                "no callback is ready, no timer is set, nothing is in flight",
                f"if another thread is to wake it, put that in `with loop.hold():`; otherwise {REAL_TIME}",
            )

    def _release_crowded(self) -> None:
        when = self._timers.next_instant()
        if when is not None and when <= self._now:
            self._ready.append(self._timers.pop())
        elif self._turns >= _SPINNING and not self._in_flight.total:
            self._turns = 0
            raise self._deadlock(
                f"the loop turned {_SPINNING:,} times without a timer or I/O: a busy sleep(0) loop",
                f"wait with a timer, such as sleep(0.01), or for an event; otherwise {REAL_TIME}",
            )

    def _deadlock(self, problem: str, advice: str) -> VirtualDeadlock:
        return VirtualDeadlock(problem, at=self._now, waiting=describe_waiting(self), advice=advice)

    # The kernel, and what is in flight.

    def _poll(self, timeout: float) -> bool:
        events = self._selector.select(timeout)
        if events:
            self._turns = 0
            self._process_events(events)
        return bool(events)

    def _wait(self) -> None:
        """Wait in real time for the kernel or another thread."""
        patience = _PATIENCE
        while not self._poll(patience) and not self._ready:
            reason = self._in_flight.describe() or "other threads, file descriptors or signals"
            logger.warning("t=%.9g s since %.0f real seconds: waiting for %s", self._now, patience, reason)
            patience *= 2
