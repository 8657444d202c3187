"""
A pipecat pipeline behind FastAPI: its own transport, aggregators, turn detection and serializers.

Speech to text, the model and text to speech are ours, because those of others cost money: each says the same
each time, and takes as long as in docs/voice.md.

"""

from __future__ import annotations

import asyncio
import json

from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.vad_analyzer import VADAnalyzer, VADParams, VADState
from pipecat.frames.frames import (
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop.speech_timeout_user_turn_stop_strategy import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

# A dozen lines a turn.
logger.disable("pipecat")
# Seconds of an answer, and of a chunk of it.
ANSWER, CHUNK = 3.0, 0.1


class Ears(VADAnalyzer):
    """Speech is what is loud: no model, and no thread."""

    def __init__(self) -> None:
        super().__init__(params=VADParams(confidence=0.5, start_secs=0.2, stop_secs=0.2, min_volume=0.0))

    def num_frames_required(self) -> int:
        """20 ms."""
        return self.sample_rate // 50

    def voice_confidence(self, buffer: bytes) -> float:
        """Whether a sample is louder than silence with its noise."""
        return float(max(memoryview(buffer).cast("h"), default=0) > 512)

    async def analyze_audio(self, buffer: bytes) -> VADState:
        """Where it is: what takes microseconds needs no thread."""
        return self._run_analyzer(buffer)


class SpeechToText(SegmentedSTTService):
    """What was said is always the same."""

    async def run_stt(self, audio: bytes):
        """After 150 ms."""
        await asyncio.sleep(0.15)
        yield TranscriptionFrame("what was said", "user", "2026-01-01T00:00:00Z", finalized=True)


class Model(FrameProcessor):
    """Answers each turn with one sentence, word by word."""

    def __init__(self, *, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def process_frame(self, frame, direction: FrameDirection) -> None:
        """A context is a question; all else goes on."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        await asyncio.sleep(self._seconds)
        for word in ("What ", "was ", "asked."):
            await self.push_frame(LLMTextFrame(word))
        await self.push_frame(LLMFullResponseEndFrame())


class TextToSpeech(TTSService):
    """Three seconds of a tone for each sentence."""

    async def run_tts(self, text: str, context_id: str):
        """After 200 ms, all of it."""
        await asyncio.sleep(0.2)
        half = self.sample_rate // 400
        wave = (b"\x00\x20" * half + b"\x00\xe0" * half) * round(200 * CHUNK)
        for _ in range(round(ANSWER / CHUNK)):
            yield TTSAudioRawFrame(wave, self.sample_rate, 1, context_id=context_id)


def application(*, model: float = 0.35) -> FastAPI:
    """The app: `/rtvi` speaks protobuf with RTVI in it, `/twilio` Media Streams."""
    app = FastAPI()

    @app.websocket("/rtvi")
    async def rtvi(websocket: WebSocket) -> None:
        await websocket.accept()
        await talk(websocket, ProtobufFrameSerializer(), model=model)

    @app.websocket("/twilio")
    async def twilio(websocket: WebSocket) -> None:
        await websocket.accept()
        words = websocket.iter_text()
        await anext(words)
        start = json.loads(await anext(words))
        serializer = TwilioFrameSerializer(
            start["streamSid"], params=TwilioFrameSerializer.InputParams(auto_hang_up=False)
        )
        await talk(websocket, serializer, model=model, rate=8_000)

    return app


async def talk(websocket: WebSocket, serializer, *, model: float, rate: int | None = None) -> None:
    """Run a pipeline until the client goes."""
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=serializer),
    )
    aggregators = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=Ears(),
            user_turn_strategies=UserTurnStrategies(
                stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.1)]
            ),
        ),
    )
    pipeline = Pipeline(
        [
            transport.input(),
            SpeechToText(settings=STTSettings(model=None, language=None), ttfs_p99_latency=0.4),
            aggregators.user(),
            Model(seconds=model),
            TextToSpeech(
                push_start_frame=True,
                push_stop_frames=True,
                settings=TTSSettings(model=None, voice=None, language=None),
            ),
            transport.output(),
            aggregators.assistant(),
        ]
    )
    params = PipelineParams(audio_in_sample_rate=rate or 16_000, audio_out_sample_rate=rate or 24_000)
    worker = PipelineWorker(pipeline, params=params)
    runner = WorkerRunner(handle_sigint=False)

    @transport.event_handler("on_client_disconnected")
    async def gone(_transport, _websocket) -> None:
        await worker.cancel()

    await runner.add_workers(worker)
    await runner.run()
