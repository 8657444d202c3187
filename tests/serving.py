"""Servers beside the tests: reference orchestrators on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from pytest_wsstability import Connection, Orchestrator, connect

# For what has to come, on a busy machine.
SOON = 90


@asynccontextmanager
async def opened(url: str, **options) -> AsyncIterator[Connection]:
    """A client's connection, closed in the end as its user would."""
    connection = await connect(url, **options)
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def serving(**options) -> Iterator[str]:
    """A reference orchestrator on a loop in a thread of its own; gives the URL."""
    # A wrong option is refused before there is a thread that would not end.
    orchestrator = Orchestrator(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(orchestrator.start(), loop).result(SOON)
        yield orchestrator.url
        asyncio.run_coroutine_threadsafe(orchestrator.stop(), loop).result(SOON)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Crowd:
    """Those who are connected to one server: how many at once, and how they left."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._here = 0
        self.most = 0
        # So many are here as were awaited.
        self.complete = threading.Event()
        self._codes: list[int] = []
        self._changed = threading.Condition()

    @property
    def codes(self) -> list[int]:
        """Close codes in the order of the ends, once nobody is here any more: a server hears of it last."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._here, SOON)
            return list(self._codes)

    async def handle(self, connection: Connection) -> None:
        """One who comes, stays, and goes: the handler of an orchestrator."""
        # A client that has said its session knows that it is open; before, it could only cut the stream.
        await connection.websocket.wait_session(connection.timeline.opened + SOON)
        self._here += 1
        self.most = max(self.most, self._here)
        if self._here == self._size:
            self.complete.set()
        await connection.wait_closed()
        with self._changed:
            self._here -= 1
            self._codes.append(connection.timeline.close.code)
            self._changed.notify()
