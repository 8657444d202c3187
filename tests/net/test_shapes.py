"""Protocols of every shape, spoken by the monitored client and by the orchestrator."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import End, Orchestrator, StabilityError, faults
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape
from pytest_wsstability.profiles import INTERVAL, Profile
from tests.net.peers import BINARY, connected, frame, served, talking
from tests.profiles.shapes import SHAPES, profile_of

pytestmark = pytest.mark.ws_stability(time="virtual")

PROFILES = {name: profile_of(name) for name in SHAPES}
SESSIONS = [name for name, profile in PROFILES.items() if profile.has_session]
NAMED = [name for name in SESSIONS if "session_id" in PROFILES[name].words.names("session_confirmed")]
KEPT = [name for name in SESSIONS if PROFILES[name].keeps_session]


@pytest.mark.parametrize("name", SHAPES)
async def test_ten_heartbeats(name):
    """They go out, are answered where an answer is due, and nothing is out of order at either end."""
    profile = PROFILES[name]
    async with connected({"profile": profile}) as (client, orchestrator):
        await client.assert_alive_for("52s")
        timelines = [client.timeline, orchestrator.sessions[0].timeline]

        due = profile.shape is HeartbeatShape.ANSWERED
        for timeline in timelines:
            assert (timeline.heartbeats.sent, timeline.heartbeats.answered) == (10, 10 if due else 0)
            assert not timeline.irregular
        if due:
            client.assert_heartbeats_answered(within="1s", at_least=9)


@pytest.mark.parametrize("name", NAMED)
async def test_both_ends_call_the_session_the_same(name):
    """Whoever named it, and however deep the name stands."""
    async with connected({"profile": PROFILES[name]}) as (client, orchestrator):
        assert client.session_id == orchestrator.sessions[0].id
        assert len(client.session_id) == 36


@pytest.mark.parametrize("name", [name for name in NAMED if not PROFILES[name].words.server_names_session])
async def test_another_session_is_not_the_right_one(name):
    """A confirmation of somebody else's session is none."""
    async with served({"profile": PROFILES[name], "faults": [faults.WrongSession()]}) as (client, _):
        with pytest.raises(StabilityError, match="the server confirmed session 'somebody-elses-session'"):
            await client.assert_session_confirmed(within="1s")


@pytest.mark.parametrize("name", KEPT)
async def test_a_client_comes_back_to_its_session(name):
    """Under the same name at both ends, though the server may not repeat it."""
    async with connected({"profile": PROFILES[name]}) as (client, orchestrator):
        await client.close()
        again = await client.reconnect()
        await again.assert_session_resumed(within="1s")
        await again.close()

        assert again.session_id == client.session_id == orchestrator.sessions[0].id
        assert len(orchestrator.sessions) == 1


async def test_an_id_that_is_no_text():
    """Raw bytes are shown in hexadecimal, and go back as they came."""
    profile = Profile(
        name="raw",
        session_confirmed=b"\x02{session_id}\x00\x00",
        ping=b"\x09{id}",
        pong=b"\x0a{id}",
        heartbeats_from="server",
    )
    name, asked, answers = bytes.fromhex("ff00fe01"), b"\xff\x80\x01", []

    async def script(peer):
        peer.send(frame(BINARY, b"\x02" + name + b"\x00\x00"))
        peer.send(frame(BINARY, b"\x09" + asked))
        answers.append(await peer.frame())
        await asyncio.sleep(100)

    async with talking(script, profile=profile) as client:
        await client.assert_session_confirmed(within="1s")
        await asyncio.sleep(1)

        assert client.session_id == "ff00fe01"
        assert answers == [(BINARY, b"\x0a" + asked)]
        assert (client.timeline.heartbeats.sent, client.timeline.heartbeats.answered) == (1, 1)


def test_a_server_that_has_to_name_an_interval_needs_one():
    """Or its greeting would be one that nobody reads."""
    profile = Profile(name="x", greeting=f"every {INTERVAL}", ping="p", pong="q", heartbeats_from="server")
    words = (
        r"^heartbeat_interval: servers of the profile 'x' say how often heartbeats are sent, and it has no "
        r"interval: give heartbeat_interval=, or interval= in the profile$"
    )
    with pytest.raises(ValueError, match=words):
        Orchestrator(profile=profile)
    assert Orchestrator(profile=profile, heartbeat_interval="5s").behaviour.heartbeat_interval == 5
    assert profile.beats(End.SERVER)
