"""ASGI apps under uvicorn, on a loop that others run too."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

from .kinds import AppError
from .starting import start, stop

# Where it listens and how many of it run is not the app's matter; the rest is.
_OURS = {
    "self", "app", "host", "port", "uds", "fd", "loop", "workers", "factory", "log_config",
    "reload", "reload_dirs", "reload_delay", "reload_includes", "reload_excludes",
}  # fmt: skip

# Seconds between two looks of uvicorn at itself: it counts its requests in them (limit_max_requests), and
# tells the date. In virtual time a tenth of a second, its own, would be 864,000 turns a day.
_TICK = 60.0
_COUNTING = 0.1

# Seconds that handlers get to end when the server does; uvicorn waits for ever.
_GRACE = 5


def settings() -> Iterable[str]:
    """The keywords of ``uvicorn.Config``."""
    import uvicorn

    return set(inspect.signature(uvicorn.Config).parameters) - _OURS


@asynccontextmanager
async def serve(app: Any, settings: Mapping[str, Any]) -> AsyncIterator[str]:
    """Serve an ASGI app, its lifespan included, with signals left to others."""
    import uvicorn

    values = {"timeout_graceful_shutdown": _GRACE, **settings}
    try:
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, **values)
        config.load()
    except (Exception, SystemExit) as exc:
        raise AppError(f"uvicorn does not take these settings: {type(exc).__name__}: {exc}") from exc
    server = _server_class()(config)
    task = await start(server.serve(), server.up, "uvicorn")
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"{'wss' if config.is_ssl else 'ws'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.leaving.set()
        await stop(task)


@cache
def _server_class() -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """uvicorn's, without its signal handlers and without ten looks a second."""

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.up, self.leaving = asyncio.Event(), asyncio.Event()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets=sockets)
            if self.started:
                self.up.set()

        async def main_loop(self) -> None:
            tick = _TICK if self.config.limit_max_requests is None else _COUNTING
            # 0: it tells the date at each tenth look.
            while not await self.on_tick(0):
                try:
                    async with asyncio.timeout(tick):
                        await self.leaving.wait()
                except TimeoutError:
                    continue

    return Server
