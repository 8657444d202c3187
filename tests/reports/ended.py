"""How a connection of a report ended, and the cause that is said."""

from __future__ import annotations

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


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[str]:
    """The address of a server of another maker, which pings nobody by itself and compresses nothing."""
    options = {"ping_interval": None, "compression": None, "max_size": None, **options}
    async with websockets.serve(handler, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def cause(connection: Connection, **requirement: Any) -> Diagnosis:
    """What is said of a connection that breaks a requirement."""
    with pytest.raises(StabilityError) as failure:
        await connection.assert_stable(**requirement)
    found = failure.value.verdict.diagnosis
    assert found is not None, failure.value
    return found
