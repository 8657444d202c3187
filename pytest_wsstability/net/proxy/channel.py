"""One direction of a link: bytes go in at one end and come out at the other when they are due."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from .shape import Shape

# Bytes that a channel holds before its sender has to wait. TCP loses nothing, so a channel does neither.
CAPACITY = 256 * 1024


class Receiver(Protocol):
    """Where a channel delivers to: the receiving end."""

    def room(self) -> int:
        """How many bytes `data` may take now; `Channel.pump` is called when it grows from 0."""

    def data(self, data: bytes) -> None:
        """Bytes, in order."""

    def fin(self) -> None:
        """No more bytes."""

    def reset(self) -> None:
        """The connection is gone."""


class Sender(Protocol):
    """Where a channel's bytes come from: the sending end."""

    def more(self) -> None:
        """The channel has room again."""


class Filter(Protocol):
    """What looks at bytes before they go into a channel."""

    def data(self, channel: Channel, data: bytes) -> None:
        """Put what may pass into the channel."""


class TcpFlag(Enum):
    """The end of the bytes, which goes through a channel in order with them."""

    FIN = "FIN"
    RST = "RST"


_Queued = tuple[float, float, bytes | TcpFlag]


class Channel:
    """
    A queue with one timer.

    Several timers that are due at one instant would run in no certain order: bytes could overtake each
    other. Without a shape, and with room at the receiver, bytes pass straight through.

    """

    __slots__ = (
        "_changed", "_loop", "_on_end", "_on_kept_back", "_over", "_queue", "_size",
        "_timer", "delivered", "filter", "receiver", "sender", "sender_ended_at", "shape", "taken",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_end: Callable[[Channel], object],
        on_kept_back: Callable[[Channel, float, float, bool], object],
        sender: Sender,
        receiver: Receiver,
    ) -> None:
        self._loop = loop
        # Called when FIN or RST was sent into the channel, and when one has come out.
        self._on_end = on_end
        # Called with the instants from which and until which something stays for the shape's sake, and with
        # whether the shape is still what it was the last time.
        self._on_kept_back = on_kept_back
        self.sender = sender
        self.receiver = receiver
        # None: bytes go straight into the channel.
        self.filter: Filter | None = None
        # None: nothing is done to the bytes.
        self.shape: Shape | None = None
        # What is in the channel, with the instants at which it came and may leave; None while it is empty.
        self._queue: deque[_Queued] | None = None
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        # FIN or RST has gone in: what is sent behind it is nobody's.
        self._over = False
        # Bytes that have gone in.
        self.taken = 0
        # What is done to bytes has changed since some were last kept back.
        self._changed = True
        # FIN or RST has come out; None while the channel is open.
        self.delivered: TcpFlag | None = None
        # The loop's clock when the sending end closed it, whatever a fault has done before; None until then.
        self.sender_ended_at: float | None = None

    # What the sending end does.

    def room(self) -> int:
        """How many bytes may come now; never negative. A closed channel takes all, and loses it."""
        return CAPACITY if self._over else max(0, CAPACITY - self._size)

    def data(self, data: bytes) -> None:
        """Bytes come; more than there is room for are taken, but should not be sent."""
        if self.filter is None:
            self.put(data)
        else:
            self.filter.data(self, data)

    def put(self, data: bytes) -> None:
        """Take bytes past the filter."""
        if self._over or not data:
            return
        self.taken += len(data)
        if self.shape is None and self._queue is None and self.receiver.room() >= len(data):
            self.receiver.data(data)
            return
        self._size += len(data)
        self._enqueue(data)

    def end(self, flag: TcpFlag) -> None:
        """FIN or RST comes, behind the bytes that are in the channel."""
        if not self._over:
            self._over = True
            self._enqueue(flag)

    def fin(self) -> None:
        """The sending end closes this direction."""
        self._sender_ends(TcpFlag.FIN)

    def reset(self) -> None:
        """The sending end is gone."""
        self._sender_ends(TcpFlag.RST)

    def _sender_ends(self, flag: TcpFlag) -> None:
        if self.sender_ended_at is None:
            self.sender_ended_at = self._loop.time()
            self._on_end(self)
        self.end(flag)

    def _enqueue(self, item: bytes | TcpFlag) -> None:
        now = self._loop.time()
        due = now if self.shape is None else self.shape.due(now)
        if self._queue is None:
            self._queue = deque()
        self._queue.append((now, due, item))
        self._tell_kept_back(now, due, item)
        if self._timer is None:
            self.pump()

    # What the receiving end and the link do.

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in the channel."""
        return self._queue is None

    @property
    def keeps_back(self) -> bool:
        """Whether bytes stay in the channel for the shape's sake."""
        return self.shape is not None and self._size > 0

    def reshape(self, shape: Shape | None) -> None:
        """Do something else to bytes from now on; None delivers all that is held."""
        if self.shape is not None and self._queue and (self._timer is not None or self.shape.held):
            self._kept_back(self._queue[0][0], self._loop.time())
        self._changed = True
        self.shape = shape
        for each in self._queue or ():
            self._tell_kept_back(*each)
        self._disarm()
        self.pump()

    def refuse(self) -> None:
        """The receiving end gets RST, now and ahead of all."""
        self.close()
        if self.delivered is not TcpFlag.RST:
            self._come_out(TcpFlag.RST)

    def close(self) -> None:
        """Forget what is in the channel, and what comes."""
        self._disarm()
        self._over = True
        self._queue, self._size = None, 0

    def pump(self) -> None:
        """Deliver what may leave now."""
        was_full = self._size >= CAPACITY
        self._disarm()
        while self._queue:
            if not self._deliver_first(self._queue):
                break
        else:
            self._queue = None
        if was_full and self._size < CAPACITY:
            self.sender.more()

    def _tell_kept_back(self, came: float, due: float, item: bytes | TcpFlag) -> None:
        if self.shape is not None and not self.shape.held:
            self._kept_back(came, self.shape.alone(due, len(item) if isinstance(item, bytes) else 0))

    def _kept_back(self, since: float, until: float) -> None:
        if until > since:
            self._on_kept_back(self, since, until, not self._changed)
            self._changed = False

    def _deliver_first(self, queue: deque[_Queued]) -> bool:
        """Deliver the first thing in the queue, or a part of it; False if it has to wait."""
        came, due, item = queue[0]
        now = self._loop.time()
        size = len(item) if isinstance(item, bytes) else 0
        if self.shape is not None:
            size, at = self.shape.leave(due, size)
            if at > now:
                self._arm(at)
                return False
        if isinstance(item, TcpFlag):
            queue.clear()
            self._come_out(item)
            return True
        size = min(size, self.receiver.room())
        if not size:
            return False
        if size < len(item):
            queue[0] = came, due, item[size:]
        else:
            queue.popleft()
        self._size -= size
        if self.shape is not None:
            self.shape.left(due, size)
        self.receiver.data(item[:size])
        if self.shape is not None and self.shape.slice_size and queue:
            # Each piece in a turn of its own, or the receiver would read them as one.
            self._arm(self._loop.time())
            return False
        return True

    def _come_out(self, flag: TcpFlag) -> None:
        self.delivered = flag
        (self.receiver.fin if flag is TcpFlag.FIN else self.receiver.reset)()
        self._on_end(self)

    def _arm(self, at: float) -> None:
        # A black hole has no end that a timer could wait for.
        if at != float("inf"):
            self._timer = self._loop.call_at(at, self.pump)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
