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
        not (HERE / "node_modules/pusher-js").exists(),
        reason="npm packages are missing: tests/real/install.sh",
    ),
]

# How often the orchestrator sends heartbeats, or says that they are to be sent.
INTERVALS = dict.fromkeys(
    ["socketio", "socketio-recovery", "signalr", "stomp", "actioncable", "pusher"], "300ms"
)
# Those whose servers ask.
ASKED = ("socketio", "socketio-recovery", "actioncable", "pusher")
CLIENTS = (
    "socketio", "graphql-transport-ws", "phoenix", "signalr", "stomp", "mqtt", "actioncable", "pusher",
    "wamp", "mqtt5", "socketio-recovery",
)  # fmt: skip


@contextlib.asynccontextmanager
async def running(name, url):
    """A client in a process of its own."""
    process = await asyncio.create_subprocess_exec("node", str(HERE / "apps/protocol_clients.mjs"), name, url)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_of_another_maker(name):
    """Opens, begins its session, sends or answers ten heartbeats, and comes back after a close."""
    behaviour = {"heartbeat_interval": INTERVALS[name]} if name in INTERVALS else {}
    profile = find(name)
    async with Orchestrator(profile=profile, **behaviour) as orchestrator, running(name, orchestrator.url):
        session = await orchestrator.wait_for_session(within="30s")
        await session.assert_session_confirmed(within="30s")
        await _until(lambda: _beats(name, session).sent >= 11)
        timeline, beats = session.timeline, _beats(name, session)
        sends = Direction.SENT if name in ASKED else Direction.RECEIVED
        assert name == "pusher" or timeline.heartbeat_sender is sends
        if profile.pong is not None:
            assert beats.answered >= 10
        assert not timeline.irregular
        count = _opened(orchestrator)
        session.connection.websocket.start_close(1012)
        await _until(lambda: _opened(orchestrator) > count)
        if profile.keeps_session:
            await _until(lambda: len(session.connections) > 1)
            assert session.connections[1].timeline.session_confirmed_at is not None


def _beats(name, session):
    """Of both ends' heartbeats those that the protocol's server sends, where its client waits for silence."""
    timeline = session.timeline
    return timeline.server_heartbeats if name == "pusher" else timeline.heartbeats


def _opened(orchestrator):
    return len([each for each in orchestrator.attempts if each.status == 101])


async def _until(condition):
    """Wait for what a process of its own brings about, on a busy machine too."""
    async with asyncio.timeout(90):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
