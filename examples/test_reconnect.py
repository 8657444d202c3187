"""
Reconnects, from both ends: a client that must come back, and a server that must know it again.

The server restarts under a client; the client may not storm it, nor come back as somebody else. Then the
other way round: a connection is lost, and the server has to resume the session without losing a message.

"""

import asyncio
import json
import random

import pytest
import pytest_asyncio
import websockets

from pytest_wsstability import Backoff, SessionError, StabilityError, faults

BACKOFF = Backoff(first="500ms", factor=2, longest="8s", jitter=0.2)


async def page(url, session_id, backoff):
    """A client of yours: it reconnects with waits that grow, and keeps its session's id."""
    chance = random.Random(session_id)
    failed = 0
    while True:
        try:
            async with websockets.connect(url, ping_interval=None) as websocket:
                assert json.loads(await websocket.recv())["type"] == "connection_established"
                await websocket.send(json.dumps({"type": "session_info", "session_id": session_id}))
                async for message in websocket:
                    if json.loads(message)["type"] == "session_confirmed":
                        failed = 0
        except (OSError, websockets.WebSocketException):
            pass
        await asyncio.sleep(backoff.wait(failed, chance))
        failed += 1


@pytest_asyncio.fixture
async def pages(ws_orchestrator):
    """Twenty pages that are open when the test starts."""
    names = [f"call-{number}" for number in range(20)]
    tasks = [asyncio.create_task(page(ws_orchestrator.url, name, BACKOFF)) for name in names]
    for name in names:
        await ws_orchestrator.wait_for_session(name, within="5s")
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.ws_stability(time="virtual")
async def test_pages_come_back_after_a_restart(ws_orchestrator, pages):
    await ws_orchestrator.restart(down_for="5s", how=1012)
    await ws_orchestrator.assert_reconnects(within="15s", same_session=True)
    ws_orchestrator.assert_no_reconnect_storm(max_per_second=15, jitter="500ms")
    ws_orchestrator.assert_no_duplicate_session()


@pytest.mark.ws_orchestrator(faults=faults.Program.of([faults.RefuseUpgrade(503)], connections=5))
@pytest.mark.ws_stability(time="virtual")
async def test_a_page_that_hammers_a_busy_server_is_found(ws_orchestrator):
    hasty = asyncio.create_task(page(ws_orchestrator.url, "call-1", Backoff(first="50ms", factor=1)))
    await ws_orchestrator.wait_for_session("call-1", within="5s")
    with pytest.raises(SessionError, match="6 attempts in one second, more than 2"):
        ws_orchestrator.assert_no_reconnect_storm(max_per_second=2)
    hasty.cancel()


class Transcript:
    """A server that numbers what it says, and goes on where a session stopped; unless it forgets."""

    def __init__(self, forgets=0):
        self.next = 1
        self.forgets = forgets

    async def __call__(self, connection):
        self.next += self.forgets if self.next > 1 else 0
        while True:
            await connection.send(json.dumps({"type": "token", "seq": self.next}))
            self.next += 1
            await asyncio.sleep(1)


@pytest.mark.ws_orchestrator(handler=Transcript(), faults=[("10.5s", faults.CloseWith(1011))])
@pytest.mark.ws_stability(time="virtual")
async def test_the_session_is_resumed(ws_connect, ws_clock):
    first = await ws_connect()
    await first.wait_closed()
    second = await first.reconnect(within="10s")
    await ws_clock.advance("5s")
    await second.assert_session_resumed(within="1s")


@pytest.mark.ws_orchestrator(handler=Transcript(forgets=3), faults=[("10.5s", faults.CloseWith(1011))])
@pytest.mark.ws_stability(time="virtual")
async def test_tokens_that_were_lost_are_counted(ws_connect, ws_clock):
    first = await ws_connect()
    await first.wait_closed()
    second = await first.reconnect(within="10s")
    await ws_clock.advance("5s")
    with pytest.raises(StabilityError, match="3 of 19 lost: 12 to 14"):
        await second.assert_session_resumed(within="1s")
