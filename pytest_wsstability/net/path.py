"""The way to a server that has faults of the link: the virtual network's own, or a proxy in front."""

from __future__ import annotations

import asyncio
from typing import Any

from ..core.faults import Program, Strike
from ..core.timeline import Timeline
from .links import Links
from .proxy import FaultProxy


class Path:
    """
    Leads clients to a running server, over links with faults.

    In virtual time the network itself has the faults; in real time a proxy stands in front.

    """

    def __init__(self, program: Program, *, tls: bool) -> None:
        # Made at once, so that faults that make no sense are refused when the server is made.
        self._links = Links(program, reads=not tls)
        self._proxy: FaultProxy | None = None
        self._loop: Any = None
        self._server: asyncio.Server | None = None

    async def start(self, server: asyncio.Server, url: str) -> str:
        """
        Stand in the way to a server.

        Returns:
            The URL for clients, which is another one in real time.

        """
        self._server, self._loop = server, asyncio.get_running_loop()
        if hasattr(self._loop, "link_connections"):
            self._link(self._links)
            return url
        self._proxy = FaultProxy(url, faults=self._links.program)
        await self._proxy.start()
        return self._proxy.url

    def _link(self, links: Links | None) -> None:
        assert self._server is not None
        for sock in self._server.sockets:
            self._loop.link_connections(sock.getsockname(), links)

    async def stop(self) -> None:
        """Leave the way; connections that are still open are cut."""
        self._links.close()
        if self._proxy is not None:
            await self._proxy.close()

    @property
    def strikes(self) -> list[Strike]:
        """What struck, with planned and actual instants, in order."""
        return self._proxy.strikes if self._proxy is not None else self._links.strikes

    def server_side(self, client: Any) -> Any:
        """The address by which the server knows a client that calls itself by this one."""
        for connection in self._proxy.connections if self._proxy is not None else ():
            if connection.client == client:
                return connection.server
        return client

    def timeline(self, client: Any) -> Timeline | None:
        """What the proxy saw of the connection of this client; None without a proxy."""
        for connection in self._proxy.connections if self._proxy is not None else ():
            if connection.client == client:
                return connection.timeline
        return None
