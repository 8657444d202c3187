"""A server that wants a heartbeat at once (Discord's op 1): a client sends one, and goes on as before."""

from __future__ import annotations

import asyncio
import json

import pytest

from pytest_wsstability import Direction, Orchestrator, connect
from pytest_wsstability.core.timeline.events import Role
from pytest_wsstability.profiles import JSON
from tests.net.peers import opened

pytestmark = pytest.mark.ws_stability(time="virtual")
EACH = {"alive_for": "5m", "heartbeat_every": 41.25, "heartbeat_within": "5s", "session_within": "5s"}


def asks(*instants):
    """A handler that asks at these instants."""

    async def handler(connection):
        began = asyncio.get_running_loop().time()
        for at in instants:
            await asyncio.sleep(began + at - asyncio.get_running_loop().time())
            await connection.send(json.dumps({"op": 1, "d": None}))
        async for _ in connection:
            pass

    return handler


@pytest.mark.parametrize("instants", [(1,), (100,), (1, 2, 100, 299.99)])
async def test_discord_asks(instants):
    """Before the client's first heartbeat, too: it was taken for one of the server."""
    async with Orchestrator(profile="discord", handler=asks(*instants)) as server:
        async with opened(server.url, profile="discord") as connection:
            await connection.assert_stable(**EACH)
        (session,) = server.sessions
        sent = [
            round(each.at, 2) for each in session.timeline
            if each.role is Role.HEARTBEAT and each.direction is Direction.RECEIVED
        ]  # fmt: skip
        assert set(instants) <= set(sent)
        # Those that are due come when they are.
        assert {41.25, 82.5, 123.75} <= set(sent)
        session.assert_heartbeats_answered(within="5s", at_least=7)


async def test_a_client_that_sends_none_sends_none():
    """It was told so."""
    async with Orchestrator(profile="discord", handler=asks(1)) as server:
        connection = await connect(server.url, profile="discord", heartbeat=False)
        await asyncio.sleep(60)
        assert connection.timeline.heartbeats.sent == 0
        await connection.close()


def test_who_sends_none_cannot_be_asked():
    """Refused where the profile is made."""
    with pytest.raises(ValueError, match="the client sends none"):
        JSON.replace(name="ours", heartbeats_from="server", heartbeat_request={"op": 1})
