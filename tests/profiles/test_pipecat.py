"""Pipecat's frames, as pipecat-ai 1.14 wrote them, and our own."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.profiles import VoiceRole
from pytest_wsstability.profiles.audio import BadAudio
from pytest_wsstability.profiles.pipecat import PIPECAT, pipecat
from tests.profiles.dialogue import Dialogue

# MessageFrame{data}: a frame as the serializer wrote it.
STOPPED = bytes.fromhex("22360a34") + b'{"label": "rtvi-ai", "type": "bot-stopped-speaking"}'
# AudioRawFrame{id 0, name, four bytes, 24000 a second, one channel}.
ANSWER = bytes.fromhex("120f120141") + bytes.fromhex("1a0401020304") + bytes.fromhex("20c0bb01") + b"\x28\x01"
INTERRUPTION = bytes.fromhex("2a17084c1213496e74657272757074696f6e4672616d652330")


def framed(kind, **data):
    """What the bot says in RTVI."""
    text = json.dumps({"label": "rtvi-ai", "type": kind, "data": data}).encode()
    assert len(text) < 126
    return bytes([0x22, len(text) + 2, 0x0A, len(text)]) + text


def test_the_session_is_rtvis():
    """``client-ready`` and ``bot-ready`` with its id, each in a frame."""
    dialogue = Dialogue(PIPECAT).run(1)

    (_, first, ready), (_, second, bot) = dialogue.said
    assert (first, second) == ("C", "S")
    assert ready[:1] == bot[:1] == b"\x22"
    assert PIPECAT.words.hear(ready, End.CLIENT).role is Role.SESSION_INFO
    assert PIPECAT.words.hear(bot, End.SERVER).role is Role.SESSION_CONFIRMED
    said = [json.loads(message[message.index(b"{") :]) for message in (ready, bot)]
    assert said[0]["id"] == said[1]["id"]


@pytest.mark.parametrize(
    ("payload", "role"),
    [
        (ANSWER, VoiceRole.ANSWER),
        (STOPPED, VoiceRole.ANSWER_END),
        (framed("bot-interrupted"), VoiceRole.INTERRUPTED),
        (framed("user-input", text="x", input_type="transcription", final=True), VoiceRole.FINAL),
        (framed("user-input", text="x", input_type="transcription", final=False), VoiceRole.PARTIAL),
        (framed("user-transcription", text="x", final=True), VoiceRole.FINAL),
        (framed("user-transcription", text="x", final=False), VoiceRole.PARTIAL),
        (framed("bot-llm-text", text="x"), VoiceRole.TOKEN),
        (framed("llm-raw-text", text="x"), VoiceRole.TOKEN),
        # Typed, and so not said.
        (framed("user-input", text="x", input_type="text", final=True), None),
        (framed("user-started-speaking"), None),
        (INTERRUPTION, None),
        # Text, nothing, cut, a number that never ends, a wire type that there is not.
        ('{"label":"rtvi-ai","type":"bot-stopped-speaking"}', None),
        (b"", None),
        (STOPPED[:20], None),
        (b"\x22" + b"\xff" * 12, None),
        (b"\x22\x80", None),
        (b"\x27\x01", None),
        (bytes.fromhex("22020800"), None),
    ],
)
def test_what_a_bot_says(payload, role):
    found = PIPECAT.audio.read(payload, End.SERVER)

    assert (found.role if found else None) is role


def test_samples_come_out_as_they_went_in():
    """Both ways, also where their length takes two bytes."""
    assert PIPECAT.audio.read(ANSWER, End.SERVER).audio == b"\x01\x02\x03\x04"
    frame = bytes(range(256)) * 2 + bytes(128)
    written = PIPECAT.audio.write(VoiceRole.SPEECH, audio=frame)
    assert written[:7] == bytes.fromhex("1288051a800500")
    assert written[-5:] == bytes.fromhex("20807d2801")
    assert PIPECAT.audio.read(written, End.CLIENT).audio == frame


@pytest.mark.parametrize(("size", "length"), [(127, b"\x7f"), (128, b"\x80\x01")])
def test_a_length_of_128_takes_two_bytes(size, length):
    """Seven bits of it stand in each."""
    assert b"\x1a" + length + bytes(size) in PIPECAT.audio.write(VoiceRole.SPEECH, audio=bytes(size))


@pytest.mark.parametrize("other", [b"\x09" + b"\xff" * 8, b"\x0d" + b"\xff" * 4, b"\x08\xff\x01"])
def test_fields_of_fixed_length_are_passed_over(other):
    """Eight bytes, four, and a number."""
    frame = other + bytes.fromhex("1a0401020304")
    payload = bytes([0x12, len(frame)]) + frame

    assert PIPECAT.audio.read(payload, End.SERVER).audio == b"\x01\x02\x03\x04"


@pytest.mark.parametrize(
    ("profile", "payload", "words"),
    [
        (pipecat(answer_rate=8_000), ANSWER, "24000 samples a second in 1 channels; not 8000 in 1"),
        (PIPECAT, ANSWER[:-1] + b"\x02", "24000 samples a second in 2 channels; not 24000 in 1"),
        (PIPECAT, b"\x12\x00", "answer: 'None' is no audio"),
        (PIPECAT, ANSWER[:9], "answer: 'None' is no audio"),
        (PIPECAT, bytes.fromhex("12031a0101"), "answer: 1 bytes are no whole samples of pcm16 at 24 kHz"),
    ],
)
def test_audio_that_is_none(profile, payload, words):
    """Another rate, stereo, no samples, cut, half a sample."""
    with pytest.raises(BadAudio) as caught:
        profile.audio.read(payload, End.SERVER)

    assert words in str(caught.value)


def test_a_bot_with_another_rate():
    profile = pipecat(rate=8_000, answer_rate=8_000, name="telephone")

    assert (profile.name, profile.audio.format.rate, profile.audio.down.rate) == ("telephone", 8_000, 8_000)
    with pytest.raises(ValueError, match=r"^rate: 96000 samples a second; valid ones: "):
        pipecat(rate=96_000)
