"""What a call has to keep up: each keyword with a call that breaks it, and one that does not."""

import pytest

from pytest_wsstability.core.judge.verdict import Outcome, Reason, Rule
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.core.voice.answer_sound import AnswerSounds
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


def interrupted(seconds, audio=9.0):
    """The user speaks at 4 s over the agent's audio from 3 s on, and that goes on for so long."""
    made = Call()
    made.speech_began(0.0)
    made.speech_ended(2.0)
    made.audio(3.0, audio)
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
        # One in twenty may be slower; fewer carry no p95, unless too many are slow for one in twenty.
        (call(*[0.5] * 19, 2.0), {"first_audio_p95": 0.8}, STABLE, None),
        (call(*[0.5] * 19), {"first_audio_p95": 0.8}, INCONCLUSIVE, None),
        (call(*[0.5] * 18, 2.0), {"first_audio_p95": 0.8}, INCONCLUSIVE, None),
        (call(*[0.5] * 10, 2.0, 2.0), {"first_audio_p95": 0.8}, INCONCLUSIVE, None),
        (call(*[0.5] * 9, 2.0, 2.0, 2.0), {"first_audio_p95": 0.8}, UNSTABLE, Rule.FIRST_AUDIO),
        (call(2.0), {"first_audio_p95": 0.8}, INCONCLUSIVE, None),
        (call(2.0, 2.0), {"first_audio_p95": 0.8}, UNSTABLE, Rule.FIRST_AUDIO),
        (call(*[0.5] * 18, 2.0, 2.0), {"first_audio_p95": 0.8}, UNSTABLE, Rule.FIRST_AUDIO),
        (call(0.5), {"underruns": 0}, STABLE, None),
        (call(0.5, gap=0.1), {"underruns": 0}, UNSTABLE, Rule.UNDERRUNS),
        (call(0.5, gap=0.1), {"underruns": 1}, STABLE, None),
        (call(None), {"underruns": 0}, INCONCLUSIVE, None),
        # A second of audio comes at once, and the next one when that is played.
        (call(0.5), {"ahead_max": 1.0}, STABLE, None),
        (call(0.5), {"ahead_max": 0.9}, UNSTABLE, Rule.AHEAD),
        (call(None), {"ahead_max": 1.0}, INCONCLUSIVE, None),
        (interrupted(0.3), {"barge_in_within": 0.3}, STABLE, None),
        (interrupted(0.31), {"barge_in_within": 0.3}, UNSTABLE, Rule.BARGE_IN),
        (call(0.5), {"barge_in_within": 0.3}, INCONCLUSIVE, None),
        # All of it was played by then.
        (interrupted(0, audio=1.0), {"barge_in_within": 0.3}, INCONCLUSIVE, None),
        (interrupted(0.31, audio=1.0), {"barge_in_within": 0.3}, UNSTABLE, Rule.BARGE_IN),
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
    verdict = check(call(0.5, 1.9, 0.5), first_audio_within=0.8)

    assert verdict.violations[0].headline == "first audio after 1.9 s in turn 2"
    assert verdict.violations[0].observed == "1 of 3 turns took longer, turn 2 1.9 s"


def test_a_p95_of_twelve_turns_is_none():
    """Nobody knows what one in twenty does; the doubt says what would do."""
    verdict = check(call(*[0.5] * 11, 2.0), first_audio_p95=0.8)

    assert [doubt.text for doubt in verdict.doubts] == [
        "12 turns carry no p95, of which 1 took longer: speak 20, or ask for first_audio_within"
    ]


def test_a_wait_that_was_given_up_was_too_long():
    """Whatever the turn was to bring."""
    made = call(0.5, None)
    made.give_up(52.0)
    verdict = check(made, first_audio_within=0.8)

    assert verdict.violations[0].headline == "no audio within 30 s in turn 2"


@pytest.mark.parametrize("asked", [{"first_audio_within": 0.8}, {"first_audio_p95": 0.8}])
def test_an_answer_that_is_over_without_audio_took_for_ever(asked):
    """The user waits for what will not come, however soon that was said."""
    made = call(*[0.5] * 20, None, None)
    for turn in made.turns[-2:]:
        turn.done_at = turn.speech_until + 0.3
    verdict = check(made, **asked)

    assert verdict.violations[0].headline == "no audio in turn 21"
    assert verdict.violations[0].observed == "2 of 22 turns took longer, turn 21 ended without audio"
    assert verdict.violations[0].at == pytest.approx(402.3)


def test_an_answer_without_an_end_is_none():
    """A server that never ends a turn: the user would wait for ever."""
    made = call(0.5)
    made.turns[0].done_at = None
    verdict = check(made, turns=1)

    assert verdict.violations[0].observed == (
        "0 of 1 turns answered; the answer of turn 1 was never ended: 2 s of audio came, the last at 3.5 s"
    )


@pytest.mark.parametrize(("until", "outcome"), [(4.3, STABLE), (4.4, UNSTABLE)])
def test_what_waits_to_be_played_at_the_end_of_a_call_was_not_heard(until, outcome):
    """The user speaks at 4 s over audio that nobody clears, and the call is over soon after."""
    made = Call(plays_on=True)
    made.speech_began(0.0)
    made.speech_ended(2.0)
    made.audio(3.0, 9.0)
    made.speech_began(4.0)
    asked = VoiceRequirement(barge_in_within=0.3)

    assert asked.check(made, duration=until, tier=Tier.VIRTUAL).outcome is outcome


def broken(what):
    made = call(0.5)
    match what:
        case "foreign":
            made.foreign(3.0, "theirs")
        case "malformed":
            made.malformed_audio(3.2, "answer: 'x' is no base64")
        case "lost":
            made.down.chunk(3.6, 0.1, sequence=1)
            made.down.chunk(3.7, 0.1, sequence=4)
        case "twice":
            made.down.chunk(3.6, 0.1, sequence=1)
            made.down.chunk(3.7, 0.1, sequence=1)
        case "order":
            for at, number in ((3.6, 1), (3.7, 3), (3.8, 2)):
                made.down.chunk(at, 0.1, sequence=number)
        case "stray":
            made.audio(4.25, 0.1)
        case "silent":
            made = call(0.5, 0.6)
            made.sounds = AnswerSounds()
            made.sounds.chunk(1, b"a", heard=True)
            made.sounds.chunk(2, b"0", heard=False)
        case "doubled":
            made.sounds = AnswerSounds()
            for number in range(10):
                for _ in range(2):
                    made.sounds.chunk(1, bytes([number]), heard=True)
        case "forgot":
            made.turns[0].agent_number = 4
            made.speech_began(20.0)
            made.speech_ended(21.0)
            made.numbered(22.0, 1)
    return made


@pytest.mark.parametrize(
    ("what", "observed"),
    [
        ("foreign", "1 chunk of audio of session 'theirs'"),
        ("malformed", "1 message with audio that is none: answer: 'x' is no base64"),
        ("lost", "2 of 4 chunks of audio lost"),
        ("twice", "1 chunk of audio came twice"),
        ("order", "1 chunk of audio came out of order"),
        ("stray", "1 chunk of audio came outside of any answer"),
        ("silent", "1 answer of silence only"),
        ("doubled", "10 chunks of audio came twice"),
        ("forgot", "1 time the agent counted its turns anew"),
    ],
)
def test_audio_has_to_be_whole(what, observed):
    """Without being asked for; nobody wants to hear somebody else's call."""
    verdict = check(broken(what))

    assert [(violation.rule, violation.observed) for violation in verdict.violations] == [
        (Rule.AUDIO, observed)
    ]
    assert check(broken(what), audio_intact=False).outcome is STABLE


@pytest.mark.parametrize(
    ("what", "at"),
    [
        ("foreign", 3.0), ("malformed", 3.2), ("lost", 3.7), ("twice", 3.7), ("order", 3.8), ("stray", 4.25),
        ("forgot", 22.0), ("silent", 22.6), ("doubled", 2.5),
    ],
)  # fmt: skip
def test_what_is_wrong_with_audio_has_its_instant(what, at):
    """That of the first chunk, and not the end of the call."""
    assert [violation.at for violation in check(broken(what)).violations] == [at]


@pytest.mark.parametrize("cut", [{"done_at": None}, {"barged_in_at": 22.9}])
def test_an_answer_that_was_broken_off_is_not_silent(cut):
    """It may have begun with a pause."""
    made = broken("silent")
    for name, value in cut.items():
        setattr(made.turns[1], name, value)

    assert check(made).outcome is STABLE


def test_all_messages_without_audio_are_counted():
    """Also those whose reason is not kept."""
    made = call(0.5)
    for number in range(50):
        made.malformed_audio(3.0 + number, "answer: 'x' is no base64")

    assert (
        check(made).violations[0].headline == "50 messages with audio that is none: answer: 'x' is no base64"
    )


def test_where_nobody_answers_the_transcript_is_the_answer():
    made = call(None, None)
    made.answers = False

    assert check(made, turns=2).outcome is STABLE
    assert check(made, turns=3).outcome is INCONCLUSIVE


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"turns": 0}, r"^turns: 0 is no conversation; give a whole number from 1$"),
        ({"turns": 2.5}, r"^turns: 2\.5 is no conversation; give a whole number from 1$"),
        ({"underruns": -1}, r"^underruns: -1; give a whole number from 0$"),
        ({"first_audio_p95": "10ms"}, r"^first_audio_p95: 10 ms is shorter than a frame of audio \(20 ms\)$"),
        ({"first_audio_within": "19ms"}, r"^first_audio_within: 19 ms is shorter than a frame"),
        ({"barge_in_within": "soon"}, r"^barge_in_within: 'soon' is not a duration"),
        ({"transcripts": 1}, r"^transcripts: 1 is not True or False$"),
    ],
)
def test_values_that_make_no_sense(values, message):
    with pytest.raises(ValueError, match=message):
        VoiceRequirement.of(**values)


def test_a_budget_of_one_frame_is_one():
    assert VoiceRequirement.of(first_audio_within="20ms").first_audio_within == 0.02


def test_an_unknown_keyword_lists_the_valid_ones():
    with pytest.raises(TypeError, match=r"^unknown voice keyword 'turn'; valid ones: turns, first_audio_p95"):
        VoiceRequirement.of(turn=1)
