"""A caller by hand: speaks, listens, interrupts, idles, mutes, comes back; and servers that do it badly."""

import asyncio
import base64
import contextlib
import dataclasses
import json

import pytest

from pytest_wsstability import ConnectionEnded, faults
from pytest_wsstability.core.timeline.events import Role
from pytest_wsstability.core.voice.sound import wav_of
from pytest_wsstability.profiles import AUDIO as PLACE
from pytest_wsstability.profiles import JSON, RAW
from pytest_wsstability.profiles.catalogue import find
from pytest_wsstability.voice import AudioFormat, CallTimeout, Pipeline, WrongSound
from tests.net.voice.calls import with_caller

CHUNK = base64.b64encode(bytes(3200)).decode()


def test_a_turn():
    """Frames at their instants, the end of the speech, a transcript, tokens, audio, the end of the turn."""

    async def story(user, _):
        spoken = await user.speak("2s")
        assert spoken.audio_at is None
        turn = await user.listen()
        return turn, user.call, user.now

    turn, call, now = with_caller(story, voice=Pipeline(answer="3s"))

    assert call.up.chunks >= 100
    assert turn.speech_until - turn.speech_from == pytest.approx(2.0, abs=0.021)
    assert (turn.first_token, turn.first_audio) == (pytest.approx(0.5), pytest.approx(0.7))
    assert turn.audio_seconds == pytest.approx(3.0)
    # Heard to its end, though it came in half the time.
    assert now == pytest.approx(turn.played_until)
    assert turn.played_until - turn.audio_at == pytest.approx(3.0, abs=0.1)


def test_the_text_of_an_answer_that_comes_at_once():
    """ElevenLabs, where no parts of it are asked for: it is the first word of the answer, with the audio."""
    profile = find("elevenlabs")
    profile = profile.replace(name="whole", audio=dataclasses.replace(profile.audio, token=None))

    async def story(user, _):
        await user.speak("1s")
        return await user.listen()

    turn = with_caller(story, profile=profile)

    assert turn.first_token == turn.first_audio == pytest.approx(0.9)


def test_frames_are_due_at_absolute_deadlines():
    """None is late in virtual time, and an hour from now the n-th is due n times 20 ms after the first."""

    async def story(user, _):
        for _ in range(3):
            await user.speak("1s")
            await user.listen()
        await user.idle("60s")
        return user.call.up

    up = with_caller(story)

    assert up.lateness.maximum == pytest.approx(0.0, abs=1e-6)
    assert up.seconds == pytest.approx(up.chunks * 0.02)


@pytest.mark.parametrize(("silence", "frames"), [("sent", 500), ("withheld", 0)])
def test_silence_is_sent_or_withheld(silence, frames):
    """While nobody speaks, for 10 s."""

    async def story(user, _):
        await user.speak("1s")
        await user.listen()
        before = user.call.up.chunks
        await user.idle("10s")
        return user.call.up.chunks - before

    assert with_caller(story, caller={"silence": silence}) == pytest.approx(frames, abs=1)


def test_deepgram_is_kept_alive_where_silence_is_withheld():
    """Its server ends a client that says nothing for 10 s; KeepAlive messages say something."""

    async def story(user, _):
        await user.speak("1s")
        await user.listen()
        await user.idle("35s")
        return user.connection.websocket.is_open

    assert with_caller(story, profile="deepgram", caller={"silence": "withheld"})


def test_an_answer_is_spoken_over():
    """It stops, and the new turn is answered."""

    async def story(user, _):
        await user.speak("1s")
        second = await user.barge_in("1s", after="500ms")
        await user.listen()
        return user.call.turns[0], second

    first, second = with_caller(story, voice=Pipeline(answer="9s"))

    assert first.barged_in_at == pytest.approx(first.audio_at + 0.5)
    assert 0 < first.stop_latency <= 0.15
    assert second.first_audio == pytest.approx(0.7)


def test_a_muted_microphone_sends_nothing():
    """Not even what is said; the agent hears no turn."""

    async def story(user, orchestrator):
        user.mute()
        await user.speak("1s")
        muted = user.call.up.chunks
        with pytest.raises(CallTimeout, match=r"^turn 1: no audio came within 5 s$"):
            await user.listen(within="5s")
        user.unmute()
        await user.speak("1s")
        await user.listen()
        return muted

    assert with_caller(story) == 0


def test_a_reconnect_in_the_middle_of_a_sentence():
    """The same session, numbers go on, the sentence is said to its end."""

    async def story(user, orchestrator):
        await user.speak("1s")
        await user.listen()
        speaking = asyncio.ensure_future(user.speak("4s"))
        await user.idle("2s")
        before = user.connection
        after = await user.reconnect()
        await speaking
        turn = await user.listen()
        return before, after, turn, user.call, orchestrator.sessions

    before, after, turn, call, sessions = with_caller(story)

    assert before is not after
    assert before.session_id == after.session_id
    assert [len(session.connections) for session in sessions] == [2]
    assert (turn.number, turn.agent_number) == (2, 2)
    assert turn.first_audio == pytest.approx(0.7)
    assert (call.lost_chunks, call.down.numbers.repeats, len(call.away)) == (0, 0, 1)


def test_an_answer_that_was_cut_is_given_again_after_a_reconnect():
    """By an agent that remembers."""

    async def story(user, _):
        await user.speak("1s")
        await user.idle("1s")
        await user.reconnect()
        return await user.listen()

    turn = with_caller(story, voice=Pipeline(answer="8s"))

    assert turn.done_at is not None


def test_a_connection_that_ends_in_mid_turn():
    """Nobody waits for an answer any longer."""

    async def story(user, _):
        with pytest.raises(ConnectionEnded):
            await user.converse(turns=None)
        return user.now

    assert with_caller(story, server={"faults": [("7s", faults.Drop())]}) == pytest.approx(7.0, abs=0.1)


def test_a_wav_file_is_spoken_whole(tmp_path):
    """And what is heard can be kept."""
    form = AudioFormat()
    path = tmp_path / "hello.wav"
    path.write_bytes(wav_of([form.written([9000, -9000] * 12_000)], form))

    async def story(user, _):
        turn = await user.speak()
        await user.listen()
        return turn, user.wav()

    turn, wav = with_caller(story, caller={"sound": path, "keep_audio": True})

    assert turn.speech_until - turn.speech_from == pytest.approx(1.5, abs=0.021)
    assert wav[:4] == b"RIFF"
    assert len(wav) > 64_000


# Mistakes.


def test_what_cannot_be_done():
    """Each says what to do instead."""

    async def story(user, _):
        with pytest.raises(RuntimeError, match=r"^listen: nothing was said yet; speak\(\) first$"):
            await user.listen()
        with pytest.raises(RuntimeError, match=r"^barge_in: nothing was said yet"):
            await user.barge_in()
        speaking = asyncio.ensure_future(user.speak("1s"))
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match=r"^speak\(\) is already speaking in another task$"):
            await user.speak()
        await speaking
        with pytest.raises(ValueError, match=r"^wav: the agent's audio was not kept; give keep_audio=True$"):
            user.wav()
        with pytest.raises(ValueError, match=r"^speak: 'long' is not a duration"):
            await user.speak("long")

    with_caller(story)


def test_a_file_that_is_not_there(tmp_path):
    async def story(user, _): ...

    with pytest.raises(WrongSound, match=r"none\.wav: No such file or directory$"):
        with_caller(story, caller={"sound": tmp_path / "none.wav"})


def test_a_caller_who_could_not_write_speech():
    """Before anything is said."""
    audio = dataclasses.replace(JSON.audio, speech=RAW.read)
    ours = JSON.replace(name="ours", audio=audio)

    async def story(user, _): ...

    with pytest.raises(ValueError, match=r"^profile 'ours': speech can only be read, and the client has to "):
        with_caller(story, profile=ours, server=answering())


# Agents that do it badly: named, and nothing hangs.


def answering(*messages):
    """A server that answers the end of each speech with these; a number is a pause."""

    async def handler(connection):
        async for message in connection:
            if json.loads(message)["type"] != "speech_end":
                continue
            for each in messages:
                if isinstance(each, int | float):
                    await asyncio.sleep(each)
                elif isinstance(each, bytes):
                    await connection.send(each)
                else:
                    await connection.send_json(each)

    return {"handler": handler}


AUDIO = {"type": "audio", "audio": CHUNK}
END = {"type": "turn_end"}
FINAL = {"type": "transcript", "final": True}


def heard(*messages, within="5s", profile="json"):
    """What came of a turn with such an agent: the call, and the words of a timeout."""

    async def story(user, _):
        await user.speak("1s")
        try:
            await user.listen(within=within)
        except CallTimeout as exc:
            return user.call, str(exc)
        await user.idle("2s")
        return user.call, ""

    return with_caller(story, server=answering(*messages), profile=profile)


def test_a_server_that_never_answers():
    call, words = heard()

    assert words == "turn 1: no audio came within 5 s"
    assert call.turn.given_up_at is not None


def test_what_an_agent_says_of_an_error_is_kept():
    """Though the profile calls it none: text alone, and the first of a turn."""
    call, _ = heard(
        {"type": "failure", "why": "quota exceeded"}, {"type": "failure", "why": "timed out"}, AUDIO, END
    )

    assert call.complaints == {1: '{"type":"failure","why":"quota exceeded"}'}


def test_an_error_may_end_a_turn():
    """As of a response of OpenAI that failed: nobody waits for more of it."""
    failing = JSON.replace(error={"type": "turn_end", "failed": True})
    call, words = heard({**END, "failed": True}, profile=failing)

    assert (words, call.turn.audio_at, call.turn.given_up_at) == ("", None, None)
    assert call.turn.done_at is not None


def test_a_server_that_never_ends_a_turn():
    call, words = heard(AUDIO, 0.1, AUDIO)

    assert words.startswith("turn 1: the answer was not ended within 5 s; 200 ms of audio came, the last at ")
    assert call.turn.audio_seconds == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"type": "audio", "audio": "%%%"}, "answer: '%%%' is no base64"),
        ({"type": "audio", "audio": 7}, "answer: '7' is no audio"),
        ({"type": "audio", "audio": ""}, "answer: there is no audio in it"),
        ({"type": "audio", "audio": "UklGRgAA"}, "answer: a file (WAV) and not samples alone"),
        ({"type": "audio", "audio": "GkXfowEA"}, "answer: a file (WebM) and not samples alone"),
        ({"type": "audio", "audio": "AA=="}, "answer: 1 bytes are no whole samples of pcm16 at 16 kHz"),
    ],
)
def test_audio_that_is_none(message, words):
    """The first few are kept, the call goes on."""
    call, _ = heard(message, AUDIO, END)

    assert len(call.malformed) == 1
    assert call.malformed[0].startswith(words)
    assert call.turn.audio_seconds == pytest.approx(0.1)


@pytest.mark.parametrize("answer", [JSON.audio.answer, RAW])
def test_json_in_binary_frames(answer):
    """As from Gemini, and beside audio in binary frames, of which silence is text too."""
    ours = JSON.replace(name="ours", binary_json=True, audio=dataclasses.replace(JSON.audio, answer=answer))
    said = [json.dumps(each).encode() for each in (FINAL | {"text": "a"}, AUDIO, END)]
    if answer is RAW:
        said[1] = bytes(3200)
    call, words = heard(*said, profile=ours)

    assert (words, call.turn.first_transcript is not None, call.unknown) == ("", True, {})
    assert call.turn.audio_seconds == pytest.approx(0.1)


LOUD = [base64.b64encode(bytes([number, 0x20]) * 320).decode() for number in range(10)]


@pytest.mark.parametrize(("times", "twice"), [(1, 0), (2, 10)])
def test_audio_that_is_sent_twice(times, twice):
    """Without numbers, by its samples."""
    said = [{"type": "audio", "audio": each} for each in LOUD for _ in range(times)]
    call, _ = heard(*said, END)

    assert call.repeated_chunks == (twice, call.turn.audio_at if twice else None)
    assert not call.silent_turns


def test_audio_that_says_it_is_the_last():
    """One message for both (Gemini: turnComplete beside modelTurn)."""
    ours = dataclasses.replace(JSON.audio, answer={"a": PLACE}, answer_end={"last": True})
    chunk = {"a": LOUD[0]}

    call, words = heard(chunk, chunk | {"last": True}, profile=JSON.replace(name="ours", audio=ours))

    assert (words, call.stray_chunks, call.turn.audio_seconds) == ("", 0, pytest.approx(0.04))
    assert call.turn.done_at is not None


def test_audio_after_the_end_of_a_turn():
    call, _ = heard(AUDIO, END, 0.5, AUDIO, AUDIO)

    assert call.stray_chunks == 2
    assert call.turn.audio_seconds == pytest.approx(0.1)


QUIET = JSON.replace(audio=dataclasses.replace(JSON.audio, answer_end=None, answer_quiet="1s"))


@pytest.mark.parametrize("said", ["interrupted", "turn_end"])
def test_what_is_said_to_be_over_is_no_number_of_the_next_turn(said):
    """The agent still works on an answer that it has ended (a tool), and breaks off as the user speaks."""

    async def handler(connection):
        turn, heard = 1, 0
        async for message in connection:
            heard += json.loads(message)["type"] == "audio"
            if json.loads(message)["type"] == "speech_end":
                for each in (FINAL, AUDIO, END):
                    await connection.send_json({**each, "turn": turn})
                turn, heard = turn + 1, 0
            elif turn == 2 and heard == 100:
                await connection.send_json({"type": said, "turn": 1})

    async def story(user, _):
        await user.speak("1s")
        await user.listen()
        await user.idle("1s")
        await user.speak("2s")
        await user.listen()
        return user.call

    call = with_caller(story, server={"handler": handler})

    assert [turn.agent_number for turn in call.turns] == [1, 2]
    assert (call.forgot_at, call.turn.first_audio) == (None, 0.0)


def test_an_agent_that_does_not_say_when_it_has_ended():
    """The answer is whole when a player has had nothing to play for a second; a pause in it is none."""
    call, words = heard(AUDIO, 0.05, AUDIO, 0.9, AUDIO, profile=QUIET)

    assert (words, call.underruns, call.stray_chunks) == ("", 1, 0)
    assert call.turn.audio_seconds == pytest.approx(0.3)
    assert call.turn.done_at == call.turn.played_until == pytest.approx(call.turn.audio_at + 1.05)


@pytest.mark.parametrize(
    ("profile", "pause", "waited"), [(QUIET, "3s", 3), (QUIET, "300ms", 1), (JSON, "3s", 3)]
)
def test_a_pause_begins_where_the_answer_was_played(profile, pause, waited):
    """The silence that tells its end is a part of it."""

    async def story(user, _):
        await user.converse(turns=2, pause=pause)
        return user.call.turns

    first, second = with_caller(story, profile=profile)

    assert second.speech_from - first.played_until == pytest.approx(waited, abs=0.001)


def on_the_phone(*messages):
    """A server of Twilio's protocol that says these when a second of audio has come; a number is a pause."""

    async def handler(connection):
        heard = 0
        async for message in connection:
            heard += json.loads(message)["event"] == "media"
            for each in messages if heard == 50 else ():
                if isinstance(each, int | float):
                    await asyncio.sleep(each)
                else:
                    session_id = connection.websocket.conversation.session_id
                    await connection.send_json({**each, "streamSid": session_id})
            heard += heard == 50

    return {"handler": handler}


MEDIA = {"event": "media", "media": {"payload": base64.b64encode(b"\x20" * 4000).decode()}}
MARK = {"event": "mark", "mark": {"name": "said"}}


@pytest.mark.parametrize(
    "pieces", [(MEDIA, 0.3, MEDIA, 0.3, MEDIA), (MEDIA, MARK, 0.3) * 3, (*(MEDIA, 0.3) * 3, MARK)]
)
def test_marks_stand_anywhere_in_an_answer(pieces):
    """Behind each chunk, behind the last, or nowhere: none says that the answer is whole."""

    async def story(user, _):
        await user.speak("1s")
        return await user.listen(within="10s"), user.call

    turn, call = with_caller(story, server=on_the_phone(*pieces), profile="twilio")

    assert (turn.audio_seconds, call.stray_chunks, call.underruns) == (1.5, 0, 0)
    assert turn.done_at == turn.played_until == pytest.approx(turn.audio_at + 1.5, abs=0.1)


CLEAR = {"event": "clear"}


@pytest.mark.parametrize(
    ("pieces", "answered"),
    [
        # Half a second of audio is before the first mark, a second before the other.
        ((MEDIA, MARK, MEDIA, MARK), [0.5, 1.0]),
        # Nothing is.
        ((MARK, 0.2, MEDIA), [0.0]),
        # It is thrown away.
        ((MEDIA, MARK, MEDIA, MARK, 0.3, CLEAR), [0.3, 0.3]),
    ],
)
def test_a_mark_comes_back_when_the_audio_before_it_is_played(pieces, answered):
    """As from Twilio: agents count those that are out to know whether they are heard."""
    came = []

    async def story(user, _):
        await user.speak("1s")
        await user.idle("3s")
        timeline = user.connection.timeline
        asked = [each.at for each in timeline if each.role is Role.HEARTBEAT]
        came.extend(each.at - asked[0] for each in timeline if each.role is Role.HEARTBEAT_ANSWER)

    with_caller(story, server=on_the_phone(*pieces), profile="twilio")

    assert came == pytest.approx(answered, abs=0.001)


def test_an_agent_that_says_nothing_and_not_when():
    """Silence alone is no answer."""
    call, words = heard(profile=QUIET)

    assert words == "turn 1: no audio came within 5 s"
    assert call.turn.done_at is None


@pytest.mark.parametrize(
    ("chunks", "begins"),
    [
        # A second of audio from 500 ms on, and a pause after it; without a greeting the pause alone.
        (10, 2.5),
        (0, 1.0),
        # One that never ends is spoken over when the time for an answer is over.
        (1000, 6.0),
    ],
)
def test_an_agent_that_greets_is_heard_to_its_end(chunks, begins):
    """Before the first turn, and it is none."""

    async def handler(connection):
        await asyncio.sleep(0.5)
        for _ in range(chunks):
            await connection.send_json(AUDIO)
            await asyncio.sleep(0.1)
        await answering(AUDIO, END)["handler"](connection)

    async def story(user, _):
        with contextlib.suppress(CallTimeout):
            await user.converse(turns=1, pause="1s", answer_within="5s")
        return user.call

    call = with_caller(story, server={"handler": handler})

    assert call.turn.speech_from == pytest.approx(begins, abs=0.03)
    assert (call.turn.number, call.stray_chunks) == (1, 0)


@pytest.mark.parametrize(("heard_from", "begins"), [(None, 6.0), (4.0, 8.56), (7.0, 6.0)])
def test_a_track_of_silence_is_no_greeting(heard_from, begins):
    """It never stops; the agent greets for 3.5 s, or does not. The pause is 1 s, a player's buffer 60 ms."""

    async def handler(connection):
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            at = loop.time() - began
            greets = heard_from is not None and heard_from <= at < heard_from + 3.5
            await connection.send(b"\0\x20" * 320 if greets else bytes(640))
            await asyncio.sleep(0.02)

    async def story(user, _):
        with contextlib.suppress(CallTimeout):
            await user.converse(turns=1, pause="1s", answer_within="30s")
        return user.call.turn.speech_from

    profile = QUIET.replace(audio=dataclasses.replace(QUIET.audio, answer=RAW))
    assert with_caller(story, server={"handler": handler}, profile=profile) == pytest.approx(begins, abs=0.05)


@pytest.mark.parametrize(
    ("answers_after", "first", "waited"), [(1.0, 1.0, 1.1), (4.5, 4.5, 4.6), (None, 0.0, 5.0)]
)
@pytest.mark.parametrize(
    ("way", "quiet"), [("listen", None), ("barge_in", None), ("barge_in", "1s"), ("barge_in", "6s")]
)
def test_what_was_said_while_the_user_spoke_is_no_answer_where_one_follows(
    way, quiet, answers_after, first, waited
):
    """People say "mm-hm", and agents do too: the user waits a while for more."""

    async def handler(connection):
        await asyncio.sleep(0.5)
        for message in (AUDIO, END):
            await connection.send_json(message)
        async for message in connection:
            if "speech_end" in message and answers_after is not None:
                await asyncio.sleep(answers_after)
                for each in (AUDIO, END):
                    await connection.send_json(each)

    async def story(user, _):
        turn = await user.speak("2s")
        if way == "listen":
            await user.listen()
            return turn, user.now
        return turn, (await user.barge_in("1s", after="100ms")).speech_from

    ends = {"answer_end": None, "answer_quiet": quiet} if quiet else {}
    profile = JSON.replace(audio=dataclasses.replace(JSON.audio, **ends))
    turn, until = with_caller(story, server={"handler": handler}, profile=profile)

    assert turn.first_audio == pytest.approx(first, abs=0.001)
    assert until - turn.speech_until == pytest.approx(waited, abs=0.03)


def test_audio_of_another_session():
    call, _ = heard({**AUDIO, "session_id": "theirs"}, END)

    assert (call.foreign_chunks, call.foreign_session) == (1, "theirs")


def test_messages_that_are_none_of_the_protocols():
    """Are let pass."""
    call, words = heard({"type": "usage", "tokens": 12}, AUDIO, END)

    assert (words, call.malformed, call.stray_chunks) == ("", [], 0)


@pytest.mark.parametrize(
    ("texts", "first", "final"), [(("", "a"), 0.2, 0.2), (("", ""), None, None), (("a", ""), 0.0, 0.0)]
)
def test_a_transcript_without_words_is_none(texts, first, final):
    """Services say each few seconds that they heard nothing."""
    call, _ = heard(*[each for text in texts for each in (FINAL | {"text": text}, 0.2)], AUDIO, END)
    since = [None if at is None else at - call.turn.speech_until for at in (
        call.turn.transcript_at, call.turn.final_at
    )]  # fmt: skip

    assert since == [each if each is None else pytest.approx(each, abs=0.001) for each in (first, final)]


@pytest.mark.parametrize(
    ("profile", "message", "lacks"),
    [
        ("json", {"type": "audio", "data": CHUNK}, "member 'audio' is missing"),
        ("deepgram-agent", {"type": "sound"}, "a text message of 16 characters that is not the one expected"),
        ("openai-realtime", {"type": "response.done.", "delta": ""},
         "member 'type' is \"response.done.\", not \"response.output_audio.delta\""),
    ],
)  # fmt: skip
def test_messages_in_the_place_of_an_answer_are_counted(profile, message, lacks):
    """With what the first lacks to be one; what servers may leave out is not missed."""

    async def handler(connection):
        await asyncio.sleep(0.5)
        for _ in range(2):
            await connection.send_json(message)
        async for _ in connection:
            pass

    async def story(user, _):
        await user.idle("1s")
        return user.call

    call = with_caller(story, server={"handler": handler}, profile=profile)

    assert [(count, text.partition("; ")[0]) for count, text in call.unknown.values()] == [(2, lacks)]
