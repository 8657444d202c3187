"""Timers in the order in which virtual time releases them."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from itertools import count
from typing import Literal, get_args

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
    A heap of (instant, rank, handle).

    The rank decides between equal instants: a bare heap of handles would decide by accident. Tuples also
    compare in C, where handles compare in Python.

    """

    def __init__(self, order: Order, seed: int) -> None:
        if order not in get_args(Order):
            raise ValueError(f"order={order!r} is not one of {', '.join(map(repr, get_args(Order)))}")
        self._heap: list[tuple[float, float, asyncio.TimerHandle]] = []
        self._cancelled = 0
        sequence = count()
        rng = random.Random(seed)
        ranks = {
            "fifo": lambda: next(sequence),
            "lifo": lambda: -next(sequence),
            "random": rng.random,
        }
        self._rank = sequence.__next__ if order == "fifo" else ranks[order]

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, when: float, handle: asyncio.TimerHandle) -> None:
        """Add a timer for an instant."""
        heapq.heappush(self._heap, (when, self._rank(), handle))

    def pop(self) -> asyncio.TimerHandle:
        """Take the next timer; `next_instant` has said that there is one."""
        return heapq.heappop(self._heap)[2]

    def next_instant(self) -> float | None:
        """The instant of the next timer that is not cancelled; None without one."""
        heap = self._heap
        while heap:
            when, _, handle = heap[0]
            if not handle._cancelled:
                return when
            heapq.heappop(heap)
            self._cancelled -= 1
        return None

    def tied(self) -> int:
        """How many timers that are not cancelled share the next instant."""
        heap = self._heap
        instant = heap[0][0]
        # In a heap an entry can equal the smallest only if its parent does.
        size = len(heap)
        if (size < 2 or heap[1][0] != instant) and (size < 3 or heap[2][0] != instant):
            return 1
        tied, unseen = 0, [0]
        while unseen:
            index = unseen.pop()
            if index < len(heap) and heap[index][0] == instant:
                tied += not heap[index][2]._cancelled
                unseen += (2 * index + 1, 2 * index + 2)
        return tied

    def note_cancelled(self) -> None:
        """A timer was cancelled; when they are the majority, clear them out."""
        self._cancelled += 1
        if self._cancelled * 2 > len(self._heap) > _FEW:
            self._heap = [entry for entry in self._heap if not entry[2]._cancelled]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def clear(self) -> None:
        """Drop all timers."""
        self._heap.clear()
        self._cancelled = 0
