"""ASGI apps under hypercorn, on a loop that others run too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from .kinds import AppError
from .starting import start, stop

# Where it listens and how many of it run is not the app's matter; the rest is.
_OURS = {
    "bind", "insecure_bind", "quic_bind", "application_path", "daemon", "debug", "group", "user", "umask",
    "log", "logger_class", "pid_path", "use_reloader", "worker_class", "workers", "ssl_enabled",
}  # fmt: skip


def settings() -> Iterable[str]:
    """The attributes of ``hypercorn.Config``."""
    import hypercorn

    names = {name for name in dir(hypercorn.Config) if not name.startswith("_")}
    methods = {name for name in names if callable(getattr(hypercorn.Config, name))}
    return names - methods - _OURS


@asynccontextmanager
async def serve(app: Any, settings: Mapping[str, Any]) -> AsyncIterator[str]:
    """Serve an ASGI app, its lifespan included."""
    import hypercorn
    from hypercorn.asyncio import serve as hypercorn_serve

    up, leaving = asyncio.Event(), asyncio.Event()

    class Config(hypercorn.Config):
        """Tells which sockets it made."""

        sockets: list[Any]

        def create_sockets(self) -> Any:
            made = super().create_sockets()
            self.sockets = [*made.secure_sockets, *made.insecure_sockets]
            return made

    class Logger(hypercorn.logging.Logger):
        """Tells that connections are accepted: what hypercorn logs first says so."""

        async def info(self, message: str, *args: Any, **kwargs: Any) -> None:
            await super().info(message, *args, **kwargs)
            up.set()

    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.logger_class = Logger
    # No handler of its own: what it logs goes where the project's own logs go.
    config.errorlog = logging.getLogger("hypercorn.error")
    for name, value in settings.items():
        setattr(config, name, value)
    try:
        secure = config.ssl_enabled
    except Exception as exc:
        raise AppError(f"hypercorn does not take these settings: {type(exc).__name__}: {exc}") from exc
    task = await start(hypercorn_serve(app, config, shutdown_trigger=leaving.wait), up, "hypercorn")
    try:
        yield f"{'wss' if secure else 'ws'}://127.0.0.1:{config.sockets[0].getsockname()[1]}"
    finally:
        leaving.set()
        await stop(task)
