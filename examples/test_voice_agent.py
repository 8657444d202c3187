"""
The test list of the story: the complete voice agent, its pipeline, its session, for two minutes and more.

The page connected, its session was confirmed, its JSON pings were answered, and the connection died with 1006
after a minute, in the middle of a conversation. Against a server: `--ws-url wss://... --ws-long`.

"""

import pytest

from pytest_wsstability import StabilityError, voice

HELD = pytest.mark.ws_stability(
    alive_for="130s", heartbeat_every="25s", heartbeat_within="5s", session_within="5s"
)


# Complete voice agent functionality.


@HELD
@pytest.mark.ws_voice(
    turns=12, first_audio_within="800ms", underruns=0, barge_in_within="300ms", transcripts=True
)
def test_the_complete_voice_agent(ws_voice):
    """Two minutes and more: speech up, text and speech back, heartbeats answered under audio."""
    ws_voice.assert_heartbeats_answered(within="5s", at_least=4)
    ws_voice.assert_no_abnormal_closure()


# The same before the fix: a page that leaves ping frames unanswered, and a deadline that only pongs reset.


@pytest.mark.xfail(raises=StabilityError, strict=True, reason="before the fix: 1006 in mid-conversation")
@pytest.mark.ws_stability(alive_for="130s", heartbeat_every="25s", session_within="5s", client="mute")
@pytest.mark.ws_voice(turns=20)
def test_the_voice_agent_before_the_fix(ws_voice):
    """Every heartbeat answered, the agent speaks, and the connection is gone at 60 s."""


# Real-time voice processing: each stage within its budget.


@pytest.mark.ws_voice(turns=20, speech="1s", first_audio_p95="800ms", underruns=0, ahead_max="5s")
def test_the_pipeline_is_fast_enough(ws_voice):
    """STT, AI, TTS: 95 of 100 answers begin in 800 ms, and none runs dry."""


@pytest.mark.xfail(raises=StabilityError, strict=True, reason="before the fix: the model answers too late")
@pytest.mark.ws_orchestrator(
    voice=voice.Pipeline(stt="150ms", ai=voice.Stage("350ms", faults=voice.Slow("2s", turn=4)), tts="200ms")
)
@pytest.mark.ws_voice(turns=6, first_audio_within="800ms")
def test_a_slow_model(ws_voice):
    """The failure names the stage."""


@pytest.mark.xfail(raises=StabilityError, strict=True, reason="before the fix: nobody reads meanwhile")
@pytest.mark.ws_orchestrator(
    voice=voice.Pipeline(ai=voice.Stage("350ms", faults=voice.BlocksReading("40s", turn=3)))
)
@HELD
@pytest.mark.ws_voice(turns=8)
def test_a_handler_that_awaits_the_model_and_does_not_read(ws_voice):
    """Heartbeats wait unread for as long as the model works."""


# Session persistence.


@pytest.mark.ws_voice(turns=6, reconnect_in=3, first_audio_within="800ms", transcripts=True)
def test_the_session_persists(ws_voice):
    """The connection is lost in the middle of a sentence; session, turns and numbers go on."""
    assert len(ws_voice.call.away) == 1
    assert [turn.agent_number for turn in ws_voice.turns] == [1, 2, 3, 4, 5, 6]


@pytest.mark.xfail(raises=StabilityError, strict=True, reason="before the fix: the context was lost")
@pytest.mark.ws_orchestrator(voice=voice.Pipeline(ai=voice.Stage("350ms", faults=voice.LosesContext())))
@pytest.mark.ws_voice(turns=6, reconnect_in=3)
def test_a_session_that_is_forgotten(ws_voice):
    """It is confirmed, and the conversation is forgotten."""


# Silences.


@pytest.mark.ws_orchestrator(voice=voice.Pipeline())
async def test_a_user_who_thinks(ws_orchestrator):
    """A minute and two minutes of silence in a call, with nothing sent but heartbeats."""
    async with voice.open_call(ws_orchestrator.url, heartbeat="25s", silence="withheld") as caller:
        for pause in ("65s", "125s"):
            await caller.speak("2s")
            await caller.listen()
            await caller.idle(pause)
        assert caller.connection.websocket.is_open
