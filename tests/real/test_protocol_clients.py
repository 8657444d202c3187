"""Profiles against clients on node that nobody here wrote, in real time with short intervals."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import Cause, Direction, Orchestrator, StabilityError, assert_alive_for, faults
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.profiles.catalogue import find
from tests.real import nodes
from tests.test_write_your_own_page import steps

pytestmark = [pytest.mark.servers, pytest.mark.ws_stability(time="real"), *nodes.needs("jssip")]

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


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_client_of_another_maker(name):
    """Opens, begins its session, sends or answers ten heartbeats, and comes back after a close."""
    behaviour = {"heartbeat_interval": INTERVALS[name]} if name in INTERVALS else {}
    profile = find(name)
    async with (
        Orchestrator(profile=profile, **behaviour) as orchestrator,
        nodes.client(name, orchestrator.url),
    ):
        session = await orchestrator.wait_for_session(within="30s")
        await session.assert_session_confirmed(within="30s")
        await nodes.until(lambda: _beats(name, session).sent >= 11)
        timeline, beats = session.timeline, _beats(name, session)
        sends = Direction.SENT if name in ASKED else Direction.RECEIVED
        assert name == "pusher" or timeline.heartbeat_sender is sends
        if profile.pong is not None:
            assert beats.answered >= 10
        assert not timeline.irregular
        count = _opened(orchestrator)
        session.connection.websocket.start_close(1012)
        await nodes.until(lambda: _opened(orchestrator) > count)
        if profile.keeps_session:
            await nodes.until(lambda: len(session.connections) > 1)
            assert session.connections[1].timeline.session_confirmed_at is not None


def _beats(name, session):
    """Of both ends' heartbeats those that the protocol's server sends, where its client waits for silence."""
    timeline = session.timeline
    return timeline.server_heartbeats if name == "pusher" else timeline.heartbeats


def _opened(orchestrator):
    return len([each for each in orchestrator.attempts if each.status == 101])


# With all timers their own, the longest of 150 s: what ends the connection, and how it is told.
SILENT = {
    "socketio": Cause.READ_DEADLINE, "phoenix": Cause.HEARTBEAT_UNANSWERED, "signalr": Cause.READ_DEADLINE,
    "stomp": Cause.READ_DEADLINE, "mqtt": Cause.HEARTBEAT_UNANSWERED, "actioncable": Cause.READ_DEADLINE,
    "pusher": Cause.HEARTBEAT_UNANSWERED, "wamp": Cause.PING_UNANSWERED,
}  # fmt: skip


async def _silence(name):
    """The server's record of a client that hears no heartbeat and no answer."""
    # What the client's own timer does, and not the server's.
    profile = find(name).replace(timers=tuple(each for each in find(name).timers if each.by is End.CLIENT))
    fault = faults.WithholdPongs() if profile.heartbeat_is_frame else faults.WithholdHeartbeats()
    server = Orchestrator(profile=profile, faults=[fault], read_deadline=None)
    async with server as orchestrator, nodes.client(name, orchestrator.url, "own"):
        await nodes.until(lambda: orchestrator.attempts and orchestrator.attempts[0].ended, 300)
        return orchestrator.attempts[0].timeline.sealed()


@pytest.fixture(scope="module")
def silences():
    async def all_at_once():
        return await asyncio.gather(*map(_silence, SILENT))

    return dict(zip(SILENT, asyncio.run(all_at_once()), strict=True))


@pytest.mark.parametrize("name", SILENT)
def test_a_client_gives_up_on_a_silent_server_as_its_profile_says(name, silences):
    """After the timer of its maker, with the code that the profile knows, and the cause is that timer."""
    timeline = silences[name]
    with pytest.raises(StabilityError) as caught:
        assert_alive_for(timeline, "10m")

    diagnosis = caught.value.verdict.diagnosis
    assert diagnosis.cause is SILENT[name]
    (timer,) = [each for each in find(name).timers if each.by is End.CLIENT] or [None]
    if timer is not None:
        assert timeline.close.code in (timer.code, *timer.also)
        assert diagnosis.headline.startswith(timer.name)
        assert timer.seconds is None or timeline.close.at >= timer.seconds


async def test_a_client_whose_session_is_not_confirmed_gives_up_with_4504():
    """graphql-ws, where it is told how long to wait."""
    server = Orchestrator(profile="graphql-transport-ws", faults=[faults.NeverConfirm()])
    async with server as orchestrator, nodes.client("graphql-transport-ws", orchestrator.url):
        await nodes.until(lambda: orchestrator.attempts and orchestrator.attempts[0].ended)

        assert orchestrator.attempts[0].timeline.close.code == 4504


async def test_a_softphone_answers_keepalives():
    """JsSIP, with the profile of docs/write-your-own.md: one line end for two."""
    profile = steps("SIP over WebSocket")[-1]
    server = Orchestrator(profile=profile, heartbeat_interval="300ms")
    async with server as orchestrator, nodes.client("sip", orchestrator.url):
        await nodes.until(lambda: orchestrator.attempts and orchestrator.attempts[0].timeline is not None)
        timeline = orchestrator.attempts[0].timeline
        await nodes.until(lambda: timeline.heartbeats.answered >= 10)

        assert timeline.heartbeats.unasked == 0
        assert timeline.close is None
