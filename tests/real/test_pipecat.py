"""
A pipecat pipeline as an app under test: its transport and turn detection, its RTVI and Twilio serializers.

Its clocks are the library's own, in virtual time.

"""

from importlib.util import find_spec

import pytest

pytestmark = [
    pytest.mark.skipif(find_spec("pipecat") is None, reason="no pipecat: pip install --group pipecat"),
    pytest.mark.soak,
    pytest.mark.servers,
    pytest.mark.ws_server("uvicorn"),
    # The library's own business.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture
def ws_app():
    # Its import takes a second, and warns.
    from tests.real.apps.pipecat_bot import application

    return application()


@pytest.mark.ws_stability(profile="pipecat", url="/rtvi", patch_time=True)
@pytest.mark.ws_voice(
    turns=80, pause=("20s", "80s"), silence="withheld", first_audio_within="1.8s", underruns=0,
    barge_in_within="300ms", transcripts=True,
)  # fmt: skip
def test_an_hour_of_conversation(ws_voice):
    """Eighty turns, with pauses in which nothing goes either way; uvicorn pings in them."""
    assert ws_voice.summary.duration > 3600
    assert all(turn.audio_seconds == pytest.approx(3.0) for turn in ws_voice.turns if not turn.barged_in_at)
    assert len([turn for turn in ws_voice.turns if turn.barged_in_at]) > 5


@pytest.mark.ws_stability(profile="pipecat", url="/rtvi", patch_time=True)
@pytest.mark.ws_voice(turns=6, first_audio_within="1s", underruns=0, transcripts=True)
def test_silence_is_sent(ws_voice):
    """Then the bot hears when speech has ended: by 200 ms of silence, and not by a second without audio."""
    assert ws_voice.turns[-1].first_audio == pytest.approx(0.9, abs=0.05)


@pytest.mark.ws_stability(profile="twilio", url="/twilio", patch_time=True)
@pytest.mark.ws_voice(turns=6, first_audio_within="1s", underruns=0, barge_in_within="300ms")
def test_twilio(ws_voice):
    """Its serializer sends no mark: an answer is whole when nothing is heard any more."""
    assert all(turn.audio_seconds == pytest.approx(3.0) for turn in ws_voice.turns if not turn.barged_in_at)
