"""Profiles against clients on node that nobody here wrote, in real time with short intervals."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest

from pytest_wsstability import Direction, Orchestrator
from pytest_wsstability.profiles.catalogue import find

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.servers,
    pytest.mark.ws_stability(time="real"),
    pytest.mark.skipif(shutil.which("node") is None, reason="node is missing"),
    pytest.mark.skipif(
        not (HERE / "node_modules/phoenix").exists(), reason="npm packages are missing: tests/real/install.sh"
    ),
]

# How often the orchestrator sends heartbeats, or says that they are to be sent.
INTERVALS = {"socketio": "300ms", "signalr": "300ms", "stomp": "300ms"}


@contextlib.asynccontextmanager
async def running(name, url):
    """A client in a process of its own."""
    process = await asyncio.create_subprocess_exec("node", str(HERE / "apps/protocol_clients.mjs"), name, url)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("name", ["socketio", "graphql-transport-ws", "phoenix", "signalr", "stomp", "mqtt"])
async def test_a_client_of_another_maker(name):
    """Opens, begins its session, sends or answers ten heartbeats, and comes back after a close."""
    behaviour = {"heartbeat_interval": INTERVALS[name]} if name in INTERVALS else {}
    profile = find(name)
    async with Orchestrator(profile=profile, **behaviour) as orchestrator, running(name, orchestrator.url):
        session = await orchestrator.wait_for_session(within="30s")
        await session.assert_session_confirmed(within="30s")
        timeline = session.timeline
        sends = Direction.RECEIVED if name != "socketio" else Direction.SENT
        for _ in range(600):
            if session.timeline.heartbeats.sent >= 10:
                break
            await asyncio.sleep(0.1)
        timeline = session.timeline
        assert timeline.heartbeats.sent >= 10
        assert timeline.heartbeat_sender is sends
        if profile.pong is not None:
            assert timeline.heartbeats.answered >= 9
        assert not timeline.irregular
        count = len(orchestrator.attempts)
        session.connection.websocket.start_close(1012)
        for _ in range(300):
            if len([each for each in orchestrator.attempts if each.status == 101]) > count:
                break
            await asyncio.sleep(0.1)
        assert len([each for each in orchestrator.attempts if each.status == 101]) > count
