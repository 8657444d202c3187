"""The reference agent: it hears turns, by messages or by silence, and answers them as its pipeline says."""

import asyncio
import base64
import json
from contextlib import suppress

import pytest

from pytest_wsstability import Orchestrator, connect, run_virtual
from pytest_wsstability.core.voice.stage_faults import StageName
from pytest_wsstability.profiles.catalogue import find
from pytest_wsstability.voice import AudioFormat, Encoding, Pipeline, Stage
from tests.net.peers import opened
from tests.net.voice.calls import with_caller


def said(profile="json", *, speech="1s", **pipeline):
    """The messages of a turn as ``(seconds, message)`` from the end of the speech, and the agent's record."""

    async def story(user, orchestrator):
        heard = []
        take = user.connection.websocket.messages.listener

        def listen(now, payload, role):
            heard.append((now, payload if isinstance(payload, bytes) else json.loads(payload)))
            return take(now, payload, role)

        user.connection.websocket.messages.listener = listen
        turn = await user.speak(speech)
        await user.listen()
        ended = user.origin + turn.speech_until
        record = orchestrator.agent_record(user.connection)
        return [(round(at - ended, 3), message) for at, message in heard], record

    return with_caller(story, profile=profile, voice=Pipeline(**pipeline))


def kinds(messages):
    return list(dict.fromkeys(m["type"] if isinstance(m, dict) else "binary" for _, m in messages))


def test_a_turn_in_the_words_of_the_story():
    """Partial and final transcripts, tokens, audio twice as fast as real time, the end."""
    messages, _ = said(speech="2s", answer="1s")

    assert kinds(messages) == ["transcript", "token", "audio", "turn_end"]
    partials = [at for at, message in messages if message.get("final") is False]
    assert partials == [pytest.approx(each, abs=0.021) for each in (-1.35, -0.85, -0.35)]
    (final,) = [at for at, message in messages if message.get("final") is True]
    assert final == pytest.approx(0.15)
    tokens = [at for at, message in messages if message["type"] == "token"]
    assert (tokens[0], len(tokens)) == (pytest.approx(0.5), 10)
    audio = [(at, message) for at, message in messages if message["type"] == "audio"]
    assert [round(at, 2) for at, _ in audio] == [pytest.approx(0.7 + 0.05 * n) for n in range(10)]
    assert [message["seq"] for _, message in audio] == list(range(1, 11))
    assert {message["turn"] for _, message in audio} == {1}
    assert messages[-1] == (pytest.approx(1.2), {"type": "turn_end", "turn": 1})


def test_what_it_records_of_a_turn():
    """When each stage began, and when its first result came."""
    _, record = said(answer="1s")
    (turn,) = record.turns

    assert [round(turn.stages[name].seconds(0.0), 3) for name in StageName] == [0.15, 0.35, 0.2]
    assert turn.audio == pytest.approx(1.0)
    assert turn.done_at > turn.heard_until > turn.heard_from


def test_a_turn_of_openai():
    messages, _ = said("openai-realtime", answer="1s")

    assert kinds(messages) == [
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_item.done",
        "response.done",
    ]


STARTED = "input_audio_buffer.speech_started"
NULL = {"turn_detection": None}
WHO_ENDS = {
    "openai, by itself": ("openai-realtime", None, 1),
    "openai, server_vad": ("openai-realtime", {"turn_detection": {"type": "server_vad"}}, 1),
    "openai, null": ("openai-realtime", {"audio": {"input": NULL}}, 0),
    "openai, null in the beta": ("openai-realtime", NULL, 0),
    "deepgram": ("deepgram", None, 1),
    "json": ("json", None, 0),
}


@pytest.mark.parametrize(("profile", "update", "turns"), WHO_ENDS.values(), ids=WHO_ENDS)
@pytest.mark.parametrize("updates", [1, 2])
def test_silence_ends_a_turn_where_the_service_listens(profile, update, turns, updates):
    """Of clients that never say that speech has ended: OpenAI's do not, unless they have switched it off."""
    form = find(profile).audio.format

    async def main():
        async with (
            Orchestrator(profile=profile, voice=Pipeline()) as orchestrator,
            opened(orchestrator.url, profile="frames") as connection,
        ):
            # The second says nothing of turns and changes nothing.
            for session in [update, {"type": "realtime"}][:updates] if update else []:
                await connection.send_json({"type": "session.update", "session": session})
            for frame in [form.written([9000] * (form.rate // 50))] * 50 + [form.silence] * 50:
                await connection.send(find(profile).audio.write_speech(frame))
                await asyncio.sleep(0.02)
            record = orchestrator.agent_record(orchestrator.sessions[0].connection)
            return [turn.heard_until for turn in record.turns]

    assert sum(at is not None for at in run_virtual(main())) == turns


@pytest.mark.parametrize(("silence", "sent"), [(80, [("response.output_audio.done", None)]), (25, [])])
def test_the_client_is_told_that_the_user_speaks_over_the_answer(silence, sent):
    """A client of OpenAI that never cancels stops its player at this; of audio that came no more comes."""
    form = find("openai-realtime").audio.format
    loud = [form.written([9000] * (form.rate // 50))] * 50

    async def main():
        async with (
            Orchestrator(profile="openai-realtime", voice=Pipeline(answer="4s")) as orchestrator,
            opened(orchestrator.url, profile="frames", inbox=1000) as connection,
        ):
            for frame in loud + [form.silence] * silence + loud:
                await connection.send(find("openai-realtime").audio.write_speech(frame))
                await asyncio.sleep(0.02)
            heard = []
            with suppress(TimeoutError):
                while True:
                    heard.append(json.loads(await connection.recv(within="1s")))
            return [(each["type"], each.get("response", {}).get("status")) for each in heard]

    told = (STARTED, "response.output_audio.done", "response.done")
    heard = [each for each in run_virtual(main()) if each[0] in told]
    assert heard[: 3 + len(sent)] == [(STARTED, None)] * 2 + sent + [("response.done", "cancelled")]


def test_a_turn_of_the_telephone_ends_by_silence():
    """Twilio says nothing of the end of speech: 200 ms of silence do."""

    async def story(user, _):
        await user.speak("1s")
        return await user.listen()

    turn = with_caller(story, profile="twilio", voice=Pipeline(vad_stop="400ms"))

    assert turn.first_audio == pytest.approx(0.4 + 0.7, abs=0.021)
    assert turn.final_at is None


@pytest.mark.parametrize("silence", ["sent", "withheld"])
def test_speech_ends_by_silence_that_is_sent_or_not(silence):
    """Frames without speech, or no frames."""

    async def story(user, _):
        await user.speak("1s")
        return await user.listen()

    turn = with_caller(story, profile="twilio", caller={"silence": silence})

    assert turn.first_audio == pytest.approx(0.9, abs=0.021)


def test_a_short_noise_is_no_interruption():
    """Less speech than `vad_start`; more is one."""

    async def story(user, _):
        await user.speak("1s")
        await user.barge_in("60ms", after="300ms")
        await user.idle("3s")
        return user.call.turns[0]

    assert with_caller(story, voice=Pipeline(answer="9s", vad_start="100ms")).audio_seconds > 0
    assert with_caller(story, voice=Pipeline(answer="9s", vad_start="40ms")).done_at is not None


def test_jitter_is_the_same_for_a_seed():
    first, again, other = (
        said(ai=Stage("100ms", jitter="1s"), seed=seed, answer="1s")[1].turns[0] for seed in (1, 1, 2)
    )
    taken = [round(turn.stages[StageName.AI].seconds(0.0), 6) for turn in (first, again, other)]

    assert taken[0] == taken[1] != taken[2]
    assert all(0.1 <= seconds <= 1.1 for seconds in taken)


def test_audio_that_is_none_is_counted():
    """A client that sends it hears nothing of it."""

    async def main():
        async with Orchestrator(voice=Pipeline()) as orchestrator:
            connection = await connect(orchestrator.url)
            orchestrator.witness(connection)
            await connection.assert_session_confirmed(within="5s")
            for _ in range(20):
                await connection.send_json({"type": "audio", "audio": "%"})
            await connection.ping()
            record = orchestrator.agent_record(connection)
            await connection.close()
            return record

    record = run_virtual(main())

    assert len(record.malformed) == 8
    assert record.malformed[0].startswith("speech: '%' is no base64")


def test_two_sessions_have_two_dialogues():
    """Turns are counted for each."""

    async def story(user, orchestrator):
        await user.speak("1s")
        await user.listen()
        other = await connect(orchestrator.url, inbox=0)
        orchestrator.witness(other)
        await other.assert_session_confirmed(within="5s")
        form = AudioFormat(Encoding.PCM16, 16_000)
        assert not form.is_loud(form.silence)
        known = orchestrator.agent_record(other)
        await other.close()
        return known, orchestrator.agent_record(user.connection)

    theirs, mine = with_caller(story)

    assert (len(theirs.turns), len(mine.turns)) == (0, 1)


def test_a_server_without_an_agent_has_no_record():
    async def main():
        async with Orchestrator() as orchestrator:
            connection = await connect(orchestrator.url)
            orchestrator.witness(connection)
            record = orchestrator.agent_record(connection)
            await connection.close()
            return record, orchestrator.pipeline

    assert run_virtual(main()) == (None, None)


@pytest.mark.parametrize("milliseconds", [20, 100, 240, 500])
def test_speech_in_large_pieces_is_one_turn(milliseconds):
    """A client that sends a quarter of a second at once is not silent between two of them."""
    form = AudioFormat()
    piece = base64.b64encode(form.written([9000] * (16 * milliseconds))).decode()

    async def main():
        async with Orchestrator(profile="elevenlabs", voice=Pipeline(answer="1s")) as orchestrator:
            connection = await connect(orchestrator.url, profile="elevenlabs")
            await connection.assert_session_confirmed(within="5s")
            for _ in range(3000 // milliseconds):
                await connection.send_json({"user_audio_chunk": piece})
                await asyncio.sleep(milliseconds / 1000)
            await asyncio.sleep(5)
            (session,) = orchestrator.sessions
            record = orchestrator.agent_record(session.connection)
            await connection.close()
        return record

    (turn,) = run_virtual(main()).turns
    spoken = turn.heard_until - turn.heard_from
    assert spoken == pytest.approx(3.0 + 0.2, abs=1.5 * milliseconds / 1000)
