"""Clients of another library at the orchestrator: heartbeats while audio flows, pings, and how they leave."""

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from pytest_wsstability import Direction, Orchestrator, StabilityError
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.events import Opcode

pytestmark = pytest.mark.ws_stability(time="virtual")

# 20 ms of PCM, 16 kHz, 16 bits: 50 frames a second.
FRAME = bytes(640)
PAUSE = 0.02


async def talk(websocket, seconds):
    """Audio-sized frames for so long."""
    for _ in range(round(seconds / PAUSE)):
        await websocket.send(FRAME)
        await asyncio.sleep(PAUSE)


async def beat(websocket):
    """A heartbeat every 25 s, whatever else goes on."""
    while True:
        await asyncio.sleep(25)
        await websocket.send('{"type":"ping"}')


async def beats_when_quiet(websocket):
    """A client whose heartbeat timer starts anew with each frame that it sends, as some do."""
    await asyncio.sleep(3600)


@contextlib.asynccontextmanager
async def voice(orchestrator, heartbeat=beat, name="abc"):
    """A voice agent's client, its session confirmed, that reads all the time."""
    async with connect(orchestrator.url, ping_interval=None, compression=None) as websocket:
        await websocket.recv()
        await websocket.send(json.dumps({"type": "session_info", "session_id": name}))

        async def read():
            with contextlib.suppress(ConnectionClosed):
                async for _ in websocket:
                    pass

        tasks = [asyncio.create_task(task) for task in (read(), heartbeat(websocket))]
        yield websocket, await orchestrator.wait_for_session(name)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_heartbeats_keep_their_cadence_while_audio_flows():
    """50 frames a second of 640 B for two minutes, a heartbeat every 25 s among them."""
    async with Orchestrator() as orchestrator, voice(orchestrator) as (websocket, session):
        await talk(websocket, 120)
        verdict = await session.assert_stable(alive_for="2m", heartbeat_every="25s", heartbeat_within="1s")

        assert verdict.horizon == pytest.approx(120.0)
        assert session.timeline.count(Direction.RECEIVED, Opcode.BINARY) == 6000
        assert session.timeline.bytes(Direction.RECEIVED, Opcode.BINARY) == 6000 * 640
        assert session.timeline.heartbeats.sent == 4
        session.assert_handshake()


async def test_a_heartbeat_that_audio_puts_off_is_found():
    """At 1.5 intervals, though bytes flow all the time."""
    async with Orchestrator() as orchestrator, voice(orchestrator, beats_when_quiet) as (websocket, session):
        talking = asyncio.create_task(talk(websocket, 60))
        with pytest.raises(
            StabilityError, match=r"^the client never sent a heartbeat in 37.5 s \(every 25 s\)"
        ) as caught:
            await session.assert_stable(alive_for="2m", heartbeat_every="25s")

        assert caught.value.verdict.violations[0].rule is Rule.CADENCE
        talking.cancel()


async def test_a_client_answers_pings_while_audio_flows():
    """And one that cannot is found."""
    async with Orchestrator(ping_interval="5s") as orchestrator, voice(orchestrator) as (websocket, session):
        await talk(websocket, 21)
        session.assert_pings_answered(within="1s")
        assert session.timeline.pings.answered == 4
        # It stops reading: what stands in its buffers is read no more.
        websocket.transport.pause_reading()
        await talk(websocket, 10)
        words = r"^the client sends, but answers no ping \(2 of 6 pings not answered within 1 s\) "
        with pytest.raises(StabilityError, match=words):
            session.assert_pings_answered(within="1s")


async def test_a_client_that_leaves_says_so():
    """1000 from the client; the failure of one that does not tells what came instead."""
    async with Orchestrator() as orchestrator:
        async with voice(orchestrator) as (websocket, session):
            with pytest.raises(StabilityError, match=r"^still open after 0 s \[server end\]"):
                session.assert_closed(by="client", code=1000)
        session.assert_closed(by="client", code=1000)
        async with voice(orchestrator, name="xyz") as (websocket, session):
            websocket.transport.abort()
            await session.connection.wait_closed()
            with pytest.raises(StabilityError) as caught:
                session.assert_closed(by="client", code=1000)

        assert str(caught.value).splitlines()[:3] == [
            "not closed with code 1000, by the client: 1006 (abnormal closure), by the client: "
            "no close frame received or sent; RST [server end]",
            "  expected  closed with code 1000, by the client",
            "  observed  1006 (abnormal closure), by the client: no close frame received or sent; RST",
        ]
