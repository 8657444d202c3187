"""Heartbeats of your own: a profile is the messages that they are made of."""

import pytest

from pytest_wsstability.profiles import JSON, SESSION_ID, Profile

# A team whose server answers {"op": "PING"} with {"op": "PONG"}, and is the story's in the rest.
OURS = JSON.replace(name="ours", ping={"op": "PING"}, pong={"op": "PONG"})

# A protocol of plain text, with a session that the client opens.
TEXT = Profile(
    name="text",
    session_info={"hello": SESSION_ID},
    session_confirmed={"welcome": SESSION_ID},
    ping="are you there?",
    pong="yes",
)


@pytest.mark.parametrize("heartbeat", ["5s", "25s"])
@pytest.mark.ws_stability(alive_for="10m", profile=OURS)
async def test_ours(ws_connect, heartbeat):
    connection = await ws_connect(heartbeat=heartbeat)
    await connection.assert_alive_for("10m")
    connection.assert_heartbeats_answered(within="1s", at_least=20)


@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="25s", session_within="5s", profile=TEXT)
def test_plain_text(ws_soak):
    """The same requirement in another protocol."""


@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="25s", heartbeat_within="5s", profile="frames")
def test_protocol_pings(ws_soak):
    """No messages at all: the heartbeat is a ping frame, the answer its pong."""
