"""Messages on their way to `recv`: fragments put together, and a queue that knows when it is full."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque

# Unread bytes that stop reading, whatever their number of messages.
MAX_BYTES = 4 * 2**20


class Assembly:
    """A message in fragments (RFC 6455, section 5.4)."""

    __slots__ = ("_bytes", "_decoder", "_text")

    def __init__(self, *, text: bool) -> None:
        # Incremental: a character may be split between two fragments, a wrong byte is seen in the first.
        self._decoder = codecs.getincrementaldecoder("utf-8")() if text else None
        self._text: list[str] = []
        self._bytes: list[bytes] = []

    def add(self, data: bytes | bytearray | memoryview, *, fin: bool) -> str | bytes | None:
        """
        Add a fragment.

        Returns:
            The message when it is whole, else None.

        Raises:
            UnicodeDecodeError: if text is not UTF-8.

        """
        if self._decoder is None:
            self._bytes.append(bytes(data))
            return b"".join(self._bytes) if fin else None
        self._text.append(self._decoder.decode(bytes(data), fin))
        return "".join(self._text) if fin else None


class Inbox:
    """
    Unread messages, at most ``limit`` of them or `MAX_BYTES`; 0 keeps none.

    One that keeps the latest lets go of older ones instead of being full.

    """

    __slots__ = ("_bytes", "_drops", "_limit", "_messages", "_waiter")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Whether the oldest goes when there is no room.
        self._drops = False
        # None until the first message: an idle connection pays nothing for its inbox.
        self._messages: deque[str | bytes] | None = None
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._messages) if self._messages else 0

    def keep_latest(self, limit: int) -> None:
        """Never be full from now on: of more messages, the latest are kept."""
        self._limit, self._drops = limit, True

    @property
    def full(self) -> bool:
        """Whether reading should stop."""
        if self._drops:
            return False
        return len(self) >= self._limit or self._bytes >= MAX_BYTES

    @property
    def low(self) -> bool:
        """Whether reading may go on: half empty, so that it does not stop and go with each message."""
        return len(self) <= self._limit // 2 and self._bytes <= MAX_BYTES // 2

    def put(self, message: str | bytes) -> bool:
        """Keep a message; False when the inbox keeps none, or as many bytes as nobody asked for."""
        while self._drops and (len(self) >= self._limit or self._bytes >= MAX_BYTES):
            self.take()
        if self._limit == 0 or self._bytes >= 2 * MAX_BYTES:
            # Reading has stopped long ago: this came with the end of the stream.
            return False
        if self._messages is None:
            self._messages = deque()
        self._messages.append(message)
        self._bytes += len(message)
        self.release()
        return True

    def take(self) -> str | bytes:
        """The oldest message."""
        assert self._messages
        message = self._messages.popleft()
        self._bytes -= len(message)
        return message

    async def wait(self, loop: asyncio.AbstractEventLoop, until: float | None = None) -> None:
        """
        Wait for a message, for the end, or for the instant ``until`` of the loop's clock.

        Raises:
            RuntimeError: if somebody else waits already: who would get the message?

        """
        if self._waiter is not None:
            raise RuntimeError("recv() is already waiting in another task")
        self._waiter = loop.create_future()
        timer = loop.call_at(until, self.release) if until is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def release(self) -> None:
        """Wake the one who waits."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
