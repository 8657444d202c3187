"""The voice agent of the reference server: it hears turns, and answers them as its pipeline says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from ...core.timeline.close import LocalReason
from ...core.timeline.events import End, Role
from ...core.voice.agent_record import AgentRecord, AgentTurn, StageRun
from ...core.voice.pipeline import Pipeline
from ...core.voice.sound import noise
from ...core.voice.stage_faults import (
    BlocksLoop,
    BlocksReading,
    Crashes,
    DropsAudio,
    Floods,
    MixesSessions,
    ReordersAudio,
    Slow,
    StageFault,
    StageName,
    Stalled,
)
from ...profiles import Audio, BadAudio, Spoken, Unwritable, VoiceRole
from ...profiles.placeholders import Unsaid
from ..connection import Connection
from ..errors import ConnectionEnded
from .protocol_faults import SOMEBODY_ELSE

# Seconds of audio in a message (pipecat: four chunks of 10 ms; many send 100 ms).
CHUNK = 0.1
# A transcript of what was heard so far goes out this often, and a token.
PARTIAL_EVERY, TOKEN_EVERY, TOKENS = 0.5, 0.04, 10
# A piece of speech is waited for so many times as long as the one before it plays.
_LATE_BY = 1.5
# Frames of 20 ms in a chunk.
_FRAMES = 5
# Messages that are no audio, and are kept.
_MALFORMED = 8
_EARLY = 1e-6
# Members of an enum, looked up once, for the way that each frame of audio takes.
_DATA, _CLIENT, _SPEECH = Role.DATA, End.CLIENT, VoiceRole.SPEECH


class StageCrashed(Exception):
    """A stage raised, on purpose."""

    def __init__(self, name: StageName, fault: Crashes) -> None:
        super().__init__(f"{name.value} raised, by {fault!r}")
        self.fault = fault


@dataclass(slots=True)
class Dialogue:
    """What an agent remembers of a session, over all of its connections."""

    record: AgentRecord = field(default_factory=AgentRecord)
    # Turns so far, and chunks of audio.
    turns: int = 0
    chunks: int = 0
    # A turn that was heard and is not answered yet; None between turns.
    open: AgentTurn | None = None


class Agents(Protocol):
    """The agents of one server, as far as one of them knows the others."""

    pipeline: Pipeline
    audio: Audio
    # Keeps the server's event loop for so many seconds.
    block: Callable[[float], object]

    def dialogue(self, session_id: str | None) -> tuple[Dialogue, bool]:
        """That of a session, and whether it was known."""

    def failed(self, error: BaseException) -> None:
        """Something raised that nobody asked for."""


class Agent:
    """One connection's agent: no task of its own while it listens, one while it answers."""

    def __init__(self, agents: Agents, connection: Connection) -> None:
        self._agents = agents
        self._pipeline, self._audio = agents.pipeline, agents.audio
        self._websocket = connection.websocket
        self._words = connection.websocket.profile.words
        self._loop = connection.websocket.loop
        # None until the client has said which session it is, or has spoken.
        self._dialogue: Dialogue | None = None
        # Of the user's turn: seconds of speech, when it has ended unless more comes, a timer that looks then.
        self._loud = 0.0
        self._stops_at = 0.0
        self._vad: asyncio.TimerHandle | None = None
        # Whether silence ends a turn.
        self._listens = self._audio.endpointing or not self._audio.has(VoiceRole.SPEECH_END)
        self._partial_at = 0.0
        # The answer that is given; None while none is, with what it will still say.
        self._answer: asyncio.Task[None] | None = None
        self._tokens: list[asyncio.TimerHandle] = []
        self._websocket.messages.listener = self._hear

    @property
    def record(self) -> AgentRecord | None:
        """What it knows of the session's turns; None before the first."""
        return None if self._dialogue is None else self._dialogue.record

    def part(self, part: Callable[[], None]) -> None:
        """The client goes: its speech has ended, and what was said is answered first."""
        self._speech_ended(self._loop.time())
        if self._answer is None:
            part()
        else:
            self._answer.add_done_callback(lambda _: part())

    def stop(self) -> None:
        """The connection has ended."""
        self._cancel()
        if self._vad is not None:
            self._vad.cancel()
            self._vad = None
        self._websocket.messages.listener = None

    # Listening.

    def _hear(self, now: float, payload: str | bytes, role: Role) -> bool:
        if role is _DATA:
            self._take(now, payload)
        elif role is Role.SESSION_INFO:
            self._join()
            if self._audio.has(VoiceRole.MANUAL):
                self._take(now, payload)
        return True

    def _join(self) -> Dialogue:
        """Take the session's dialogue up; a turn that was cut before its answer is answered now."""
        if self._dialogue is not None:
            return self._dialogue
        self._dialogue, known = self._agents.dialogue(self._websocket.conversation.session_id)
        cut = self._dialogue.open
        if known and cut is not None and cut.heard_until is not None:
            self._begin_answer(cut)
        return self._dialogue

    def _take(self, now: float, payload: str | bytes) -> None:
        try:
            spoken = self._audio.read(self._words.as_json_text(payload), _CLIENT)
        except BadAudio as exc:
            malformed = self._join().record.malformed
            if len(malformed) < _MALFORMED:
                malformed.append(str(exc))
            return
        if spoken is None:
            return
        if spoken.role is _SPEECH:
            self._speech(now, spoken)
        elif spoken.role is VoiceRole.SPEECH_END:
            self._speech_ended(now)
        elif spoken.role is VoiceRole.MANUAL:
            self._listens = False
        elif spoken.role is VoiceRole.INTERRUPT:
            self._interrupt()

    def _speech(self, now: float, spoken: Spoken) -> None:
        if not self._audio.format.is_loud(spoken.audio):
            self._loud = 0.0
            return
        dialogue = self._join()
        turn = dialogue.open
        if turn is None or (turn.heard_until is not None and self._begins_anew(spoken)):
            turn = self._begin_turn(now, dialogue)
        elif turn.heard_until is not None:
            return
        seconds = self._audio.format.seconds(len(spoken.audio))
        self._loud += seconds
        # What is spoken in large pieces comes as seldom: the next may be late by half of one.
        self._stops_at = now + max(self._pipeline.vad_stop, _LATE_BY * seconds)
        if now >= self._partial_at - _EARLY:
            self._partial_at += PARTIAL_EVERY
            self._later(self._pipeline.stt.delay, VoiceRole.PARTIAL, turn)
        if self._vad is None and self._listens:
            self._vad = self._loop.call_at(self._stops_at, self._look)

    def _begin_turn(self, now: float, dialogue: Dialogue) -> AgentTurn:
        dialogue.turns += 1
        turn = AgentTurn(dialogue.turns, now)
        dialogue.record.turns.append(turn)
        if self._listens:
            self._say(VoiceRole.SPEECH_STARTED, turn)
        self._interrupt()
        dialogue.open = turn
        self._loud, self._partial_at = 0.0, now + PARTIAL_EVERY
        return turn

    def _begins_anew(self, spoken: Spoken) -> bool:
        """Whether there is so much speech that the user speaks over the answer."""
        self._loud += self._audio.format.seconds(len(spoken.audio))
        return self._loud >= self._pipeline.vad_start - _EARLY

    def _look(self) -> None:
        """Where nobody says that speech has ended, silence does."""
        self._vad = None
        if self._loop.time() < self._stops_at - _EARLY:
            self._vad = self._loop.call_at(self._stops_at, self._look)
        else:
            self._speech_ended(self._loop.time())

    def _speech_ended(self, now: float) -> None:
        turn = self._join().open
        if turn is not None and turn.heard_until is None:
            turn.heard_until = now
            self._loud = 0.0
            self._begin_answer(turn)

    def _interrupt(self) -> None:
        """Stop the answer that is given, if one is, and say so."""
        dialogue = self._join()
        turn, answering = dialogue.open, self._answer is not None
        self._cancel()
        if turn is not None and turn.heard_until is not None:
            dialogue.open = None
        if answering and turn is not None:
            if turn.audio:
                self._say_all(VoiceRole.ANSWER_SENT, turn)
            self._say(VoiceRole.INTERRUPTED, turn)

    def _cancel(self) -> None:
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
        for timer in self._tokens:
            timer.cancel()
        self._tokens.clear()

    # Answering.

    def _begin_answer(self, turn: AgentTurn) -> None:
        self._answer = task = self._loop.create_task(self._give_answer(turn))
        task.add_done_callback(self._given)

    def _given(self, task: asyncio.Task[None]) -> None:
        if self._answer is task:
            self._answer = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._agents.failed(error)

    async def _give_answer(self, turn: AgentTurn) -> None:
        dialogue = self._join()
        try:
            await self._stage(StageName.STT, turn)
            self._say(VoiceRole.FINAL, turn, text=f"what was said in turn {turn.number}")
            if self._audio.answers:
                self._say_all(VoiceRole.ANSWER_STARTED, turn)
                await self._stage(StageName.AI, turn)
                self._say_tokens(turn)
                await self._stage(StageName.TTS, turn)
                self._say(VoiceRole.ANSWER_TEXT, turn, text="word " * TOKENS)
                await self._say_audio(turn)
                self._say_all(VoiceRole.ANSWER_SENT, turn)
                self._say(VoiceRole.ANSWER_END, turn)
        except StageCrashed as crash:
            for timer in self._tokens:
                timer.cancel()
            if crash.fault.closes:
                self._websocket.start_close(
                    1011, local_reason=LocalReason.HANDLER_RAISED, local_detail=str(crash)
                )
        except ConnectionEnded:
            return
        else:
            turn.done_at = self._loop.time()
        if dialogue.open is turn:
            dialogue.open = None

    async def _stage(self, name: StageName, turn: AgentTurn) -> None:
        """Let a stage work until its first result."""
        stage = self._pipeline.stage(name)
        turn.stages[name] = run = StageRun(self._loop.time())
        chosen = random.Random(f"{self._pipeline.seed} {name.value} {turn.number}")
        seconds = stage.delay + chosen.random() * stage.jitter
        for fault in self._faults(name, turn):
            if isinstance(fault, Slow):
                seconds += fault.by
            elif isinstance(fault, Stalled):
                await self._loop.create_future()
            elif isinstance(fault, Crashes) and name is not StageName.TTS:
                self._crash(name, fault, run)
            elif isinstance(fault, BlocksLoop):
                self._agents.block(fault.seconds)
                run.kept_loop = fault.seconds
                seconds = max(seconds, fault.seconds)
            elif isinstance(fault, BlocksReading):
                seconds = max(seconds, fault.seconds or 0.0)
                run.not_reading = seconds
        if not run.not_reading:
            await asyncio.sleep(seconds)
        else:
            self._stop_reading()
            try:
                await asyncio.sleep(seconds)
            finally:
                self._read_on()
        run.first = self._loop.time()

    def _faults(self, name: StageName, turn: AgentTurn) -> list[StageFault]:
        return [each for each in self._pipeline.stage(name).faults if each.is_in(turn.number)]

    def _crash(self, name: StageName, fault: Crashes, run: StageRun) -> None:
        run.crashed = True
        raise StageCrashed(name, fault)

    def _stop_reading(self) -> None:
        """As a handler that awaits something else: uvicorn stops after one or two unread messages."""
        timeline = self._websocket.timeline
        assert timeline is not None
        # What stops reading is the server's code, and not the test.
        timeline.deliberately_stalled = True
        self._websocket.pause_reading()

    def _read_on(self) -> None:
        timeline = self._websocket.timeline
        assert timeline is not None
        timeline.deliberately_stalled = False
        self._websocket.resume_reading()

    def _say_tokens(self, turn: AgentTurn) -> None:
        for index in range(TOKENS):
            self._tokens.append(self._later(index * TOKEN_EVERY, VoiceRole.TOKEN, turn))

    async def _say_audio(self, turn: AgentTurn) -> None:
        """The answer, as fast as it is made."""
        loop, dialogue, faults = self._loop, self._join(), self._faults(StageName.TTS, turn)
        whole, pace = self._length(turn, faults)
        began, first, highest = loop.time(), dialogue.chunks, -1
        for index, place in enumerate(_order(round(whole / CHUNK), faults)):
            sent = index * CHUNK
            for fault in faults:
                if isinstance(fault, Crashes) and sent >= fault.after - _EARLY:
                    self._crash(StageName.TTS, fault, turn.stages[StageName.TTS])
            if place is None:
                turn.dropped += 1
            else:
                turn.reordered += place < highest
                highest = max(highest, place)
                dialogue.chunks = max(dialogue.chunks, first + place + 1)
                self._say_chunk(turn, faults, place, first + place + 1)
            turn.audio = sent + CHUNK
            turn.ahead = max(turn.ahead, turn.audio - (loop.time() - began))
            if pace:
                await asyncio.sleep(began + (index + 1) * pace - loop.time())
                await self._websocket.drain()

    def _length(self, turn: AgentTurn, faults: list[StageFault]) -> tuple[float, float]:
        """Seconds of the answer, and between two chunks of it."""
        for fault in faults:
            if isinstance(fault, Floods):
                return fault.seconds, 0.0
        pipeline = self._pipeline
        chosen = random.Random(f"{pipeline.seed} answer {turn.number}")
        return max(CHUNK, chosen.uniform(*pipeline.answer)), CHUNK / (pipeline.tts.rate or 1.0)

    def _say_chunk(self, turn: AgentTurn, faults: list[StageFault], place: int, number: int) -> None:
        frames = noise(self._pipeline.seed, self._audio.down)
        at = place * _FRAMES % len(frames)
        audio = b"".join(frames[at : at + _FRAMES])
        session_id = self._websocket.conversation.session_id
        if any(isinstance(each, MixesSessions) for each in faults):
            session_id = SOMEBODY_ELSE
        self._say(VoiceRole.ANSWER, turn, audio=audio, number=number, session_id=session_id)

    def _later(self, seconds: float, role: VoiceRole, turn: AgentTurn) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, self._say, role, turn)

    def _say(
        self,
        role: VoiceRole,
        turn: AgentTurn,
        *,
        text: str = "word ",
        audio: bytes = b"",
        number: int = 1,
        session_id: str | None = None,
    ) -> None:
        """Send a message, where the protocol has it."""
        if self._audio.has(role):
            session_id = session_id or self._websocket.conversation.session_id
            with self._written():
                self._send(
                    self._audio.write(
                        role, audio=audio, text=text, turn=turn.number, number=number, session_id=session_id
                    )
                )

    def _say_all(self, role: VoiceRole, turn: AgentTurn) -> None:
        """Send what says that an answer begins, or is sent."""
        with self._written():
            self._send(*self._audio.write_sequence(role, turn=turn.number))

    @contextmanager
    def _written(self) -> Iterator[None]:
        """What a function does not say is left out; what it raises is raised when the server stops."""
        try:
            yield
        except Unsaid:
            return
        except Unwritable as exc:
            self._agents.failed(exc)

    def _send(self, *payloads: str | bytes) -> None:
        websocket = self._websocket
        for payload in payloads if websocket.is_open else ():
            heard = websocket.conversation.read_own(payload)
            websocket.send_message(payload, heard.role, key=heard.key)


def _order(count: int, faults: list[StageFault]) -> list[int | None]:
    """Which chunk goes out when, by its place in the answer; None for one that is lost."""
    order: list[int | None] = list(range(count))
    for fault in faults:
        if isinstance(fault, DropsAudio):
            for index in range(fault.every - 1, count, fault.every):
                order[index] = None
        elif isinstance(fault, ReordersAudio):
            for index in range(fault.every - 1, count - 1, fault.every):
                order[index], order[index + 1] = order[index + 1], order[index]
    return order
