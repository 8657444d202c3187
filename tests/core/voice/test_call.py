"""Turns of a spoken conversation, as tables of what happened when."""

import pytest

from tests.core.voice.events import call

TURN = (
    (1.0, "speak"), (1.5, "partial"), (3.0, "hush"), (3.2, "final"), (3.5, "token"), (3.7, "audio", 1.0),
    (4.2, "audio", 1.0), (4.3, "done"),
)  # fmt: skip
ANSWERED = ((1, "speak"), (2, "hush"), (3, "audio", 1.0), (4, "done"))


def test_a_turn():
    turn = call(*TURN).turn

    assert turn.first_transcript == pytest.approx(0.5)
    assert turn.final_transcript == pytest.approx(0.2)
    assert turn.first_token == pytest.approx(0.5)
    assert turn.first_audio == pytest.approx(0.7)
    assert turn.audio_seconds == 2.0
    assert turn.stop_latency is None
    assert (turn.underruns, turn.done_at) == (0, 4.3)


def test_an_answer_that_begins_before_the_user_has_ended_took_no_time():
    turn = call((0, "speak"), (1, "token"), (1, "audio", 1.0), (2, "hush")).turn

    assert (turn.first_token, turn.first_audio) == (0.0, 0.0)


def test_a_turn_without_an_answer_has_no_times():
    turn = call((0, "speak"), (1, "hush")).turn

    assert (turn.first_audio, turn.first_token) == (None, None)
    assert (turn.first_transcript, turn.final_transcript) == (None, None)


@pytest.mark.parametrize(
    ("heard", "final"),
    [
        pytest.param([(2, "final")], 2, id="nothing was said behind it"),
        pytest.param([(2, "final"), (2.5, "partial")], None, id="what came behind it is due"),
        pytest.param([(2, "final"), (4.1, "partial"), (4.5, "final")], 4.5, id="the last of two pieces"),
        pytest.param([(2, "final"), (2.5, "partial"), (4.5, "blank")], 4.5, id="it was nothing, after all"),
        pytest.param([(4.2, "final"), (4.3, "partial")], 4.2, id="a late piece of what was heard"),
        pytest.param([(2, "blank"), (4.2, "partial"), (4.5, "blank")], None, id="no words"),
    ],
)
def test_a_final_transcript_is_that_of_the_whole_speech(heard, final):
    """Services give one for each piece of it; the user speaks until 4 s."""
    assert call((1, "speak"), *sorted([(4, "hush"), *heard])).turn.final_at == final


@pytest.mark.parametrize(
    ("over", "later", "finals"),
    [
        (4.0, [(5.0, "final"), (7.0, "final")], [5.0, 7.0]),
        (4.0, [(5.0, "final")], [5.0, None]),
        (4.0, [(7.0, "final")], [None, 7.0]),
        # Nothing is waited for of an answer that was heard to its end.
        (8.0, [(8.5, "final")], [None, 8.5]),
    ],
)
def test_a_final_transcript_may_come_behind_the_answer(over, later, finals):
    """As those of OpenAI Realtime do, while the user already speaks over it."""
    speech = sorted([(over, "speak"), (over + 2, "hush"), *later])
    made = call((1, "speak"), (2, "hush"), (3, "audio", 2.0), (3.9, "done"), *speech)

    assert [turn.final_at for turn in made.turns] == finals


def test_a_transcript_in_pieces_is_of_who_speaks():
    """Gemini Live sends them while the user speaks; that of the second turn is lost."""
    made = call(
        (1, "speak"), (1.5, "final"), (2, "hush"), (3, "audio", 2.0), (4, "speak"), (6, "hush"),
        (7, "audio", 2.0), (8, "speak"), (9, "final"),
    )  # fmt: skip

    assert [turn.final_at for turn in made.turns] == [1.5, None, 9]


def test_underruns_are_those_of_the_turn():
    made = call(*TURN, (10, "speak"), (11, "hush"), (12, "audio", 0.5), (13, "audio", 0.5), (14, "done"))

    assert [turn.underruns for turn in made.turns] == [0, 1]
    assert made.turns[1].underrun_seconds == pytest.approx(0.5)
    assert made.underruns == 1


@pytest.mark.parametrize(("first", "underruns"), [(False, 0), (True, 1)])
def test_silence_that_comes_late_is_missed_where_all_is_silence(first, underruns):
    """Else it may be what an agent sends all the time, behind its last word."""
    made = call((1, "speak"), (2, "hush"))
    made.audio(3.0, 1.0, silent=first)
    made.audio(4.5, 0.1, silent=True)
    made.fell_quiet(6.0)

    assert (made.turn.underruns, made.underruns) == (underruns, underruns)


@pytest.mark.parametrize(("last", "latency"), [((4.4,), 0.4), ((4.4, 4.9), 0.9), ((), 0.0)])
def test_a_barge_in_lasts_until_the_last_audio_of_the_turn(last, latency):
    """The user speaks at 4.0 s over 5 s of audio."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4.0, "speak"), *[(at, "audio", 0.1) for at in last],
        (5.0, "done"),
    )  # fmt: skip

    assert made.turns[0].stop_latency == pytest.approx(latency)
    assert made.turns[0].audio_seconds == 5.0
    assert made.playout.dropped == pytest.approx(4.0)
    assert made.turns[1].audio_at is None


@pytest.mark.parametrize("plays_on", [False, True])
@pytest.mark.parametrize(
    ("over", "later", "latency"),
    [(4.24, (), 0.0), (4.25, (), None), (5.0, (), None), (5.0, (5.5,), 0.5), (5.0, (5.5, 6.0), 1.0)],
)
def test_nobody_is_spoken_over_who_is_not_heard(plays_on, over, later, latency):
    """The end of an answer that was played, at 4.25 s, may come late: it stops at once, and shows nothing."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 1.25), (over, "speak"),
        *[(at, "audio", 0.01) for at in later], (8.0, "interrupted"), plays_on=plays_on,
    )  # fmt: skip

    stops = made.turns[0].stop_latency
    # What was sent is still heard where the player goes on: 10 ms.
    assert stops == (latency if latency is None else pytest.approx(latency, abs=0.011))
    assert made.turns[0].barged_in_at == over


@pytest.mark.parametrize(("over", "latency"), [(4.0, 0.0), (4.25, None), (4.5, None)])
@pytest.mark.parametrize("ends", [[], [(3.5, "done")]])
def test_nobody_is_spoken_over_who_is_silent(ends, over, latency):
    """Behind the last word, at 4.25 s, come 500 ms of silence."""
    made = call((1, "speak"), (2, "hush"), (3, "audio", 1.25))
    made.audio(3.25, 0.5, silent=True)
    for at, _ in ends:
        made.turn_done(at)
    made.speech_began(over)

    assert (made.turns[0].barged_in_at, made.turns[0].stop_latency) == (over, latency)


@pytest.mark.parametrize("said", ["interrupted", "done"])
def test_audio_goes_on_though_the_agent_has_said_that_it_is_over(said):
    """It is still that of the answer that the user speaks over, and neither the next one's nor nobody's."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), (4.1, said), (4.9, "audio", 0.1),
        (5, "hush"), (6, "audio", 1.0), (7, "done"),
    )  # fmt: skip

    assert made.turns[0].stop_latency == pytest.approx(0.9)
    assert (made.turns[1].first_audio, made.underruns, made.stray_chunks) == (pytest.approx(1.0), 0, 0)


@pytest.mark.parametrize("plays_on", [False, True])
@pytest.mark.parametrize("greets", [False, True])
@pytest.mark.parametrize(
    ("chunk", "gap", "token", "stops", "first"),
    [
        # The user says something short over it, and it goes on in real time to 5 s; the answer comes at 6 s.
        (0.1, 0.1, None, 1.0, 1.5),
        (0.1, 0.19, None, 0.9, 1.5),
        (0.25, 0.25, None, 1.0, 1.5),
        # After a pause it is the answer: a pause beside what such a chunk plays, or beside any.
        (0.1, 0.22, None, 0.32, 0.04),
        (0.5, 0.26, None, 0.3, 0.06),
        # So is what comes after a first word of it.
        (0.1, 0.1, 4.55, 0.5, 0.1),
    ],
)
def test_audio_that_goes_on_without_a_pause_is_no_answer(plays_on, greets, chunk, gap, token, stops, first):
    """Where it has no number, and nobody has said that the interrupted one is over."""
    events = [(3 + gap * each, "audio", chunk) for each in range(21) if 3 + gap * each < 5.01]
    events += [(4.01, "speak"), (4.5, "hush"), (6.0, "audio", 1.0)]
    events += [] if greets else [(1, "speak"), (2, "hush")]
    events += [] if token is None else [(token, "token")]
    made = call(*sorted(events), plays_on=plays_on)
    interrupted = made.greeting if greets else made.turns[0]

    assert made.turn.first_audio == pytest.approx(first)
    if not plays_on:
        assert interrupted.stop_latency == pytest.approx(stops, abs=0.1)


@pytest.mark.parametrize(("burst", "first"), [(3, None), (20, 0.5)])
def test_an_answer_that_comes_at_once_meanwhile_is_one(burst, first):
    """What goes on in real time can be no second ahead of it."""
    flow = [(3 + each / 10, "audio", 0.1) for each in range(31)]
    events = [(4.05, "speak"), (4.5, "hush"), *[(5.0, "audio", 0.1)] * burst]
    made = call((1, "speak"), (2, "hush"), *sorted([*flow, *events], key=lambda each: each[0]))

    assert made.turn.first_audio == (first if first is None else pytest.approx(first))


def test_silence_that_goes_on_leads_to_no_answer():
    """What an agent that never stops to send says first is heard behind it without a pause."""
    made = call()
    for tick in range(50):
        at = 0.02 * tick
        if tick in (10, 20):
            made.speech_began(at - 0.01) if tick == 10 else made.speech_ended(at - 0.01)
        made.audio(at, 0.02, silent=tick < 40)

    assert made.turn.first_audio == pytest.approx(0.41)


def test_audio_that_goes_on_is_an_answer_where_the_end_of_the_interrupted_one_was_said():
    made = call(
        (1, "speak"), (2, "hush"), *[(3 + each / 10, "audio", 0.1) for each in range(16)], (4.58, "speak"),
        (4.6, "audio", 0.1), (4.7, "done"), (4.7, "hush"), (4.75, "audio", 0.1),
    )  # fmt: skip

    assert (made.turn.first_audio, made.turns[0].stop_latency) == (pytest.approx(0.05), pytest.approx(0.02))


@pytest.mark.parametrize(("number", "stops", "first"), [(1, 1.5, 1.0), (2, 0.0, 0.5)])
def test_audio_of_an_interrupted_turn_is_known_by_its_number(number, stops, first):
    """Also when the user has ended, and the agent has said that it is over."""
    made = call((1, "speak"), (2, "hush"))
    made.numbered(3, 1)
    made.audio(3, 5.0, number=1)
    made.speech_began(4)
    made.interrupted(4.1)
    made.speech_ended(5)
    made.numbered(5.2, 2)
    made.audio(5.5, 0.1, number=number)
    made.audio(6, 1.0, number=2)

    assert made.turns[0].stop_latency == pytest.approx(stops)
    assert made.turns[1].first_audio == pytest.approx(first)


def numbered(made, *messages):
    """What an agent says that gives each of its messages the number of its turn."""
    for at, what, number in messages:
        made.numbered(at, number)
        if what == "audio":
            made.audio(at, 1.0, number=number)
        else:
            made.turn_done(at, number=number)


@pytest.mark.parametrize(
    ("late", "done"), [([(4.2, "audio", 1)], 4.1), ([(4.2, "done", 1)], 4.1), ([(5.2, "done", 1)], 4.1)]
)
def test_what_an_interrupted_turn_says_late_has_the_number_of_no_other(late, done):
    """Nor has the agent forgotten its turns, as it seems where a number comes for a second turn."""
    made = call((1, "speak"), (2, "hush"))
    numbered(made, (3, "audio", 1))
    made.speech_began(4)
    numbered(made, (4.1, "done", 1))
    numbered(made, *(each for each in late if each[0] < 5))
    made.speech_ended(5)
    numbered(made, *(each for each in late if each[0] > 5), (6, "audio", 2), (7, "done", 2))

    assert [(turn.agent_number, turn.done_at) for turn in made.turns] == [(1, done), (2, 7)]
    assert (made.turns[1].first_audio, made.forgot_at) == (1.0, None)


def test_a_greeting_that_is_spoken_over_keeps_its_number():
    made = call()
    numbered(made, (1, "audio", 1), (1.2, "audio", 1))
    made.speech_began(1.5)
    numbered(made, (1.6, "audio", 1))
    made.speech_ended(3)
    numbered(made, (4, "audio", 2))

    assert (made.turns[0].agent_number, made.turns[0].first_audio) == (2, 1.0)
    assert made.greeting.stop_latency == pytest.approx(0.1)


@pytest.mark.parametrize(("back", "forgot"), [(4.5, 6), (3.5, None)])
def test_an_interrupted_turn_has_no_number_on_another_connection(back, forgot):
    """An agent that counts anew after a reconnect says the number of a new turn."""
    made = call((1, "speak"), (2, "hush"))
    numbered(made, (3, "audio", 1))
    if back < 4:
        made.came_back(3.2, back)
    made.speech_began(4)
    made.interrupted(4.1)
    if back > 4:
        made.came_back(4.2, back)
    made.speech_ended(5)
    numbered(made, (6, "audio", 1))

    assert made.forgot_at == forgot


def sounded(made, *chunks):
    """An agent's audio: 20 ms each, ``.`` is silence."""
    for at, what in chunks:
        made.audio(at, 0.02, silent=what == ".")
    return made


GREETED = ((0.0, "!"),)


def test_silence_begins_no_answer_and_is_nobodys():
    """An agent that never stops to send says something only where it can be heard."""
    made = sounded(call(), *GREETED)
    made.turn_done(0.1)
    sounded(made, (0.5, "."))
    made.speech_began(1)
    sounded(made, (1.5, "."))
    made.speech_ended(2)
    sounded(made, (2.1, "."), (2.5, "!"), (2.52, "."), (2.54, "!"))
    made.turn_done(2.6)
    sounded(made, (2.7, "."))

    assert made.turn.first_audio == 0.5
    assert made.turn.audio_seconds == pytest.approx(0.06)
    assert (made.stray_chunks, made.down.chunks) == (0, 8)
    assert made.silent_turns == []


@pytest.mark.parametrize("since", [0.0, 1.5, 6.0])
def test_silence_that_goes_on_while_the_user_speaks_is_no_answer(since):
    """Also before the agent was heard at all; one whose answers are silent says nothing then."""
    made = call()
    for tick in range(100):
        at = tick / 10
        if tick in (10, 60):
            made.speech_began(at) if tick == 10 else made.speech_ended(at)
        if at > since:
            made.audio(at, 0.1, silent=True)

    assert (made.turn.audio_at is None) == (since < 6)
    made.audio(10.0, 0.1)
    assert made.turn.first_audio == pytest.approx(4.0)
    assert made.stray_chunks == 0


def test_silence_that_has_the_number_of_the_first_answer_is_no_part_of_it():
    """An agent that never stops to send may number what it sends before it was ever heard."""
    made = call()
    for at in (0.1, 0.5, 1.0):
        made.numbered(at, 1)
        made.audio(at, 0.1, number=1, silent=True)
    made.speech_began(1.2)
    for at in (1.5, 2.0, 2.5, 3.0):
        made.audio(at, 0.1, number=1, silent=True)
    made.speech_ended(3.2)
    made.numbered(4, 1)
    made.audio(4, 1.0, number=1)

    assert (made.turn.audio_at, made.turn.agent_number, made.stray_chunks) == (4, 1, 0)


def test_silence_after_a_barge_in_is_no_audio_that_goes_on():
    made = sounded(call((1, "speak"), (2, "hush")), (3, "!"))
    made.speech_began(4)
    sounded(made, (4.2, "!"), (4.5, "."), (4.9, "."))

    assert made.turns[0].stop_latency == pytest.approx(0.2)
    assert made.turns[1].audio_at is None


def test_what_was_silent_before_the_first_sound_of_all_was_no_answer():
    """Nor a greeting."""
    made = sounded(call(), (0.1, "."), (0.2, "."))
    assert made.greeting is not None
    made.speech_began(1)
    made.speech_ended(2)
    sounded(made, (2.1, "."))
    assert made.turn.first_audio == pytest.approx(0.1)
    sounded(made, (2.6, "!"))

    assert made.turn.first_audio == pytest.approx(0.6)
    assert made.turn.audio_seconds == pytest.approx(0.02)
    sounded(begun := call(), (0.1, "."), (0.2, "!"))
    assert begun.greeting.audio_at == 0.2


@pytest.mark.parametrize("spoken", [(), ((1.5, "speak"), (1.9, "hush"))], ids=["greeting", "answer"])
def test_nothing_is_missed_of_what_was_silent_before_the_first_sound_of_all(spoken):
    """Nor did it wait to be played: an agent may send a frame of silence each second, or many at once."""
    made = sounded(call(), (0.1, "."), (1.1, "."), (1.1, "."))
    for at, what in spoken:
        made.speech_began(at) if what == "speak" else made.speech_ended(at)
    sounded(made, *[(2, ".")] * 50, (4.1, "."), (5.1, "."), (6.1, "!"))

    assert (made.underruns, [each.underruns for each in made.said]) == (0, [0] * len([*made.said]))
    assert made.playout.deepest == pytest.approx(0.02)
    assert made.playout.dry_at == pytest.approx(6.18)
    # What is heard is missed.
    sounded(made, (7.18, "!"))
    assert made.playout.underrun_seconds == pytest.approx(1.0)


def test_a_greeting_that_was_heard_stays_one():
    """Though it began in silence, and the first answer too."""
    made = sounded(call(), (0.1, "!"))
    made.turn_done(0.2)
    made.speech_began(1)
    made.speech_ended(2)
    sounded(made, (2.1, "."), (2.6, "!"))

    assert (made.greeting.audio_at, made.turn.audio_at) == (0.1, 2.6)


def test_an_answer_is_heard_as_long_as_its_sound():
    """Silence behind it keeps a player busy, and nobody else."""
    chunks = [(3 + number / 50, "!" if number < 4 else ".") for number in range(8)]
    made = sounded(call((1, "speak"), (2, "hush")), *chunks)

    assert made.playout.dry_at == pytest.approx(3.2)
    assert made.sound_until == pytest.approx(3.12)
    made.fell_quiet(6)
    assert made.turn.done_at == made.turn.played_until == pytest.approx(3.12)
    # And it brings no more of it.
    sounded(made, (6.1, "."))
    assert (made.turn.done_at, made.sound_until, made.stray_chunks) == (pytest.approx(3.12), None, 0)


@pytest.mark.parametrize("over", ["done", "given up"])
def test_an_answer_of_silence_among_others_is_a_silent_turn(over):
    made = sounded(call((1, "speak"), (2, "hush")), (3, "!"))
    made.turn_done(4)
    made.speech_began(5)
    made.speech_ended(6)
    sounded(made, (7, "."))
    assert made.silent_turns == []
    made.turn_done(8) if over == "done" else made.give_up(8)

    assert [turn.number for turn in made.silent_turns] == [2]
    assert made.turn.audio_at is None


@pytest.mark.parametrize(("until", "is_answer"), [(4.9, True), (5, False)])
def test_silence_that_comes_all_the_time_is_no_answer_that_was_given_up(until, is_answer):
    """Kyutai's moshi sends a frame each 80 ms: where nothing else comes, no stage has made silence of it."""
    made = sounded(call((1, "speak"), (2, "hush")), (2.5, "!"))
    made.turn_done(3)
    made.speech_began(4)
    sounded(made, (4.2, "."), (until, "."))
    made.speech_ended(6)
    sounded(made, (7, "."))
    made.give_up(8)

    assert [turn.number for turn in made.silent_turns] == ([2] if is_answer else [])
    # Its end says that it was meant.
    made.turn_done(8)
    assert [turn.number for turn in made.silent_turns] == [2]


def test_turns_that_are_counted_anew_twice_were_first_forgotten_once():
    made = call()
    for at in (0, 10, 20):
        made.speech_began(at)
        made.speech_ended(at + 1)
        numbered(made, (at + 2, "audio", 1), (at + 3, "done", 1))

    assert made.forgot_at == 12


@pytest.mark.parametrize(("number", "repeats"), [(2, 0), (None, 2)])
def test_chunks_that_begin_anew_after_a_reconnect_were_not_forgotten_where_turns_go_on(number, repeats):
    """An agent that counts the chunks of each answer has two of them with one number."""
    made = call((1, "speak"), (2, "hush"))
    made.numbered(3, 1)
    for at, sequence in ((3, 1), (3.1, 2)):
        made.audio(at, 0.1, sequence=sequence, number=1)
    made.turn_done(4, number=1)
    made.came_back(5, 6)
    made.speech_began(7)
    made.speech_ended(8)
    if number is not None:
        made.numbered(9, number)
    for at, sequence in ((9, 1), (9.1, 2)):
        made.audio(at, 0.1, sequence=sequence, number=number)

    assert (made.down.numbers.repeats, made.lost_chunks) == (repeats, 0)


def test_an_answer_without_an_end_is_followed_by_one_that_is_numbered_anew():
    """The first audio of a turn opens it, also while the chunks follow each other."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "chunk", 1), (3.1, "chunk", 2), (4, "speak"), (4.1, "chunk", 3)
    )
    made.interrupted(4.2)
    made.audio(4.3, 0.1, sequence=4)
    made.speech_ended(5)
    made.audio(5.1, 0.1, sequence=1)

    assert (made.down.numbers.repeats, made.lost_chunks) == (0, 0)


@pytest.mark.parametrize(("number", "over"), [(2, [None, 6]), (1, [6, None])])
def test_an_end_with_a_number_is_that_of_its_turn(number, over):
    """Also where the interrupted one has none yet, and the next one has no audio."""
    made = call((1, "speak"), (2, "hush"))
    numbered(made, (3, "audio", 1))
    made.speech_began(4)
    made.speech_ended(5)
    made.numbered(5.5, 2)
    numbered(made, (6, "done", number))

    assert [turn.done_at for turn in made.turns] == over


def test_an_answer_that_is_sure_early_after_a_barge_in():
    """Its text has come, so that what follows is not of the answer before."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), (4.1, "interrupted"), (4.5, "token"),
        (4.6, "audio", 1.0), (5, "hush"),
    )  # fmt: skip

    assert [turn.first_audio for turn in made.turns] == [1.0, 0.0]
    assert made.turns[0].stop_latency == 0.0


def test_the_answer_after_a_barge_in_belongs_to_the_new_turn():
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), (4.1, "done"), (5, "hush"),
        (6, "audio", 1.0), (7, "done"),
    )  # fmt: skip

    assert made.turns[1].first_audio == pytest.approx(1.0)
    assert [turn.done_at for turn in made.turns] == [4.1, 7]


@pytest.mark.parametrize(
    ("then", "stops"),
    [
        # Five seconds of audio from 3 s on; the user speaks at 4 s, and nobody clears what was sent.
        ([], 4.0),
        ([(4.2, "audio", 0.5)], 4.5),
        ([(4.3, "interrupted")], 0.3),
        # It was played when that came.
        ([(9.0, "interrupted")], 4.0),
        # More comes behind that, and is played too.
        ([(4.3, "interrupted"), (4.5, "audio", 0.5)], 1.0),
    ],
)
def test_a_player_that_waits_for_the_agents_word(then, stops):
    """What was sent is heard until the agent clears it, whoever speaks over it."""
    made = call((1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), *then, plays_on=True)

    assert made.turns[0].stop_latency == pytest.approx(stops, abs=0.07)


@pytest.mark.parametrize("cleared", [[], [(4.3, "interrupted")]])
def test_the_next_answer_of_such_a_player_misses_nothing(cleared):
    """What was left of the one before is over, or goes before it."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), *cleared, (6, "hush"), (12, "audio", 1.0),
        (15.0, "quiet"), plays_on=True,
    )  # fmt: skip

    assert (made.underruns, made.stray_chunks) == (0, 0)
    assert (made.turn.audio_at, made.turn.done_at) == (12, pytest.approx(13.0, abs=0.07))


def test_quiet_after_what_nobody_cleared_ends_no_answer():
    """It was that of the turn before."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 2.0), (4, "speak"), (7, "quiet"), (8, "hush"), plays_on=True
    )

    assert [turn.done_at for turn in made.turns] == [None, None]
    assert made.turns[0].stop_latency == pytest.approx(1.0, abs=0.07)


@pytest.mark.parametrize("token", [[], [(5.5, "token")]])
def test_an_end_that_is_said_late_is_that_of_the_interrupted_answer(token):
    """When the user has ended, and before any audio of the next answer."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), (5, "hush"), *token, (5.6, "done"),
        (6, "audio", 1.0), (7, "done"),
    )  # fmt: skip

    assert [turn.done_at for turn in made.turns] == [5.6, 7]
    assert (made.turns[1].first_audio, made.stray_chunks) == (pytest.approx(1.0), 0)


def test_the_second_end_after_a_barge_in_is_that_of_the_next_answer():
    """Also where it has no audio."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), (5, "hush"), (5.6, "done"), (6, "done")
    )

    assert [turn.done_at for turn in made.turns] == [5.6, 6]


def test_an_end_that_is_said_twice_is_not_that_of_the_next_turn():
    """ "Interrupted", and then "stopped": of the answer that the user speaks over."""
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", 5.0), (4, "speak"), (4.2, "interrupted"), (4.2, "done"),
        (5, "hush"), (6, "audio", 1.0), (7, "done"),
    )  # fmt: skip

    assert [turn.done_at for turn in made.turns] == [4.2, 7]
    assert (made.turns[1].first_audio, made.stray_chunks) == (pytest.approx(1.0), 0)


def test_an_answer_whose_end_nobody_says():
    """It was whole when a player had played it."""
    made = call((1, "speak"), (2, "hush"), (3, "audio", 1.0), (6.0, "quiet"))

    assert (made.turn.done_at, made.turn.played_until) == (pytest.approx(4.0), pytest.approx(4.0))
    assert not made.playout.is_playing


def test_more_of_an_answer_that_seemed_to_be_whole():
    """A pause in it, and neither an underrun nor audio of nobody's."""
    made = call((1, "speak"), (2, "hush"), (3, "audio", 1.0), (6.0, "quiet"), (7, "audio", 1.0))

    assert (made.turn.done_at, made.stray_chunks, made.underruns) == (None, 0, 0)
    assert made.turn.audio_seconds == 2.0
    made.fell_quiet(10.0)
    assert made.turn.done_at == pytest.approx(8.0)


@pytest.mark.parametrize(
    "what", ["hush", "partial", "final", "token", "done", "interrupted", "quiet", "given up"]
)
def test_before_the_first_turn_nothing_is_anybodys(what):
    """A server that is early makes no turn; the first one begins as any other."""
    made = call((0.5, what), *TURN)

    assert made.turns == call(*TURN).turns
    assert made.turn.number == 1


def test_a_turn_that_ends_without_audio_was_not_played():
    """The agent has said that it is over, and a player had nothing of it."""
    turn = call((1, "speak"), (2, "hush"), (3, "token"), (4, "done")).turn

    assert (turn.done_at, turn.played_until) == (4, None)


def test_an_end_after_the_end_changes_nothing():
    """The first one counts: the second is that of no answer."""
    assert call(*TURN, (4.8, "done")).turns == call(*TURN).turns


@pytest.mark.parametrize("done", [[], [(3.5, "done")]])
def test_an_agent_that_breaks_off_by_itself(done):
    """It heard what was no speech: what waits of 5 s of audio is thrown away, and nobody spoke over it."""
    made = call((1, "speak"), (2, "hush"), (3, "audio", 5.0), *done, (4, "interrupted"))

    assert (made.turn.done_at, made.turn.barged_in_at) == (4, None)
    assert made.playout.dropped == pytest.approx(4.0)
    assert not made.playout.is_playing


@pytest.mark.parametrize("done", [[], [(5.25, "done")]])
def test_what_is_broken_off_while_the_user_speaks_was_no_answer(done):
    """The agent began to say more when the user had just begun: the answer to that comes later."""
    made = call(
        *ANSWERED, (5, "speak"), (5.1, "token"), (5.2, "audio", 0.5), *done, (5.3, "interrupted"),
        (7, "hush"), (8, "audio", 1.0), (9, "done"),
    )  # fmt: skip

    assert (made.turn.first_audio, made.turn.first_token, made.turn.audio_seconds) == (1.0, None, 1.0)
    assert (made.turn.done_at, made.stray_chunks, made.underruns) == (9, 0, 0)


@pytest.mark.parametrize(
    ("said", "answered", "first", "strays"),
    [
        # Said and played before the user had ended, sooner or later before the answer.
        ([(2, "audio", 0.4), (2.1, "done")], 4.5, 0.5, 0),
        ([(3.5, "audio", 0.4), (3.8, "done")], 4.5, 0.5, 0),
        # As often as the agent likes.
        ([(2, "audio", 0.4), (2.1, "done"), (3.5, "audio", 0.4), (3.6, "done")], 4.5, 0.5, 0),
        # The words of the answer come before it.
        ([(2, "audio", 0.4), (2.1, "done"), (4.2, "token")], 4.5, 0.5, 0),
        # An answer of an agent that was sure early is still played: what follows is left of it, or a remark.
        ([(3.5, "audio", 0.6), (3.8, "done")], 4.5, 0.0, 1),
        ([(3.5, "audio", 0.6), (3.8, "done")], 5.5, 0.0, 0),
    ],
)
def test_what_is_said_while_the_user_speaks_is_no_answer_where_one_follows(said, answered, first, strays):
    """People say "mm-hm"; agents do too."""
    made = call((1, "speak"), *said, (4, "hush"), (answered, "audio", 1.0), (6, "done"))

    assert (made.turn.first_audio, made.stray_chunks, made.underruns) == (first, strays, 0)
    assert made.turn.done_at is not None
    assert made.turn.token_at == next((at for at, what, *_ in said if what == "token" and at > 4), None)


def test_what_fell_quiet_while_the_user_spoke_is_no_answer_where_one_follows():
    """Where quiet alone ends it, too."""
    made = call((1, "speak"), (2, "audio", 0.4), (4.4, "quiet"), (5, "hush"), (5.8, "audio", 1.0))

    assert (made.turn.first_audio, made.turn.done_at) == (pytest.approx(0.8), None)


@pytest.mark.parametrize(
    ("over", "first", "audio", "underruns"),
    # The user ends at 2.5 s, and 0.4 s of audio are played from 1.5 s on: by then, or not.
    [((2.5, "hush"), 0.5, 1.0, 0), ((1.9, "hush"), 1.1, 1.0, 0), ((1.8, "hush"), 0.0, 1.4, 1)],
)
def test_what_nobody_ended_while_the_user_spoke_is_no_answer_where_one_follows(over, first, audio, underruns):
    """Though it has not been quiet for long: nothing is missed between the two."""
    made = call(
        (1, "speak"), (1.5, "token"), (1.5, "audio", 0.4), over, (2.9, "token"), (3.0, "audio", 1.0),
        (6.0, "quiet"), ends_by_quiet=True,
    )  # fmt: skip

    assert made.turn.first_audio == pytest.approx(first)
    assert (made.turn.audio_seconds, made.underruns) == (pytest.approx(audio), underruns)


def test_nothing_is_broken_off_that_was_not_heard():
    """An interruption before the first audio: the answer may come yet, and is that of the turn."""
    made = call((1, "speak"), (2, "hush"), (3, "interrupted"), (4, "audio", 1.0))

    assert (made.turn.done_at, made.turn.audio_at, made.stray_chunks) == (None, 4, 0)


def test_the_first_messages_without_audio_are_kept():
    """Eight of them: a call is bounded in memory."""
    made = call(*[(number, "malformed", f"message {number}") for number in range(1, 10)])

    assert made.malformed == [f"message {number}" for number in range(1, 9)]


def test_quiet_while_nobody_speaks_is_the_end_of_nothing():
    made = call((1, "speak"), (2, "hush"), (3, "quiet"))

    assert made.turn.done_at is None


def test_audio_outside_of_a_turn_is_counted_apart():
    assert call(*TURN, (5, "audio", 1.0)).stray_chunks == 1


GREETING = ((0.1, "audio", 0.2), (0.2, "audio", 0.2))


@pytest.mark.parametrize(
    "done", [[], [(0.3, "done")], [(0.3, "done"), (0.5, "audio", 0.1)], [(0.3, "quiet")]]
)
def test_a_greeting_is_no_turn_and_nothing_stray(done):
    """Also in two pieces, and where nobody says that it is whole; the first turn is as any other."""
    made = call(*GREETING, *done, *TURN)

    assert made.turns == call(*TURN).turns
    assert (made.stray_chunks, made.underruns, made.greeting.number) == (0, 0, 0)
    assert made.greeting.audio_seconds == pytest.approx(0.5 if len(done) == 2 else 0.4)


@pytest.mark.parametrize(
    ("events", "until"),
    [
        ((), None),
        (GREETING, 0.5),
        ((*GREETING, (0.3, "done")), 0.5),
        # Not heard to its end, but over.
        ((*GREETING, (1.0, "speak")), None),
    ],
)
def test_a_greeting_is_played_to_its_end(events, until):
    """As far as it has come; a player begins when it holds 60 ms."""
    assert call(*events).greeting_until == (until if until is None else pytest.approx(until))


@pytest.mark.parametrize("said", [[], [(1.2, "done")], [(1.2, "interrupted")]])
def test_a_greeting_that_the_user_speaks_over(said):
    """What comes of it then is not of the first answer, and neither is its end."""
    made = call(
        (0.5, "audio", 5.0), (1, "speak"), *said, (1.5, "audio", 0.1), (2, "hush"), (3, "audio", 1.0),
        (3.5, "done"),
    )  # fmt: skip

    assert made.greeting.stop_latency == pytest.approx(0.5)
    assert (made.turn.first_audio, made.turn.done_at, made.stray_chunks) == (1.0, 3.5, 0)


def test_what_a_player_misses_of_a_greeting_counts():
    """And is of no turn."""
    made = call((0, "audio", 0.1), (1, "audio", 0.1), (1.1, "done"), *TURN)

    assert (made.underruns, made.greeting.underruns, made.turns[0].underruns) == (1, 1, 0)


def test_heartbeats_under_audio_are_told_from_idle_ones():
    made = call(*TURN)
    made.round_trip(5.0, 0.02)
    made.speech_began(6.0)
    made.round_trip(6.5, 0.3)

    assert (made.rtt_idle.maximum, made.rtt_speaking.maximum) == (0.02, 0.3)


@pytest.mark.parametrize(
    ("events", "strays"),
    [
        # "Are you still there?", said to its end, as often as the agent likes.
        ([(5, "audio", 1.0), (5.5, "audio", 1.0), (7, "done"), (12, "audio", 1.0), (13, "done")], 0),
        # What is left of an answer comes sooner, and goes on.
        ([(4.9, "audio", 1.0), (5.5, "audio", 1.0), (6.4, "audio", 1.0), (7, "done")], 3),
        # Nobody says that it has ended.
        (
            [
                (5, "audio", 1.0),
                (5.5, "audio", 1.0),
                (10, "speak"),
                (11, "hush"),
                (12, "audio", 1.0),
                (13, "done"),
            ],
            2,
        ),
        ([(5, "audio", 1.0), (5.5, "audio", 1.0), (8.6, "over")], 2),
        # It is not over yet where the call is.
        ([(5, "audio", 1.0), (5.5, "audio", 1.0), (8.5, "over")], 0),
        # The user speaks over it; the agent stops, with or without a word.
        ([(5, "audio", 1.0), (5.5, "speak"), (5.6, "done"), (7, "hush"), (8, "audio", 1.0), (9, "done")], 0),
        (
            [
                (5, "audio", 1.0),
                (5.5, "speak"),
                (5.6, "interrupted"),
                (7, "hush"),
                (8, "audio", 1.0),
                (9, "done"),
            ],
            0,
        ),
        ([(5, "audio", 1.0), (5.5, "speak"), (7, "hush"), (8, "audio", 1.0), (9, "done")], 0),
        # It takes it back by itself.
        ([(5, "audio", 1.0), (5.5, "interrupted")], 0),
        # The connection is lost in the middle of it.
        (
            [(5, "audio", 1.0), (5.5, "back"), (10, "speak"), (11, "hush"), (12, "audio", 1.0), (13, "done")],
            0,
        ),
        ([(5, "audio", 1.0), (8, "back")], 0),
        # Or so long after it that its end would have come.
        ([(5, "audio", 1.0), (8.1, "back")], 1),
    ],
)
def test_what_an_agent_says_unasked_is_whole_with_its_end(events, strays):
    """A while after an answer; without an end it is nobody's."""
    made = call(*ANSWERED, *events)

    assert (made.stray_chunks, made.stray_at) == (strays, events[0][0] if strays else None)
    assert {turn.first_audio for turn in made.turns} == {1.0}
    assert {turn.stop_latency for turn in made.turns} == {None}
    assert made.turns[0].audio_seconds == 1.0


def test_a_player_misses_what_is_missing_of_a_remark():
    """As of an answer."""
    made = call(*ANSWERED, (5, "audio", 1.0), (6.5, "audio", 1.0), (7, "done"))

    assert (made.underruns, made.turn.underruns) == (1, 0)


@pytest.mark.parametrize(
    ("over", "strays"),
    [
        # To the end of what the user said, and for a second at least.
        ([6.0, 6.5, 7.0], 3),
        ([6.5, 6.6], 2),
        ([6.0, 6.4], 0),
        # It stopped before that.
        ([6.0, 6.5, 6.6], 3),
        ([6.0, 6.5], 0),
    ],
)
def test_a_remark_that_goes_on_over_all_that_the_user_says_is_nobodys(over, strays):
    """It answers nothing of that."""
    made = call(
        *ANSWERED, (5, "audio", 1.0), (5.5, "speak"), *[(at, "audio", 0.5) for at in over], (7.05, "hush")
    )

    assert (made.stray_chunks, made.stray_at) == (strays, 5.5 if strays else None)


@pytest.mark.parametrize(
    ("answer", "spoken", "strays"),
    [
        # The agent is known to say an end when all is sent, and 60 s at once got none for 3 s.
        (2.5, 8.1, 1),
        (2.5, 8.0, 0),
        # One that may say it when all is played still speaks.
        (1.8, 8.1, 0),
    ],
)
def test_what_is_sent_at_once_and_never_ended_is_nobodys_though_it_is_still_played(answer, spoken, strays):
    made = call(
        (1, "speak"), (2, "hush"), (3, "audio", answer), (3.9, "done"), (5, "audio", 60.0), (spoken, "speak"),
        (9, "hush"), (10, "audio", 1.0), (11, "done"),
    )  # fmt: skip

    assert (made.stray_chunks, made.stray_at) == (strays, 5 if strays else None)
    assert [turn.first_audio for turn in made.turns] == [1.0, 1.0]


def test_audio_of_a_remark_goes_on_while_the_user_speaks():
    """It is not the first of the next answer."""
    made = call(
        *ANSWERED,
        (5, "audio", 1.0),
        (5.5, "speak"),
        (6, "audio", 0.1),
        (7, "hush"),
        (8, "audio", 1.0),
        (9, "done"),
    )

    assert (made.turn.first_audio, made.stray_chunks, made.underruns) == (1.0, 0, 0)


@pytest.mark.parametrize(("number", "forgot"), [(2, None), (3, None), (1, 15.5)])
def test_a_remark_has_the_number_of_its_turn_or_one_of_its_own(number, forgot):
    """And not an earlier one's."""
    made = call()
    for at, turn in ((1, 1), (11, 2)):
        made.speech_began(at)
        made.speech_ended(at + 1)
        numbered(made, (at + 2, "audio", turn))
        numbered(made, (at + 2, "audio", turn))
        made.turn_done(at + 3, number=turn)
    numbered(made, (15, "audio", number), (15.5, "audio", number))
    made.turn_done(16, number=number)

    assert (made.forgot_at, made.stray_chunks) == (forgot, 0)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('{"type": "failure", "why": "timed out"}', True),
        ('{"code": 429, "message": "too many requests"}', True),
        ('{"type": "problem", "reason": "rate limit reached"}', True),
        # How speech has ended, and how long the way is.
        ('{"type": "endpointing", "reason": "silence_timeout"}', False),
        ('{"type": "UserStoppedSpeaking", "reason": "timeout"}', False),
        ('{"type": "ping_ms", "value": 3}', False),
        ('{"usage": 12}', False),
    ],
)
def test_what_speaks_of_trouble_is_a_complaint(said, kept):
    """And not what agents say of speech."""
    assert call((1, "speak"), (2, "unknown", "", said)).complaints == ({1: said} if kept else {})


class Many(list):
    """Turns that nobody goes through."""

    def __iter__(self):
        raise AssertionError("one after the other")

    __reversed__ = __iter__

    def __getitem__(self, index):
        assert isinstance(index, int)
        return super().__getitem__(index)


def test_a_chunk_of_the_latest_turn_is_found_at_once():
    """However many turns there were."""
    made = call((1, "speak"), (2, "hush"), (3, "audio", 1.0), (4, "done"), (5, "speak"), (6, "hush"))
    numbered(made, (7, "audio", 2))
    made.said.turns = Many(made.turns)
    numbered(made, (7.5, "audio", 2))

    assert made.turn.audio_until == 7.5
