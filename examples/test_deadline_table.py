"""
Which traffic keeps a connection alive: the table that the team of the story did not have.

A read deadline of 60 s, ping frames every 30 s. A JSON heartbeat helps only where the server lets data
frames reset its deadline; answering ping frames helps where pongs do. Nothing else matters.

"""

import pytest
import pytest_asyncio

from pytest_wsstability import Orchestrator, StabilityError

TABLE = [
    # client answers pings, JSON heartbeat, what resets the deadline, does it last
    ("browser", None, "pong", True),
    ("browser", "25s", "pong", True),
    ("browser", None, "any", True),
    ("browser", "25s", "any", True),
    ("mute", None, "pong", False),
    ("mute", "25s", "pong", False),
    ("mute", None, "any", False),
    ("mute", "25s", "any", True),
]


@pytest_asyncio.fixture
async def ws_url(reset_by):
    """The reference server, as the row of the table says."""
    async with Orchestrator(read_deadline="60s", ping_interval="30s", deadline_reset_by=reset_by) as server:
        yield server.url


@pytest.mark.ws_long
@pytest.mark.parametrize(("client", "heartbeat", "reset_by", "lasts"), TABLE)
async def test_deadline(ws_connect, client, heartbeat, reset_by, lasts):
    connection = await ws_connect(client=client, heartbeat=heartbeat)
    if lasts:
        await connection.assert_alive_for("10m")
        return
    with pytest.raises(StabilityError, match="1006 at 60"):
        await connection.assert_alive_for("10m")
