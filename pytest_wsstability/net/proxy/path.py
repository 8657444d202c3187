"""The way to a server that has faults of the link: the virtual network's own, or a proxy in front."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...core.faults import AppliedFault, Program
from ...core.faults.fault import FaultLabel
from ...core.timeline.timeline import Timeline
from ..port import Port
from .injector import FaultInjector
from .link import Link
from .proxy import FaultProxy, ProxyConnection

if TYPE_CHECKING:
    from ..connection import Connection


class Path:
    """
    Leads clients to a server, over links with faults.

    In virtual time the network itself has the faults; in real time a proxy stands in front.

    Args:
        program: what happens to each connection.
        tls: whether the server speaks TLS.

    Raises:
        ValueError: for a fault that must read frames, with TLS.

    """

    def __init__(self, program: Program, *, tls: bool) -> None:
        self._injector = FaultInjector(program, reads=not tls, name=lambda fault: FaultLabel(repr(fault)))
        # Where a proxy listens; None in virtual time, where the network itself has the faults.
        self._address: tuple[str, int] | None = None
        # None while it does not.
        self._proxy: FaultProxy | None = None

    def place(self, port: Port) -> Port:
        """
        Where a server listens that was asked to listen here: in real time the proxy has its address.

        Args:
            port: where it was asked to listen, and has not yet.

        """
        if hasattr(asyncio.get_running_loop(), "link_connections"):
            return port
        self._address = port.asked
        return port.moved()

    async def open(self, port: Port) -> None:
        """Stand in the way to a server that listens; once more when it comes back."""
        if self._address is None:
            loop: Any = asyncio.get_running_loop()
            for address in port.addresses:
                loop.link_connections(address, self._injector)
        elif self._proxy is not None:
            await self._proxy.listen_again()
        else:
            assert port.url is not None
            host, number = self._address
            proxy = FaultProxy(port.url, faults=self._injector.program, host=host, port=number)
            await proxy.start()
            self._proxy = proxy

    def down(self) -> None:
        """The server listens no more, so that connections are refused."""
        if self._proxy is not None:
            self._proxy.stop_listening()

    async def close(self) -> None:
        """Leave the way; connections that are still there are cut."""
        self._injector.close()
        if self._proxy is not None:
            await self._proxy.close()
            self._proxy = None

    def url(self, server: str | None) -> str | None:
        """Where clients connect to, given the server's own URL."""
        return self._proxy.url if self._proxy is not None else server

    @property
    def applied(self) -> list[AppliedFault]:
        """Faults that were applied, with planned and actual instants, in order."""
        return self._proxy.applied if self._proxy is not None else self._injector.applied

    def links_to(self, client: Any) -> list[Link]:
        """What the virtual network does to the connection of a client, by its address."""
        link = self._injector.link_of(client)
        return [link] if link is not None else []

    def route(self, client: Any) -> tuple[Any, list[Timeline]]:
        """
        What is known of the connection of a client, by its address.

        Returns:
            The address by which the server knows it, and the timeline between the ends, if there is one.

        """
        if self._proxy is not None:
            return follow(client, [self._proxy])
        link = self._injector.link_of(client)
        timeline = link.timeline if link is not None else None
        return client, [timeline] if timeline is not None else []


def follow(client: Any, proxies: list[FaultProxy]) -> tuple[Any, list[Timeline]]:
    """
    The same through proxies that stand one behind the other, or of which only some are on the way.

    In whatever order they were made: one needs the address of the next, which is therefore older.

    """
    timelines: list[Timeline] = []
    ahead = list(proxies)
    while (found := _first_on_the_way(client, ahead)) is not None:
        proxy, connection = found
        ahead.remove(proxy)
        client = connection.server
        timelines += [connection.timeline] if connection.timeline is not None else []
    return client, timelines


def _first_on_the_way(
    client: Any, proxies: Iterable[FaultProxy]
) -> tuple[FaultProxy, ProxyConnection] | None:
    found = ((each, each.connection_from(client)) for each in proxies)
    return next(((proxy, way) for proxy, way in found if way is not None), None)


def between(connection: Connection, proxies: Iterable[FaultProxy]) -> tuple[Timeline, ...]:
    """What proxies on the way saw of a client's connection; empty once its transport is gone."""
    transport = connection.websocket.transport
    if transport is None:
        return ()
    return tuple(follow(transport.get_extra_info("sockname"), list(proxies))[1])
