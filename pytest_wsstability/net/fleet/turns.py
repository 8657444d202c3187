"""Much to do at one instant, done in turns of the loop: between two of them what is open has its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


async def in_turns(items: Iterable[T], at_once: int) -> AsyncIterator[T]:
    """Give items, so many in each turn of the loop."""
    for number, item in enumerate(items):
        if number and number % at_once == 0:
            await asyncio.sleep(0)
        yield item


class Turns(Generic[T]):
    """
    Takes what is to be done, and does so many in each turn of the loop, in their order.

    Args:
        do: does one.
        at_once: how many in a turn.

    """

    def __init__(self, do: Callable[[T], object], at_once: int) -> None:
        self._do, self._at_once = do, at_once
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[T] = deque()
        self._is_due = False

    def add(self, item: T) -> None:
        """One more, from the next turn on."""
        self._waiting.append(item)
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._turn)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def clear(self) -> None:
        """Do nothing more of what waits."""
        self._waiting.clear()

    def _turn(self) -> None:
        for _ in range(min(self._at_once, len(self._waiting))):
            self._do(self._waiting.popleft())
        self._is_due = bool(self._waiting)
        if self._is_due:
            self._loop.call_soon(self._turn)
