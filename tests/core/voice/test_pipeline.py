"""A pipeline and its faults as values: what they say of themselves, and what they refuse."""

import math

import pytest

from pytest_wsstability import voice
from pytest_wsstability.core.voice.stage_faults import StageFault, StageName
from pytest_wsstability.voice import Pipeline, Stage


def test_a_pipeline_of_durations():
    """As people write them; speech is made at twice real time unless somebody says otherwise."""
    pipeline = Pipeline(stt="150ms", ai="350ms", tts="200ms", answer=("2s", "6s"))

    assert [pipeline.stage(name).delay for name in StageName] == [0.15, 0.35, 0.2]
    assert (pipeline.tts.rate, pipeline.stt.rate) == (2.0, None)
    assert (pipeline.answer, pipeline.faults) == ((2.0, 6.0), ())
    assert Pipeline(tts=Stage("1s", rate=0.5)).tts.rate == 0.5
    assert Pipeline(answer="3s").answer == (3.0, 3.0)


def test_faults_are_listed_by_their_stage():
    slow, mixed = voice.Slow("2s", turn=3), voice.MixesSessions()
    pipeline = Pipeline(ai=Stage("1s", faults=slow), tts=Stage("1s", faults=[mixed]))

    assert pipeline.faults == ((StageName.AI, slow), (StageName.TTS, mixed))
    assert (slow.is_in(3), slow.is_in(2), mixed.is_in(9)) == (True, False, True)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (voice.Slow("2s", turn=3), "voice.Slow(turn=3, by=2.0)"),
        (voice.Stalled(), "voice.Stalled()"),
        (voice.DropsAudio(), "voice.DropsAudio(every=5)"),
        (voice.LosesContext(), "voice.LosesContext()"),
        (Stage("1s", rate=2.0, faults=voice.Stalled()),
         "voice.Stage(1.0, rate=2.0, faults=(voice.Stalled(),))"),
    ],
)  # fmt: skip
def test_what_they_say_of_themselves(value, written):
    """Can be written again."""
    assert repr(value) == written
    assert eval(written, {"voice": voice}) == value


def test_every_fault_has_its_stages():
    assert all(each.stages <= set(StageName) and each.stages for each in StageFault.__subclasses__())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stage("soon"), r"^Stage\.delay: 'soon' is not a duration"),
        (lambda: Stage("1s", rate=0), r"^Stage\.rate: 0; give a number above 0, such as 2\.0$"),
        (lambda: Stage("1s", rate=True), r"^Stage\.rate: True"),
        (lambda: Stage("1s", rate=math.nan), r"^Stage\.rate: nan"),
        (lambda: Pipeline(ai=Stage("1s", rate=2)), r"^Pipeline\.ai: rate is for tts, which makes audio$"),
        (lambda: Pipeline(stt=Stage("1s", faults=voice.Floods())),
         r"^Pipeline\.stt: voice\.Floods\(seconds=60\.0\) makes no sense there; valid ones: tts$"),
        (lambda: Pipeline(tts=Stage("1s", faults=voice.LosesContext())), r"makes no sense there; .*: ai$"),
        (lambda: Pipeline(answer=("3s", "2s")), r"^Pipeline\.answer: .* the second is shorter than"),
        (lambda: Pipeline(answer=("3s",)), r"^Pipeline\.answer: \('3s',\); give a duration, or two"),
        (lambda: Pipeline(vad_stop=0), r"^Pipeline\.vad_stop: must be longer than 0"),
        (lambda: voice.Slow("2s", turn=0), r"^Slow\.turn: 0 is no turn; give a whole number from 1"),
        (lambda: voice.DropsAudio(every=1), r"^DropsAudio\.every: 1; give a whole number from 2$"),
        (lambda: voice.BlocksLoop("never"), r"^BlocksLoop\.seconds: 'never' is not a duration"),
    ],
)  # fmt: skip
def test_values_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_fault_is_refused():
    with pytest.raises(TypeError, match=r"^Stage\.faults: 'slow' is no fault of a stage"):
        Stage("1s", faults=["slow"])
