"""Applications of aiohttp under its own runner."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from .exits import exits_as_errors
from .kinds import AppError

_OURS = {"self", "app", "server", "manager", "loop", "kwargs", "handle_signals", "handler"}

# Seconds that handlers get to end when the server does; aiohttp gives them 60.
_GRACE = 5.0


def settings() -> Iterable[str]:
    """The keywords of ``aiohttp.web.AppRunner``, and those that it hands on to its request handlers."""
    from aiohttp import web
    from aiohttp.web_protocol import RequestHandler

    owners = (web.AppRunner, web.BaseRunner, RequestHandler)
    return {name for owner in owners for name in inspect.signature(owner).parameters} - _OURS | {
        "ssl_context"
    }


@asynccontextmanager
async def serve(app: Any, settings: Mapping[str, Any]) -> AsyncIterator[str]:
    """Serve an application, its start-up and clean-up included."""
    from aiohttp import web

    if app.frozen:
        # aiohttp ties an application to the first loop that runs it.
        raise AppError(
            "this aiohttp.web.Application has been started before, and is started once in its life: give a "
            "function that makes one, --ws-app module:create_app(), or make it in the fixture ws_app"
        )
    values = {"shutdown_timeout": _GRACE, **settings}
    tls = values.pop("ssl_context", None)
    try:
        runner = web.AppRunner(app, **values)
        with exits_as_errors():
            await runner.setup()
    except Exception as exc:
        raise AppError(f"the app did not start under aiohttp: {type(exc).__name__}: {exc}") from exc
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"{'ws' if tls is None else 'wss'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        try:
            with exits_as_errors():
                await runner.cleanup()
        except Exception as exc:
            raise AppError(f"the app's clean-up failed: {type(exc).__name__}: {exc}") from exc
