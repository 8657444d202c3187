"""Which turn a failure of a spoken conversation is about, and what is said of that turn."""

import pytest

from pytest_wsstability.core.cause import Cause, Confidence
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.template_words import TemplateWords
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from pytest_wsstability.core.voice.diagnosis import diagnosed_call
from pytest_wsstability.core.voice.features import voice_features
from pytest_wsstability.core.voice.requirement import VoiceRequirement
from pytest_wsstability.core.voice.stage_faults import StageName
from pytest_wsstability.core.voice.words import WORDS
from tests.core.judging import BEATS
from tests.core.script import timeline
from tests.core.voice.events import call

# It is another session's, so that every call that ends with it has failed.
FOREIGN = (100.0, "foreign", "theirs")
# One heartbeat waited for 600 ms.
LATE_BEATS = [*BEATS, (110, ">beat"), (110.6, "<answer")]


def verdict_of(made, **asked):
    return VoiceRequirement(**asked).check(made, duration=120.0, tier=Tier.VIRTUAL)


def features(made, **asked):
    """What the caller alone knows of a call that failed."""
    return voice_features(made, verdict_of(made, **asked), None, [timeline(*BEATS, until=120)], 0.0)


def diagnosis(made, **asked):
    """Why it failed, as the caller alone sees it."""
    return diagnosed_call(
        verdict_of(made, **asked), [timeline(*BEATS, until=120)], made, None, origin=0.0
    ).diagnosis


def test_an_error_message_is_of_a_turn_on_one_connection():
    """Where a part of the call is on another one, none is told."""
    found = features(call((0.0, "speak"), (2.0, "hush"), FOREIGN))
    found.here.error_message(found.here.opened + 5.0, "oh")
    assert found.error == "oh"

    found.call.away.append((3.0, 4.0))
    assert found.error is None


def spoken_over(*stops):
    """A turn for each number: the next one begins over its 9 s of audio, which goes on for so long."""
    events = []
    for number, seconds in enumerate(stops):
        at, over = 10.0 * number, 10.0 * number + 10
        events += [(at + 2, "hush"), (at + 3, "audio", 9.0), (over, "speak"), (over + seconds, "audio", 0.1)]
        events.append((over + seconds, "interrupted"))
    return call((0.0, "speak"), *events)


@pytest.mark.parametrize(
    ("stops", "turn"), [((0.9, 0.2, 0.5), 1), ((0.2, 0.9, 0.5), 2), ((0.2, 0.5, 0.9), 3)]
)
def test_a_barge_in_that_failed_is_that_of_the_longest_wait(stops, turn):
    """The latest turn has none, and is not the one."""
    found = diagnosis(spoken_over(*stops), barge_in_within=0.3)

    assert found.sentence == f"the agent spoke on for 900 ms after the user spoke over it in turn {turn}"


def test_what_is_said_of_a_turn_is_said_of_the_one_that_shows_it():
    """A late first answer is told first, and the audio that ran dry came two turns later."""
    made = call(
        (0.0, "speak"), (1.0, "hush"), (6.0, "audio", 1.0),
        (10.0, "speak"), (11.0, "hush"), (11.5, "audio", 1.0), (12.5, "audio", 1.0),
        (20.0, "speak"), (21.0, "hush"), *[(at, "audio", 1.0) for at in (21.5, 23.5, 25.5, 27.5)],
    )  # fmt: skip
    found = diagnosis(made, first_audio_within=2.0, underruns=0)

    assert features(made, first_audio_within=2.0, underruns=0).rule is Rule.FIRST_AUDIO
    assert found.sentence == (
        "speech is made more slowly than it is played in turn 3: 4 s of audio came in 6 s"
    )


@pytest.mark.parametrize(
    ("silences", "told"),
    [
        ([3.0], "the answer paused for 3 s in turn 1"),
        ([1.0, 1.0], "the answer paused for 1 s in turn 1"),
        ([0.5, 2.0, 1.5], "the answer paused for 2 s in turn 1"),
        ([0.51, 2.0, 1.5], "the tts stage is slower than real time"),
        ([1.0, 1.0, 1.0], "the tts stage is slower than real time"),
        # So many that not all of them are kept.
        ([*[0.01] * 64, 3.0], "the tts stage is slower than real time"),
    ],
)
def test_one_pause_in_an_answer_is_no_slow_speech(silences, told):
    """A tool that is awaited in the middle of it, or the next sentence."""
    at, events = 3.0, [(1, "speak"), (2, "hush"), (3.0, "audio", 1.0)]
    for seconds in silences:
        at += 1 + seconds
        events.append((at, "audio", 1.0))

    assert diagnosis(call(*events, (at + 1, "done")), underruns=0).headline == told


def test_audio_that_ran_dry_in_a_greeting_is_of_no_turn():
    made = call((0.0, "audio", 0.1), (0.5, "audio", 0.1), (0.6, "done"), (1.0, "speak"), (2.0, "hush"))

    assert diagnosis(made, underruns=0).sentence == "speech is made more slowly than it is played"


@pytest.mark.parametrize(
    ("rate", "each", "count", "other"),
    [
        # 8 kHz of 16, 16 kHz of 24, 8 kHz of 24.
        (16_000, 0.2, 10, 8_000),
        (24_000, 0.15, 10, 16_000),
        (24_000, 0.3, 10, 8_000),
        # A little slower than real time, and as fast as that; too few chunks to tell.
        (16_000, 0.12, 10, None),
        (16_000, 0.1015, 10, None),
        (16_000, 0.2, 9, None),
        (8_000, 0.2, 10, None),
        (None, 0.2, 10, None),
        # 2 % next to it.
        (16_000, 0.197, 10, 8_000),
        (16_000, 0.195, 10, None),
    ],
)
def test_audio_at_the_pace_of_another_rate_may_be_of_that(rate, each, count, other):
    """A chunk of 100 ms came each so often: a stage of just that speed sounds the same to the record."""
    chunks = [(3 + each * index, "audio", 0.1) for index in range(count)]
    made = call((1, "speak"), (2, "hush"), *chunks, (9, "done"), rate=rate)
    found = diagnosis(made, underruns=0)

    assert features(made, underruns=0).other_rate == other
    assert found.headline == "the tts stage is slower than real time"
    assert (found.confidence, found.runner_up) == (
        (Confidence.HIGH, None) if other is None else (Confidence.MEDIUM, Cause.AUDIO_UNREADABLE)
    )


def test_a_failed_barge_in_is_told_of_its_own_turn():
    """Here the first answer was late too, and its turn was not spoken over."""
    made = call(
        (0.0, "speak"), (1.0, "hush"), (6.0, "audio", 1.0),
        (10.0, "speak"), (11.0, "hush"), (11.5, "audio", 9.0), (15.0, "speak"), (15.9, "audio", 0.1),
        (15.9, "interrupted"),
    )  # fmt: skip
    asked = {"first_audio_within": 2.0, "barge_in_within": 0.3}

    assert features(made, **asked).rule is Rule.FIRST_AUDIO
    assert diagnosis(made, **asked).sentence == (
        "the agent spoke on for 900 ms after the user spoke over it in turn 2"
    )


@pytest.mark.parametrize(("stray", "cause"), [(2.9, Cause.AUDIO_AFTER_END), (12.0, Cause.NOT_INTERRUPTED)])
def test_an_answer_that_runs_into_the_next_turn_was_not_interrupted(stray, cause):
    """What comes of it when the next one is over is nobody's; what came before it has another cause."""
    made = call(
        (0.0, "speak"), (1.0, "hush"), (2.0, "audio", 0.5), (2.8, "done"), (2.9, "speak"), (3.0, "hush"),
        (3.5, "audio", 9.0), (5.0, "speak"), (5.9, "audio", 0.1), (6.0, "hush"), (7.0, "audio", 1.0),
        (8.0, "done"),
    )  # fmt: skip
    made.stray_chunks, made.stray_at = 1, stray

    assert diagnosis(made, barge_in_within=0.3).cause is cause


@pytest.mark.parametrize(
    ("since", "forgot", "away", "cause"),
    [
        (4.9, 4.8, [(4.0, 4.5)], Cause.CONTEXT_LOST),
        (4.9, 5.0, [], Cause.NOT_INTERRUPTED),
        (4.9, 4.8, [], Cause.AUDIO_AFTER_END),
        (None, 5.0, [], Cause.AUDIO_AFTER_END),
    ],
)
def test_turns_are_counted_anew_at_a_reconnect_only(since, forgot, away, cause):
    """On one connection the number of an earlier turn is that of an answer which runs on, or is a mistake."""
    spoken_over = [(since, "speak"), (6.0, "audio", 0.1), (6.5, "hush"), (7.0, "audio", 1.0)]
    over = spoken_over if since is not None else []
    made = call((0.0, "speak"), (1.0, "hush"), (2.0, "audio", 9.0), *over)
    made.forgot_at, made.away = forgot, away

    assert diagnosis(made, barge_in_within=0.3).cause is cause


@pytest.mark.parametrize(
    ("last", "every", "cause"),
    [
        (27.0, 1.0, Cause.TURN_GOES_ON),
        (26.9, 1.0, Cause.TURN_BROKE_OFF),
        # It ran dry again and again, and is long for that.
        (29.9, 2.0, Cause.STAGE_SLOW),
        (10.0, 1.0, Cause.TURN_BROKE_OFF),
    ],
)
def test_an_answer_that_still_comes_has_not_broken_off(last, every, cause):
    """What is waited for is its end."""
    instants = [at / 10 for at in range(30, round(10 * last), round(10 * every))]
    made = call(
        (0.0, "speak"), (1.0, "hush"), *[(at, "audio", 1.0) for at in instants], (last, "audio", 1.0),
        (30.0, "given up"),
    )  # fmt: skip

    assert diagnosis(made, turns=1, underruns=0).cause is cause


CALLED = "a tool was called in turn 1, and nobody answered"


@pytest.mark.parametrize(
    ("events", "asked", "told"),
    [
        ([(1.3, "final"), (2.0, "tool")], {"turns": 1}, CALLED),
        ([(1.3, "final"), (2.0, "tool")], {"first_audio_within": 1.0}, CALLED),
        # "One moment" is no answer.
        ([(1.3, "audio", 1.0), (2.0, "tool")], {"turns": 1}, CALLED),
        # Somebody answered, and what then came is the matter.
        ([(1.3, "tool"), (20.0, "audio", 1.0)], {"turns": 1}, "the answer broke off in turn 1"),
        ([(1.3, "tool"), (9.0, "audio", 9.0), (9.5, "done")], {"first_audio_within": 1.0},
         "the tts stage is slow: 7.7 s"),
        ([(1.3, "tool"), (2.0, "done")], {"turns": 1}, "the tts stage gives no result"),
        # The agent itself says what is the matter.
        ([(1.3, "tool"), (2.0, "unknown", "", '{"error": "the tool failed"}')], {"turns": 1},
         "an error message in the place of an answer in turn 1"),
    ],
)  # fmt: skip
def test_a_tool_that_nobody_answers_is_no_stage_of_the_agents(events, asked, told):
    """The client of OpenAI answers tools, and the caller does not."""
    made = call((0.0, "speak"), (1.0, "hush"), *events, (31.0, "given up"))

    assert diagnosis(made, **asked).headline == told


@pytest.mark.parametrize(("quiet", "cause"), [(True, Cause.TURN_GOES_ON), (False, Cause.TURN_BROKE_OFF)])
def test_an_answer_that_is_still_played_has_not_broken_off_where_quiet_ends_it(quiet, cause):
    """Half a minute of audio at once: nobody can have said that it is whole."""
    made = call((0.0, "speak"), (1.0, "hush"), (2.0, "audio", 27.0), (31.0, "given up"), ends_by_quiet=quiet)

    assert diagnosis(made, turns=1).cause is cause


def answers(*sounds):
    """A turn for each word: a chunk for each letter, ``.`` is silence."""
    made = call()
    for at, chunks in zip(range(0, 100, 10), sounds, strict=False):
        made.speech_began(at)
        made.speech_ended(at + 1)
        for number, each in enumerate(chunks):
            made.audio(at + 2 + number / 10, 0.1, data=each.encode(), silent=each == ".")
        made.turn_done(at + 5)
    return made


def test_an_answer_that_nobody_can_hear_has_a_stage_that_gave_nothing():
    found = diagnosis(answers("abc", "...", "abc"))

    assert (found.cause, found.headline) == (Cause.STAGE_STALLED, "an answer of silence only in turn 2")
    assert found.sentence.startswith("the answer in turn 2 is silence only, where others can be heard")


def test_an_answer_that_was_sent_twice():
    """Known by its samples; or by the numbers of its chunks, which have their instant."""
    found = diagnosis(answers("abc", "aabbccddeeffgghhiijj"))
    assert (found.cause, found.headline) == (Cause.AUDIO_TWICE, "audio was sent twice")
    assert found.sentence.startswith("10 chunks of audio came twice, the first at 12 s: ")

    found = diagnosis(call((0.0, "speak"), (1.0, "hush"), *[(at, "chunk", 7) for at in (2.0, 2.1)]))
    assert found.sentence.startswith("1 chunk of audio came twice, the first at 2.1 s: ")


@pytest.mark.parametrize(("again", "cause"), [(1, Cause.AUDIO_TWICE), (0, None)])
def test_answers_that_are_given_twice(again, cause):
    """One after the other, each with its end; or an agent that says something else in between."""
    made = call()
    for turn in range(3):
        at = 20 * turn
        made.speech_began(at)
        made.speech_ended(at + 1)
        for number, said in enumerate((turn, turn if again else 9)):
            made.audio(at + 2 + 3 * number, 0.5, data=b"sound %d" % said)
            made.turn_done(at + 3 + 3 * number)
    verdict = verdict_of(made)

    assert (made.stray_chunks, bool(verdict.violations)) == (0, bool(again))
    if again:
        assert diagnosis(made).cause is cause
        assert verdict.violations[0].observed == "3 chunks of audio came twice"
        assert verdict.violations[0].at == 2


def test_a_turn_without_audio_waited_longer_than_any_other():
    """Though it was over sooner."""
    made = call(
        (0.0, "speak"), (1.0, "hush"), (4.0, "audio", 1.0), (4.1, "done"),
        (10.0, "speak"), (11.0, "hush"), (11.2, "final"), (11.3, "token"), (11.5, "done"),
        (20.0, "speak"), (21.0, "hush"), (23.0, "audio", 1.0), (24.0, "done"),
    )  # fmt: skip

    assert features(made, first_audio_within=1.0).turn.number == 2
    assert diagnosis(made, first_audio_within=1.0).headline == "the tts stage gives no result"


def test_marks_that_wait_for_audio_are_no_late_path():
    """The caller answers them when the audio before them is played."""
    made = call((1, "speak"), (2, "hush"), (3, "audio", 9.0), (4, "speak"), plays_on=True)
    ends = [timeline(*LATE_BEATS, until=120)]
    found = diagnosed_call(verdict_of(made, barge_in_within=0.3), ends, made, None, origin=0.0).diagnosis

    assert found.cause is Cause.NOT_INTERRUPTED
    assert not any("heartbeats" in each.text for each in (*found.evidence, *found.ruled_out))


@pytest.mark.parametrize(
    ("came", "confidence"), [([], Confidence.HIGH), ([(2.6, "unknown", "binary")], Confidence.MEDIUM)]
)
def test_what_the_profile_does_not_know_may_be_the_audio_that_is_missing(came, confidence):
    """So that nobody is sure of a stage that gave none."""
    made = call((1, "speak"), (2, "hush"), (2.3, "final"), (2.5, "token"), *came, (32, "given up"))
    found = diagnosis(made, turns=1)

    assert (found.headline, found.confidence) == ("the tts stage gives no result", confidence)


def test_heartbeats_that_nobody_answers_are_no_evidence():
    """None of them was missed: no answer is ever due."""
    facts = ProtocolFacts(name="x", title="X", heartbeat=HeartbeatShape.ONE_WAY)
    line = timeline((25, ">beat"), (50, ">beat"), until=120, protocol=facts)
    made = call((1, "speak"), (2, "hush"), (32, "given up"))
    found = diagnosed_call(verdict_of(made, turns=1), [line], made, None, origin=0.0).diagnosis

    assert [each.text for each in found.evidence[1:]] == ["the connection is open at 120 s"]


SAID = '{"type": "failure", "message": "LLM quota exceeded"}'


@pytest.mark.parametrize(
    ("rows", "done", "headline"),
    [
        ([(12, "<error", '{"type":"error"}')], [], "an error message in the place of an answer in turn 2"),
        # It came with the turn before, which was answered.
        ([(9.9, "<error", "{}")], [], "nothing came of the speech in turn 2"),
        ([], [(11.5, "done")], "an answer without anything in it in turn 2"),
        ([], [], "nothing came of the speech in turn 2"),
        ([], [(11.0, "partial")], "no final transcript of the speech in turn 2, nor anything else"),
        ([], [(11.0, "final")], "the ai stage gives no result"),
        # The profile does not call it an error; what it does not know may also be what is missing.
        (
            [],
            [(11.0, "final"), (12.0, "unknown", "", SAID)],
            "an error message in the place of an answer in turn 2",
        ),
        ([], [(11.0, "final"), (12.0, "unknown", "", '{"usage": 12}')], "the ai stage gives no result"),
        ([], [(11.0, "final"), (12.0, "unknown", "", SAID + " " * 500)], "the ai stage gives no result"),
    ],
)
def test_what_came_in_the_place_of_an_answer(rows, done, headline):
    """An error message, by the profile or by its words, the end of the answer alone, or nothing."""
    made = call(
        (0.0, "speak"), (1.0, "hush"), (1.5, "audio", 1.0), (2.0, "done"), (10.0, "speak"), (11.0, "hush"),
        *done, (41.0, "given up"),
    )  # fmt: skip
    line = timeline(*sorted([*BEATS, *rows]), until=120)
    found = diagnosed_call(verdict_of(made, turns=2), [line], made, None, origin=0.0).diagnosis

    assert found.headline == headline


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_transcripts_are_missed_in_the_first_turn_without_one(missing):
    """Also where the next turn begins at the very instant at which its speech ended."""
    events = []
    for number in (1, 2, 3):
        at = 10.0 * number
        transcript = [] if number == missing else [(at + 9, "final")]
        events += [(at, "speak"), *transcript, (at + 10, "hush")]
    found = features(call(*events), transcripts=True)

    assert (found.rule, found.turn.number) == (Rule.TRANSCRIPTS, missing)


@pytest.mark.parametrize("broken", [1, 2, 3])
@pytest.mark.parametrize("how", ["malformed", "lost", "twice", "order"])
def test_audio_that_is_broken_is_told_of_its_turn(how, broken):
    """And not of the latest one."""
    events = []
    for turn in (1, 2, 3):
        at = 10.0 * turn
        numbers = {"lost": (1, 3), "twice": (1, 2, 2, 3), "order": (1, 3, 2)}.get(how, (1, 2, 3))
        numbers = numbers if turn == broken else (1, 2, 3)
        events += [(at, "speak"), (at + 1, "hush")]
        events += [(at + 2 + n / 10, "chunk", 3 * turn + n) for n in numbers]
        if how == "malformed" and turn == broken:
            events.append((at + 2.5, "malformed", "no base64"))
        events.append((at + 3, "done"))

    assert features(call(*events)).turn.number == broken


@pytest.mark.parametrize(
    ("beats", "asked", "cause"),
    [
        (BEATS, {"transcripts": True}, Cause.STAGE_STALLED),
        (LATE_BEATS, {"transcripts": True}, Cause.STAGE_STALLED),
        (BEATS, {"transcripts": True, "first_audio_within": 0.3}, Cause.STAGE_SLOW),
        (LATE_BEATS, {"transcripts": True, "first_audio_within": 0.3}, Cause.PATH_STALLED),
    ],
)
def test_a_transcript_that_is_missing_is_no_matter_of_time(beats, asked, cause):
    """The turn was answered: no stage was slow, and no way loses one message; late audio is one."""
    made = call((1, "speak"), (2, "hush"), (2.3, "token"), (2.4, "audio", 1.0), (2.5, "done"))
    ends = [timeline(*beats, until=120)]
    found = diagnosed_call(verdict_of(made, **asked), ends, made, None, origin=0.0).diagnosis

    assert found.cause is cause


@pytest.mark.parametrize(("transcribed", "told"), [((1, 3), "turn 2"), ((2,), "turn 1"), ((), "any turn")])
def test_an_answer_without_a_transcript_says_which_turn_lacks_it(transcribed, told):
    """A service that was not asked for transcripts sends none at all."""
    events = []
    for number in (1, 2, 3):
        events += [(10 * number, "speak"), (10 * number + 1, "hush")]
        events += [(10 * number + 1.5, "final")] if number in transcribed else []
        events += [(10 * number + 2, "audio", 1.0), (10 * number + 3, "done")]

    assert diagnosis(call(*events), transcripts=True).headline == f"no final transcript of {told}"


@pytest.mark.parametrize(
    ("plays_on", "cleared", "told"),
    [
        (True, False, "the player was never told to stop"),
        (True, True, "the agent speaks on while the user speaks"),
        (False, False, "the agent speaks on while the user speaks"),
    ],
)
def test_a_player_that_was_never_told_to_stop(plays_on, cleared, told):
    """To send no more is not enough, where it plays what it has."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), (4.9, "audio", 0.1),
        *[(5.5, "interrupted")] * cleared, (6, "hush"), (9, "audio", 1.0), (12, "quiet"),
        plays_on=plays_on, ends_by_quiet=True,
    )  # fmt: skip

    assert diagnosis(made, barge_in_within=0.3).headline == told


@pytest.mark.parametrize(
    ("events", "stage"),
    [
        ([], None),
        # The user still speaks: nothing is waited for, though the agent is sure of the words.
        ([(1, "speak"), (2, "final")], None),
        # Nobody knows whether the end of the speech was heard.
        ([(1, "speak"), (2, "hush")], None),
        ([(1, "speak"), (2, "hush"), (3, "final")], StageName.AI),
        ([(1, "speak"), (2, "hush"), (3, "final"), (4, "token")], StageName.TTS),
        ([(1, "speak"), (2, "hush"), (3, "final"), (4, "token"), (5, "audio", 1.0)], None),
    ],
)
def test_the_stage_that_is_waited_for(events, stage):
    """By what came of the turn, where the agent's record is not held."""
    assert features(call(*events, FOREIGN)).waiting is stage


@pytest.mark.parametrize(
    ("events", "pace"),
    [
        ([], ""),
        ([(1, "speak"), (2, "hush")], ""),
        # All of it at once took no time.
        ([(1, "speak"), (2, "hush"), (3, "audio", 1.0)], ""),
        (
            [(1, "speak"), (2, "hush"), (3, "audio", 1.0), (5.5, "audio", 1.0)],
            ": 2 s of audio came in 2.5 s",
        ),
    ],
)
def test_the_pace_of_an_answer_needs_two_chunks(events, pace):
    """One chunk, or none, has no pace, and nothing is said of it."""
    assert TemplateWords(WORDS, features(call(*events, FOREIGN)))["pace"] == pace


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([], []),
        # The speech has no end yet, from which the steps would be counted.
        ([(1, "speak")], []),
        ([(1, "speak"), (2, "hush")],
         ["turn 1, after the end of the speech at 2 s: nothing came"]),
        ([(1, "speak"), (2, "hush"), (2.5, "final"), (3, "audio", 1.0)],
         ["turn 1, after the end of the speech at 2 s: transcript 500 ms, audio 1 s"]),
        ([(1, "speak"), (2, "hush"), (3, "unknown", "a binary message")],
         ["turn 1, after the end of the speech at 2 s: nothing came",
          "1 message is none of the profile's: a binary message"]),
        ([(1, "speak"), (2, "hush"), (3, "unknown", "type is 1"), (4, "unknown", "type is 2")],
         ["turn 1, after the end of the speech at 2 s: nothing came",
          "2 messages are none of the profile's, the first: type is 1"]),
        # Not of interest where the turn was answered, and not in the next one.
        ([(1, "speak"), (2, "hush"), (3, "unknown", "type is 1"), (4, "audio", 1.0)],
         ["turn 1, after the end of the speech at 2 s: audio 2 s"]),
        ([(1, "speak"), (2, "hush"), (3, "unknown", "type is 1"), (4, "speak"), (5, "hush")],
         ["turn 2, after the end of the speech at 5 s: nothing came"]),
        # As in the table: what came before the end took no time.
        ([(1, "speak"), (1.5, "final"), (1.8, "audio", 1.0), (2, "hush")],
         ["turn 1, after the end of the speech at 2 s: transcript 0 s, audio 0 s"]),
    ],
)  # fmt: skip
def test_the_steps_of_a_turn_are_evidence(events, shown):
    """From the end of its speech on; the heartbeats are shown in any case."""
    found = diagnosis(call(*events, FOREIGN))

    assert [each.text for each in found.evidence] == [
        *shown, "4 of 4 heartbeats answered, the slowest in 100 ms",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("came", "told"),
    [
        # Nothing tells what else was waited for.
        ([(2.5, "final")], None),
        ([(2.501, "final")], StageName.STT),
        ([(2.1, "final"), (2.6, "token")], None),
        ([(2.1, "final"), (2.601, "token")], StageName.AI),
        # Understood and answered: which of the two took long is not known.
        ([(2.9, "token")], None),
        ([(2.499, "token")], StageName.TTS),
        ([(2.5, "token")], None),
    ],
)
def test_a_stage_is_slow_that_took_most_of_the_wait(came, told):
    """A transcript, or a token, and audio a second after the end of the speech."""
    made = call((0.0, "speak"), (2.0, "hush"), *came, (3.0, "audio", 1.0), (4.0, "done"))
    found = diagnosis(made, first_audio_within=0.8)

    assert features(made, first_audio_within=0.8).slowest is told
    assert found.confidence is (Confidence.MEDIUM if told is None else Confidence.HIGH)


@pytest.mark.parametrize(
    ("beat", "answered", "told"),
    [
        # Sent when the speech was over, and well before the audio; answered well after that had begun.
        (2.0, 6.25, 1),
        (5.75, 6.25, 1),
        (1.99, 6.25, None),
        (5.76, 6.25, None),
        (2.0, 6.24, None),
    ],
)
def test_a_heartbeat_that_the_answer_overtakes_was_not_read(beat, answered, told):
    """A way that stands still keeps both; who reads answers the heartbeat first."""
    made = call((0.0, "speak"), (2.0, "hush"), (6.0, "audio", 1.0), (7.0, "done"))
    beats = [(beat, ">beat"), (answered, "<answer")]
    verdict = verdict_of(made, first_audio_within=0.8)
    found = voice_features(made, verdict, None, [timeline(*beats, until=120)], 0.0)

    assert (found.overtaken and found.overtaken.number) == told
    diagnosis = diagnosed_call(verdict, [timeline(*beats, until=120)], made, None, origin=0.0).diagnosis
    assert (diagnosis.headline == "the agent does not read while it answers in turn 1") is (told is not None)
    if told:
        assert diagnosis.cause is Cause.PEER_NOT_READING
        assert (diagnosis.confidence, diagnosis.runner_up) == (Confidence.MEDIUM, Cause.PATH_STALLED)


@pytest.mark.parametrize(
    ("beats", "told"),
    [
        # Sent when the speech was over, and answered right before something came of the turn.
        ([(2.0, 5.9)], 1),
        ([(2.0, 5.2), (4.0, 5.2)], 1),
        ([(2.0, 6.25)], 1),
        ([(1.99, 5.9)], None),
        ([(2.0, 5.19)], None),
        ([(2.0, 6.26)], None),
        # For half of the turn's wait, at least.
        ([(3.95, 5.95)], 1),
        ([(4.0, 5.95)], None),
        # Another was late in its own time.
        ([(2.0, 5.9), (20.0, 20.26)], None),
        ([(2.0, 5.9), (20.0, 20.24)], 1),
    ],
)
def test_heartbeats_that_wait_as_the_turn_does_were_not_read(beats, told):
    """Of a way that stands still the end of the speech would be no end."""
    made = call((0.0, "speak"), (2.0, "hush"), (6.0, "final"), (6.5, "audio", 1.0), (7.0, "done"))
    rows = sorted(row for sent, came in beats for row in ((sent, ">beat"), (came, "<answer")))
    verdict = verdict_of(made, first_audio_within=0.8)
    ends = [timeline(*rows, until=120)]

    found = voice_features(made, verdict, None, ends, 0.0).resumed
    assert (found and found.number) == told
    diagnosis = diagnosed_call(verdict, ends, made, None, origin=0.0).diagnosis
    assert diagnosis.cause is (Cause.PEER_NOT_READING if told else Cause.PATH_STALLED)
    assert diagnosis.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("beats", "told"),
    [
        # In each turn; at the end of its wait, too.
        ([(2.5, 5.9), (12.0, 12.1), (22.5, 25.9)], 1),
        ([(5.5, 5.9), (22.5, 25.9)], 2),
        ([(5.6, 5.9), (25.0, 25.9)], None),
        # In one of them it was answered while that still waited.
        ([(2.5, 5.9), (22.5, 25.1)], None),
    ],
)
def test_an_agent_that_reads_late_does_so_turn_after_turn(beats, told):
    """And between them its heartbeats are in time."""
    made = call(
        *(
            (20 * number + at, *event)
            for number in range(2)
            for at, *event in ((0, "speak"), (2, "hush"), (6, "final"), (6.5, "audio", 1.0), (7, "done"))
        )
    )
    rows = sorted(row for sent, came in beats for row in ((sent, ">beat"), (came, "<answer")))
    verdict = verdict_of(made, first_audio_within=0.8)
    ends = [timeline(*rows, until=120)]

    found = voice_features(made, verdict, None, ends, 0.0).resumed
    assert (found and found.number) == told
    diagnosis = diagnosed_call(verdict, ends, made, None, origin=0.0).diagnosis
    assert diagnosis.cause is (Cause.PEER_NOT_READING if told else Cause.PATH_STALLED)


@pytest.mark.parametrize(("before", "told"), [([], None), ([(0.5, ">beat"), (0.6, "<answer")], 1)])
def test_a_heartbeat_that_is_never_answered_was_not_read_where_others_are_answered(before, told):
    """An agent that answers none at all may read them."""
    made = call((0.0, "speak"), (2.0, "hush"), (6.0, "audio", 1.0), (7.0, "done"))
    line = timeline(*before, (2.0, ">beat"), until=120)
    found = voice_features(made, verdict_of(made, first_audio_within=0.8), None, [line], 0.0)

    assert (found.overtaken and found.overtaken.number) == told


def test_what_was_never_cleared_is_why_so_much_waits():
    """Each answer comes at once (jambonz: playAudio), and the next one waits behind it, and is not ended."""
    events = [
        (at, *what)
        for turn in range(4)
        for at, what in ((turn * 5, ["speak"]), (turn * 5 + 1, ["hush"]), (turn * 5 + 2, ["audio", 9.0]))
    ]
    made = call(*events, (45, "given up"), plays_on=True, ends_by_quiet=True)

    found = diagnosis(made, turns=4, barge_in_within=1.0)

    assert (found.cause, found.headline) == (Cause.NOT_INTERRUPTED, "the player was never told to stop")


@pytest.mark.parametrize("reason", ["away", "plays_on", "no audio", "other rules"])
def test_no_heartbeat_is_overtaken(reason):
    """Of two connections, where heartbeats are the agent's, of no audio; or nobody asked for speed."""
    events = [(0.0, "speak"), (2.0, "hush"), *([] if reason == "no audio" else [(6.0, "audio", 1.0)])]
    made = call(*events, (7.0, "done"), plays_on=reason == "plays_on")
    if reason == "away":
        made.away.append((8.0, 9.0))
    asked = {"transcripts": True} if reason == "other rules" else {"first_audio_within": 0.8}
    beats = [timeline((2.0, ">beat"), (6.25, "<answer"), until=120)]
    found = diagnosed_call(verdict_of(made, **asked), beats, made, None, origin=0.0).diagnosis

    assert found.cause is not Cause.PEER_NOT_READING
