"""The servers by name, their settings, and an application while it is served."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from . import aiohttp_runner, hypercorn_server, tornado_server, uvicorn_server, websockets_server
from .exits import without_exits
from .kinds import AppError, AppKind, AppTimeout, kind_of
from .watching import AppRecord

# How long an application may take until it accepts connections, in seconds of the loop's clock.
STARTUP = 60.0
# The same until it has stopped: handlers have five of them already (see uvicorn_server).
SHUTDOWN = 30.0

Serve = Callable[[Any, Mapping[str, Any]], AbstractAsyncContextManager[str]]


@dataclass(frozen=True, slots=True)
class ServerType:
    """A server that applications can be served by."""

    name: str
    kind: AppKind
    # The package that has it, and what to install.
    package: str
    install: str
    # The names of its settings.
    settings: Callable[[], Iterable[str]]
    # Serves an application on the running loop, at a loopback address and a free port; gives the base URL.
    serve: Serve


SERVERS = {
    each.name: each
    for each in (
        ServerType(
            "uvicorn", AppKind.ASGI, "uvicorn", "pytest-wsstability[uvicorn]",
            uvicorn_server.settings, uvicorn_server.serve,
        ),
        ServerType(
            "hypercorn", AppKind.ASGI, "hypercorn", "pytest-wsstability[hypercorn]",
            hypercorn_server.settings, hypercorn_server.serve,
        ),
        ServerType(
            "aiohttp", AppKind.AIOHTTP, "aiohttp", "aiohttp", aiohttp_runner.settings, aiohttp_runner.serve
        ),
        ServerType(
            "tornado", AppKind.TORNADO, "tornado", "tornado", tornado_server.settings, tornado_server.serve
        ),
        ServerType(
            "websockets", AppKind.HANDLER, "websockets", "websockets",
            websockets_server.settings, websockets_server.serve,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """Which server serves an application, and its settings by the server's own names."""

    # None: the usual one for its kind.
    name: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def of(self, kind: AppKind) -> ServerType:
        """
        The server for a kind of application.

        Raises:
            AppError: if the server does not serve it, is not installed, or has no such setting.

        """
        fitting = [each for each in SERVERS.values() if each.kind is kind]
        if self.name is None:
            server = next((each for each in fitting if is_installed(each)), fitting[0])
        else:
            server = find_server(self.name)
        if server.kind is not kind:
            names = " or ".join(each.name for each in fitting)
            raise AppError(
                f"{server.name} serves {server.kind.value}, and this is {kind.value}: choose {names}"
            )
        if not is_installed(server):
            others = [f"or pip install '{each.install}'" for each in fitting if each is not server]
            text = " ".join([f"pip install '{server.install}'", *others[: self.name is None]])
            raise AppError(f"{server.name} is not installed: {text}")
        check_settings(server.name, self.settings, server.settings())
        return server


def find_server(name: str) -> ServerType:
    """
    The server with a name.

    Raises:
        AppError: if there is none.

    """
    if name not in SERVERS:
        raise AppError(f"{name!r} is no server; valid ones: {', '.join(SERVERS)}, daphne")
    return SERVERS[name]


def is_installed(server: ServerType) -> bool:
    """Whether the package of a server is there."""
    return find_spec(server.package) is not None


def check_settings(server: str, given: Iterable[str], valid: Iterable[str]) -> None:
    """
    See that a server has the settings that are given.

    Raises:
        AppError: for one that it does not have, with those that it has.

    """
    names = sorted(valid)
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise AppError(f"{name} is no setting of {server}{hint} (it has {', '.join(names)})")


@asynccontextmanager
async def serving(app: Any, choice: ServerChoice, *, record: AppRecord | None = None) -> AsyncIterator[str]:
    """
    Serve an application on the running loop.

    Args:
        app: an ASGI app, an application of aiohttp or Tornado, or a handler of websockets.
        choice: by which server, with which settings.
        record: takes down what the app does; nothing of one of Tornado.

    Yields:
        The base URL, such as ``ws://127.0.0.1:49152``.

    Raises:
        AppError: if it cannot be served, or does not start in `STARTUP` seconds.

    """
    server = choice.of(kind_of(app) if choice.name not in _ASGI else AppKind.ASGI)
    # Which interface an app has, uvicorn asks the app, unless it is told.
    if record is not None and server.kind is AppKind.ASGI and "interface" not in choice.settings:
        app = record.watching(app)
    if record is not None and server.kind is AppKind.HANDLER:
        app = record.watching_handler(app)
    if record is not None and server.kind is AppKind.AIOHTTP and not app.frozen:
        record.watch_aiohttp(app)
    with without_exits():
        manager = server.serve(app, choice.settings)
        try:
            async with asyncio.timeout(STARTUP):
                url = await manager.__aenter__()
        except TimeoutError:
            raise AppTimeout(f"the app did not start within {STARTUP:.0f} s under {server.name}") from None
        try:
            yield url
        finally:
            try:
                async with asyncio.timeout(SHUTDOWN) as limit:
                    await manager.__aexit__(None, None, None)
            except TimeoutError:
                assert limit.expired()
            # A server that waits for its own task takes the cancellation for its end.
            if limit.expired():
                raise AppError(
                    f"the app did not stop within {SHUTDOWN:.0f} s under {server.name}: its shutdown hangs"
                )


# Whoever names one of these knows that the app is one, whatever its signature says.
_ASGI = {name for name, each in SERVERS.items() if each.kind is AppKind.ASGI}
