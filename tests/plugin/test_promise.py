"""The two tests on the front page, as written there: green on a good server, red on a broken one."""

from __future__ import annotations

import pytest

SOAK = '''
import pytest

{marks}
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s", session_within="5s")
def test_voice_session_is_stable(ws_soak):
    """Two minutes, every heartbeat answered, session confirmed, no abnormal closure."""
'''
CONNECT = """
import pytest

{marks}
async def test_survives_a_slow_answer(ws_connect):
    connection = await ws_connect(heartbeat="25s")
    await connection.assert_session_confirmed(within="5s")
    await connection.assert_alive_for("2m")
    connection.assert_heartbeats_answered(within="5s", at_least=4)
    connection.assert_no_abnormal_closure()
"""
BOTH = pytest.mark.parametrize("source", [SOAK, CONNECT], ids=["ws_soak", "ws_connect"])

NO_PINGS = '@pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval=None)'
MUTE = '@pytest.mark.ws_stability(client="mute")'
SILENT = "@pytest.mark.ws_orchestrator(answer_heartbeats=False)"
UNCONFIRMED = "@pytest.mark.ws_orchestrator(confirm_sessions=False)"


@BOTH
def test_passes_as_written(passes, source):
    """Strict mode, no second mark, two minutes in no time."""
    assert passes(source.format(marks="")) == 1


@BOTH
def test_a_server_that_nothing_keeps_alive_fails(failure, source):
    """The story: a read deadline that heartbeats do not reset, and no pings for pongs."""
    printed = failure(source.format(marks=NO_PINGS))

    assert "1006 at 60 s of 120 s" in printed
    assert "read deadline of 60 s ran out" in printed


@BOTH
def test_a_client_that_answers_no_pings_fails(failure, source):
    """The message says which end to mend."""
    printed = failure(source.format(marks=MUTE))

    assert "1006 at 60 s of 120 s" in printed
    assert "answer ping frames with pong frames" in printed


@BOTH
def test_heartbeats_without_answers_fail(failure, source):
    """A connection that stays open is not enough."""
    printed = failure(source.format(marks=SILENT))

    assert "heartbeats not answered within 5 s" in printed


@BOTH
def test_a_session_that_is_never_confirmed_fails(failure, source):
    """It fails when the time for it is over, not after two minutes."""
    printed = failure(source.format(marks=UNCONFIRMED))

    assert "session not confirmed within 5 s" in printed
    assert "covered   5 s in virtual time" in printed
