"""How a connection of an incident that somebody reported ended, and the cause that is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets

from pytest_wsstability import Connection, Diagnosis, StabilityError
from pytest_wsstability.profiles import Profile

Handler = Callable[[Any], Awaitable[object]]

# A protocol of application messages alone.
PLAIN = Profile(name="plain")
ASKING = Profile(name="asking", ping="ping", pong="pong")
# One whose sessions can be resumed.
GATEWAY = Profile(
    name="gateway",
    greeting={"op": 10},
    session_info={"op": 6, "session": "{session_id}"},
    session_confirmed={"t": "RESUMED", "session": "{session_id}"},
    ping={"op": 1},
    pong={"op": 11},
)


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[str]:
    """The address of a server of another maker, which pings nobody by itself and compresses nothing."""
    options = {"ping_interval": None, "compression": None, "max_size": None, **options}
    async with websockets.serve(handler, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def phoenix(events: Handler) -> Handler:
    """A server of Phoenix's protocol, which answers joins and heartbeats, and tells events meanwhile."""

    async def handler(ws: Any) -> None:
        task = asyncio.ensure_future(events(ws))
        async for message in ws:
            told = json.loads(message)
            topic = "phoenix" if told["event"] == "heartbeat" else told["topic"]
            await ws.send(json.dumps({"event": "phx_reply", "topic": topic}))
        task.cancel()

    return handler


async def insert(ws: Any, times: int) -> None:
    """Tell an event of a subscription, each 10 s."""
    for _ in range(times):
        await asyncio.sleep(10)
        await ws.send(json.dumps({"event": "INSERT"}))


async def cause(connection: Connection, **requirement: Any) -> Diagnosis:
    """What is said of a connection that breaks a requirement."""
    with pytest.raises(StabilityError) as failure:
        await connection.assert_stable(**requirement)
    found = failure.value.verdict.diagnosis
    assert found is not None, failure.value
    return found
