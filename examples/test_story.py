"""
The story behind the plugin: a voice agent's page that died after a minute.

The orchestrator had a read deadline of 60 s, sent ping frames every 30 s, and only a pong reset the
deadline. The page sent JSON pings, they were answered, and the connection died with 1006 all the same.

"""

import pytest

from pytest_wsstability import StabilityError


@pytest.mark.xfail(raises=StabilityError, strict=True, reason="before the fix: 1006 after a minute")
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", session_within="5s", client="mute")
def test_before_the_fix(ws_soak):
    """Confirmed, every JSON ping answered, and dead at 60 s: this client leaves ping frames unanswered."""


@pytest.mark.ws_stability(
    alive_for="2m", heartbeat_every="25s", heartbeat_within="5s", session_within="5s", rtt_p95="1s"
)
def test_after_the_fix(ws_soak):
    """Two minutes, every heartbeat answered, session confirmed, no abnormal closure."""


@pytest.mark.ws_long
@pytest.mark.ws_stability(alive_for="24h", heartbeat_every="25s", heartbeat_within="5s", session_within="5s")
def test_a_whole_day(ws_soak):
    """The same for 24 hours: a second in virtual time, skipped in real time unless --ws-long."""
    ws_soak.assert_heartbeats_answered(within="5s", at_least=3455)
