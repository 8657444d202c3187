"""A peer that reads nothing is the cause that is named, on kernel sockets, whatever it sends meanwhile."""

from __future__ import annotations

import asyncio
import sys

import pytest

from pytest_wsstability import StabilityError
from pytest_wsstability.core.cause import Cause
from tests.net.peers import PING, PONG, frame, talking
from tests.net.test_writer import flood

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="TCP_INFO is Linux's"),
]


@pytest.mark.parametrize("sends", [PING, PONG, None], ids=["a flood of pings", "a flood of pongs", "nothing"])
@pytest.mark.parametrize("beats", [False, True], ids=["no heartbeats", "heartbeats"])
def test_it_is_named(sends, beats):
    """With what waits for it, and who does not read it."""

    async def script(peer):
        peer.writer.transport.pause_reading()
        if sends is not None:
            await flood(peer, frame(sends, bytes(125)), 20_000)
        await asyncio.sleep(3600)

    async def hold():
        requirement = {"heartbeat_every": "2s", "heartbeat_within": "1500ms"} if beats else {}
        async with talking(script, heartbeat="2s" if beats else None) as connection:

            async def talk():
                while True:
                    await connection.send(bytes(60_000))

            talking_on = asyncio.ensure_future(talk())
            try:
                await connection.assert_stable(alive_for="5s", **requirement)
            finally:
                talking_on.cancel()
                connection.websocket.transport.abort()

    with pytest.raises(StabilityError, match=r"the server reads too slowly: .* wait") as caught:
        asyncio.run(hold())

    assert caught.value.verdict.diagnosis.cause is Cause.BACKPRESSURE
