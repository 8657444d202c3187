"""Clients of voice services that nobody here wrote, in conversation with the agent; in virtual time."""

from __future__ import annotations

import asyncio
import base64
from functools import partial

import pytest

from pytest_wsstability import Orchestrator
from pytest_wsstability.core.voice.sound import noise
from pytest_wsstability.profiles.catalogue import find
from pytest_wsstability.voice import Pipeline
from tests.net.certificates import server_context
from tests.protocols.test_more_python_software import elevenlabs_conversation, gemini_session
from tests.protocols.test_python_software import deepgram_client

pytestmark = [
    pytest.mark.ws_stability(time="virtual", patch_time=True),
    # The libraries' own business.
    pytest.mark.filterwarnings("ignore"),
]


def speech(profile, seconds):
    """Frames of 20 ms."""
    frames = noise(0, find(profile).audio.format)
    return [frames[index % len(frames)] for index in range(round(seconds * 50))]


async def talk_to_openai(connection, seconds):
    """Speak and then send silence, as a microphone does, and say nothing of the end."""
    silence = [find("openai-realtime").audio.format.silence] * 100
    for frame in speech("openai-realtime", seconds) + silence:
        await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
        await asyncio.sleep(0.02)


async def turn_of_openai(connection):
    """Say something, and give what came of it, by type."""
    for frame in speech("openai-realtime", 1.0):
        await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
        await asyncio.sleep(0.02)
    await connection.input_audio_buffer.commit()
    await connection.response.create()
    events = []
    while not events or events[-1].type != "response.done":
        events.append(await connection.recv())
    return events


async def talk_for_ever(connection):
    """A turn each five minutes."""
    while True:
        await turn_of_openai(connection)
        await asyncio.sleep(300)


def openai_client(orchestrator):
    openai = pytest.importorskip("openai")
    return openai.AsyncOpenAI(api_key="k", websocket_base_url=orchestrator.url.rstrip("/"))


async def test_a_conversation_of_the_openai_client():
    """It reads transcripts, audio and the end of each answer in its own types."""
    pipeline = Pipeline(answer="1s")
    async with (
        Orchestrator(profile="openai-realtime", voice=pipeline) as orchestrator,
        openai_client(orchestrator).realtime.connect(model="gpt-realtime") as connection,
    ):
        await connection.recv()
        turns = [await turn_of_openai(connection) for _ in range(3)]
        session = orchestrator.sessions[0]
        record = orchestrator.agent_record(session.connection)
    for events in turns:
        kinds = [event.type for event in events]
        assert kinds.count("conversation.item.input_audio_transcription.completed") == 1
        assert kinds.count("response.output_audio.delta") == 10
        audio = b"".join(
            base64.b64decode(event.delta) for event in events if event.type == "response.output_audio.delta"
        )
        assert len(audio) == 48_000
        assert events[-1].response.status == "completed"
    assert [turn.number for turn in record.turns] == [1, 2, 3]


@pytest.mark.parametrize(("turn_detection", "answers"), [({"type": "server_vad"}, 2), (None, 0)])
async def test_the_openai_client_lets_the_server_listen(turn_detection, answers):
    """With the service's own turn detection nobody commits; without it, nobody else ends a turn."""
    async with (
        Orchestrator(profile="openai-realtime", voice=Pipeline(answer="1s")) as orchestrator,
        openai_client(orchestrator).realtime.connect(model="gpt-realtime") as connection,
    ):
        audio = {"input": {"turn_detection": turn_detection}}
        await connection.session.update(session={"type": "realtime", "audio": audio})
        for _ in range(2):
            await talk_to_openai(connection, 1.0)
        record = orchestrator.agent_record(orchestrator.sessions[0].connection)
    assert sum(turn.done_at is not None for turn in record.turns) == answers


async def test_the_openai_client_is_ended_after_an_hour_and_begins_anew():
    """A session lives for 60 minutes; what comes after is another one."""
    async with Orchestrator(profile="openai-realtime", voice=Pipeline(answer="1s")) as orchestrator:
        client = openai_client(orchestrator)
        async with client.realtime.connect(model="gpt-realtime") as connection:
            await connection.recv()
            with pytest.raises(Exception, match="1001"):
                await talk_for_ever(connection)
        async with client.realtime.connect(model="gpt-realtime") as connection:
            await connection.recv()
            assert (await turn_of_openai(connection))[-1].type == "response.done"
        first, second = orchestrator.sessions
    assert first.timeline.close.at == pytest.approx(3600, abs=0.1)
    assert second.timeline.close.at == pytest.approx(2.2, abs=0.1)


async def test_the_deepgram_client_is_given_transcripts():
    """Partial ones while speech goes up, and a final one when it is asked for."""
    options = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16000}
    async with (
        Orchestrator(profile="deepgram", voice=Pipeline()) as orchestrator,
        deepgram_client(orchestrator) as client,
        client.listen.v1.connect(**options) as stream,
    ):
        for frame in speech("deepgram", 2.0):
            await stream.send_media(frame)
            await asyncio.sleep(0.02)
        await stream.send_finalize()
        heard = []
        while not heard or not heard[-1].is_final:
            heard.append(await stream.recv())
    assert [each.is_final for each in heard] == [False, False, False, True]
    assert [each.speech_final for each in heard] == [False, False, False, True]
    assert heard[-1].channel.alternatives[0].transcript == "what was said in turn 1"


async def test_the_deepgram_client_closes_its_stream():
    """What it has said is transcribed first; then comes a summary, and 1000."""
    options = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16000}
    heard = []
    async with (
        Orchestrator(profile="deepgram", voice=Pipeline()) as orchestrator,
        deepgram_client(orchestrator) as client,
        client.listen.v1.connect(**options) as stream,
    ):
        for frame in speech("deepgram", 1.0):
            await stream.send_media(frame)
            await asyncio.sleep(0.02)
        await stream.send_close_stream()
        async for message in stream:
            heard.append(message)
        (session,) = orchestrator.sessions
        assert session.timeline.close.code == 1000
        assert session.timeline.close.at == pytest.approx(1.15, abs=0.03)
    assert [each.type for each in heard] == ["Results", "Results", "Metadata"]
    assert heard[1].is_final
    assert heard[2].channels == 1
    # Fields that a program of the service reads without looking whether they are there.
    assert (heard[1].start, heard[1].channel_index, heard[1].metadata.request_id) == (
        0.0,
        [0, 1],
        heard[2].request_id,
    )
    assert (heard[1].channel.alternatives[0].confidence, heard[1].channel.alternatives[0].words) == (0.99, [])


async def test_the_deepgram_client_is_kept_alive_for_an_hour():
    """It says KeepAlive while nobody speaks, and a sentence each ten minutes."""
    options = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16000}
    async with (
        Orchestrator(profile="deepgram", voice=Pipeline()) as orchestrator,
        deepgram_client(orchestrator) as client,
        client.listen.v1.connect(**options) as stream,
    ):
        heard = []
        while orchestrator.sessions[0].timeline.duration < 3600:
            for frame in speech("deepgram", 1.0):
                await stream.send_media(frame)
                await asyncio.sleep(0.02)
            await stream.send_finalize()
            while not heard or not heard[-1].is_final:
                heard.append(await stream.recv())
            for _ in range(75):
                await asyncio.sleep(8)
                await stream.send_keep_alive()
            heard.append(heard.pop(-1).model_copy(update={"is_final": False}))
        orchestrator.sessions[0].assert_no_abnormal_closure()
    assert len(heard) >= 12


class Headset:
    """What the ElevenLabs client speaks into, and what it lets a person hear."""

    def __init__(self):
        self.say, self.heard, self.interruptions = None, [], 0

    async def start(self, input_callback):
        self.say = input_callback

    async def stop(self): ...

    async def output(self, audio):
        self.heard.append(audio)

    async def interrupt(self):
        self.interruptions += 1

    async def speak(self, seconds, *, silence=1.0):
        """In chunks of a quarter of a second, as the client's own microphone; and then nothing is said."""
        frames = speech("elevenlabs", seconds) + [find("elevenlabs").audio.format.silence] * round(
            50 * silence
        )
        for index in range(0, len(frames), 12):
            await self.say(b"".join(frames[index : index + 12]))
            await asyncio.sleep(0.24)


async def test_a_conversation_of_the_elevenlabs_client():
    """An hour: transcripts, words and audio reach the program, and pings are answered meanwhile."""
    headset, understood, said, whole = Headset(), [], [], []

    async def take(words, into, *_):
        into.append(words)

    callbacks = {
        "callback_user_transcript": partial(take, into=understood),
        "callback_agent_chat_response_part": lambda words, _: take(words, said),
        "callback_agent_response": partial(take, into=whole),
    }
    server = Orchestrator(profile="elevenlabs", heartbeat_interval="10s", voice=Pipeline(answer="1s"))
    async with (
        server as orchestrator,
        elevenlabs_conversation(orchestrator, audio_interface=headset, **callbacks),
    ):
        session = await orchestrator.wait_for_session(within="5s")
        for _ in range(12):
            await headset.speak(2.0, silence=3.0)
            await asyncio.sleep(300)
        session.assert_heartbeats_answered(within="1s", at_least=350)
        record = orchestrator.agent_record(session.connection)
    assert understood == [f"what was said in turn {number}" for number in range(1, 13)]
    assert (len(said), len(headset.heard), headset.interruptions) == (120, 120, 0)
    # The program hears of each answer once; the client takes the space behind the last word away.
    assert whole == [("word " * 10).strip()] * 12
    assert sum(map(len, headset.heard)) == 12 * 32_000
    assert [turn.number for turn in record.turns] == list(range(1, 13))


async def test_the_elevenlabs_client_is_spoken_over():
    """It is told, throws away what was said before, and hears the next answer whole."""
    headset = Headset()
    server = Orchestrator(profile="elevenlabs", voice=Pipeline(answer="4s"))
    async with server as orchestrator, elevenlabs_conversation(orchestrator, audio_interface=headset):
        await orchestrator.wait_for_session(within="5s")
        await headset.speak(1.0, silence=1.5)
        before = len(headset.heard)
        assert 0 < before < 40
        await headset.speak(1.0, silence=5.0)
    assert headset.interruptions == 1
    assert len(headset.heard) - before == pytest.approx(40, abs=5)


@pytest.mark.ws_stability(patch_time=False)
async def test_a_conversation_of_the_gemini_client():
    """It reads transcripts, audio and the end of each answer in its own types, and is told to stop."""
    genai = pytest.importorskip("google.genai")
    silence = find("gemini-live").audio.format.silence
    server = Orchestrator(profile="gemini-live", tls=server_context("127.0.0.1"), voice=Pipeline(answer="1s"))
    async with server as orchestrator, gemini_session(genai, orchestrator.url) as live:

        async def speak(seconds):
            for frame in [*speech("gemini-live", seconds), *[silence] * 30]:
                blob = genai.types.Blob(data=frame, mime_type="audio/pcm;rate=16000")
                await live.send_realtime_input(audio=blob)
                await asyncio.sleep(0.02)

        speaking = asyncio.create_task(speak(2.0))
        # To the end of the turn.
        heard = [message async for message in live.receive()]
        await speaking
        await speak(1.0)
        await speak(1.0)
        spoken_over = [message async for message in live.receive()]
        record = orchestrator.agent_record(orchestrator.sessions[0].connection)
    said = [each.server_content for each in heard if each.server_content is not None]
    assert [each.input_transcription.text for each in said if each.input_transcription] == [
        "what was said in turn 1"
    ]
    assert sum(len(each.data) for each in heard if each.data) == 48_000
    assert said[-1].turn_complete
    assert any(each.server_content.interrupted for each in spoken_over)
    assert [turn.number for turn in record.turns] == [1, 2, 3]
