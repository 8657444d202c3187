"""
A client whose timers run once a minute while its page is hidden.

After a report about phoenix (4307, 4309).

"""

import asyncio
import json

import pytest
import websockets

from pytest_wsstability import Cause
from tests.incidents.ended import cause

pytestmark = pytest.mark.ws_stability(time="virtual")


async def tab(url, every, hidden_every, visible):
    """A page that sends heartbeats, and is hidden after so many."""
    async with websockets.connect(url, ping_interval=None) as ws:
        await ws.recv()
        await ws.send(json.dumps({"type": "session_info", "session_id": "tab"}))
        for number in range(100):
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(every if number < visible else hidden_every - now % hidden_every)
            await ws.send(json.dumps({"type": "ping"}))


@pytest.mark.ws_orchestrator(
    ping_interval=None, read_deadline="45s", deadline_reset_by="heartbeat", on_deadline=1000
)
@pytest.mark.parametrize(("every", "visible"), [(30, 5), (20, 12), (10, 3)])
async def test_heartbeats_of_a_page_that_is_hidden(ws_orchestrator, every, visible):
    """They come too late for the requirement, or for the deadline of the server: whichever is first."""
    task = asyncio.create_task(tab(ws_orchestrator.url, every, 60, visible))
    session = await ws_orchestrator.wait_for_session("tab")
    found = await cause(session, alive_for="20m", heartbeat_every=f"{every}s")
    task.cancel()

    assert found.cause is (Cause.READ_DEADLINE if every == 30 else Cause.HEARTBEATS_STOPPED), found
    assert "hidden browser tab runs its timers once a minute" in found.remedy


@pytest.mark.ws_orchestrator(
    ping_interval=None, read_deadline="45s", deadline_reset_by="heartbeat", on_deadline=1000
)
async def test_heartbeats_of_a_worker(ws_orchestrator):
    """They go on at their interval."""
    task = asyncio.create_task(tab(ws_orchestrator.url, 30, 60, 100))
    session = await ws_orchestrator.wait_for_session("tab")
    await session.assert_stable(alive_for="20m", heartbeat_every="30s")
    task.cancel()
