"""Your own server, started in a fixture: it and its timers live in the test's time."""

import json

import pytest
import pytest_asyncio
import websockets

from pytest_wsstability import StabilityError


async def serve_agent(websocket):
    """A server as a team writes it; pings and their timeout are the library's."""
    await websocket.send(json.dumps({"type": "connection_established"}))
    async for message in websocket:
        told = json.loads(message)
        if told["type"] == "session_info":
            await websocket.send(json.dumps({"type": "session_confirmed", "session_id": told["session_id"]}))
        elif told["type"] == "ping":
            await websocket.send(json.dumps({"type": "pong"}))


@pytest_asyncio.fixture
async def ws_url():
    """The URL under test; an async fixture runs on the test's loop, so in virtual time."""
    async with websockets.serve(serve_agent, "127.0.0.1", 0, ping_interval=20, ping_timeout=20) as server:
        host, port = server.sockets[0].getsockname()
        yield f"ws://{host}:{port}/"


@pytest.mark.ws_long
@pytest.mark.ws_stability(alive_for="1h", heartbeat_every="25s", heartbeat_within="5s", session_within="5s")
async def test_an_hour(ws_connection):
    """An hour with the library's own keepalive."""


@pytest.mark.ws_long
async def test_a_client_that_answers_no_pings_is_closed(ws_connect):
    connection = await ws_connect(client="mute", heartbeat="10s")
    with pytest.raises(StabilityError, match="1011"):
        await connection.assert_alive_for("2m")
    connection.assert_closed(code=1011, reason="keepalive ping timeout", by="server")
