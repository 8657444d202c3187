"""
Kernel sockets that user code has bound, or on which it calls accept() itself.

Some servers bind their sockets first and pass them to ``loop.create_server(sock=...)`` (hypercorn, uvicorn
with workers); Tornado also watches the socket with ``loop.add_reader`` and calls ``accept()``. Connections
to them come from memory all the same: for the latter, each one is a Unix socket pair that shows the
addresses of TCP, because the kernel delivers on Unix sockets at once and on loopback TCP when it likes.

"""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from .addresses import INTERNET
from .errors import REAL_TIME, VirtualTimeError
from .sockets import Address, VirtualSocket, os_error
from .transport import MemoryTransport

if TYPE_CHECKING:
    from .connected import ConnectedSocket
    from .network import Listener, Network


class ListeningSocket(socket.socket):
    """What a kernel socket becomes when its connections come from memory: another ``accept``."""

    # The class of a living socket can only be changed to one with the same layout.
    __slots__ = ()

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; BlockingIOError if none waits."""
        listener = _taken_over[self]
        if not listener.pending:
            raise os_error(errno.EAGAIN)
        return _accept(listener)

    def close(self) -> None:
        """Close it for the virtual network too."""
        if (listener := _taken_over.pop(self, None)) is not None:
            listener.close()
        super().close()


class AcceptedSocket(socket.socket):
    """One end of a Unix socket pair that shows the addresses of the TCP connection it stands for."""

    __slots__ = ("_family", "_names")

    def __init__(
        self, kernel: socket.socket, family: socket.AddressFamily, names: tuple[Address, Address]
    ) -> None:
        super().__init__(fileno=kernel.detach())
        self._family = family
        self._names = names
        self.setblocking(False)

    @property
    def family(self) -> socket.AddressFamily:
        return self._family

    def getsockname(self) -> Address:
        return self._names[0]

    def getpeername(self) -> Address:
        return self._names[1]

    def setsockopt(self, level: int, *args: Any) -> None:
        if level != socket.IPPROTO_TCP:
            super().setsockopt(level, *args)

    def getsockopt(self, level: int, *args: Any) -> Any:
        return 0 if level == socket.IPPROTO_TCP else super().getsockopt(level, *args)


_taken_over: WeakKeyDictionary[socket.socket, Listener] = WeakKeyDictionary()


def listener_of(sock: Any, network: Network) -> Listener:
    """The listener in memory for a socket passed to ``create_server``, which closes it with the server."""
    listener = _bind_like(sock, network)
    listener.real = sock
    return listener


def take_over(sock: socket.socket, network: Network) -> Listener:
    """
    Let a socket's connections come from memory, for code that calls its ``accept()``.

    That is a method of a class with slots, which no attribute of the object can replace: the socket gets
    another class. Only the sockets that a caller of the loop hands over are touched, each until it is closed.

    Raises:
        VirtualTimeError: for a subclass of socket.socket, which may do anything in ``accept()``.

    """
    if (listener := _taken_over.get(sock)) is not None:
        return listener
    if type(sock) is not socket.socket:
        raise VirtualTimeError(f"{sock!r} has its own accept(), out of reach of virtual time; {REAL_TIME}")
    listener = _bind_like(sock, network)
    listener.listening = True
    sock.__class__ = ListeningSocket
    _taken_over[sock] = listener
    return listener


def _bind_like(sock: socket.socket, network: Network) -> Listener:
    family = socket.AddressFamily(sock.family)
    dual_stack = family == socket.AF_INET6 and not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    option = getattr(socket, "SO_REUSEPORT", None)
    reuse_port = option is not None and bool(sock.getsockopt(socket.SOL_SOCKET, option))
    return network.bind(family, sock.getsockname(), reuse_port=reuse_port, dual_stack=dual_stack)


def _accept(listener: Listener) -> tuple[socket.socket, Address]:
    end = listener.pending.popleft()
    near, far = socket.socketpair()
    far.setblocking(False)
    listener.network.unix.pair(near, far)
    _bridge(listener.network.loop, end, far)
    names = end.getsockname(), end.getpeername()
    return AcceptedSocket(near, listener.family, names), names[1]


def _bridge(loop: Any, end: ConnectedSocket, kernel: socket.socket) -> None:
    """Carry bytes between an end in memory and a socket pair."""
    memory_side, kernel_side = _Relay(), _Relay()
    memory_side.other = loop.make_transport(kernel, kernel_side)
    kernel_side.other = MemoryTransport(loop, end, memory_side)


class _Relay(asyncio.Protocol):
    """Hands on to the other transport what its own receives."""

    other: asyncio.Transport

    # FIN has come from this side.
    finished = False

    def data_received(self, data: bytes) -> None:
        self.other.write(data)

    def eof_received(self) -> bool:
        self.finished = True
        peer = self.other.get_protocol()
        if isinstance(peer, _Relay) and peer.finished:
            self.other.close()
            return False
        # Half closed: the other direction may go on.
        if not self.other.is_closing():
            self.other.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.other.abort()
        else:
            self.other.close()

    def pause_writing(self) -> None:
        self.other.pause_reading()

    def resume_writing(self) -> None:
        self.other.resume_reading()


def is_kernel_tcp(sock: Any) -> bool:
    """Whether a socket object is the kernel's, and neither of this network nor a Unix socket."""
    return sock.family in INTERNET and not isinstance(sock, VirtualSocket | AcceptedSocket)


def address_of(sock: Any) -> Any:
    """The address of a socket that says most: the other end's, else its own."""
    for name in ("getpeername", "getsockname"):
        try:
            return getattr(sock, name)()
        except (OSError, AttributeError):
            continue
    return "an unknown address"


class KernelSocket(NamedTuple):
    """What the kernel says of a TCP or UDP socket by its descriptor."""

    number: int
    listening: bool
    address: Any


def kernel_tcp(number: int) -> KernelSocket | None:
    """What a descriptor is, if that is a TCP or UDP socket of the kernel."""
    try:
        probe = socket.socket(fileno=number)
    except OSError:
        # A pipe, a pidfd, a terminal.
        return None
    try:
        if probe.family not in INTERNET:
            return None
        listening = bool(probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        return KernelSocket(number, listening, address_of(probe))
    finally:
        probe.detach()


def socket_object(fd: Any, callback: Any) -> socket.socket:
    """
    The socket that somebody waits for: it is given itself, or its number comes from Tornado's loop.

    Tornado gives the number with a bound method of its loop, whose public ``handlers``
    (tried: 6.4 to 6.6) have the object.

    Raises:
        VirtualTimeError: for the bare number of a socket that nobody has given.

    """
    found = fd
    if isinstance(fd, int):
        handlers = getattr(getattr(callback, "__self__", None), "handlers", None)
        found = handlers.get(fd, (None,))[0] if isinstance(handlers, dict) else None
    if not isinstance(found, socket.socket):
        raise VirtualTimeError(
            f"descriptor {fd} listens for TCP connections, which come from memory in virtual time, and its "
            f"socket is not known: give add_reader() the socket itself, or {REAL_TIME}"
        )
    return found
