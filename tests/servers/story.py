"""The story's protocol, for the servers in Python."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

SUBPROTOCOL = "voice.v1"
GREETING = json.dumps({"type": "connection_established"})
PONG = json.dumps({"type": "pong"})
REASON = "planned by the test"


def answer(message: str | bytes, silent: str | None = None) -> str | bytes | None:
    """Return the answer to a message; None for messages of the type ``silent``."""
    match _json_object(message):
        case {"type": kind} if kind == silent:
            return None
        case {"type": "ping"}:
            return PONG
        case {"type": "session_info", "session_id": session_id}:
            return json.dumps({"type": "session_confirmed", "session_id": session_id})
        case _:
            return message


def refusal(status: int) -> str:
    """Return the body of a refused upgrade."""
    return f"no entry: status {status}\n"


class Later:
    """Things to do after a while, cancelled when the connection is over."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Later:
        return self

    def __exit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()

    def __call__(self, seconds: float, action: Callable[..., Awaitable[Any]], *args: object) -> None:
        async def run() -> None:
            await asyncio.sleep(seconds)
            await action(*args)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _json_object(message: str | bytes) -> object:
    """Return what a text message says in JSON, or None."""
    if isinstance(message, bytes):
        return None
    try:
        return json.loads(message)
    except ValueError:
        return None
