"""
A client under test: point it at ``ws_orchestrator`` and assert on the sessions that it recorded.

`voice_page` stands for your client. In another language or in a browser it gets the URL, and the test
runs with ``time="real"``: a process of its own has a clock of its own.

"""

import asyncio
import json
from contextlib import suppress

import pytest
import websockets


async def voice_page(url, heartbeat):
    """What the page of the story does after its fix, with the `websockets` library."""
    async with websockets.connect(url, ping_interval=None) as websocket:
        assert json.loads(await websocket.recv())["type"] == "connection_established"
        await websocket.send(json.dumps({"type": "session_info", "session_id": "call-1"}))
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(heartbeat):
                    while True:
                        await websocket.recv()
            await websocket.send(json.dumps({"type": "ping"}))


@pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval="30s", deadline_reset_by="heartbeat")
@pytest.mark.ws_stability(time="virtual")
async def test_page_keeps_its_session(ws_orchestrator):
    page = asyncio.create_task(voice_page(ws_orchestrator.url, heartbeat=20))
    session = await ws_orchestrator.wait_for_session("call-1", within="5s")
    await session.assert_stable(alive_for="10m", heartbeat_every="25s", session_within="5s")
    page.cancel()


@pytest.mark.ws_orchestrator(read_deadline="60s", deadline_reset_by="heartbeat")
@pytest.mark.ws_stability(time="virtual")
async def test_page_that_is_too_slow(ws_orchestrator):
    page = asyncio.create_task(voice_page(ws_orchestrator.url, heartbeat=90))
    session = await ws_orchestrator.wait_for_session(within="5s")
    with pytest.raises(AssertionError, match="read deadline of 60 s ran out"):
        await session.assert_alive_for("10m")
    with pytest.raises(websockets.ConnectionClosedError):
        await page
