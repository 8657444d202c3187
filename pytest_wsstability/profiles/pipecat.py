"""
Pipecat's WebSocket transport with its ProtobufFrameSerializer: RTVI, and audio beside it, in binary frames.

A message is a ``Frame`` of pipecat's frames.proto: ``audio`` carries 16 bit samples and their rate,
``message`` carries RTVI as JSON text. Nobody says when speech has ended: the bot's own turn detection hears
it. Transcripts, the model's words and audio come back until ``bot-stopped-speaking``.

"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.voice.audio import AudioFormat
from .audio import Audio
from .messages import Codec, wording
from .placeholders import TEXT, Values
from .profile import Profile
from .rtvi import RTVI, rtvi_message
from .wording import Parsed

# Numbers of fields in frames.proto: of Frame, of AudioRawFrame, of MessageFrame.
_AUDIO, _MESSAGE = 2, 4
_SAMPLES, _RATE, _CHANNELS = 3, 4, 5
_DATA = 1
# Wire types of protobuf: a variable-length number, eight bytes, bytes of a given length, four bytes.
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def pipecat(*, rate: int = 16_000, answer_rate: int = 24_000, name: str = "pipecat") -> Profile:
    """
    Pipecat for a bot with rates of its own.

    Args:
        rate: samples a second of what goes up: any that the serializer's frames may name.
        answer_rate: what the bot sends, its ``audio_out_sample_rate``.
        name: of the profile.

    """
    return RTVI.replace(
        name=name,
        title="Pipecat (RTVI and audio in protobuf)",
        specification="https://docs.pipecat.ai/server/services/serializers/introduction",
        session_info=_framed(RTVI.session_info),
        session_confirmed=_framed(RTVI.session_confirmed),
        error=_framed(RTVI.error),
        goodbye=_framed(RTVI.goodbye),
        audio=Audio(
            format=AudioFormat(rate=rate),
            answer_format=AudioFormat(rate=answer_rate),
            speech=_audio(rate),
            # The second of each is that of protocol 1.
            partial=(
                _rtvi("user-input", input_type="transcription", text=TEXT, final=False),
                _rtvi("user-transcription", text=TEXT, final=False),
            ),
            final=(
                _rtvi("user-input", input_type="transcription", text=TEXT, final=True),
                _rtvi("user-transcription", text=TEXT, final=True),
            ),
            token=(_rtvi("bot-llm-text", text=TEXT), _rtvi("llm-raw-text", text=TEXT)),
            answer=_audio(answer_rate),
            answer_end=_rtvi("bot-stopped-speaking"),
            # Said whenever the user begins.
            interrupted=_rtvi("bot-interrupted"),
        ),
        proved_with=("pipecat-ai 1.14 (server)",),
    )


def _rtvi(kind: str, **data: Any) -> Codec:
    return _framed(rtvi_message(kind, **data))


def _framed(template: Any) -> Codec:
    """A message of RTVI, in a frame."""
    inner = wording(template)

    def read(message: Any) -> Mapping[str, Any] | None:
        for number, value in _fields(message):
            if number == _MESSAGE and isinstance(value, bytes):
                text = next((data for field, data in _fields(value) if field == _DATA), b"")
                return inner.read(Parsed(text.decode(errors="replace"))) if isinstance(text, bytes) else None
        return None

    def write(values: Values) -> bytes:
        return _field(_MESSAGE, _field(_DATA, str(inner.write(values)).encode()))

    return Codec(read, write, names=tuple(sorted(inner.names)))


def _audio(rate: int) -> Codec:
    """
    Samples in a frame, of which reading raises ValueError where they are of another rate, or stereo.

    Fifty of them come each second: others are told by their first byte.

    """

    def read(message: Any) -> Mapping[str, Any] | None:
        if not isinstance(message, bytes) or message[:1] != _tag(_AUDIO):
            return None
        frame = next((value for number, value in _fields(message) if number == _AUDIO), b"")
        found = dict(_fields(frame))
        told = found.get(_RATE, rate), found.get(_CHANNELS, 1)
        if told != (rate, 1):
            raise ValueError("{!r} samples a second in {!r} channels; not {} in 1".format(*told, rate))
        return {"audio": found.get(_SAMPLES)}

    def write(values: Values) -> bytes:
        told = _tag(_RATE, _VARINT) + _varint(rate) + _tag(_CHANNELS, _VARINT) + _varint(1)
        return _field(_AUDIO, _field(_SAMPLES, values["audio"]) + told)

    return Codec(read, write, names=("audio",))


# As much of protobuf's encoding (https://protobuf.dev/programming-guides/encoding/) as a frame needs.


def _tag(number: int, wire: int = _BYTES) -> bytes:
    return bytes([number << 3 | wire])


def _field(number: int, value: bytes) -> bytes:
    return _tag(number) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the eighth set."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _fields(message: Any) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a message, by their numbers, in their order; none of what is no message."""
    at = 0
    while isinstance(message, bytes) and at < len(message):
        key, at = _read_varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _read_varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _read_varint(message, at)
        elif wire in (_EIGHT, _FOUR):
            size = 8 if wire == _EIGHT else 4
        else:
            return
        if at + size > len(message):
            return
        yield number, message[at : at + size]
        at += size


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends: beyond the message, if it is cut or has more than 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return 0, len(message) + 1


PIPECAT = pipecat()
