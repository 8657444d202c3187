"""
Faults by chance: Hypothesis looks for a program of faults that breaks your client, and shrinks it.

What it prints is the bug report: ``program=faults.Program.of([(0.0, faults.Stall(seconds=0.1))])``. Needs
``pip install "pytest-wsstability[hypothesis]"``; virtual time makes it quick.

"""

import asyncio
import json
from contextlib import suppress

import websockets
from hypothesis import given, settings

from pytest_wsstability import Orchestrator, faults, run_virtual
from pytest_wsstability.strategies import fault_programs

LINK = [
    faults.Drop,
    faults.Reset,
    faults.Blackhole,
    faults.Stall,
    faults.Latency,
    faults.CutAfter,
    faults.MaxAge,
]
SERVER = [faults.CloseWith, faults.HandlerError, faults.Restart, faults.WithholdPongs, faults.StopReading]


async def voice_client(url):
    """
    Stands for your client: it reconnects, and its library's keepalive notices a dead line.

    The loop is written out because this test broke the library's own: ``async for websocket in connect(url)``
    gives up when the line drops during the opening handshake (websockets 17.4).

    """
    while True:
        with suppress(OSError, websockets.WebSocketException):
            async with websockets.connect(url, ping_interval=20, ping_timeout=20) as websocket:
                await websocket.recv()
                await websocket.send(json.dumps({"type": "session_info", "session_id": "call-1"}))
                await websocket.wait_closed()
        await asyncio.sleep(1)


async def is_well_in_the_end(program):
    """Ten minutes, of which the program spoils the first two connections."""
    async with Orchestrator(faults=program) as orchestrator:
        client = asyncio.create_task(voice_client(orchestrator.url))
        await asyncio.sleep(600)
        session = await orchestrator.wait_for_session("call-1", within="1s")
        well = session.timeline.close is None
        client.cancel()
        return well


@settings(deadline=None, max_examples=50, database=None)
@given(fault_programs(within="30s", kinds=LINK, connections=2))
def test_the_client_comes_back_whatever_the_link_does(program):
    assert run_virtual(is_well_in_the_end(program))


@settings(deadline=None, max_examples=50, database=None)
@given(fault_programs(within="30s", kinds=SERVER, connections=2))
def test_the_client_comes_back_whatever_the_server_does(program):
    assert run_virtual(is_well_in_the_end(program))
