"""The asyncio transport over one end of an in-memory stream."""

from __future__ import annotations

import asyncio
import logging
from asyncio import constants
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .asyncio_seam import FlowControl, attach, detach

if TYPE_CHECKING:
    from .asyncio_seam import SelectorLoop
    from .connected import ConnectedSocket

logger = logging.getLogger("pytest_wsstability.virtual")


class MemoryTransport(FlowControl):
    """
    Moves bytes between a protocol and a `ConnectedSocket` as asyncio's selector transport does with a socket.

    The same callbacks come in the same order and the same turns of the loop; the tests compare them with
    kernel TCP.

    """

    __slots__ = (
        "__weakref__", "_buffer", "_closing", "_eof", "_fills_buffers", "_lost", "_paused", "_reader",
        "_server", "_socket",
    )  # fmt: skip

    def __init__(
        self,
        loop: SelectorLoop,
        sock: ConnectedSocket,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        server: Any = None,
    ) -> None:
        super().__init__(loop)
        self._socket = sock
        self.protocol: Any = protocol
        self._fills_buffers = isinstance(protocol, asyncio.BufferedProtocol)
        # asyncio's Server that accepted the connection; None at the client.
        self._server = server
        # What the peer's window had no room for; None while it has.
        self._buffer: list[bytes] | None = None
        self._eof = False
        self._paused = False
        self._closing = False
        # Whether the call of connection_lost is scheduled, and the writes since then.
        self._lost = 0
        # Runs _read_ready in the context of the connection, not in that of whoever writes.
        self._reader: asyncio.Handle | None = None
        if server is not None:
            attach(server, self)
        loop.call_soon(protocol.connection_made, self)
        loop.call_soon(self._start_reading)
        if waiter is not None:
            loop.call_soon(_settle, waiter)

    def __repr__(self) -> str:
        state = " closing" if self._closing else ""
        return f"<MemoryTransport {self._socket!r}{state} unsent={self.get_write_buffer_size()}>"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``peername``, ``sockname`` and ``socket``, as on TCP; TLS adds its own."""
        return _EXTRA[name](self._socket) if name in _EXTRA else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol
        self._fills_buffers = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> Any:
        return self.protocol

    def is_closing(self) -> bool:
        return self._closing

    # Reading.

    def is_reading(self) -> bool:
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        if self.is_reading():
            self._paused = True
            self._socket.watch(None)

    def resume_reading(self) -> None:
        if self._paused and not self._closing:
            self._paused = False
            self._start_reading()

    def _start_reading(self) -> None:
        if self._closing or self._paused:
            return
        if self._reader is None:
            self._reader = asyncio.Handle(self._read_ready, (), self.loop)
        self._socket.watch(self._reader)

    def _read_ready(self) -> None:
        sock = self._socket
        if sock.reader is None:
            # Paused or closed meanwhile.
            return
        sock.woken = False
        protocol = self.protocol
        try:
            if self._fills_buffers:
                received = self._fill(sock, protocol)
            else:
                data = sock.receive()
                if data:
                    protocol.data_received(data)
                received = data != b""
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, "Fatal error: reading from the transport failed.")
            return
        if not received:
            self._read_eof()
        elif sock.ended or self._fills_buffers:
            sock.wake()

    def _fill(self, sock: ConnectedSocket, protocol: asyncio.BufferedProtocol) -> bool:
        buffer = memoryview(protocol.get_buffer(-1)).cast("B")
        if not buffer:
            raise RuntimeError("get_buffer() returned an empty buffer")
        received = sock.receive_into(buffer)
        if received:
            protocol.buffer_updated(received)
        return received != 0

    def _read_eof(self) -> None:
        try:
            keep_open = self.protocol.eof_received()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep_open:
            self.close()
        else:
            self._socket.watch(None)

    # Writing.

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        chunk = data if isinstance(data, bytes) else _copied(data)
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not chunk:
            return
        if self._lost:
            self._lost += 1
            if self._lost > constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES:
                logger.warning("write to a transport that has lost its connection: %r", self)
            return
        if self._buffer is None:
            try:
                sent = self._socket.send(chunk)
            except OSError as exc:
                self._fatal_error(exc, "Fatal write error on memory transport")
                return
            if sent == len(chunk):
                return
            self._buffer = [chunk[sent:]]
            self._socket.writer = self._write_ready
        else:
            self._buffer.append(chunk)
        self.pause_if_full()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]) -> None:
        self.write(b"".join(list_of_data))

    def _write_ready(self) -> None:
        if self._lost or self._buffer is None:
            return
        data = b"".join(self._buffer)
        try:
            sent = self._socket.send(data)
        except OSError as exc:
            self._buffer = None
            self._fatal_error(exc, "Fatal write error on memory transport")
            return
        self._buffer = [data[sent:]] if sent < len(data) else None
        if self._buffer is not None:
            self._socket.writer = self._write_ready
        self.resume_if_room()
        if self._buffer is None:
            self._written()

    def _written(self) -> None:
        """The last byte is on its way: do what had to wait for it."""
        if self._closing:
            self._lost += 1
            self._lose(None)
        elif self._eof:
            self._socket.shutdown_write()

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self._buffer)) if self._buffer is not None else 0

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._closing or self._eof:
            return
        self._eof = True
        if self._buffer is None:
            self._socket.shutdown_write()

    # The end.

    def close(self) -> None:
        if self._closing:
            return
        self._stop_reading()
        if self._buffer is None:
            self._schedule_loss(None)

    def abort(self) -> None:
        self._force_close(None)

    def _stop_reading(self) -> None:
        self._closing = True
        self._socket.watch(None)

    def _fatal_error(self, exc: BaseException, message: str) -> None:
        if not isinstance(exc, OSError):
            self.loop.call_exception_handler(
                {"message": message, "exception": exc, "transport": self, "protocol": self.protocol}
            )
        self._force_close(exc)

    def _force_close(self, exc: BaseException | None) -> None:
        if not self._lost:
            self._buffer = None
            self._stop_reading()
            self._schedule_loss(exc)

    def _schedule_loss(self, exc: BaseException | None) -> None:
        self._lost += 1
        self.loop.call_soon(self._lose, exc)

    def _lose(self, exc: BaseException | None) -> None:
        server = self._server
        try:
            self.protocol.connection_lost(exc)
        finally:
            self._socket.close()
            self.protocol = self._server = self._reader = None
            if server is not None:
                detach(server, self)


def _copied(data: bytearray | memoryview[Any]) -> bytes:
    # A buffer that its owner may change must not change what is in flight.
    if not isinstance(data, bytearray | memoryview):
        raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
    return bytes(data)


def _settle(waiter: asyncio.Future[None]) -> None:
    if not waiter.cancelled():
        waiter.set_result(None)


_EXTRA: dict[str, Callable[[ConnectedSocket], Any]] = {
    "peername": lambda sock: sock.peername,
    "sockname": lambda sock: sock.sockname,
    "socket": lambda sock: sock,
}
