"""Servers of other people in a user's async fixture, held for an hour by the plugin's own client."""

import pytest
import pytest_asyncio

from pytest_wsstability import StabilityError
from tests.virtual.apps import aiohttp_server, hypercorn_server, tornado_server, uvicorn_server

STACKS = {
    "aiohttp": aiohttp_server,
    "uvicorn": uvicorn_server,
    "hypercorn": hypercorn_server,
    "tornado": tornado_server,
}


@pytest_asyncio.fixture
async def ws_url(stack):
    pytest.importorskip(stack)
    async with STACKS[stack]() as port:
        yield f"ws://127.0.0.1:{port}/"


@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.ws_stability(
    alive_for="1h", heartbeat_every="25s", heartbeat_within="1s", profile="frames", time="virtual"
)
async def test_an_hour(ws_connection, stack):
    await ws_connection.assert_stable()
    assert ws_connection.timeline.heartbeats.answered >= 143


# aiohttp gives half of its interval for the pong, uvicorn and Tornado a time of their own.
@pytest.mark.parametrize(("stack", "at"), [("aiohttp", 60), ("uvicorn", 40), ("tornado", 40)])
@pytest.mark.ws_stability(profile="frames", time="virtual")
async def test_its_own_keepalive_ends_a_client_that_answers_no_pings(ws_connect, stack, at):
    connection = await ws_connect(client="mute")
    with pytest.raises(StabilityError, match=rf" at {at}"):
        await connection.assert_alive_for("1h")
