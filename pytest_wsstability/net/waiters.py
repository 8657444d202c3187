"""Coroutines that wait for something on a connection, or for what others do."""

from __future__ import annotations

import asyncio
from enum import Enum


class Wait(Enum):
    """What can be waited for."""

    SESSION = "the session's confirmation"
    WRITABLE = "room in the transport's buffer"
    BYTES = "bytes of the peer"
    FLAW = "an error message, or something that is wrong with the session or the protocol"
    OVER = "the end of the connection: a close frame, a failure, or the end of the transport"
    GONE = "the end of the transport"


class Waiters:
    """Those who wait on one connection; made when the first one comes."""

    __slots__ = ("_futures", "_loop", "_pongs")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._futures: list[tuple[Wait, asyncio.Future[bool]]] = []
        # With the payload that the pong must carry; two pings may have the same.
        self._pongs: list[tuple[bytes, asyncio.Future[bool]]] = []

    async def wait(self, what: Wait, until: float | None = None) -> bool:
        """
        Wait for something, or for the instant ``until`` of the loop's clock.

        The end of the connection ends every wait but that for the end of its transport.

        Returns:
            Whether it has come.

        """
        future: asyncio.Future[bool] = self._loop.create_future()
        entry = (what, future)
        self._futures.append(entry)
        try:
            return await _came(self._loop, future, until)
        finally:
            self._futures.remove(entry)

    async def wait_pong(self, key: bytes, until: float | None = None) -> bool:
        """Wait for the pong with this payload; False when the end or ``until`` comes first."""
        future: asyncio.Future[bool] = self._loop.create_future()
        entry = (key, future)
        self._pongs.append(entry)
        try:
            return await _came(self._loop, future, until)
        finally:
            self._pongs.remove(entry)

    def release(self, what: Wait) -> None:
        """It has come: wake those who wait for it."""
        for waited, future in self._futures:
            if waited is what:
                _settle(future, True)

    def pong(self, key: bytes) -> None:
        """A pong has come."""
        for awaited, future in self._pongs:
            if awaited == key:
                _settle(future, True)

    def over(self) -> None:
        """The connection is over, though its transport may be there."""
        for waited, future in self._futures:
            if waited is not Wait.GONE:
                _settle(future, waited is Wait.OVER)
        for _, pong in self._pongs:
            _settle(pong, False)


class Changes:
    """Those who wait until something that others do has changed."""

    def __init__(self) -> None:
        # How many there were.
        self.count = 0
        self._waiting: list[asyncio.Future[bool]] = []

    def tell(self) -> None:
        """Something has changed."""
        self.count += 1
        for future in self._waiting:
            _settle(future, True)

    async def wait(self, until: float | None = None) -> None:
        """Wait for the next change, or for the instant ``until`` of the running loop's clock."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(future)
        try:
            await _came(loop, future, until)
        finally:
            self._waiting.remove(future)


async def _came(loop: asyncio.AbstractEventLoop, future: asyncio.Future[bool], until: float | None) -> bool:
    """What comes of it; False when ``until`` comes first."""
    timer = loop.call_at(until, _settle, future, False) if until is not None else None
    try:
        return await future
    finally:
        if timer is not None:
            timer.cancel()


def _settle(future: asyncio.Future[bool], came: bool) -> None:
    if not future.done():
        future.set_result(came)
