"""Connections with defaults, all of them closed in the end: what the ``ws_connect`` fixture gives."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from typing import Any, Unpack

from ..core.asserted import opening
from ..core.judge.requirement import Requirement
from ..core.timeline.timeline import Timeline
from ..core.url import is_relative, join
from .client import connect
from .connection import Connection
from .keywords import ConnectKeywords
from .proxy.path import between
from .proxy.proxy import FaultProxy
from .server.orchestrator import Orchestrator
from .target import parse_url


class Opening:
    """A connection being opened: await it, or use it with ``async with``, which also closes it."""

    def __init__(self, opened: Coroutine[Any, Any, Connection]) -> None:
        self._opened = opened
        self._connection: Connection | None = None

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{name}: the connection is not open yet; write  connection = await ws_connect(...)  for it"
        )

    def __repr__(self) -> str:
        # Stands in what asyncio raises for a task of it.
        return "<ws_connect(...), to be awaited; as a task write  create_task(ws_connect.open(...))>"

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._opened.__await__()

    async def __aenter__(self) -> Connection:
        __tracebackhide__ = True
        self._connection = await self._opened
        return self._connection

    async def __aexit__(self, *exc_info: object) -> None:
        if self._connection is not None:
            await self._connection.close()


class Connector:
    """
    Opens monitored connections: ``connection = await ws_connect(heartbeat="25s")``.

    Called with a URL, with a path on what is under test, or with nothing for that itself, and with keywords
    of `connect`.

    """

    def __init__(
        self,
        url: str,
        options_for: Callable[[str], Mapping[str, Any]],
        *,
        requirement: Requirement | None = None,
        orchestrator: Orchestrator | None = None,
        proxies: Callable[[], Iterable[FaultProxy]] = tuple,
        opened: Callable[[Connection], object] | None = None,
    ) -> None:
        self._url = url
        self._options_for = options_for
        self._requirement = requirement
        self._orchestrator = orchestrator
        self._proxies = proxies
        # Called with each connection once it is open; None for nobody.
        self._opened = opened
        self.connections: list[Connection] = []

    def __call__(self, url: str | None = None, **options: Unpack[ConnectKeywords]) -> Opening:
        opened = self.open(url, **options)
        opening(opened)
        return Opening(opened)

    async def open(self, url: str | None = None, **options: Unpack[ConnectKeywords]) -> Connection:
        """Open a connection; see `connect`."""
        __tracebackhide__ = True
        if url is None or is_relative(url):
            url = self._url if url is None else join(self._url, url)
        if not isinstance(url, str):
            # Refused here, because the options are chosen by parts of it.
            parse_url(url)
        merged: dict[str, Any] = {**self._options_for(url), **options}
        connection = await connect(merged.pop("url", url), **merged)
        connection.requirement = self._requirement
        connection.keeper = self
        self.keep(connection)
        return connection

    def keep(self, connection: Connection) -> None:
        """Close it in the end, and show what our orchestrator and proxies saw of it."""
        proxies = list(self._proxies())
        if self._orchestrator is not None:
            self._orchestrator.witness(connection, through=proxies)
        # A server of somebody else's has no timeline here, but the fault proxy has one.
        connection.others = connection.others or between(connection, proxies)
        self.connections.append(connection)
        if self._opened is not None:
            self._opened(connection)

    def beside(self, connection: Connection) -> list[Timeline]:
        """What the others saw that lead to the same target: what ended together tells why."""
        return [
            other.timeline
            for other in self.connections
            if other is not connection and other.url == connection.url
        ]

    async def close_all(self) -> None:
        """Close what is still open, all at once: one that does not answer holds up no other."""
        open_ones = [
            connection for connection in self.connections if connection.websocket.transport is not None
        ]
        for connection in open_ones:
            if connection.websocket.is_over:
                connection.websocket.let_go()
            else:
                connection.websocket.start_close(planned=True)
        for connection in open_ones:
            await connection.wait_closed()
