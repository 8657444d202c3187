"""A TCP proxy in front of any WebSocket URL, that breaks connections on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakSet

from ...core.duration import Duration, show_duration
from ...core.faults import AppliedFault, Fault, Program
from ...core.faults.fault import FaultLabel
from ...core.redact import redact_url
from ...core.secret_values import SECRETS
from ...core.timeline.timeline import Timeline
from ...core.url import port_of
from ..port import Port
from ..target import parse_url
from .injector import FaultInjector
from .link import Link
from .relay import RelayProtocol, join

if TYPE_CHECKING:
    from ...core.faults.program import ScheduledFault

# The proxies of this process that listen, so that a server finds those on the way to it.
_RUNNING: WeakSet[FaultProxy] = WeakSet()
# The target has so long to accept a connection.
_DIAL_TIMEOUT = 10.0


class _Calls(NamedTuple):
    """What the two ends of a connection call: when a client or the server is there, and when one is gone."""

    client: Callable[[RelayProtocol], object]
    server: Callable[[RelayProtocol], object]
    lost: Callable[[RelayProtocol], object]


@dataclass(eq=False, slots=True)
class ProxyConnection:
    """
    One connection through a `FaultProxy`.

    Attributes:
        number: counted from 0, in the order in which connections reached the target.
        client: the address of the client, as the proxy sees it.
        server: the address that the server sees as its client's.
        link: what is done to its bytes.

    """

    number: int
    client: Any
    server: Any
    link: Link
    _applied: list[AppliedFault]

    @property
    def timeline(self) -> Timeline | None:
        """
        The frames that passed, upstream as sent and downstream as received; sizes are those on the wire.

        None over TLS, which hides frames, and where no WebSocket was opened.

        """
        return self.link.timeline

    @property
    def carried(self) -> tuple[int, int]:
        """Bytes that came from the client, and from the server; those of handshakes and of TLS included."""
        return self.link.upstream.taken, self.link.downstream.taken

    @property
    def ending(self) -> str | None:
        """Who or what ended it, such as ``the client ended the stream first``; None while it is open."""
        return self.link.ending

    @property
    def applied(self) -> list[AppliedFault]:
        """Faults that were applied to this connection."""
        return [applied for applied in self._applied if applied.connection == self.number]

    def __repr__(self) -> str:
        state = self.timeline or self.ending or "open"
        return f"<ProxyConnection {self.number}: {state!r}, {sum(self.carried)} bytes>"


class FaultProxy:
    """
    Stands between clients and a URL, and breaks what passes.

    Use it as ``async with FaultProxy(url, faults=[...]) as proxy:``, or through the ``ws_proxy`` fixture.
    It changes no byte. TLS passes through untouched, so that the client checks the target's own
    certificate, against the host of ``proxy.url``.

    Args:
        url: where connections lead, ``ws://`` or ``wss://``.
        faults: what happens to each connection; see `faults.Program.of`.
        host, port: where to listen; port 0 takes a free one.

    Raises:
        TypeError, ValueError: for a URL or fault that makes no sense, naming it; for a fault that must
            read frames and a ``wss://`` URL.

    """

    def __init__(
        self,
        url: str,
        *,
        faults: Program | ScheduledFault | Iterable[ScheduledFault] = (),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        SECRETS.take_url(url)
        self._target = parse_url(url)
        # Where connections lead.
        self.target = url
        self._given = Program.of(faults)
        self._injector = FaultInjector(self._given, reads=not self._target.secure, name=self._label)
        self._port = Port(host, port, None, "the proxy")
        # Servers that may still have connections; None while the proxy is not running.
        self._servers: list[asyncio.Server] | None = None
        # The loop on which it runs; None before it was started.
        self.loop: asyncio.AbstractEventLoop | None = None
        # Every connection that has reached the target, in the order of arrival.
        self.connections: list[ProxyConnection] = []
        # Why connections have not reached the target.
        self.failures: list[str] = []
        # Ends of connections that are not gone; a dict, because a set would have an order of its own.
        self._ends: dict[RelayProtocol, None] = {}
        # What the ends call; one of each, for a bound method of its own would cost each end 64 bytes.
        self._calls = _Calls(self._on_client, self._remember, self._forget)
        # Connections to the target that are being opened.
        self._dialling: dict[asyncio.Task[None], None] = {}
        self._error: BaseException | None = None
        self._gone: asyncio.Future[None] | None = None

    # What users see.

    @property
    def url(self) -> str:
        """
        Where clients connect to instead.

        Raises:
            RuntimeError: if the proxy was never started.

        """
        if self._port.url is None:
            raise RuntimeError("the proxy has no URL before it is started: use 'async with' or start()")
        here, there = urlsplit(self._port.url), urlsplit(self.target)
        user, at, _ = there.netloc.rpartition("@")
        return urlunsplit(there._replace(netloc=f"{user}{at}{here.netloc}", path=there.path or "/"))

    @property
    def program(self) -> Program:
        """The faults for connections to come: those that were given, and those that were added since."""
        return self._injector.program

    @property
    def address(self) -> tuple[str, int]:
        """Host and port where the proxy listens."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    @property
    def applied(self) -> list[AppliedFault]:
        """Faults that were applied, with planned and actual instants, in order."""
        return self._injector.applied

    @property
    def timeline(self) -> Timeline:
        """
        The timeline of the latest WebSocket that was opened through the proxy.

        Raises:
            LookupError: if none was.

        """
        for connection in reversed(self.connections):
            if (timeline := connection.timeline) is not None:
                return timeline
        reason = "over TLS the proxy sees no frames" if self._target.secure else "none was opened"
        raise LookupError(f"{self!r} has no timeline of a WebSocket: {reason}")

    def connection_from(self, client: Any) -> ProxyConnection | None:
        """The connection of the client with this address; None if it did not come here."""
        return next((each for each in reversed(self.connections) if each.client == client), None)

    def add(self, fault: Fault, at: Duration | None = None) -> None:
        """
        Break something more, while connections are open.

        Args:
            fault: what happens to each connection that is open, and to those to come.
            at: seconds since each connection was opened; older ones get it at once. None is now:
                what lasts (`faults.Latency`) is applied to those to come at their opening, what happens
                once (`faults.Drop`) only to those that are open.

        Raises:
            RuntimeError: if the proxy is not running.
            TypeError, ValueError: for what is no fault of a link, or no time.

        """
        if self._servers is None:
            raise RuntimeError(f"add: {self!r} is not running, so nothing would ever be applied")
        self._injector.add(fault, at)

    def heal(self) -> None:
        """End all faults: what was held is delivered, and none is applied until `add` is called."""
        self._injector.heal()

    def __repr__(self) -> str:
        parts = [f"{self._shown_url} -> {redact_url(self.target)}"]
        parts.append(f"{len(self.connections)} connection(s)")
        parts += (
            [f"{len(self.applied)} fault(s) applied, the last {self.applied[-1]}"] if self.applied else []
        )
        parts += [f"failed: {self.failures[-1]}"] if self.failures else []
        return f"<FaultProxy {', '.join(parts)}>"

    @property
    def _shown_url(self) -> str:
        return redact_url(self.url) if self._port.url is not None else "not started"

    def report(self) -> str:
        """The faults that were applied, a line each, and the program that does it again."""
        lines = [f"fault proxy {self._shown_url} -> {redact_url(self.target)}"]
        lines.append(f"  program   {self._given!r}")
        lines += [f"  applied   {applied}" for applied in self.applied]
        return "\n".join(lines + self._failure_lines())

    def _failure_lines(self) -> list[str]:
        return [f"  failed    {failure}" for failure in self.failures]

    def _label(self, fault: Fault) -> FaultLabel:
        return FaultLabel(repr(fault))

    # Starting and stopping.

    async def __aenter__(self) -> FaultProxy:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def start(self) -> None:
        """
        Listen.

        Raises:
            OSError: if the address is in use or not ours, naming it.

        """
        if self._servers is not None:
            raise RuntimeError("the proxy is running already")
        await self._port.open(self._client_end)
        self._servers = []
        self.loop = asyncio.get_running_loop()
        _RUNNING.add(self)

    def stop_listening(self) -> None:
        """Refuse connections, as the target does meanwhile; those that are there stay."""
        server = self._port.close(reserve=True)
        if server is not None and self._servers is not None:
            self._servers.append(server)

    async def listen_again(self) -> None:
        """Take connections again, at the same address."""
        await self._port.open(self._client_end)

    async def close(self) -> None:
        """
        Cut all connections and wait until nothing of the proxy is left.

        Raises:
            BaseException: what went wrong on the way to the target, if it was no matter of the network.

        """
        if self._servers is None:
            return
        self.stop_listening()
        servers, self._servers = self._servers, None
        _RUNNING.discard(self)
        self._port.release()
        for task in self._dialling:
            task.cancel()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        self._injector.close()
        for end in list(self._ends):
            if end.transport is not None:
                end.transport.abort()
        if self._ends:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone
        for server in servers:
            await server.wait_closed()
        error, self._error = self._error, None
        if error is not None:
            raise error

    # The two ends of each connection.

    def _client_end(self) -> RelayProtocol:
        return RelayProtocol(self._calls.client, self._calls.lost)

    def _server_end(self) -> RelayProtocol:
        return RelayProtocol(self._calls.server, self._calls.lost)

    def _on_client(self, client: RelayProtocol) -> None:
        self._remember(client)
        task = asyncio.get_running_loop().create_task(self._dial(client))
        self._dialling[task] = None
        task.add_done_callback(self._dialling.pop)

    def _remember(self, end: RelayProtocol) -> None:
        self._ends[end] = None

    def _forget(self, end: RelayProtocol) -> None:
        self._ends.pop(end, None)
        if not self._ends and self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    async def _dial(self, client: RelayProtocol) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_DIAL_TIMEOUT):
                _, server = await loop.create_connection(
                    self._server_end, self._target.host, self._target.port
                )
        except OSError as exc:
            self._refuse(client, _why(exc, f"{self._target.host}:{self._target.port}"))
        except Exception as exc:
            # Such as a target outside the virtual network. Whoever closes the proxy is told.
            self._error = self._error or exc
            self._refuse(client, str(exc))
        else:
            self._join(client, server)

    def _join(self, client: RelayProtocol, server: RelayProtocol) -> None:
        if client.transport is None or server.transport is None:
            # One has vanished while the other came.
            for end in (client, server):
                if end.transport is not None:
                    end.transport.abort()
            return
        link = self._injector.link(asyncio.get_running_loop(), (client, client), (server, server))
        addresses = client.transport.get_extra_info("peername"), server.transport.get_extra_info("sockname")
        if link.timeline is not None:
            link.timeline.port = port_of(addresses[1])
        self.connections.append(ProxyConnection(len(self.connections), *addresses, link, self.applied))
        join(link, client, server)

    def _refuse(self, client: RelayProtocol, why: str) -> None:
        failure = f"the fault proxy cannot reach {redact_url(self.target)}: {why}"
        self.failures.append(failure)
        if self._target.secure:
            client.reset()
            return
        body = failure.encode()
        client.data(
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
        )
        client.fin()
        # What the client says is read and lost: closing with it unread would reset the answer.
        client.more()


def links_to(address: Any) -> list[Link]:
    """The links of the fault proxies on this loop that lead to a server, by the address of its client."""
    if not _RUNNING:
        return []
    loop, links = asyncio.get_running_loop(), []
    while (found := _connection_to(loop, address)) is not None:
        links.append(found.link)
        address = found.client
    return links


def _connection_to(loop: asyncio.AbstractEventLoop, address: Any) -> ProxyConnection | None:
    here = (proxy for proxy in _RUNNING if proxy.loop is loop)
    found = (each for proxy in here for each in reversed(proxy.connections) if each.server == address)
    return next(found, None)


def _why(exc: OSError, where: str) -> str:
    if isinstance(exc, TimeoutError) and exc.errno is None:
        return f"{where} did not accept a TCP connection within {show_duration(_DIAL_TIMEOUT)}"
    if isinstance(exc, ConnectionRefusedError):
        return f"nobody listens on {where} (connection refused)"
    return f"{where}: {exc.strerror or exc}"
