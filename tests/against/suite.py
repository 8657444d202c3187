"""What a user's project tests: written once, and run against every server. Not collected from here."""

import pytest


@pytest.mark.ws_stability(alive_for="2s", heartbeat_every="500ms", heartbeat_within="1s", session_within="1s")
def test_is_stable(ws_soak):
    """Two seconds, every heartbeat answered, session confirmed, no abnormal closure."""
    ws_soak.assert_heartbeats_answered(within="1s", at_least=2)
    ws_soak.assert_no_abnormal_closure()


@pytest.mark.ws_stability(alive_for="2s", allow_close=(1000, 1001, 1011, 4000))
def test_may_be_closed_early(ws_soak):
    """Alive, or closed in a way that is planned."""


async def test_answers_while_open(ws_connect):
    connection = await ws_connect(heartbeat="200ms")
    await connection.assert_alive_for("1s")
    connection.assert_heartbeats_answered(within="600ms")


async def test_closes_as_asked(ws_connect):
    async with ws_connect() as connection:
        await connection.assert_session_confirmed(within="5s")
    connection.assert_closed(code=1000, by="client")
    connection.assert_no_abnormal_closure()


async def test_speaks_the_subprotocol(ws_connect):
    connection = await ws_connect()
    assert connection.subprotocol == "voice.v1"
