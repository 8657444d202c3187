"""Opening a connection again, as the same client and session."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from ..core.duration import Duration, parse_duration
from ..core.judge.backoff import Backoff
from .errors import OpeningError
from .keywords import ConnectKeywords

if TYPE_CHECKING:
    from .connection import Connection


async def reconnect(
    connection: Connection, within: Duration | None, backoff: Backoff | None, changes: ConnectKeywords
) -> Connection:
    """See `Connection.reconnect`."""
    __tracebackhide__ = True
    websocket, dialled = connection.websocket, connection.dialled
    if dialled is None:
        raise RuntimeError("reconnect: only a client can; this is a server's end")
    if websocket.is_closing:
        await websocket.wait_ended()
    if websocket.transport is not None:
        raise RuntimeError("reconnect: the connection is still open; close() it, or wait_closed()")
    waits, chance = backoff or Backoff(), random.Random(0)
    loop = websocket.loop
    until = loop.time() + (0.0 if within is None else parse_duration(within, "within"))
    number = 0
    while True:
        try:
            again = await dialled.again(connection.session_id, changes)
        except OpeningError:
            wait = waits.wait(number, chance)
            if loop.time() + wait > until:
                raise
            await asyncio.sleep(wait)
            number += 1
        else:
            break
    again.previous = connection
    again.requirement = connection.requirement
    if connection.keeper is not None:
        again.keeper = connection.keeper
        connection.keeper.keep(again)
    return again
