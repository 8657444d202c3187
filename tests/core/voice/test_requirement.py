"""What a call has to keep up: each keyword with a call that breaks it, and one that does not."""

import pytest

from pytest_wsstability.core.judge.verdict import Outcome, Reason, Rule
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.core.voice.call import Call
from pytest_wsstability.core.voice.requirement import VoiceRequirement

STABLE, UNSTABLE, INCONCLUSIVE = Outcome.STABLE, Outcome.UNSTABLE, Outcome.INCONCLUSIVE


def call(*delays, final=True, gap=0.0):
    """A turn for each delay of the first audio, None: no answer. After a ``gap`` nothing is left to play."""
    made, at = Call(), 0.0
    for delay in delays:
        made.speech_began(at)
        made.speech_ended(at + 2)
        if final:
            made.transcript(at + 2.1, final=True)
        if delay is not None:
            made.audio(at + 2 + delay, 1.0)
            made.audio(at + 3 + delay + gap, 1.0)
            made.turn_done(at + 3 + delay + gap)
        at += 20
    return made


def interrupted(seconds):
    """The user speaks at 4 s over the agent, which goes on for so long."""
    made = Call()
    made.speech_began(0.0)
    made.speech_ended(2.0)
    made.audio(3.0, 9.0)
    made.speech_began(4.0)
    if seconds:
        made.audio(4.0 + seconds, 0.1)
    return made


def check(made, *, ended=True, **asked):
    return VoiceRequirement(**asked).check(made, duration=60.0, tier=Tier.VIRTUAL, ended=ended)


@pytest.mark.parametrize(
    ("made", "asked", "outcome", "rule"),
    [
        (call(0.5, 0.5), {"turns": 2}, STABLE, None),
        (call(0.5, None), {"turns": 2}, UNSTABLE, Rule.TURNS),
        (call(0.5), {"turns": 2}, INCONCLUSIVE, None),
        (interrupted(0), {"turns": 1}, STABLE, None),
        (call(0.5, 0.8), {"first_audio_within": 0.8}, STABLE, None),
        (call(0.5, 0.81), {"first_audio_within": 0.8}, UNSTABLE, Rule.FIRST_AUDIO),
        (call(None), {"first_audio_within": 0.8}, INCONCLUSIVE, None),
        # One in twenty may be slower, so no one of nineteen.
        (call(*[0.5] * 19, 2.0), {"first_audio_p95": 0.8}, STABLE, None),
        (call(*[0.5] * 18, 2.0), {"first_audio_p95": 0.8}, UNSTABLE, Rule.FIRST_AUDIO),
        (call(*[0.5] * 18, 2.0, 2.0), {"first_audio_p95": 0.8}, UNSTABLE, Rule.FIRST_AUDIO),
        (call(0.5), {"underruns": 0}, STABLE, None),
        (call(0.5, gap=0.1), {"underruns": 0}, UNSTABLE, Rule.UNDERRUNS),
        (call(0.5, gap=0.1), {"underruns": 1}, STABLE, None),
        (call(None), {"underruns": 0}, INCONCLUSIVE, None),
        (interrupted(0.3), {"barge_in_within": 0.3}, STABLE, None),
        (interrupted(0.31), {"barge_in_within": 0.3}, UNSTABLE, Rule.BARGE_IN),
        (call(0.5), {"barge_in_within": 0.3}, INCONCLUSIVE, None),
        (call(0.5), {"transcripts": True}, STABLE, None),
        (call(0.5, final=False), {"transcripts": True}, UNSTABLE, Rule.TRANSCRIPTS),
        (Call(), {"transcripts": True}, INCONCLUSIVE, None),
        (Call(), {}, STABLE, None),
    ],
)
def test_each_keyword(made, asked, outcome, rule):
    verdict = check(made, **asked)

    assert verdict.outcome is outcome
    assert [violation.rule for violation in verdict.violations] == ([rule] if rule else [])


def test_what_has_not_come_yet_may_come():
    verdict = check(call(0.5, None, final=False), ended=False, turns=2, transcripts=True)

    assert verdict.outcome is INCONCLUSIVE
    assert [doubt.reason for doubt in verdict.doubts] == [Reason.TOO_SHORT]


def test_a_failure_names_the_turn():
    verdict = check(call(0.5, 1.9, 0.5), first_audio_p95=0.8)

    assert verdict.violations[0].headline == "first audio after 1.9 s in turn 2"
    assert verdict.violations[0].observed == (
        "1 of 3 turns took longer, turn 2 1.9 s (3 turns are too few for a p95: none may)"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"turns": 0}, r"^turns: 0 is no conversation; give 1 or more$"),
        ({"underruns": -1}, r"^underruns: -1; give 0 or more$"),
        ({"first_audio_p95": 0}, r"^first_audio_p95: 0; give a duration above 0$"),
        ({"barge_in_within": -0.3}, r"^barge_in_within: -0\.3; give a duration above 0$"),
    ],
)
def test_values_that_make_no_sense(values, message):
    with pytest.raises(ValueError, match=message):
        VoiceRequirement(**values)
