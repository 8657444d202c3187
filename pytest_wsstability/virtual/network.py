"""The in-memory network of one loop: who listens where, and connections between them."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections import deque
from collections.abc import Callable, Iterable
from itertools import cycle
from typing import TYPE_CHECKING

from .addresses import LOOPBACKS, WILDCARDS, AddressInfo, outside
from .connected import ConnectedSocket, connect_pair
from .sockets import Address, VirtualSocket, os_error, show_address
from .unix_peers import UnixPeers

if TYPE_CHECKING:
    from .asyncio_seam import SelectorLoop

# RFC 6335, section 6: the dynamic ports. Listeners get these when they ask for port 0, in order; clients get
# the ports below, so that a listener's port does not depend on how many clients came before.
_LISTENER_PORTS = range(49152, 65536)
_CLIENT_PORTS = range(32768, 49152)


_LOCAL = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\]):(\d{1,5})(?!\d)")


# Gets the client's and the server's end of a new connection.
Link = Callable[[ConnectedSocket, ConnectedSocket], object]


class Listener(VirtualSocket):
    """A listening socket: connections wait in it until somebody accepts them."""

    __slots__ = ("accept", "dual_stack", "link", "listening", "network", "pending", "real", "reuse_port")

    def __init__(self, network: Network, family: socket.AddressFamily, sockname: Address) -> None:
        super().__init__(family, sockname)
        self.network = network
        # Whether connections may come; before, they are refused.
        self.listening = False
        # Made ready when a connection waits; None while nobody accepts.
        self.accept: asyncio.Handle | None = None
        self.pending: deque[ConnectedSocket] = deque()
        # A kernel socket that somebody bound and passed in; it is closed with this one.
        self.real: socket.socket | None = None
        self.reuse_port = False
        # Puts a link between the client's and the server's end of each connection; None for none.
        self.link: Link | None = None
        # An IPv6 wildcard that takes IPv4 too, as the kernel's do by default.
        self.dual_stack = False

    def fileno(self) -> int:
        return super().fileno() if self.real is None or self.closed else self.real.fileno()

    def listen(self, backlog: int = 0) -> None:
        """Nothing to do: connections may come as soon as somebody accepts them."""

    def close(self) -> None:
        """Give the address back; connections that nobody accepted are reset."""
        if self.closed:
            return
        self.network.unbind(self)
        self.listening, self.accept = False, None
        for connection in self.pending:
            connection.wire.reset()
        self.pending.clear()
        super().close()
        if self.real is not None:
            self.real.close()

    def arrive(self, connection: ConnectedSocket) -> None:
        """A connection has come."""
        self.pending.append(connection)
        self.wake()

    def wake(self) -> None:
        """Let the acceptor run if connections wait."""
        if self.accept is not None and self.pending:
            self.network.loop.ready.append(self.accept)


class Network:
    """Addresses and connections of one loop."""

    def __init__(self, loop: SelectorLoop) -> None:
        self.loop = loop
        # Unix sockets are the kernel's.
        self.unix = UnixPeers()
        self._listeners: dict[int, list[Listener]] = {}
        # All ports that anybody listened on: a closed one refuses, an unknown one may be the kernel's.
        self._known_ports: set[int] = set()
        self._client_ports = cycle(_CLIENT_PORTS)
        self._found = -1

    def bind(
        self,
        family: socket.AddressFamily,
        address: Address,
        *,
        reuse_port: bool = False,
        dual_stack: bool = False,
    ) -> Listener:
        """
        Take an address, whose port 0 stands for a free one.

        Raises:
            OSError: EADDRINUSE if somebody listens there.

        """
        port = address[1] or self._free_port()
        listener = Listener(self, family, (address[0], port, *address[2:]))
        listener.reuse_port, listener.dual_stack = reuse_port, dual_stack
        if reuse_port and (option := getattr(socket, "SO_REUSEPORT", None)) is not None:
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        for other in self._listeners.get(port, ()):
            if _overlap(listener, other) and not (reuse_port and other.reuse_port):
                reason = os_error(errno.EADDRINUSE).strerror or ""
                text = f"error while attempting to bind on address {address!r}: {reason.lower()}"
                raise os_error(errno.EADDRINUSE, text)
        self._listeners.setdefault(port, []).append(listener)
        self._known_ports.add(port)
        return listener

    def bind_all(self, infos: Iterable[AddressInfo], *, reuse_port: bool) -> list[Listener]:
        """Take all of them or none; port 0 stands for the same free port in all."""
        listeners: list[Listener] = []
        try:
            for family, _, _, _, address in infos:
                if not address[1] and listeners:
                    address = (address[0], listeners[0].sockname[1], *address[2:])
                listeners.append(self.bind(family, address, reuse_port=reuse_port))
        except OSError:
            for listener in listeners:
                listener.close()
            raise
        return listeners

    def _free_port(self) -> int:
        for port in _LISTENER_PORTS:
            if port not in self._known_ports:
                return port
        raise os_error(errno.EADDRINUSE, "all ports of the virtual network are taken")

    def named_in(self, text: str) -> str | None:
        """An address of this network, ``host:port``, that a text names; None if it names none."""
        names = (match[0] for match in _LOCAL.finditer(text) if int(match[1]) in self._listeners)
        return next(names, None)

    def unbind(self, listener: Listener) -> None:
        """Give an address back."""
        port = listener.sockname[1]
        listeners = self._listeners.get(port, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._listeners.pop(port, None)

    def start_listening(self, listener: Listener, accept: Callable[[], object]) -> asyncio.Handle:
        """Call back in the loop when connections wait in the listener."""
        listener.listening = True
        listener.accept = handle = asyncio.Handle(accept, (), self.loop)
        listener.wake()
        return handle

    def connect(self, family: socket.AddressFamily, address: Address) -> ConnectedSocket:
        """
        Connect to whoever listens at a literal address.

        Returns:
            The client's end; the server accepts its own in the next turn of the loop.

        Raises:
            ConnectionRefusedError: if somebody has listened on that port, and nobody does now.
            VirtualTimeError: if nobody ever has: it may be a server outside.

        """
        host = LOOPBACKS[family] if address[0] == WILDCARDS[family] else address[0]
        port = address[1]
        listener = self._find(family, host, port)
        if listener is None or not listener.listening:
            if port not in self._known_ports:
                raise outside(address, names=self.addresses())
            raise os_error(errno.ECONNREFUSED, f"Connect call failed {address!r}")
        own_host = host if host.startswith("127.") or host == "::1" else LOOPBACKS[family]
        rest = tuple(address[2:])
        client, server = connect_pair(
            self.loop, family, (own_host, next(self._client_ports), *rest), (host, port, *rest)
        )
        if listener.link is not None:
            listener.link(client, server)
        listener.arrive(server)
        return client

    def link(self, address: Address, link: Link | None) -> None:
        """Let connections to whoever listens at an address go over links; None makes them direct again."""
        for listener in self._listeners.get(address[1], ()):
            if listener.sockname == address:
                listener.link = link

    def _find(self, family: socket.AddressFamily, host: str, port: int) -> Listener | None:
        listeners = self._listeners.get(port, ())
        exact = [each for each in listeners if each.family == family and each.sockname[0] == host]
        found = exact or [
            each for each in listeners if _is_wildcard(each) and (each.family == family or each.dual_stack)
        ]
        if not found:
            return None
        # Those that share a port by SO_REUSEPORT get their connections in turn, where the kernel draws lots.
        self._found += 1
        return found[self._found % len(found)]

    def addresses(self) -> list[str]:
        """Where somebody listens, for messages."""
        return [show_address(each.sockname) for listeners in self._listeners.values() for each in listeners]

    def close(self) -> None:
        """Close all listeners."""
        for listeners in list(self._listeners.values()):
            for listener in list(listeners):
                listener.close()


def _is_wildcard(listener: Listener) -> bool:
    return bool(listener.sockname[0] == WILDCARDS[listener.family])


def _overlap(a: Listener, b: Listener) -> bool:
    if a.family != b.family:
        return False
    return a.sockname[0] == b.sockname[0] or _is_wildcard(a) or _is_wildcard(b)
