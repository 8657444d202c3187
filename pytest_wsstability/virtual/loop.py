"""The event loop that tests use: virtual time and an in-memory network."""

from __future__ import annotations

import asyncio
import os
import socket
from asyncio import sslproto
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from . import accepting
from .addresses import INTERNET, AddressInfo, elsewhere, is_local_name, outside, resolve
from .endpoint import Endpoint
from .jobs import JobLoop
from .linked import link_ends
from .network import Listener, Network
from .sockets import FIRST_NUMBER, VirtualSocket
from .timers import Order
from .transport import MemoryTransport

if TYPE_CHECKING:
    from ..net.proxy.links import Links

Factory = Callable[[], asyncio.BaseProtocol]


class VirtualLoop(JobLoop):
    """
    An asyncio event loop in virtual time.

    TCP connections stay in memory: `create_server`, `create_connection`, `start_tls` and what is built on
    them work as usual, between servers and clients of this loop. What would leave it raises
    `VirtualTimeError`. Unix sockets and pipes are the kernel's.

    Args:
        order: which of several timers due at exactly the same instant comes first: the one scheduled
            first (``"fifo"``), the one scheduled last (``"lifo"``) or a ``"random"`` one.
        seed: for ``order="random"``.

    Attributes:
        is_virtual: True; other loops don't have it.
        ties: the instants at which the order mattered; see `Ties`.

    """

    _accept_connection2: Callable[..., Any]

    # asyncio's constructor registers a socket pair, which is TCP on some systems.
    _made = False

    def __init__(self, *, order: Order = "fifo", seed: int = 0) -> None:
        super().__init__(order=order, seed=seed)
        self._network = Network(self)
        # Kernel sockets that sock_connect has connected in memory, until a transport takes them over.
        self._connected: WeakKeyDictionary[socket.socket, Endpoint] = WeakKeyDictionary()
        # Kernel sockets on which user code calls accept() itself, by descriptor.
        self._accepting: dict[int, Listener] = {}
        self._made = True

    def close(self) -> None:
        """As in asyncio."""
        if not self.is_running() and not self.is_closed():
            for endpoint in self._connected.values():
                endpoint.close()
            self._network.close()
        super().close()

    async def _make_subprocess_transport(self, protocol: Any, args: Any, *rest: Any, **options: Any) -> Any:
        words = [args] if isinstance(args, str | bytes) else [*args]
        words += (options.get("env") or {}).values()
        for word in map(os.fsdecode, words):
            if (address := self._network.named_in(word)) is not None:
                raise elsewhere(address)
        return await super()._make_subprocess_transport(protocol, args, *rest, **options)

    # Names and addresses.

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        """As in asyncio; literal addresses and ``localhost`` are answered at once, for TCP."""
        simple = flags & ~(socket.AI_PASSIVE | socket.AI_ADDRCONFIG) == 0
        if simple and type in (0, socket.SOCK_STREAM) and proto in (0, socket.IPPROTO_TCP):
            found = resolve(host, port, family=family, passive=bool(flags & socket.AI_PASSIVE))
            if found is not None:
                return found
        return await super().getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)

    # Servers.

    async def create_server(
        self,
        protocol_factory: Factory,
        host: Any = None,
        port: Any = None,
        *,
        family: int = 0,
        flags: int = socket.AI_PASSIVE,
        sock: Any = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        start_serving: bool = True,
        **options: Any,
    ) -> asyncio.Server:
        """As in asyncio, in memory; port 0 gives the same free port for all hosts."""
        if sock is not None:
            if host is None and port is None and _is_kernel_tcp(sock):
                sock = accepting.listener_of(sock, self._network)
            return await super().create_server(
                protocol_factory, host, port, sock=sock, start_serving=start_serving, **options
            )
        if host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        listeners = await self._bind(host, port, family, flags, bool(reuse_port))
        try:
            first: Any = listeners[0]
            server = await super().create_server(protocol_factory, sock=first, start_serving=False, **options)
        except BaseException:
            for listener in listeners:
                listener.close()
            raise
        server._sockets.extend(listeners[1:])  # type: ignore[attr-defined]
        if start_serving:
            await server.start_serving()
        return server

    async def _bind(self, host: Any, port: Any, family: int, flags: int, reuse_port: bool) -> list[Listener]:
        hosts = [host] if host is None or isinstance(host, str | bytes) else list(host)
        found: dict[AddressInfo, None] = {}
        for each in hosts or [None]:
            kind = socket.SOCK_STREAM
            infos = await self.getaddrinfo(each or None, port, family=family, type=kind, flags=flags)
            found.update(dict.fromkeys(infos))
        listeners: list[Listener] = []
        try:
            for each_family, _, _, _, address in found:
                if not address[1] and listeners:
                    address = (address[0], listeners[0].getsockname()[1], *address[2:])
                listeners.append(self._network.bind(each_family, address, reuse_port=reuse_port))
        except OSError:
            for listener in listeners:
                listener.close()
            raise
        return listeners

    def _start_serving(
        self,
        protocol_factory: Factory,
        sock: Any,
        sslcontext: SSLContext | None = None,
        server: Any = None,
        backlog: int = 100,
        *timeouts: float | None,
    ) -> None:
        if not isinstance(sock, Listener):
            arguments = (protocol_factory, sock, sslcontext, server, backlog, *timeouts)
            super()._start_serving(*arguments)  # type: ignore[misc]
            return
        accept = partial(self._accept, sock, protocol_factory, sslcontext, server, timeouts)
        self._network.start_listening(sock, accept)

    def _accept(
        self,
        listener: Listener,
        factory: Factory,
        context: SSLContext | None,
        server: Any,
        timeouts: Iterable[Any],
    ) -> None:
        while listener.pending:
            endpoint = listener.pending.popleft()
            extra = {"peername": endpoint._peername}
            self.create_task(self._accept_connection2(factory, endpoint, extra, context, server, *timeouts))

    def _stop_serving(self, sock: Any) -> None:
        if isinstance(sock, Listener):
            sock.close()
        else:
            super()._stop_serving(sock)  # type: ignore[misc]

    def link_connections(self, address: Any, links: Links | None) -> None:
        """Let connections to a listener of this loop go over links with faults; None makes them direct."""
        self._network.link(address, partial(link_ends, self, links) if links is not None else None)

    # Clients.

    async def create_connection(
        self,
        protocol_factory: Factory,
        host: Any = None,
        port: Any = None,
        *,
        ssl: Any = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: Any = None,
        local_addr: Any = None,
        server_hostname: str | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
        **options: Any,
    ) -> tuple[asyncio.Transport, Any]:
        """As in asyncio, in memory; the first address that somebody listens on is taken."""
        if sock is None and (host is not None or port is not None):
            sock = await self._connect(host, port, family)
            if ssl and server_hostname is None:
                server_hostname = host
        elif sock is not None and (host is not None or port is not None):
            raise ValueError("host/port and sock can not be specified at the same time")
        return await super().create_connection(
            protocol_factory, ssl=ssl, sock=sock, server_hostname=server_hostname, **options
        )

    async def _connect(self, host: Any, port: Any, family: int) -> Endpoint:
        infos = resolve(host, port, family=family)
        if infos is None:
            raise outside((host, port), names=self._network.addresses())
        errors: list[OSError] = []
        # A turn of the loop, as connecting takes one on a kernel socket.
        await asyncio.sleep(0)
        for each, _, _, _, address in infos:
            try:
                return self._network.connect(each, address)
            except OSError as exc:
                errors.append(exc)
        try:
            raise errors[0]
        finally:
            errors.clear()

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """As in asyncio; the socket is then good for ``create_connection(sock=...)``."""
        if sock.family not in INTERNET:
            await super().sock_connect(sock, address)
            return
        host, port = address[:2]
        if resolve(host, port) is None or is_local_name(host):
            info = (await self.getaddrinfo(host, port, family=sock.family, type=socket.SOCK_STREAM))[0]
            address = info[4]
        await asyncio.sleep(0)
        self._connected[sock] = self._network.connect(socket.AddressFamily(sock.family), address)

    # Transports.

    def _memory_end(self, sock: Any) -> Endpoint | None:
        """The end in memory that a transport is to be made of; None for a socket of the kernel."""
        if isinstance(sock, Endpoint):
            return sock
        if isinstance(sock, VirtualSocket):
            raise ValueError(f"{sock!r} is not connected")
        if (endpoint := self._connected.pop(sock, None)) is not None:
            sock.close()
            return endpoint
        if _is_kernel_tcp(sock):
            raise outside(_address(sock), "a kernel TCP socket with")
        return None

    def _make_socket_transport(self, sock: Any, protocol: Any, waiter: Any = None, **options: Any) -> Any:
        endpoint = self._memory_end(sock)
        if endpoint is None:
            return super()._make_socket_transport(sock, protocol, waiter, **options)  # type: ignore[misc]
        return MemoryTransport(self, endpoint, protocol, waiter, options.get("server"))

    def _make_ssl_transport(
        self,
        rawsock: Any,
        protocol: Any,
        sslcontext: Any,
        waiter: Any = None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        extra: Any = None,
        server: Any = None,
        **timeouts: float | None,
    ) -> Any:
        endpoint = self._memory_end(rawsock)
        names = {"server_side": server_side, "server_hostname": server_hostname}
        if endpoint is None:
            return super()._make_ssl_transport(  # type: ignore[misc]
                rawsock, protocol, sslcontext, waiter, extra=extra, server=server, **names, **timeouts
            )
        tls = sslproto.SSLProtocol(self, protocol, sslcontext, waiter, **names, **timeouts)  # type: ignore[arg-type]
        MemoryTransport(self, endpoint, tls, server=server)
        return tls._app_transport

    # What would leave the loop.

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> Any:
        """As in asyncio for Unix sockets; UDP is refused."""
        family = getattr(options.get("sock"), "family", options.get("family", 0))
        if family != getattr(socket, "AF_UNIX", None):
            raise outside(remote_addr or local_addr or _address(options.get("sock")), "a UDP socket for")
        return await super().create_datagram_endpoint(protocol_factory, local_addr, remote_addr, **options)

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """As in asyncio; what a TCP socket accepts comes from memory."""
        if sock.family in INTERNET:
            accepting.take_over(sock, self._network)
        return await super().sock_accept(sock)

    async def sock_recv(self, sock: socket.socket, nbytes: int) -> bytes:
        """As in asyncio, but not for kernel TCP."""
        received: bytes = await self._refuse_kernel(sock, super().sock_recv, nbytes)
        return received

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """As in asyncio, but not for kernel TCP."""
        received: int = await self._refuse_kernel(sock, super().sock_recv_into, buf)
        return received

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """As in asyncio, but not for kernel TCP."""
        await self._refuse_kernel(sock, super().sock_sendall, data)

    async def _refuse_kernel(
        self, sock: socket.socket, operation: Callable[..., Awaitable[Any]], *args: Any
    ) -> Any:
        if _is_kernel_tcp(sock):
            raise outside(_address(sock), "bytes on the kernel socket with")
        return await operation(sock, *args)

    def _add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        sock = self._kernel_tcp(fd)
        if sock is None:
            return super()._add_reader(fd, callback, *args)
        if not accepting.is_listening(sock):
            raise outside(_address(sock), "waiting for the kernel socket with")
        listener = accepting.take_over(sock, self._network)
        self._accepting[sock.fileno()] = listener
        self._network.start_listening(listener, partial(_call_while_pending, listener, callback, args))
        assert listener.accept is not None
        return listener.accept

    def _add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        if (sock := self._kernel_tcp(fd)) is not None:
            raise outside(_address(sock), "waiting for the kernel socket with")
        return super()._add_writer(fd, callback, *args)

    def _remove_reader(self, fd: Any) -> bool:
        number = fd if isinstance(fd, int) else fd.fileno()
        listener = self._accepting.pop(number, None) if self._made else None
        if listener is None:
            return super()._remove_reader(fd)
        # The address stays taken until the socket is closed; connections wait.
        listener.accept = None
        return True

    def _kernel_tcp(self, fd: Any) -> socket.socket | None:
        number = fd if isinstance(fd, int) else fd.fileno()
        if number >= FIRST_NUMBER:
            raise ValueError(f"{fd!r} is a socket of the virtual network: it has no descriptor to wait for")
        return accepting.kernel_tcp(number) if self._made else None


def _call_while_pending(listener: Listener, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
    callback(*args)
    listener.wake()


def _is_kernel_tcp(sock: Any) -> bool:
    return sock.family in INTERNET and not isinstance(sock, VirtualSocket | accepting.AcceptedSocket)


def _address(sock: Any) -> Any:
    """The address of a socket that says most: the other end's, else its own."""
    for name in ("getpeername", "getsockname"):
        try:
            return getattr(sock, name)()
        except (OSError, AttributeError):
            continue
    return "an unknown address"
