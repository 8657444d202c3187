"""Timers in the order in which virtual time releases them."""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from typing import Literal, get_args

from .asyncio_seam import is_cancelled, set_scheduled

Order = Literal["fifo", "lifo", "random"]

# As in asyncio.base_events: fewer timers than this are never worth a clean-up.
_FEW = 100


class Ties:
    """
    Instants at which several timers were due at exactly the same time.

    What happened there depended on their order, which in real time would be chance.

    """

    # How many instants are kept; ``count`` goes on.
    KEPT = 64

    def __init__(self) -> None:
        self.count = 0
        """How many such instants there were."""

        self.instants: deque[tuple[float, int]] = deque(maxlen=self.KEPT)
        """The latest of them: (seconds of ``loop.time()``, number of timers)."""

    def __repr__(self) -> str:
        return f"Ties(count={self.count}, instants={list(self.instants)})"

    def record(self, instant: float, timers: int) -> None:
        """Note that so many timers were due at an instant."""
        self.count += 1
        self.instants.append((instant, timers))


class TimerQueue:
    """
    Instants in a heap, and for each of them its timers in the order in which they were scheduled.

    Round intervals make many timers meet: a thousand heartbeats are one instant, and cost the heap one
    comparison of floats, where a heap of handles would compare thousands of them, and in Python.

    """

    def __init__(self, order: Order, seed: int) -> None:
        if order not in get_args(Order):
            raise ValueError(f"order={order!r} is not one of {', '.join(map(repr, get_args(Order)))}")
        self._instants: list[float] = []
        self._timers: dict[float, list[asyncio.TimerHandle]] = {}
        self._size = 0
        # How many of them are cancelled and still there.
        self._cancelled = 0
        rng = random.Random(seed)
        choices: dict[Order, Callable[[int], int]] = {
            "fifo": lambda size: 0,
            "lifo": lambda size: size - 1,
            "random": rng.randrange,
        }
        # Which of several timers of one instant comes first.
        self._choose, self._is_fifo = choices[order], order == "fifo"
        # The timers of the instant that came last, while no earlier one was set since.
        self._due: list[asyncio.TimerHandle] = []
        self._due_at = -math.inf

    def __len__(self) -> int:
        return self._size

    def push(self, when: float, timer: asyncio.TimerHandle) -> None:
        """Add a timer for an instant."""
        self._size += 1
        timers = self._timers.get(when)
        if timers is None:
            self._timers[when] = [timer]
            heapq.heappush(self._instants, when)
            if when < self._due_at:
                self._due = []
        else:
            timers.append(timer)

    def next_instant(self) -> float | None:
        """The instant of the next timer that is not cancelled; None without one."""
        while self._instants:
            when = self._instants[0]
            timers = self._timers[when]
            while self._cancelled and timers and is_cancelled(timers[0]):
                del timers[0]
                self._size -= 1
                self._cancelled -= 1
            if timers:
                return when
            del self._timers[heapq.heappop(self._instants)]
        return None

    def take_due(self) -> asyncio.TimerHandle | None:
        """
        Take the next timer of the instant that came last, where that takes no looking.

        That is the rule: of a fleet, a thousand timers of one instant are taken one by one. Where this gives
        None, `take` may give one all the same.

        """
        due = self._due
        if not due or not self._is_fifo or (self._cancelled and is_cancelled(due[0])):
            return None
        self._size -= 1
        timer = due.pop(0)
        set_scheduled(timer, False)
        return timer

    def take(self, now: float) -> asyncio.TimerHandle | None:
        """Take the next timer if its instant has come; None if not, or without one."""
        when = self.next_instant()
        return self.pop() if when is not None and when <= now else None

    def pop(self) -> asyncio.TimerHandle:
        """Take the next timer; `next_instant` has said that there is one."""
        self._due_at = self._instants[0]
        self._due = timers = self._timers[self._due_at]
        while True:
            timer = timers.pop(self._choose(len(timers)) if len(timers) > 1 else 0)
            self._size -= 1
            set_scheduled(timer, False)
            if not self._cancelled or not is_cancelled(timer):
                return timer
            self._cancelled -= 1

    def tied(self) -> int:
        """How many timers that are not cancelled share the next instant."""
        timers = self._timers[self._instants[0]]
        if not self._cancelled or len(timers) == 1:
            return len(timers)
        return sum(not is_cancelled(timer) for timer in timers)

    def note_cancelled(self) -> None:
        """A timer was cancelled; when they are the majority, clear them out."""
        self._cancelled += 1
        if self._cancelled * 2 > self._size > _FEW:
            for when, timers in self._timers.items():
                self._timers[when] = [timer for timer in timers if not is_cancelled(timer)]
            self._due = []
            self._size = sum(map(len, self._timers.values()))
            # asyncio tells of a timer before it is cancelled: this one is still there.
            self._cancelled = 1

    def clear(self) -> None:
        """Drop all timers."""
        self._instants.clear()
        self._timers.clear()
        self._due = []
        self._size = self._cancelled = 0
