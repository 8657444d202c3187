"""Applications of Tornado under its own server."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from .kinds import AppError

_OURS = {"self", "request_callback", "args", "kwargs"}
# Tornado reads these of the application's settings.
_OF_THE_APP = (
    "websocket_ping_interval", "websocket_ping_timeout", "websocket_max_message_size", "compress_response"
)  # fmt: skip


def settings() -> Iterable[str]:
    """The keywords of ``tornado.httpserver.HTTPServer``, and what it reads of the application's settings."""
    from tornado.httpserver import HTTPServer

    return {*inspect.signature(HTTPServer.initialize).parameters, *_OF_THE_APP} - _OURS


@asynccontextmanager
async def serve(app: Any, settings: Mapping[str, Any]) -> AsyncIterator[str]:
    """Serve an application."""
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    before = dict(app.settings)
    app.settings.update({name: value for name, value in settings.items() if name in _OF_THE_APP})
    values = {name: value for name, value in settings.items() if name not in _OF_THE_APP}
    try:
        server = HTTPServer(app, **values)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
    except Exception as exc:
        raise AppError(f"the app did not start under tornado: {type(exc).__name__}: {exc}") from exc
    secure = values.get("ssl_options") is not None
    try:
        yield f"{'wss' if secure else 'ws'}://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()
        app.settings.clear()
        app.settings.update(before)
