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
import gc
import socket
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .addresses import INTERNET
from .errors import REAL_TIME, VirtualTimeError
from .sockets import Address, os_error
from .transport import MemoryTransport

if TYPE_CHECKING:
    from .endpoint import Endpoint
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
    endpoint = listener.pending.popleft()
    near, far = socket.socketpair()
    far.setblocking(False)
    _bridge(listener.network.loop, endpoint, far)
    names = endpoint.getsockname(), endpoint.getpeername()
    return AcceptedSocket(near, listener.family, names), names[1]


def _bridge(loop: Any, endpoint: Endpoint, kernel: socket.socket) -> None:
    """Carry bytes between an end in memory and a socket pair."""
    memory_side, kernel_side = _Relay(), _Relay()
    memory_side.other = loop._make_socket_transport(kernel, kernel_side)
    kernel_side.other = MemoryTransport(loop, endpoint, memory_side)


class _Relay(asyncio.Protocol):
    """Hands on to the other transport what its own receives."""

    other: asyncio.Transport

    # FIN has come from this side.
    _finished = False

    def data_received(self, data: bytes) -> None:
        self.other.write(data)

    def eof_received(self) -> bool:
        self._finished = True
        peer = self.other.get_protocol()
        if isinstance(peer, _Relay) and peer._finished:
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


def is_listening(sock: socket.socket) -> bool:
    """Whether connections come in on a kernel socket."""
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def kernel_tcp(fd: int) -> socket.socket | None:
    """
    The socket object of a descriptor, if that is a TCP or UDP socket of the kernel.

    ``loop.add_reader`` gets a number where it is the object whose ``accept`` has to be replaced.

    """
    try:
        probe = socket.socket(fileno=fd)
    except OSError:
        # A pipe, a pidfd, a terminal.
        return None
    family = probe.family
    probe.detach()
    if family not in INTERNET:
        return None
    for thing in gc.get_objects():
        if issubclass(type(thing), socket.socket) and thing.fileno() == fd:
            return thing  # type: ignore[no-any-return]
    return socket.socket(fileno=fd)
