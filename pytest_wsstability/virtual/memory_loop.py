"""
An event loop whose network is in memory.

Connections between servers and clients of the loop never touch the kernel; whatever would leave it is
refused. Unix sockets and pipes stay the kernel's.

"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from . import accepting
from .addresses import INTERNET, AddressInfo, is_local_name, outside, resolve
from .asyncio_seam import SelectorLoop, add_sockets, tls_over
from .connected import ConnectedSocket
from .linked import link_ends
from .network import Listener, Network
from .sockets import FIRST_NUMBER, VirtualSocket
from .transport import MemoryTransport

if TYPE_CHECKING:
    from ..net.proxy.injector import FaultInjector

Factory = Callable[[], asyncio.BaseProtocol]


class MemoryLoop(SelectorLoop):
    """
    An asyncio event loop whose TCP connections stay in memory.

    Attributes:
        network: who listens where.
        asks_kernel: whether each turn must ask the kernel: it watches a descriptor besides the self-pipe.

    """

    # asyncio's constructor registers the self-pipe, which is a TCP socket pair on some systems.
    _made = False

    def __init__(self) -> None:
        self.asks_kernel = False
        self.network = Network(self)
        # Kernel sockets that sock_connect has connected in memory, until a transport takes them over.
        self._connected: WeakKeyDictionary[socket.socket, ConnectedSocket] = WeakKeyDictionary()
        # Kernel sockets on which user code calls accept() itself, by descriptor.
        self._accepting: dict[int, Listener] = {}
        super().__init__()
        self._made = True

    def close(self) -> None:
        """As in asyncio."""
        if not self.is_running() and not self.is_closed():
            for end in self._connected.values():
                end.close()
            self.network.close()
        super().close()

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
            bare = host is None and port is None
            if bare and sock.type == socket.SOCK_STREAM and accepting.is_kernel_tcp(sock):
                sock = accepting.listener_of(sock, self.network)
            return await super().create_server(
                protocol_factory, host, port, sock=sock, start_serving=start_serving, **options
            )
        if host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        if reuse_port and not hasattr(socket, "SO_REUSEPORT"):
            raise ValueError("reuse_port not supported by socket module")
        listeners = await self._bind(host, port, family, flags, bool(reuse_port))
        try:
            first: Any = listeners[0]
            server = await super().create_server(protocol_factory, sock=first, start_serving=False, **options)
        except BaseException:
            for listener in listeners:
                listener.close()
            raise
        add_sockets(server, listeners[1:])
        if start_serving:
            await server.start_serving()
        return server

    async def _bind(self, host: Any, port: Any, family: int, flags: int, reuse_port: bool) -> list[Listener]:
        hosts = [host] if host is None or isinstance(host, str | bytes) else list(host)
        found: dict[AddressInfo, None] = {}
        for each in hosts or [None]:
            kind = socket.SOCK_STREAM
            infos = await self.getaddrinfo(each or None, port, family=family, type=kind, flags=flags)
            if not infos:
                raise OSError(f"getaddrinfo({each!r}) returned empty list")
            found.update(dict.fromkeys(infos))
        return self.network.bind_all(found, reuse_port=reuse_port)

    def start_accepting(
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
            super().start_accepting(*arguments)
            return
        accept = partial(self._accept, sock, protocol_factory, sslcontext, server, timeouts)
        self.network.start_listening(sock, accept)

    def _accept(
        self,
        listener: Listener,
        factory: Factory,
        context: SSLContext | None,
        server: Any,
        timeouts: tuple[float | None, ...],
    ) -> None:
        while listener.pending:
            end = listener.pending.popleft()
            extra = {"peername": end.peername}
            self.create_task(self.accept_connection(factory, end, extra, context, server, *timeouts))

    def stop_accepting(self, sock: Any) -> None:
        if isinstance(sock, Listener):
            sock.close()
        else:
            super().stop_accepting(sock)

    def link_connections(self, address: Any, injector: FaultInjector | None) -> None:
        """Let connections to a listener of this loop go over links with faults; None makes them direct."""
        self.network.link(address, partial(link_ends, self, injector) if injector is not None else None)

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

    async def _connect(self, host: Any, port: Any, family: int) -> ConnectedSocket:
        infos = resolve(host, port, family=family)
        if infos is None:
            raise outside((host, port), names=self.network.addresses())
        errors: list[OSError] = []
        # A turn of the loop, as connecting takes one on a kernel socket.
        await asyncio.sleep(0)
        for each, _, _, _, address in infos:
            try:
                return self.network.connect(each, address)
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
            self.network.unix.connected(sock.getpeername())
            return
        host, port = address[:2]
        if resolve(host, port) is None or is_local_name(host):
            info = (await self.getaddrinfo(host, port, family=sock.family, type=socket.SOCK_STREAM))[0]
            address = info[4]
        await asyncio.sleep(0)
        self._connected[sock] = self.network.connect(socket.AddressFamily(sock.family), address)

    # Transports.

    def _memory_end(self, sock: Any) -> ConnectedSocket | None:
        """The end in memory that a transport is to be made of; None for a socket of the kernel."""
        if isinstance(sock, ConnectedSocket):
            return sock
        if isinstance(sock, VirtualSocket):
            raise ValueError(f"{sock!r} is not connected")
        if (end := self._connected.pop(sock, None)) is not None:
            sock.close()
            return end
        if accepting.is_kernel_tcp(sock):
            raise outside(accepting.address_of(sock), "a kernel TCP socket with")
        return None

    def make_transport(self, sock: Any, protocol: Any, waiter: Any = None, **options: Any) -> Any:
        end = self._memory_end(sock)
        if end is None:
            return super().make_transport(sock, protocol, waiter, **options)
        return MemoryTransport(self, end, protocol, waiter, options.get("server"))

    def make_tls_transport(
        self,
        rawsock: Any,
        protocol: Any,
        sslcontext: Any,
        waiter: Any = None,
        *,
        extra: Any = None,
        server: Any = None,
        **options: Any,
    ) -> Any:
        """As in asyncio."""
        end = self._memory_end(rawsock)
        if end is None:
            return super().make_tls_transport(
                rawsock, protocol, sslcontext, waiter, extra=extra, server=server, **options
            )
        below, transport = tls_over(self, protocol, sslcontext, waiter, **options)
        MemoryTransport(self, end, below, server=server)
        return transport

    # What would leave the loop.

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> Any:
        """As in asyncio for Unix sockets; UDP is refused."""
        family = getattr(options.get("sock"), "family", options.get("family", 0))
        if family != getattr(socket, "AF_UNIX", None):
            raise outside(
                remote_addr or local_addr or accepting.address_of(options.get("sock")), "a UDP socket for"
            )
        return await super().create_datagram_endpoint(protocol_factory, local_addr, remote_addr, **options)

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """As in asyncio; what a TCP socket accepts comes from memory."""
        if sock.family in INTERNET:
            self._accepting[sock.fileno()] = accepting.take_over(sock, self.network)
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
        if accepting.is_kernel_tcp(sock):
            raise outside(accepting.address_of(sock), "bytes on the kernel socket with")
        return await operation(sock, *args)

    # Descriptors of the kernel: which are watched decides whether it must be asked at every turn.

    def watch_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        """As in asyncio, but not for kernel TCP; connections to a socket that listens come from memory."""
        kernel = self._kernel_tcp(fd)
        if kernel is None:
            handle = super().watch_reader(fd, callback, *args)
            self._note_descriptors()
            if self._made:
                self.network.unix.watch(_number(fd))
            return handle
        if not kernel.listening:
            raise outside(kernel.address, "waiting for the kernel socket with")
        listener = self._accepting.get(kernel.number)
        if listener is None or listener.closed:
            sock = accepting.socket_object(fd, callback)
            self._accepting[kernel.number] = listener = accepting.take_over(sock, self.network)
        return self.network.start_listening(listener, partial(_call_while_pending, listener, callback, args))

    def watch_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        """As in asyncio, but not for kernel TCP."""
        if (kernel := self._kernel_tcp(fd)) is not None:
            raise outside(kernel.address, "waiting for the kernel socket with")
        handle = super().watch_writer(fd, callback, *args)
        self._note_descriptors()
        return handle

    def forget_reader(self, fd: Any) -> bool:
        """As in asyncio."""
        listener = self._accepting.pop(_number(fd), None) if self._made else None
        if listener is not None:
            # The address stays taken until the socket is closed; connections wait.
            listener.accept = None
            return True
        forgotten = super().forget_reader(fd)
        self._note_descriptors()
        if self._made:
            self.network.unix.forget(_number(fd))
        return forgotten

    def forget_writer(self, fd: Any) -> bool:
        """As in asyncio."""
        forgotten = super().forget_writer(fd)
        self._note_descriptors()
        return forgotten

    def _note_descriptors(self) -> None:
        if self._made and not self.is_closed():
            # One is always there: the self-pipe.
            self.asks_kernel = len(self.selector.get_map()) > 1

    def _kernel_tcp(self, fd: Any) -> accepting.KernelSocket | None:
        if _number(fd) >= FIRST_NUMBER:
            raise ValueError(f"{fd!r} is a socket of the virtual network: it has no descriptor to wait for")
        return accepting.kernel_tcp(_number(fd)) if self._made else None


def _number(fd: Any) -> int:
    number: int = fd if isinstance(fd, int) else fd.fileno()
    return number


def _call_while_pending(listener: Listener, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
    callback(*args)
    listener.wake()
