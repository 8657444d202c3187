"""Handlers of websockets under its own server."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from .kinds import AppError

_OURS = {"handler", "host", "port", "kwargs", "sock", "unix", "path"}


def settings() -> Iterable[str]:
    """The keywords of ``websockets.serve``."""
    from websockets import serve as websockets_serve

    return {*inspect.signature(websockets_serve).parameters, "reuse_port"} - _OURS


@asynccontextmanager
async def serve(app: Any, settings: Mapping[str, Any]) -> AsyncIterator[str]:
    """Serve a handler."""
    from websockets import serve as websockets_serve

    try:
        server = await websockets_serve(app, "127.0.0.1", 0, **settings)
    except Exception as exc:
        raise AppError(f"websockets does not take these settings: {type(exc).__name__}: {exc}") from exc
    secure = settings.get("ssl") is not None
    try:
        yield f"{'wss' if secure else 'ws'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
