"""The user of a voice agent: speaks in turns over one connection after the other, and listens."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from ...core.call_summary import Turn
from ...core.duration import Duration, parse_duration
from ...core.duration import show_duration as show
from ...core.timeline.close import LocalReason
from ...core.timeline.events import Direction, End, Role
from ...core.timeline.timeline import Timeline
from ...core.voice.audio import FRAME, AudioFormat
from ...core.voice.call import Call
from ...core.voice.script import Script, ScriptKeywords, ScriptTurn
from ...core.voice.sound import WrongSound, frames_of_wav, noise, wav_of
from ...profiles import NUMBER, SESSION_ID, TURN, Audio, BadAudio, Say, Spoken, VoiceRole
from ...profiles.catalogue import audio_of
from ...profiles.near_miss import why_not
from ..client_side import ClientSide
from ..connection import Connection
from ..waiters import Changes
from .microphone import Microphone, say

# The close code of an agent that hangs up: the purpose is fulfilled (RFC 6455, section 7.4.1).
HANGS_UP = 1000
# What may say something of the conversation too: an error may end its turn.
_MAY_SPEAK = (Role.DATA, Role.HEARTBEAT, Role.ERROR)
_EARLY = 1e-6
# Seconds in which an answer follows what an agent only said while the user spoke ("mm-hm"), if one does.
_FOLLOWS = 5.0


class CallTimeout(TimeoutError):
    """An agent did not answer, or did not end its answer, in time."""


class Caller:
    """
    A user who speaks to a voice agent over an open connection, and hears what it says.

    Attributes:
        connection: the present one.
        lost: what both ends of each connection before it saw, up to its loss.
        call: what happened, over all connections.
        audio: the messages of the protocol.
        received: the agent's audio, where it is kept; None where it is not.
        origin: the reading of the loop's clock from which instants count: the first opening handshake.

    """

    def __init__(
        self,
        connection: Connection,
        *,
        silence: str = "sent",
        seed: int = 0,
        sound: str | Path | None = None,
        keep_audio: bool = False,
        starts: bool = True,
    ) -> None:
        """
        A caller who says nothing yet.

        Args:
            connection: open, its session confirmed.
            silence: frames are "sent" while nobody speaks, or "withheld".
            seed: of the noise.
            sound: a WAV file to speak in its place: mono, 16 bit, the profile's rate.
            keep_audio: keep the agent's audio, for `wav`.
            starts: the microphone is on at once, and not with `start`.

        Raises:
            ValueError: for a protocol without audio, or whose speech can only be read, and a file that cannot
                be spoken, naming it.

        """
        self.connection = connection
        self.lost: list[Sequence[Timeline]] = []
        self.audio = audio_of(connection.websocket.profile)
        connection.websocket.profile.check_spoken_by(End.CLIENT)
        self._words = connection.websocket.profile.words
        tells = silence == "sent" or self.audio.has(VoiceRole.SPEECH_END)
        self.call = Call(
            answers=self.audio.answers, transcribes=self.audio.has(VoiceRole.FINAL), tells_end=tells,
            plays_on=self.audio.plays_on, ends_by_quiet=self.audio.answer_quiet is not None,
            rate=self.audio.down.rate,
        )  # fmt: skip
        # Answers to heartbeats that go out when the audio before them is played: when, and what.
        self._marks: list[tuple[float, Say]] = []
        self.received: list[bytes] | None = [] if keep_audio else None
        self._loop = connection.websocket.loop
        self.origin = connection.timeline.opened
        self._frames = (
            noise(seed, self.audio.format) if sound is None else read_sound(Path(sound), self.audio.format)
        )
        self._is_file = sound is not None
        # Between two connections, by its own wish.
        self._is_away = False
        self._changes = Changes()
        self._ends: asyncio.Task[None] | None = None
        # Looks whether an answer has come to its end, where nobody says so.
        self._quiet: asyncio.TimerHandle | None = None
        self._microphone = Microphone(
            self.audio, self.call, self._loop, origin=self.origin, sends_silence=silence == "sent",
            spoken=self._spoken,
        )  # fmt: skip
        if starts:
            self.start()

    def start(self) -> None:
        """Switch the microphone on, and listen."""
        self._attach(self.connection)

    def _attach(self, connection: Connection) -> None:
        self.connection = connection
        connection.websocket.messages.listener = self._hear
        self._marks.clear()
        endpoint = connection.websocket.endpoint
        if self.audio.plays_on and isinstance(endpoint, ClientSide):
            endpoint.later = self._after_playing
        self._ends = self._loop.create_task(self._watch(connection))
        self._microphone.attach(connection.websocket)

    async def _watch(self, connection: Connection) -> None:
        await connection.websocket.wait_over()
        close = connection.timeline.close
        if self._quiet is not None and close is not None and close.code == HANGS_UP:
            self.call.fell_quiet(self.now)
        self._changes.tell()

    async def stop(self) -> None:
        """Say nothing any more; the connection stays as it is."""
        self.call.over(self.now)
        self._microphone.detach()
        self.connection.websocket.messages.listener = None
        self._marks.clear()
        if self._quiet is not None:
            self._quiet.cancel()
        if self._ends is not None:
            self._ends.cancel()
            await asyncio.gather(self._ends, return_exceptions=True)

    @property
    def now(self) -> float:
        """Seconds since the opening handshake of the first connection."""
        return self._loop.time() - self.origin

    # Hearing.

    def _hear(self, now: float, payload: str | bytes, role: Role) -> bool:
        at = now - self.origin
        if role is Role.HEARTBEAT_ANSWER:
            self._answered(at)
            return True
        if role not in _MAY_SPEAK:
            return True
        payload, size = self._words.as_json_text(payload), len(payload)
        try:
            spoken = self.audio.read(payload, End.SERVER)
        except BadAudio as exc:
            self.call.malformed_audio(at, str(exc))
            return True
        if spoken is not None:
            self._take(at, spoken, size)
        elif role is Role.DATA:
            text = payload if isinstance(payload, str) else ""
            self.call.unknown_message(lambda: why_not(_answer_of(self.audio), payload), text)
        return spoken is not None or role is Role.ERROR

    def _answered(self, at: float) -> None:
        timeline = self.connection.websocket.timeline
        assert timeline is not None
        asked = timeline.last(direction=Direction.SENT, role=Role.HEARTBEAT)
        if asked is not None:
            self.call.round_trip(at, at - asked - timeline.opened + self.origin)

    def _take(self, at: float, spoken: Spoken, size: int) -> None:
        call, role = self.call, spoken.role
        silent = role is VoiceRole.ANSWER and self.audio.down.is_silence(spoken.audio)
        says_nothing = role is VoiceRole.PARTIAL or (silent and not call.is_answer(spoken.turn))
        # What is over need not be what is said now.
        ends = role is VoiceRole.ANSWER_END or role is VoiceRole.INTERRUPTED
        if spoken.turn is not None and not says_nothing and not ends:
            call.numbered(at, spoken.turn)
        if role is VoiceRole.ANSWER:
            self._take_audio(at, spoken, size, silent=silent)
        elif role is VoiceRole.PARTIAL or role is VoiceRole.FINAL:
            # Services say each few seconds that they heard nothing.
            call.transcript(at, final=role is VoiceRole.FINAL, is_empty=spoken.is_empty)
        elif role is VoiceRole.TOKEN or role is VoiceRole.ANSWER_TEXT:
            call.token(at)
        elif role is VoiceRole.TOOL_CALL:
            call.tool_called(at)
        elif role is VoiceRole.INTERRUPTED:
            call.interrupted(at)
            self._send_marks(math.inf)
        if (role is VoiceRole.ANSWER_END or spoken.is_last) and not self.audio.plays_on:
            call.turn_done(at, number=spoken.turn)
        self._changes.tell()

    def _take_audio(self, at: float, spoken: Spoken, size: int, *, silent: bool) -> None:
        ours = self.connection.session_id
        if spoken.session_id is not None and ours is not None and spoken.session_id != ours:
            self.call.foreign(at, spoken.session_id)
        seconds = self.audio.down.seconds(len(spoken.audio))
        self.call.audio(
            at, seconds, size=size, sequence=spoken.number, number=spoken.turn,
            data=spoken.audio, silent=silent,
        )  # fmt: skip
        if self.received is not None:
            self.received.append(spoken.audio)
        if self.audio.answer_quiet is not None and self._quiet is None:
            self._look_for_quiet()

    def _look_for_quiet(self) -> None:
        """An answer whose end nobody says is whole when nothing has been heard for a while."""
        self._quiet = None
        dry = self.call.sound_until
        if dry is None:
            return
        over = self.origin + dry + float(self.audio.answer_quiet or 0.0)
        if self._loop.time() < over - _EARLY:
            self._quiet = self._loop.call_at(over, self._look_for_quiet)
        else:
            self.call.fell_quiet(self.now)
            self._changes.tell()

    def _after_playing(self, say: Say) -> bool:
        """Whether a heartbeat of the server waits for audio: it goes back when that is played, or cleared."""
        dry = self.call.playout.dry_at
        if dry is None or dry <= self.now + _EARLY:
            return False
        self._marks.append((dry, say))
        self._loop.call_at(self.origin + dry, self._send_marks)
        return True

    def _send_marks(self, until: float | None = None) -> None:
        until = self.now + _EARLY if until is None else until
        while self._marks and self._marks[0][0] <= until:
            self.connection.websocket.messages.say(self._marks.pop(0)[1])

    def wav(self) -> bytes:
        """
        What the agent said, as a WAV file for a person's ears.

        Raises:
            ValueError: if it was not kept.

        """
        if self.received is None:
            raise ValueError("wav: the agent's audio was not kept; give keep_audio=True")
        return wav_of(self.received, self.audio.down)

    # Waiting.

    async def _until(self, done: Callable[[], bool], until: float | None = None) -> bool:
        """
        Wait until something is so; False when the instant ``until`` of `now` comes first.

        Raises:
            ConnectionEnded: if the connection ends before.

        """
        while not done():
            if self.connection.websocket.is_over and not self._is_away:
                raise self.connection.websocket.ended_error()
            if until is not None and self.now >= until - _EARLY:
                return False
            await self._changes.wait(None if until is None else self.origin + until)
        return True

    # Speaking.

    def _spoken(self) -> None:
        """The last frame of speech has gone out."""
        self.call.speech_ended(self.now)
        for role in (VoiceRole.SPEECH_END, VoiceRole.ASK):
            self._say(role)
        self._changes.tell()

    def _say(self, role: VoiceRole) -> None:
        """Send a message that is no audio, where the protocol has it."""
        websocket, session_id = self.connection.websocket, self.connection.session_id
        if self.audio.has(role) and websocket.is_open:
            say(websocket, lambda: self.audio.write(role, session_id=session_id))

    async def speak(self, duration: Duration | None = None) -> Turn:
        """
        Speak for so long, and say that it was all; gives the turn, which the agent has not answered yet.

        Args:
            duration: how long; None: 3 s, or the whole file.

        Raises:
            ConnectionEnded: if the connection ends before; `reconnect` goes on in the middle of the sentence.
            RuntimeError: if something is being said.

        """
        if self._microphone.is_speaking:
            raise RuntimeError("speak() is already speaking in another task")
        count = len(self._frames)
        if duration is not None and not self._is_file:
            count = max(1, round(parse_duration(duration, "speak") / FRAME))
        elif not self._is_file:
            count = round(3.0 / FRAME)
        turn = self.call.speech_began(self.now)
        self._microphone.speak(self._frames, count)
        await self._finish(turn)
        return turn

    async def _finish(self, turn: Turn) -> None:
        await self._until(lambda: turn.speech_until is not None)

    async def listen(self, *, within: Duration = "30s") -> Turn:
        """
        Hear the answer to its end, and until a player has played it.

        Args:
            within: time for all of it: seconds, or text such as "30s".

        Raises:
            CallTimeout: if it is not whole in time, saying what came of it.
            ConnectionEnded: if the connection ends before.
            RuntimeError: if nothing was said yet.

        """
        turn = await self._turn_once("listen", within, self._is_answered)
        if turn.played_until is not None:
            await self._sleep_until(turn.played_until)
        return turn

    async def _turn_once(self, asking: str, within: Duration, done: Callable[[Turn], bool]) -> Turn:
        """The turn whose answer is waited for, once so much of it has come; see `listen`."""
        turn = self.call.turn
        if turn is None:
            raise RuntimeError(f"{asking}: nothing was said yet; speak() first")
        seconds = parse_duration(within, "within")
        until = self.now + seconds
        is_done = await self._until(lambda: done(turn), until)
        call = self.call
        if call.was_heard_meanwhile(turn, self.now) and await self._until(
            lambda: not call.was_heard_meanwhile(turn, self.now), min(self.now + _FOLLOWS, until)
        ):
            is_done = await self._until(lambda: done(turn), until)
        if not is_done:
            self.call.give_up(self.now)
            raise CallTimeout(_unanswered(turn, seconds))
        return turn

    def _is_answered(self, turn: Turn) -> bool:
        return turn.done_at is not None if self.call.answers else turn.final_at is not None

    async def _sleep_until(self, at: float) -> None:
        await self._until(lambda: self.now >= at - _EARLY, at)

    async def barge_in(
        self, duration: Duration | None = None, *, after: Duration = "500ms", within: Duration = "30s"
    ) -> Turn:
        """
        Speak over the answer; gives the new turn.

        Args:
            duration: how long, as for `speak`.
            after: so long after the first audio of the answer.
            within: time for that first audio.

        Raises:
            CallTimeout: if there is no audio in time.
            ConnectionEnded: if the connection ends before.
            RuntimeError: if nothing was said yet.

        """
        turn = await self._turn_once("barge_in", within, lambda turn: turn.audio_at is not None)
        assert turn.audio_at is not None
        await self._sleep_until(turn.audio_at + parse_duration(after, "after", zero=True))
        if turn.done_at is None:
            self._say(VoiceRole.INTERRUPT)
        return await self.speak(duration)

    async def idle(self, duration: Duration) -> None:
        """Say nothing for so long: frames of silence or none, as the caller was told."""
        await self._sleep_until(self.now + parse_duration(duration, "idle", zero=True))

    def mute(self) -> None:
        """Send no frame at all from now on, whatever is said."""
        self._microphone.is_muted = True

    def unmute(self) -> None:
        """Send frames again."""
        self._microphone.is_muted = False

    async def reconnect(self, *, within: Duration = "10s") -> Connection:
        """
        Lose the connection, if it is there, as a phone does that changes its network, and open another.

        The session is the same, numbers go on, and what is being said is said to its end.

        Raises:
            OpeningError: if none opened in time.

        """
        lost, self._is_away = self.now, True
        self._microphone.detach()
        websocket = self.connection.websocket
        self.lost.append([each.sealed() for each in self.connection.timelines])
        if websocket.is_open:
            websocket.drop(LocalReason.FAULT, "the caller changed its network", planned=True)
        await websocket.wait_ended()
        websocket.messages.listener = None
        try:
            again = await self.connection.reconnect(within=within)
            if again.websocket.profile.has_session:
                await again.websocket.wait_session(self._loop.time() + parse_duration(within, "within"))
            self.call.came_back(lost, self.now)
            self._attach(again)
        finally:
            self._is_away = False
            self._changes.tell()
        return again

    async def converse(self, script: Script | None = None, **keywords: Unpack[ScriptKeywords]) -> None:
        """
        Speak and listen, turn after turn.

        Args:
            script: how; None: as the keywords say, for as long as the task lives.
            keywords: those of a `Script`.

        Raises:
            CallTimeout: at the first turn that is not answered.
            ConnectionEnded: if the connection ends before.

        """
        script = Script(**keywords) if script is None else script
        interrupts: float | None = None
        for turn in script:
            if interrupts is not None:
                await self.barge_in(turn.speech, after=interrupts, within=script.answer_within)
            else:
                await self._sleep_until(self._heard_until + turn.pause)
                await self._hear_greeting(turn.pause, script.answer_within)
                await self._speak(turn)
            interrupts = turn.interrupted_after if self.call.answers else None
            if interrupts is None:
                await self.listen(within=script.answer_within)

    @property
    def _heard_until(self) -> float:
        """When the last answer was played, which may be a while ago where silence had to tell; else now."""
        turn = self.call.turn
        return self.now if turn is None or turn.played_until is None else turn.played_until

    async def _hear_greeting(self, pause: float, within: float) -> None:
        """Let an agent that greets have its say, as people do, and speak so long after it."""
        until = self.now + within
        while (over := self.call.greeting_until) is not None and self.now < min(over + pause, until) - _EARLY:
            await self._sleep_until(min(over + pause, until))

    async def _speak(self, turn: ScriptTurn) -> None:
        if not turn.reconnects:
            await self.speak(turn.speech)
            return
        speaking = self._loop.create_task(self.speak(turn.speech))
        try:
            await self.idle(turn.speech / 2)
            await self.reconnect()
            await speaking
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)


def _answer_of(audio: Audio) -> Any:
    """The message that carries an answer, but for what servers may leave out of it."""
    said = audio.answer or audio.final
    message = said[0] if isinstance(said, tuple) else said
    if not isinstance(message, Mapping):
        return message
    return {name: value for name, value in message.items() if value not in (SESSION_ID, TURN, NUMBER)}


def read_sound(path: Path, form: AudioFormat) -> tuple[bytes, ...]:
    """
    The frames of a WAV file.

    Raises:
        WrongSound: if it is not there, or cannot be spoken, naming it.

    """
    try:
        return frames_of_wav(path.read_bytes(), form, str(path))
    except OSError as exc:
        raise WrongSound(f"{path}: {exc.strerror}") from None


def _unanswered(turn: Turn, seconds: float) -> str:
    if turn.audio_at is None:
        return f"turn {turn.number}: no audio came within {show(round(seconds, 3))}"
    last = show(round(turn.audio_until or turn.audio_at, 3))
    return (
        f"turn {turn.number}: the answer was not ended within {show(round(seconds, 3))}; "
        f"{show(round(turn.audio_seconds, 3))} of audio came, the last at {last}"
    )
