"""Speech in a protocol: which messages carry audio, transcripts and the turns of a spoken conversation."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from ..core.duration import Duration, parse_duration
from ..core.number import is_whole
from ..core.timeline.events import End
from ..core.voice.audio import AudioFormat
from .message_index import MessageIndex
from .messages import Codec, wordings
from .placeholders import SAMPLE, Unsaid, Unwritable, Values
from .wording import Parsed, Wording
from .words import Messages, weight

# Characters of a message with audio that are looked at: 10 s of 24 kHz in base64.
LONGEST = 2**20
# Frames of speech whose messages are kept: silence, and noise that begins again each two seconds. To find
# one is a fifth of what it takes to read or to write it (measured).
_KEPT = 256

# What the files begin with that speech services and browsers give where nobody asked for bare samples. Random
# samples begin so once in half a year of 20 ms frames.
_FILES = {
    b"\x1aE\xdf\xa3": "WebM",
    b"RIFF": "WAV",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"ID3\x03": "MP3",
    b"ID3\x04": "MP3",
}

K = TypeVar("K")
V = TypeVar("V")

# A binary message that is audio and nothing else.
RAW = Codec(
    lambda message: {"audio": message} if isinstance(message, bytes) else None,
    lambda values: values["audio"],
    names=("audio",),
)


class VoiceRole(Enum):
    """What a message of a spoken conversation is for; the value is the field of `Audio` that has it."""

    SPEECH = "speech"
    SPEECH_END = "speech_end"
    MANUAL = "manual"
    ASK = "ask"
    INTERRUPT = "interrupt"
    SPEECH_STARTED = "speech_started"
    # Where one message may be both, it is this: a text of which a part is final yet.
    FINAL = "final"
    PARTIAL = "partial"
    ANSWER_STARTED = "answer_started"
    TOKEN = "token"
    ANSWER_TEXT = "answer_text"
    TOOL_CALL = "tool_call"
    ANSWER = "answer"
    ANSWER_SENT = "answer_sent"
    ANSWER_END = "answer_end"
    INTERRUPTED = "interrupted"

    # That of `Enum` is a function in Python, and each message is looked up by its role.
    __hash__ = object.__hash__


# Looked up once, for the way that each frame of audio takes.
_CLIENT = End.CLIENT

_OF_CLIENT = (
    VoiceRole.SPEECH, VoiceRole.SPEECH_END, VoiceRole.MANUAL, VoiceRole.ASK, VoiceRole.INTERRUPT,
)  # fmt: skip
# Neither the caller nor the reference agent says these by themselves.
_UNSENT = (VoiceRole.MANUAL, VoiceRole.TOOL_CALL)
_AUDIO = (VoiceRole.SPEECH, VoiceRole.ANSWER)
_SEQUENCES = (VoiceRole.ANSWER_STARTED, VoiceRole.ANSWER_SENT)


class AudioEnvelope(NamedTuple):
    """
    What stands around the audio of a message that carries nothing else, as a page writes it.

    Fifty of them come each second: parsing their JSON took half of what one cost (measured).

    """

    before: str
    behind: str

    @classmethod
    def of(cls, each: Wording | None) -> AudioEnvelope | None:
        """That of a message; None for one that has to be parsed."""
        if each is None or each.is_function or each.names != {"audio"}:
            return None
        before, mark, behind = str(each.write({"audio": "?"})).partition('"?"')
        return cls(f'{before}"', f'"{behind}') if mark else None

    def audio(self, payload: str | bytes) -> str | None:
        """The audio of a message, still in base64; None for another one, or one that is written otherwise."""
        if isinstance(payload, bytes) or not payload.startswith(self.before):
            return None
        found = payload[len(self.before) : -len(self.behind)]
        return found if payload.endswith(self.behind) and found.isascii() and '"' not in found else None


class BadAudio(ValueError):
    """A message that should carry audio and does not."""


class Spoken(NamedTuple):
    """What one message of a spoken conversation says; None where it does not."""

    role: VoiceRole
    audio: bytes = b""
    # The session that it names, the number of the turn, and of the chunk of audio.
    session_id: str | None = None
    turn: int | None = None
    number: int | None = None
    # Of a transcript, whether it has no words.
    is_empty: bool = False
    # Of audio of an answer, whether the same message says that the answer is whole.
    is_last: bool = False


@dataclass(frozen=True, kw_only=True)
class Audio:
    """
    The messages of a spoken conversation, as those of a `Profile`; None where there is no such message.

    `AUDIO` stands for the audio (base64 in JSON; bytes where a `Codec` reads and writes), `TEXT` for a
    transcript or a token, `TURN` for the number of the turn and `NUMBER` for that of a chunk of audio (in the
    whole call, or in its answer), both of which a server may leave out. `RAW` is a binary message that is
    audio and nothing else.

    Raises:
        ValueError: for a message that makes no sense, or one that is missing, naming it.

    """

    # Client to server: mono, in frames of 20 ms.
    format: AudioFormat = dataclasses.field(default_factory=AudioFormat)
    # Server to client; None: the same.
    answer_format: AudioFormat | None = None

    # Client to server: a frame of audio; the user has ended (None: the server listens for silence); an answer
    # is wanted; the answer should stop.
    speech: Messages = None
    speech_end: Messages = None
    ask: Messages = None
    interrupt: Messages = None
    # The server listens for silence too, though there is a `speech_end`; until the client says `manual`.
    endpointing: bool = False
    manual: Messages = None

    # Server to client, where it listens: the user was heard to begin.
    speech_started: Messages = None
    # Server to client: what was understood so far, and in the end; an answer begins; a piece of it as text,
    # all of its text; a tool is called, with whose result the answer goes on; a piece as audio; no more audio
    # comes, of a broken one either; the answer is whole; it was broken off, because the user spoke.
    partial: Messages = None
    final: Messages = None
    # Several of these are no wordings of one, but come one after the other.
    answer_started: Messages = None
    token: Messages = None
    answer_text: Messages = None
    tool_call: Messages = None
    # None: the server only transcribes.
    answer: Messages = None
    # Several of these come one after the other, too.
    answer_sent: Messages = None
    answer_end: Messages = None
    interrupted: Messages = None
    # Where servers do not say it: an answer is whole when a player has had nothing to play for so long.
    answer_quiet: Duration | None = None
    # The client plays what it has until the server says that the answer is broken off (`interrupted`).
    # An `answer_end` is then no end but a place in the audio; it goes back when what is before it is played.
    plays_on: bool = False

    _written: dict[VoiceRole, Wording] = dataclasses.field(init=False, repr=False, compare=False)
    _sequences: dict[VoiceRole, list[Wording]] = dataclasses.field(init=False, repr=False, compare=False)
    # Of a frame of speech; None where it is no JSON, or carries more.
    around: AudioEnvelope | None = dataclasses.field(init=False, repr=False, compare=False)
    # Messages that are nothing but a frame of speech, by the frame; and what they say, by the message.
    _speech_of: dict[bytes, str | bytes] = dataclasses.field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _spoken_of: dict[str | bytes, Spoken] = dataclasses.field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    # What ends an answer, and may stand in the message of its last audio.
    _ends: list[Wording] = dataclasses.field(init=False, repr=False, compare=False)
    _of_client: MessageIndex[VoiceRole] = dataclasses.field(init=False, repr=False, compare=False)
    _of_server: MessageIndex[VoiceRole] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.speech is None:
            raise ValueError("speech: is None, and nobody could speak")
        if self.answer is None and self.final is None:
            raise ValueError("answer: is None, and so is final, so that nothing would come back")
        if self.manual is not None and self.speech_end is None:
            raise ValueError("speech_end: is None, and after manual nobody would say that speech has ended")
        if self.answer is not None and self.answer_end is None and self.answer_quiet is None:
            raise ValueError(
                "answer_end: is None, and so is answer_quiet: nobody would know when an answer is whole"
            )
        if self.answer_quiet is not None:
            object.__setattr__(self, "answer_quiet", parse_duration(self.answer_quiet, "answer_quiet"))
        fields = {role: wordings(role.value, getattr(self, role.value)) for role in VoiceRole}
        known = [(role, each) for role, several in fields.items() for each in several]
        written = dict(reversed(known))
        object.__setattr__(self, "_written", written)
        sequences = {role: fields[role] for role in _SEQUENCES}
        object.__setattr__(self, "_sequences", sequences)
        ends = _beside_audio(fields[VoiceRole.ANSWER_END], fields[VoiceRole.ANSWER])
        object.__setattr__(self, "_ends", ends)
        object.__setattr__(self, "around", AudioEnvelope.of(written.get(VoiceRole.SPEECH)))
        # Audio first, because most messages are that; then those that fix more of a message.
        known.sort(key=lambda pair: (pair[0] not in _AUDIO, -weight(pair[1].source)))
        ours = [(each, role) for role, each in known if role in _OF_CLIENT]
        object.__setattr__(self, "_of_client", MessageIndex(ours))
        theirs = [(each, role) for role, each in known if role not in _OF_CLIENT]
        object.__setattr__(self, "_of_server", MessageIndex(theirs))

    @property
    def down(self) -> AudioFormat:
        """How the server's audio is written."""
        return self.answer_format or self.format

    @property
    def answers(self) -> bool:
        """Whether the server speaks, and does not only transcribe."""
        return self.answer is not None

    def has(self, role: VoiceRole) -> bool:
        """Whether there is such a message."""
        return role in self._written

    def unwritable(self, end: End) -> str | None:
        """The field of a message that an end has to send and that can only be read; None: there is none."""
        return next(
            (
                role.value
                for role, each in self._written.items()
                if (role in _OF_CLIENT) is (end is _CLIENT) and role not in _UNSENT and not each.is_writable
            ),
            None,
        )

    def names(self, role: VoiceRole) -> frozenset[str]:
        """The placeholders in a message."""
        each = self._written.get(role)
        return frozenset() if each is None else each.names

    def read(self, payload: str | bytes, sender: End) -> Spoken | None:
        """
        What a message of an end says; None if it is no message of a spoken conversation.

        Raises:
            BadAudio: if its audio is none, saying why.

        """
        if sender is _CLIENT and self.around is not None:
            spoken = self._spoken_of.get(payload)
            if spoken is None and (audio := self.around.audio(payload)) is not None:
                spoken = Spoken(VoiceRole.SPEECH, self._decoded(VoiceRole.SPEECH, audio))
                _keep(self._spoken_of, payload, spoken)
            if spoken is not None:
                return spoken
        message = Parsed(payload, longest=LONGEST)
        told = self._of_client if sender is _CLIENT else self._of_server
        for each, role in told.possible(message):
            try:
                values = each.read(message)
            except Exception as exc:
                # The user's function runs here.
                raise BadAudio(f"{role.value} raised {exc!r} for {payload[:40]!r}") from None
            if values is None:
                continue
            if role is not VoiceRole.ANSWER or all(end.read(message) is None for end in self._ends):
                return self._spoken(role, values)
            if not values.get("audio"):
                # ElevenLabs' text to speech ends with "audio": null beside "isFinal": true.
                return self._spoken(VoiceRole.ANSWER_END, {**values, "audio": b""})
            return self._spoken(role, values)._replace(is_last=True)
        return None

    def _spoken(self, role: VoiceRole, values: Values) -> Spoken:
        audio = values.get("audio", b"")
        if role in _AUDIO:
            audio = self._decoded(role, audio)
        return Spoken(
            role, audio, values.get("session_id"), _whole(values.get("turn")), _whole(values.get("number")),
            is_empty="text" in values and not any(map(str.isalnum, str(values["text"] or ""))),
        )  # fmt: skip

    def _decoded(self, role: VoiceRole, audio: Any) -> bytes:
        if isinstance(audio, str):
            try:
                audio = binascii.a2b_base64(audio, strict_mode=True)
            except ValueError as exc:
                raise BadAudio(f"{role.value}: {audio[:40]!r} is no base64: {exc}") from None
        if not isinstance(audio, bytes):
            raise BadAudio(f"{role.value}: {str(audio)[:40]!r} is no audio")
        if role is VoiceRole.ANSWER:
            _check_samples(audio)
        form = self.format if role is VoiceRole.SPEECH else self.down
        if len(audio) % form.encoding.width:
            raise BadAudio(f"{role.value}: {len(audio)} bytes are no whole samples of {form}")
        return audio

    def write_speech(self, audio: bytes, *, session_id: str | None = None, number: int = 1) -> str | bytes:
        """
        A frame of speech, as text or bytes.

        Raises:
            Unwritable: if it can't be written.

        """
        written = self._speech_of.get(audio)
        if written is None:
            written = self.write(VoiceRole.SPEECH, audio=audio, session_id=session_id, number=number)
            # A function that names nothing may count, or hold audio back.
            if self.names(VoiceRole.SPEECH) == {"audio"}:
                _keep(self._speech_of, audio, written)
        return written

    def write(
        self,
        role: VoiceRole,
        *,
        audio: bytes = b"",
        text: str = "",
        session_id: str | None = None,
        turn: int = 1,
        number: int = 1,
    ) -> str | bytes:
        """
        A message, as text or bytes.

        Raises:
            Unwritable: if there is no such message, or it can't be written.

        """
        each = self._written.get(role)
        if each is None:
            raise Unwritable(f"there is no message for {role.value}")
        carried = audio if each.is_function else base64.b64encode(audio).decode()
        values = {"audio": carried, "text": text, "session_id": session_id, "number": number}
        return _write(each, role, {**values, **_of_turn(turn)})

    def write_sequence(self, role: VoiceRole, *, turn: int) -> list[str | bytes]:
        """
        What says that an answer begins, or is sent, message after message; none where nobody says it.

        Raises:
            Unwritable: if one of them can't be written.

        """
        written: list[str | bytes] = []
        for each in self._sequences[role]:
            with suppress(Unsaid):
                written.append(_write(each, role, _of_turn(turn)))
        return written


def _beside_audio(ends: list[Wording], answers: list[Wording]) -> list[Wording]:
    """
    What says of an answer's audio that it is the last, as far as data tells: a function may find it in audio.

    Not what is true of all audio: the same message without audio may be the end.

    """
    if any(each.is_function for each in answers):
        return []
    usual = [Parsed(each.write({**SAMPLE, **_of_turn(7), "audio": "AAAA", "number": 7})) for each in answers]
    return [
        end for end in ends if not end.is_function and all(end.read(message) is None for message in usual)
    ]


def _write(each: Wording, role: VoiceRole, values: Values) -> str | bytes:
    """A message, or an error that names what it is for."""
    try:
        return each.write(values)
    except Unsaid:
        raise
    except Unwritable as exc:
        raise Unwritable(f"{role.value}: {exc}") from None


def _of_turn(turn: int) -> Values:
    """The number of a turn, and the names made of it: of the turn, of what was said, and of the answer."""
    return {"turn": turn, "id": f"turn-{turn}", "said": f"item-{2 * turn - 1}", "answer": f"item-{2 * turn}"}


def _check_samples(audio: bytes) -> None:
    """
    See that a chunk of an answer may be samples.

    Raises:
        BadAudio: if it is empty, or the beginning of a file.

    """
    if not audio:
        raise BadAudio(f"{VoiceRole.ANSWER.value}: there is no audio in it")
    for begins, name in _FILES.items():
        if audio.startswith(begins):
            raise BadAudio(f"{VoiceRole.ANSWER.value}: a file ({name}) and not samples alone")


def _keep(known: dict[K, V], key: K, value: V) -> None:
    """Keep one more, and not too many."""
    if len(known) >= _KEPT:
        known.clear()
    known[key] = value


def _whole(value: Any) -> int | None:
    return value if is_whole(value) else None
