"""
A server under test, by its URL.

    pytest examples/test_url.py                                        # the reference orchestrator, at once
    pytest examples/test_url.py --ws-url wss://staging.example/ws --ws-long   # yours, in real time

"""

import pytest


@pytest.mark.ws_long
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s", session_within="5s")
def test_voice_session_is_stable(ws_soak):
    """Two minutes, every heartbeat answered, session confirmed, no abnormal closure."""


@pytest.mark.ws_stability(alive_for="3s", heartbeat_every="1s", session_within="5s")
async def test_talks_while_it_is_held(ws_connection):
    """The requirement is checked after the body too, so that this test also holds the rest of 3 s."""
    await ws_connection.send('{"type": "audio", "seq": 1}')
    assert await ws_connection.ping() < 5


async def test_closes_as_asked(ws_connect):
    async with ws_connect() as connection:
        await connection.assert_session_confirmed(within="5s")
    connection.assert_closed(code=1000, by="client")
