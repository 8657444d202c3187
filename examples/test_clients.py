"""Clients under test: one with aiohttp in virtual time, one with node's ws in a process of its own."""

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

NODE = shutil.which("node")
CLIENT = Path(__file__).with_name("voice_client.cjs")


async def aiohttp_page(url, heartbeat):
    """A page's protocol with aiohttp, which answers ping frames by itself."""
    aiohttp = pytest.importorskip("aiohttp")

    async def beat(websocket):
        while True:
            await asyncio.sleep(heartbeat)
            await websocket.send_json({"type": "ping"})

    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url) as websocket,
        asyncio.TaskGroup() as tasks,
    ):
        beating = None
        async for message in websocket:
            told = json.loads(message.data)
            if told["type"] == "connection_established":
                await websocket.send_json({"type": "session_info", "session_id": "call-1"})
            elif told["type"] == "session_confirmed":
                beating = tasks.create_task(beat(websocket))
        if beating is not None:
            beating.cancel()


@pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval="30s")
@pytest.mark.ws_stability(time="virtual")
async def test_aiohttp_client(ws_orchestrator):
    page = asyncio.create_task(aiohttp_page(ws_orchestrator.url, heartbeat=20))
    session = await ws_orchestrator.wait_for_session("call-1", within="5s")
    await session.assert_stable(alive_for="10m", heartbeat_every="25s", session_within="5s")
    session.assert_pings_answered(within="1s")
    await session.connection.close()
    await page


def missing():
    """Why the client on node cannot run here; empty when it can."""
    if NODE is None:
        return "no node on the PATH"
    found = subprocess.run([NODE, "-e", "require('ws')"], cwd=CLIENT.parent, capture_output=True)
    return "" if found.returncode == 0 else "node finds no package ws: npm install ws"


@asynccontextmanager
async def node_client(url, every):
    command = (NODE, CLIENT, url, str(every))
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.ws_orchestrator(read_deadline="2s", ping_interval="1s")
@pytest.mark.ws_stability(time="real")
@pytest.mark.skipif(bool(missing()), reason=missing())
async def test_node_client(ws_orchestrator):
    """A process has a clock of its own, so this takes its seconds."""
    async with node_client(ws_orchestrator.url, every=0.5) as process:
        session = await ws_orchestrator.wait_for_session("call-1", within="10s")
        await session.assert_stable(alive_for="4s", heartbeat_every="500ms", session_within="2s")
        process.terminate()
        assert await process.stdout.readline() == b"closed with 1000\n"
        await session.connection.wait_closed()
        session.assert_closed(code=1000, reason="told to stop", by="client")
