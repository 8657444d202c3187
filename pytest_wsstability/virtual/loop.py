"""
The event loop that tests use: its clock jumps, and its network is in memory.

The clock stands still while anything can still happen at the current instant: a callback is ready, the
kernel has I/O ready, or something is in flight that the loop can't see (a job of an executor, a
subprocess, a `hold`). Then it jumps to the next timer, exactly, and releases that one timer.
Everything that follows from it runs before the next timer is released, even one due at the same instant.

"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import logging
import math
import os
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter, sleep
from typing import Any, TypeVar

from ..core.duration import show_duration
from .addresses import elsewhere
from .anyio_threads import any_busy, busy_workers, is_worker
from .asyncio_seam import (
    is_scheduled,
    make_timer,
    run_handle,
    run_ready,
    run_ready_timed,
    schedule_again,
    set_scheduled,
)
from .errors import REAL_TIME, VirtualDeadlock, VirtualTimeError
from .in_flight import HOLD, InFlight
from .leftovers import Jobs, Threads
from .memory_loop import MemoryLoop
from .timers import Order, Ties, TimerQueue
from .waiting import describe_spinning, describe_waiting, places_of, pollers

logger = logging.getLogger("pytest_wsstability.virtual")

T = TypeVar("T")

# A task that spins (`while not done: await sleep(0)`) never lets the ready callbacks run out. So that
# often, in turns, a timer that is due is released all the same, and is looked who polls. A prime number: what
# comes round every few turns is seen at each stage of it.
_CROWDED = 997

# Turns at one instant without I/O and with nothing in flight, after which the loop is taken to spin, and its
# clock goes to the next timer, where one task has stood in `sleep(0)` at each look (without the turns in
# which connections are opened or closed); and after which, without a timer, it is taken to spin for ever.
_SPINNING = 10_000
_SPINNING_FOR_EVER = 1_000_000
# The same where none has: messages that are answered one after the other, or connections that are opened, are
# work, enough for 10,000 of them. A client that comes back at once, again and again, never ends.
_SPINNING_BUSY = 100_000
# Instants between two looks of who wants to know that the clock moves.
_MANY = 1024

# How long to stand still, in real seconds, before the log says what for.
_PATIENCE = 10.0

# For what is in flight the clock stands still for so many real seconds; then it keeps pace with real time,
# for so many in all: what never ends, or waits for a timer itself, must not stop a test for ever. Nor must
# what comes again at once, as a job that asks a queue for a second: at one instant it is waited for as long.
_STANDSTILL = 2.0
_PACED = 60.0

# A timer that is so far away, in seconds, is one that a test has asked for; keepalive timers are nearer.
_ASKED = 3600.0

# Seconds beyond what a test has asked for, after which it is taken to wait for something that never comes.
HORIZON = 24 * 3600.0

# Timers in all, outside of holds, after which a loop that looks again and again is taken to wait for
# something that never comes: some 20 real seconds. More, in proportion, where the horizon is longer.
_MOST_TIMERS = 2_000_000

# What is raised instead of an error of concurrent.futures, as asyncio's own loops do (asyncio/futures.py).
_AS_ASYNCIO: dict[type[BaseException], type[BaseException]] = {
    concurrent.futures.CancelledError: asyncio.CancelledError,
    concurrent.futures.InvalidStateError: asyncio.InvalidStateError,
}

# Seconds of real time in which a thread with a database answers, and between two looks whether it has.
_LATE, _LATE_LOOK = 0.5, 0.01

# What is in flight.
_JOB = "executor job"
_SUBPROCESS = "subprocess"


class VirtualLoop(MemoryLoop):
    """
    An asyncio event loop in virtual time.

    TCP connections stay in memory: `create_server`, `create_connection`, `start_tls` and what is built on
    them work as usual, between servers and clients of this loop. What would leave it raises
    `VirtualTimeError`. Unix sockets and pipes are the kernel's.

    Args:
        order: which of several timers due at exactly the same instant comes first: the one scheduled
            first (``"fifo"``), the one scheduled last (``"lifo"``) or a ``"random"`` one.
        seed: for ``order="random"``.
        horizon: seconds beyond what was asked for (timers of an hour or more, set by the coroutine that the
            loop runs or by others within an hour after), after which it is given up; so it is after two
            million timers outside of holds, or more where the horizon is longer than a day.
        tick: seconds that pass in each turn of the loop, for code that wants its clock to move; 0 for none.

    Attributes:
        is_virtual: True; other loops don't have it.
        ties: the instants at which the order mattered; see `Ties`.
        spins: the instants from which the clock moved on though a task never let the loop come to rest, with
            the place in the code where it spins.
        jobs: of executors, as long as they run.
        on_moves: called each 1,024 instants to which the clock moves; None calls nothing.

    """

    is_virtual = True

    # Whether it is closed: asyncio says it by a method, and each timer asks.
    _over = False

    def __init__(
        self, *, order: Order = "fifo", seed: int = 0, horizon: float = HORIZON, tick: float = 0.0
    ) -> None:
        if not horizon > 0:
            raise ValueError(f"horizon={horizon!r}: give seconds above 0")
        if not 0 <= tick < 1:
            raise ValueError(f"tick={tick!r}: give seconds from 0 on, below 1")
        self._timers = TimerQueue(order, seed)
        self._now = 0.0
        self._tick = tick
        self._horizon = horizon
        # Timers that have moved the clock outside of holds, and how many may.
        self._moves = 0
        # Instants to which the clock has moved in all.
        self._instants = 0
        self.on_moves: Callable[[], object] | None = None
        self._most_moves = int(_MOST_TIMERS * max(1.0, horizon / HORIZON)) if horizon < math.inf else math.inf
        # What run_until_complete runs, and the instants until which that, and anybody, has asked for time.
        self._main: asyncio.Future[Any] | None = None
        self._main_asked = self._asked = 0.0
        # The instant until which a hold lasts.
        self._held = 0.0
        # Turns since the loop was at rest, the clock moved or the kernel had something.
        self._turns = 0
        self._moved = False
        # Whether this turn is the last one.
        self._ends = False
        self._in_flight = InFlight(self.awaken)
        self.jobs = Jobs()
        # What another thread or a signal handler did; the next turn raises it.
        self._failure: BaseException | None = None
        # Real seconds in which what is left may still wait for a thread that was found late; None before.
        self._late_left: float | None = None
        # The thread that asks for late ones while the loop does not run; None while nobody does.
        self._asker: int | None = None
        # Signals that have a handler: they can always come.
        self._signals: set[int] = set()
        self.ties = Ties()
        self.spins: list[tuple[float, str]] = []
        # Turns after which the clock moves though the loop never rests: fewer once it was found to spin.
        self._spinning = _SPINNING
        # Who has stood in `sleep(0)` at each look, by name; what `changes` was at the last one.
        self._pollers, self._changes_seen = set[str](), 0
        # Real seconds for which the clock has kept pace with what is in flight.
        self._paced = 0.0
        # Real seconds for which it has stood still at an instant, and that instant.
        self._stood, self._stood_at = 0.0, 0.0
        super().__init__()

    def __repr__(self) -> str:
        state = "closed" if self.is_closed() else "running" if self.is_running() else "idle"
        return f"<{type(self).__name__} {state} t={self._now:.9g} timers={len(self._timers)}>"

    def close(self) -> None:
        """As in asyncio."""
        super().close()
        if self.is_closed():
            self._over = True
            self._timers.clear()

    # The clock and its timers.

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
        if self.thread not in (None, threading.get_ident()):
            raise VirtualTimeError(
                f"loop.hold() entered in thread {threading.current_thread().name!r}, where virtual time may "
                f"have passed already; enter it in the loop's thread, before the other one starts"
            )
        with self._in_flight.one(HOLD):
            yield

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio."""
        if self._over:
            self.refuse_if_closed()
        if self.debugging:
            self.check_callback(callback, "call_at")
        timer = make_timer(when, callback, args, self, context)
        if when - self._now >= _ASKED:
            self._push_far(when, timer)
        else:
            self._timers.push(when, timer)
        return timer

    def call_again(self, timer: asyncio.TimerHandle, when: float) -> None:
        """Let a timer that has come, and was not cancelled, come once more: no other one is made."""
        if self._over:
            self.refuse_if_closed()
        schedule_again(timer, when)
        if when - self._now >= _ASKED:
            self._push_far(when, timer)
        else:
            self._timers.push(when, timer)

    def _push_far(self, when: float, timer: asyncio.TimerHandle) -> None:
        """Add a timer of an hour or more; one without an end, such as `sleep(math.inf)`, never comes."""
        if when == math.inf:
            set_scheduled(timer, False)
        else:
            self._timers.push(when, timer)
            self._note_asked(when)

    def ask_until(self, when: float) -> None:
        """Say that a hold lasts until an instant, though it be made of many waits: see the horizon."""
        self._held = max(self._held, when)
        self._asked = max(self._asked, when)

    def _note_asked(self, when: float) -> None:
        if self._main is not None and asyncio.current_task(self) is self._main:
            self._main_asked = max(self._main_asked, when)
        elif self._now >= self._main_asked + _ASKED:
            # A daily job of a server must not keep a test alive for ever.
            return
        self._asked = max(self._asked, when)

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """As in asyncio; see `VirtualLoop` for its horizon."""
        self.refuse_if_closed()
        if self.is_running():
            raise RuntimeError(
                "this event loop is running already, and nest_asyncio nests no run in another in virtual "
                "time: await it instead, or run in real time (--ws-time real)"
            )
        before = self._main
        self._main_asked = self._asked = self._now
        self._moves = 0
        if asyncio.isfuture(future):
            self._main = future
        else:
            future = self._as_main(future)
        try:
            result: T = super().run_until_complete(future)
            return result
        except VirtualTimeError:
            if self._main is not None and not self._main.done():
                # It may end while another runs, such as the end of a fixture, and is no error of that.
                self._main.add_done_callback(_forget_error)
            raise
        finally:
            self._main = before

    async def _as_main(self, awaitable: Generator[Any, None, T] | Awaitable[T]) -> T:
        self._main = asyncio.current_task(self)
        result: T = await awaitable  # type: ignore[misc]
        return result

    def note_cancelled_timer(self, handle: asyncio.TimerHandle) -> None:
        if is_scheduled(handle):
            self._timers.note_cancelled()

    def call_soon_threadsafe(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As in asyncio, but another thread must not come when the clock has moved on without it."""
        if self._moved and self._late_left is None and self._is_foreign() and not self._is_expected():
            self._late_left, self._failure = _LATE, self._failure or self._passed_by(callback)
        return super().call_soon_threadsafe(callback, *args, context=context)

    def late_thread(self) -> BaseException | None:
        """
        What is wrong where a thread wakes the loop that virtual time has passed by; None where none does.

        One that was started since the loop was made, and runs, gets a moment of real time for it.

        """
        self._asker, until = threading.get_ident(), perf_counter() + _LATE
        while self._moved and self._failure is None and perf_counter() < until:
            if not self.network.unix.has_threads():
                break
            sleep(_LATE_LOOK)
        self._asker = None
        failure, self._failure = self._failure, None
        return failure

    def forget_late_thread(self) -> None:
        """Tell of the next thread that is late again; what a former test has spoiled is over."""
        self._late_left = None

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
        # Of a loop that does not run, whoever asks for late threads.
        own = self.thread if self.thread is not None else self._asker
        return own is not None and own != threading.get_ident()

    def _is_expected(self) -> bool:
        """Whether the clock has stood still for the thread that calls."""
        return self._in_flight.total > 0 or is_worker(threading.current_thread(), self)

    # Signals.

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

    def run_turn(self) -> None:
        """
        One turn, and those that follow until the loop is to stop.

        asyncio asks for nothing else between two of them, and takes longer to ask than many a turn takes.

        """
        ready, in_flight, take_due = self.ready, self._in_flight, self._timers.take_due
        self._ends = self.is_stopping
        while True:
            self._turns += 1
            if self._tick:
                self._now += self._tick
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if self.asks_kernel or self._signals or in_flight.total:
                self._poll(0)
            timer = None
            if ready:
                if self._turns % _CROWDED == 0:
                    self._release_crowded()
            elif not self._ends:
                # All is quiet: nobody spins, and the next timer of this instant comes, or the next instant.
                self._turns, self._spinning = 0, _SPINNING
                timer = take_due()
                if timer is None:
                    timer = self._move_on()
            if self.debugging:
                self._run_slowly(timer)
            elif timer is not None:
                run_handle(timer)
            else:
                run_ready(ready)
            if self._ends:
                return

    def stop(self) -> None:
        """As in asyncio."""
        super().stop()
        self._ends = True

    def _run_slowly(self, timer: asyncio.Handle | None) -> None:
        """As asyncio's debug mode, whose slow callbacks virtual time itself can't see."""
        if timer is not None:
            self.ready.append(timer)
        for handle, took in run_ready_timed(self.ready):
            if took >= self.slow_callback_duration:
                logger.warning("executing %r took %.3f real seconds", handle, took)
        # See `run_ready`.
        handle = None  # type: ignore[assignment]

    def _move_on(self) -> asyncio.TimerHandle | None:
        """Give the next timer, and go to its instant, unless something in flight has to be waited for."""
        when = self._timers.next_instant()
        if when is not None and when <= self._now:
            return self._timers.pop()
        if self._in_flight.total or any_busy(self) or (self.asks_kernel and self.network.unix.leading_out()):
            self._stand_still(when)
        elif self.asks_kernel and self._poll(0):
            # An end outside is gone, and has written something since the kernel was asked.
            pass
        elif when is not None:
            return self._move(when)
        elif self.asks_kernel or self._signals:
            self._stand_still(None)
        elif not self._wait_for_late():
            raise self._deadlock(
                "stands still",
                "no callback is ready, no timer is set, nothing is in flight",
                f"if another thread is to wake it, put that in `with loop.hold():`; otherwise {REAL_TIME}",
            )
        return None

    def _wait_for_late(self) -> bool:
        """Whether a thread that has been told of gets a moment: what it spoiled has to end all the same."""
        if not self._late_left or not self.network.unix.has_threads():
            return False
        start = perf_counter()
        self._poll(_LATE_LOOK)
        self._late_left = max(0.0, self._late_left - (perf_counter() - start))
        return True

    def _move(self, when: float) -> asyncio.TimerHandle:
        """Let the clock go to the next timer, and give that."""
        if when > self._held:
            self._moves += 1
            beyond = when > self._asked + self._horizon or self._moves > self._most_moves
            if beyond and self._main is not None:
                # What the loop runs has had all the time that it asked for, and waits still.
                raise self._given_up(when)
        tied = self._timers.tied()
        if tied > 1:
            self.ties.record(when, tied)
        self._instants += 1
        if not self._instants % _MANY and self.on_moves is not None:
            self.on_moves()
        self._now = when
        self._moved = True
        self._turns = 0
        return self._timers.pop()

    def _given_up(self, when: float) -> VirtualDeadlock:
        if when > self._asked + self._horizon:
            moved = f"for {show_duration(self._horizon)} beyond what was asked for, only timers"
        else:
            moved = f"{self._moves:,} times, and outside of any hold, only timers"
        return self._deadlock(
            "is given up",
            f"{moved} that are set anew have moved it",
            'bound the wait, such as recv(within="10s") or asyncio.timeout(10), or raise the ini option '
            "ws_virtual_horizon",
        )

    def _release_crowded(self) -> None:
        """The loop has not come to rest for a while: somebody may spin."""
        self._look_for_pollers()
        timer, when = self._timers.take(self._now), self._timers.next_instant()
        if timer is not None:
            self.ready.append(timer)
        elif (
            self._turns < self._spinning
            or self._in_flight.total
            or any_busy(self)
            or (self.asks_kernel and self.network.unix.leading_out())
        ):
            return
        elif when is not None:
            self._note_spin()
            self.ready.append(self._move(when))
        elif self._turns >= _SPINNING_FOR_EVER:
            self._turns = 0
            raise self._deadlock(
                "stands still",
                f"the loop turned {_SPINNING_FOR_EVER:,} times without a timer or I/O: a busy sleep(0) loop",
                f"wait with a timer, such as sleep(0.01), or for an event; otherwise {REAL_TIME}",
            )

    def _look_for_pollers(self) -> None:
        """
        As long as no task stands in `sleep(0)` at each look, what keeps the loop from rest is work.

        Where one does, it may wait for connections: turns in which some are opened or closed do not count.

        """
        here = pollers(self)
        still = self._pollers & here
        if self._spinning != _CROWDED:
            if not still:
                self._spinning = min(self._turns + _SPINNING, _SPINNING_BUSY)
            elif self.changes != self._changes_seen:
                self._spinning = min(self._spinning + _CROWDED, _SPINNING_BUSY)
        self._pollers, self._changes_seen = still or here, self.changes

    def _note_spin(self) -> None:
        if self._spinning != _CROWDED:
            place = describe_spinning(self, self._pollers)
            self.spins.append((self._now, place))
            logger.warning(
                "t=%.9g s: %s turned the loop %s times; the clock goes on",
                self._now,
                place,
                f"{self._turns:,}",
            )
        self._spinning = _CROWDED

    def _deadlock(self, what: str, problem: str, advice: str) -> VirtualDeadlock:
        waiting = describe_waiting(self, self._main)
        return VirtualDeadlock(what, problem, at=self._now, waiting=waiting, advice=advice)

    # The kernel, and what is in flight.

    def _poll(self, timeout: float) -> bool:
        events = self.selector.select(timeout)
        if events:
            self._turns = 0
            self.process_events(events)
        return bool(events)

    def _stand_still(self, when: float | None) -> None:
        """
        Wait in real time for the kernel or another thread.

        Not for ever if a timer waits: the clock then goes to it as late as it would in real time, so that no
        timeout comes that would not come there.

        """
        start, patience = perf_counter(), _PATIENCE
        if self._stood_at != self._now:
            self._stood, self._stood_at = 0.0, self._now
        gap = self._real_gap(when)
        while not self._poll(max(0.0, min(gap, patience) - (perf_counter() - start))) and not self.ready:
            waited = perf_counter() - start
            if when is not None and waited >= gap:
                self._keep_pace(when, gap)
                return
            if waited >= patience:
                reason = self._describe_in_flight() or "other threads, file descriptors or signals"
                logger.warning(
                    "t=%.9g s since %.0f real seconds: waiting for %s", self._now, patience, reason
                )
                patience *= 2
        # What nobody waits for in vain, as work in a `hold`, may take as long as it likes.
        if gap < math.inf:
            self._stood += perf_counter() - start

    def _real_gap(self, when: float | None) -> float:
        """Real seconds after which the clock may go to an instant though something is in flight."""
        if when is None or self._in_flight.is_held:
            return math.inf
        # A job ends by itself, and mostly soon; what comes over a Unix socket may never come.
        least = _STANDSTILL if self._in_flight.total or any_busy(self) else 0.0
        return min(max(when - self._now, least), self._pace_left())

    def _pace_left(self) -> float:
        return _PACED - self._paced - self._stood

    def _keep_pace(self, when: float, waited: float) -> None:
        if waited >= self._pace_left():
            self._paced = self._stood = 0.0
            reason = self._describe_in_flight()
            if places := places_of(self._working()):
                reason += f" ({', '.join(places)})"
            what = f"has waited for {show_duration(_PACED)} of real time"
            raise self._deadlock(what, reason, f"let that end first, or {REAL_TIME}")
        self._paced += waited
        self.ready.append(self._move(when))

    def _working(self) -> Iterator[threading.Thread]:
        """The threads that do something for the loop."""
        yield from filter(self.jobs.run_in, threading.enumerate())
        yield from busy_workers(self)

    def _describe_in_flight(self) -> str:
        things = [self._in_flight.describe()] if self._in_flight.total else []
        numbers = self.network.unix.leading_out()
        if numbers:
            shown = ", ".join(map(str, numbers))
            things.append(
                f"Unix sockets with their other end in another thread or process (descriptors {shown})"
            )
        return " and ".join(things) or ("anyio worker threads" if any_busy(self) else "")

    # Jobs take real time, so the clock stands still for them.

    def run_in_executor(  # type: ignore[override]
        self, executor: concurrent.futures.Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As in asyncio; the clock stands still until the job is done, even if nobody waits for it."""
        self.refuse_if_closed()
        if self.get_debug():
            self.check_callback(func, "run_in_executor")
        executor = executor or self._executor()
        # Before the job: it may call the loop from its thread at once.
        self._in_flight.start(_JOB)
        try:
            job = executor.submit(self.jobs.run, func, *args)
        except BaseException:
            self._in_flight.finish(_JOB)
            raise
        result: asyncio.Future[T] = self.create_future()
        result.add_done_callback(lambda result: result.cancelled() and job.cancel())
        job.add_done_callback(partial(self._job_done, result))
        return result

    def _executor(self) -> concurrent.futures.Executor:
        self.refuse_without_executor()
        if self.default_executor is None:
            self.set_default_executor(Threads(self.jobs))
        assert self.default_executor is not None
        return self.default_executor

    def _job_done(self, result: asyncio.Future[T], job: concurrent.futures.Future[T]) -> None:
        """Called in the job's thread."""
        try:
            self.call_soon_threadsafe(self._land, result, job)
        except RuntimeError:
            if not self.is_closed():
                raise

    def _land(self, result: asyncio.Future[T], job: concurrent.futures.Future[T]) -> None:
        self._in_flight.finish(_JOB)
        if result.cancelled():
            return
        if job.cancelled():
            result.cancel()
        elif (error := job.exception()) is not None:
            as_asyncio = _AS_ASYNCIO.get(type(error))
            result.set_exception(as_asyncio(*error.args) if as_asyncio is not None else error)
        else:
            result.set_result(job.result())

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As in asyncio, which joins the executor in a thread of its own; see `Threads`."""
        with self.hold():
            await super().shutdown_default_executor(*() if timeout is None else (timeout,))

    async def start_subprocess(self, protocol: Any, args: Any, *rest: Any, **options: Any) -> Any:
        """As in asyncio, but not told of an address in memory; the clock stands still until it has ended."""
        words = [args] if isinstance(args, str | bytes) else [*args]
        words += (options.get("env") or {}).values()
        for word in map(os.fsdecode, words):
            if (address := self.network.named_in(word)) is not None:
                raise elsewhere(address)
        self._in_flight.start(_SUBPROCESS)
        try:
            return await super().start_subprocess(protocol, args, *rest, **options)
        except BaseException:
            self._in_flight.finish(_SUBPROCESS)
            raise

    def subprocess_ended(self, pid: int, returncode: int, transport: Any) -> None:
        """As in asyncio."""
        super().subprocess_ended(pid, returncode, transport)
        self.call_soon(self._in_flight.finish, _SUBPROCESS)


def _forget_error(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
