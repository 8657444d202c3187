"""One end of an in-memory stream: it behaves as the kernel's TCP does, without ever losing time."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .sockets import Address, VirtualSocket, os_error

if TYPE_CHECKING:
    from .asyncio_seam import SelectorLoop

# What an end holds for a reader that does not read: the size that asyncio reads at once, so that one
# read always takes all.
WINDOW = 256 * 1024

# From linux/tcp.h: the first byte of struct tcp_info.
_ESTABLISHED, _CLOSE, _CLOSE_WAIT, _FIN_WAIT2 = 1, 7, 8, 5
_TCP_INFO = getattr(socket, "TCP_INFO", 11)
# What makes close() send RST: socket(7).
_LINGER, _AT_ONCE = (socket.SOL_SOCKET, socket.SO_LINGER), struct.pack("ii", 1, 0)


class Wire(Protocol):
    """
    Where an end sends to: by default the other `ConnectedSocket` itself.

    A link with latency or faults stands between two ends by being the ``wire`` of each
    and calling the same methods of the other end later, from callbacks of the loop.

    """

    def take(self, data: bytes) -> int:
        """Take of some bytes, at their beginning, what there is room for; gives how many."""

    def fin(self) -> None:
        """No more bytes."""

    def reset(self) -> None:
        """The connection is gone."""

    def acknowledge(self) -> None:
        """Bytes were read, so there is room for more."""


class ConnectedSocket(VirtualSocket):
    """
    One end of a stream, with TCP's rules for FIN, RST and flow control (RFC 9293).

    Bytes that arrive make the reader's handle ready: they are in flight as a callback of the loop, which
    virtual time cannot pass.

    """

    __slots__ = (
        "_error", "_fin", "_loop", "_queue", "_shut", "_size", "_told",
        "ended", "peername", "reader", "wire", "woken", "writer",
    )  # fmt: skip

    def __init__(
        self, loop: SelectorLoop, family: socket.AddressFamily, sockname: Address, peername: Address
    ) -> None:
        super().__init__(family, sockname)
        self._loop = loop
        loop.changes += 1
        self.peername: Address = peername
        # Where this end sends to; a pair without a link sends to each other.
        self.wire: Wire = NOWHERE
        # Runs when there is something to read; None while nobody reads.
        self.reader: asyncio.Handle | None = None
        # Called once there is room again; None while nobody waits for it.
        self.writer: Callable[[], None] | None = None
        # Received and unread.
        self._queue: list[bytes] = []
        self._size = 0
        # Whether the other end was told how little room there is, and wants to know when there is more.
        self._told = False
        # The reader is among the ready callbacks; it clears this when it runs.
        self.woken = False
        # Whether the end of the stream, or an error, is there to be read.
        self.ended = False
        # The peer has sent FIN; this end has.
        self._fin = False
        self._shut = False
        # What the next call fails with, an errno; 0 for nothing.
        self._error = 0

    def getpeername(self) -> Address:
        if self.closed:
            raise os_error(errno.EBADF)
        return self.peername

    def getsockopt(self, level: int, option: int, length: int = 0) -> int | bytes:
        if (level, option) == (socket.IPPROTO_TCP, _TCP_INFO) and length:
            return bytes([self._state()]).ljust(length, b"\0")
        return super().getsockopt(level, option, length)

    def _state(self) -> int:
        if self.closed or self._error:
            return _CLOSE
        if self._fin:
            return _CLOSE if self._shut else _CLOSE_WAIT
        return _FIN_WAIT2 if self._shut else _ESTABLISHED

    # What the owner of this end does.

    def send(self, data: bytes) -> int:
        """
        Send what there is room for.

        Returns:
            The number of bytes sent; 0 if the peer's window is full.

        Raises:
            ConnectionResetError, BrokenPipeError: once the peer has reset the connection.

        """
        if self._error:
            raise self._take_error()
        if self._shut:
            raise os_error(errno.EPIPE)
        return self.wire.take(data)

    def receive(self) -> bytes | None:
        """
        Take all that has arrived.

        Returns:
            Bytes; empty at the end of the stream; None if nothing has arrived.

        Raises:
            ConnectionResetError: if the peer has reset the connection and all before that is taken.

        """
        queue = self._queue
        if queue:
            data = queue[0] if len(queue) == 1 else b"".join(queue)
            queue.clear()
            self._size = 0
            if self._told:
                self._told = False
                self.wire.acknowledge()
            return data
        if self._fin:
            return b""
        if self._error:
            raise self._take_error()
        return None

    def receive_into(self, buffer: memoryview) -> int | None:
        """Take as much as fits into a buffer; otherwise as `receive`."""
        data = self.receive()
        if not data:
            return data if data is None else 0
        taken = min(len(data), len(buffer))
        buffer[:taken] = data[:taken]
        if taken < len(data):
            self._queue.append(data[taken:])
            self._size = len(data) - taken
        return taken

    def shutdown_write(self) -> None:
        """Send FIN."""
        if not self._shut:
            self._shut = True
            self.wire.fin()

    def close(self) -> None:
        """Close both directions; unread bytes or SO_LINGER 0 make it a reset (RFC 2525, section 2.17)."""
        if self.closed:
            return
        abortive = self._size or (self._options and self._options.get(_LINGER) == _AT_ONCE)
        super().close()
        self._loop.changes += 1
        self.reader = self.writer = None
        self._size = 0
        self._queue.clear()
        if abortive and not self._error:
            self.wire.reset()
        elif not self._shut and not self._error:
            self.wire.fin()
        if isinstance(self.wire, ConnectedSocket) and self.wire.closed:
            # Nothing more can come, and the ends need not keep each other in memory.
            self.wire.wire = NOWHERE
            self.wire = NOWHERE

    def watch(self, reader: asyncio.Handle | None) -> None:
        """Make a handle ready whenever there is something to read; None ends that."""
        self.reader = reader
        self.woken = False
        self.wake()

    def wake(self) -> None:
        """Make the reader ready, if there is something to read and somebody reads."""
        if self.reader is not None and not self.woken and (self._queue or self.ended):
            self.woken = True
            self._loop.ready.append(self.reader)

    def _take_error(self) -> OSError:
        error, self._error = self._error, 0
        self._shut = self._fin = self.ended = True
        return os_error(error)

    # What comes from the other end: `Wire`.

    def take(self, data: bytes) -> int:
        size = len(data)
        if self.closed:
            # RFC 9293, section 3.10.7.1: data for a connection that does not exist is answered with RST.
            self.wire.reset()
            return size
        if self._size + size > WINDOW:
            self._told = True
            size = WINDOW - self._size
            if not size:
                return 0
            data = data[:size]
        self._queue.append(data)
        self._size += size
        if self.reader is not None and not self.woken:
            self.woken = True
            self._loop.ready.append(self.reader)
        return size

    # See `channel.Receiver`: a link asks for room, and brings no more than that.

    def room(self) -> int:
        """The free part of the window; a closed end takes all, and answers with a reset."""
        self._told = True
        return WINDOW if self.closed else WINDOW - self._size

    def data(self, data: bytes) -> None:
        """Bytes have arrived."""
        self.take(data)

    def fin(self) -> None:
        """FIN has arrived."""
        if not self.closed:
            self._fin = self.ended = True
            self.wake()

    def reset(self) -> None:
        """RST has arrived."""
        if not self.closed:
            # As Linux: EPIPE where FIN came before, ECONNRESET elsewhere.
            self._error = errno.EPIPE if self._fin else errno.ECONNRESET
            self.ended = True
            self.wake()
            self.acknowledge()

    def acknowledge(self) -> None:
        """There is room at the peer."""
        if self.writer is not None:
            self._loop.call_soon(self.writer)
            self.writer = None


class _Nowhere:
    """The wire of an end that was never connected."""

    def take(self, data: bytes) -> int:
        return 0

    def fin(self) -> None:
        pass

    def reset(self) -> None:
        pass

    def acknowledge(self) -> None:
        pass


NOWHERE = _Nowhere()


def connect_pair(
    loop: SelectorLoop, family: socket.AddressFamily, client: Address, server: Address
) -> tuple[ConnectedSocket, ConnectedSocket]:
    """Both ends of a new connection, by their addresses: the client's and the server's."""
    ends = ConnectedSocket(loop, family, client, server), ConnectedSocket(loop, family, server, client)
    ends[0].wire, ends[1].wire = ends[1], ends[0]
    return ends
