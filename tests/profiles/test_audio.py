"""Which messages carry speech, in each protocol: as tables of what is read, and back."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest

from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.voice.audio import AudioFormat, Encoding
from pytest_wsstability.profiles import (
    ANY,
    AUDIO,
    RAW,
    TURN,
    Audio,
    BadAudio,
    Codec,
    Profile,
    Spoken,
    Unwritable,
    VoiceRole,
)
from pytest_wsstability.profiles.catalogue import SHIPPED, audio_of, find

CLIENT, SERVER = End.CLIENT, End.SERVER
SOUND = b"\x01\x00\x02\x00"
TEXT = base64.b64encode(SOUND).decode()
SPEAKING = (
    "json", "openai-realtime", "deepgram", "deepgram-agent", "twilio", "elevenlabs", "gemini-live", "pipecat",
)  # fmt: skip
Role = VoiceRole
OF_CLIENTS = (Role.SPEECH, Role.SPEECH_END, Role.MANUAL, Role.ASK, Role.INTERRUPT)


def audio(name):
    return audio_of(find(name))


def said(name, sender, message):
    payload = message if isinstance(message, bytes) else json.dumps(message)
    found = audio(name).read(payload, sender)
    return None if found is None else (found.role, found.audio)


@pytest.mark.parametrize(
    ("name", "form", "down"),
    [
        ("json", "pcm16 at 16 kHz", "pcm16 at 16 kHz"),
        ("openai-realtime", "pcm16 at 24 kHz", "pcm16 at 24 kHz"),
        ("deepgram", "pcm16 at 16 kHz", "pcm16 at 16 kHz"),
        ("twilio", "mulaw at 8 kHz", "mulaw at 8 kHz"),
    ],
)
def test_the_format_of_a_profile(name, form, down):
    assert (str(audio(name).format), str(audio(name).down)) == (form, down)


@pytest.mark.parametrize(
    ("name", "sender", "message", "role"),
    [
        ("json", CLIENT, {"type": "audio", "audio": TEXT}, Role.SPEECH),
        ("json", CLIENT, {"type": "speech_end"}, Role.SPEECH_END),
        ("json", SERVER, {"type": "transcript", "final": False, "text": "a"}, Role.PARTIAL),
        ("json", SERVER, {"type": "transcript", "final": True, "text": "a"}, Role.FINAL),
        ("json", SERVER, {"type": "token", "text": "a"}, Role.TOKEN),
        ("json", SERVER, {"type": "audio", "audio": TEXT}, Role.ANSWER),
        ("json", SERVER, {"type": "turn_end"}, Role.ANSWER_END),
        ("json", SERVER, {"type": "turn_end", "turn": 3}, Role.ANSWER_END),
        ("json", SERVER, {"type": "something else"}, None),
        ("openai-realtime", CLIENT, {"type": "input_audio_buffer.append", "audio": TEXT}, Role.SPEECH),
        ("openai-realtime", CLIENT, {"type": "input_audio_buffer.commit"}, Role.SPEECH_END),
        ("openai-realtime", CLIENT, {"type": "response.create"}, Role.ASK),
        ("openai-realtime", CLIENT, {"type": "response.cancel"}, Role.INTERRUPT),
        ("openai-realtime", CLIENT, {"type": "session.update", "session": {"audio": {"input": {
            "turn_detection": None}}}}, Role.MANUAL),
        ("openai-realtime", CLIENT, {"type": "session.update", "session": {"turn_detection": None}},
         Role.MANUAL),
        ("openai-realtime", CLIENT, {"type": "session.update", "session": {"audio": {"input": {
            "turn_detection": {"type": "server_vad"}}}}}, None),
        ("openai-realtime", CLIENT, {"type": "session.update", "session": {"type": "realtime"}}, None),
        ("openai-realtime", SERVER, {"type": "input_audio_buffer.speech_started"}, Role.SPEECH_STARTED),
        ("openai-realtime", SERVER, {"type": "response.created", "response": {"status": "in_progress"}},
         Role.ANSWER_STARTED),
        ("openai-realtime", SERVER, {"type": "response.output_audio.delta", "delta": TEXT}, Role.ANSWER),
        ("openai-realtime", SERVER, {"type": "response.audio.delta", "delta": TEXT}, Role.ANSWER),
        ("openai-realtime", SERVER, {"type": "response.done", "response": {"status": "completed"}},
         Role.ANSWER_END),
        ("openai-realtime", SERVER, {"type": "response.done", "response": {"status": "failed"}},
         Role.ANSWER_END),
        ("openai-realtime", SERVER, {"type": "response.done", "response": {"status": "cancelled"}},
         Role.INTERRUPTED),
        ("deepgram", CLIENT, SOUND, Role.SPEECH),
        ("deepgram", CLIENT, {"type": "KeepAlive"}, None),
        ("deepgram", SERVER,
         {"type": "Results", "is_final": True, "channel": {"alternatives": [{"transcript": "a"}]}},
         Role.FINAL),
        ("deepgram-agent", SERVER, SOUND, Role.ANSWER),
        ("twilio", CLIENT, {"event": "media", "streamSid": "MZ1", "media": {"payload": TEXT}}, Role.SPEECH),
        ("twilio", CLIENT, {"event": "start", "streamSid": "MZ1"}, None),
        ("twilio", SERVER, {"event": "media", "streamSid": "MZ1", "media": {"payload": TEXT}}, Role.ANSWER),
        ("twilio", SERVER, {"event": "mark", "streamSid": "MZ1", "mark": {"name": "1"}}, Role.ANSWER_END),
        ("twilio", SERVER, {"event": "clear", "streamSid": "MZ1"}, Role.INTERRUPTED),
        ("twilio", SERVER, {"event": "other", "media": 1}, None),
    ],
)  # fmt: skip
def test_what_a_message_says(name, sender, message, role):
    """In the protocols' own words; audio comes out as bytes."""
    found = said(name, sender, message)

    assert found == (None if role is None else (role, SOUND if role in (Role.SPEECH, Role.ANSWER) else b""))


@pytest.mark.parametrize(
    ("text", "is_empty"),
    [("", True), (" \n", True), ("...", True), (None, True), ("a", False), ("7", False), ("\u4f60", False)],
)
def test_a_transcript_has_words_or_none(text, is_empty):
    """Spaces and full stops are none: speech to text gives them of silence."""
    found = audio("json").read(json.dumps({"type": "transcript", "final": True, "text": text}), SERVER)

    assert (found.role, found.is_empty) == (Role.FINAL, is_empty)


def test_a_transcript_whose_words_the_profile_does_not_read_has_some():
    """Its coming is all that is known."""
    spoken = Audio(speech=RAW, answer=RAW, answer_end="end", final={"heard": True})

    assert not spoken.read('{"heard":true,"what":""}', SERVER).is_empty


@pytest.mark.parametrize("name", SPEAKING)
def test_what_is_written_is_read_back(name):
    """Every message of every protocol, with its numbers where it has them."""
    spoken = audio(name)
    for role in filter(spoken.has, VoiceRole):
        sender = CLIENT if role in OF_CLIENTS else SERVER
        written = spoken.write(role, audio=SOUND, text="hello", session_id="s-1", turn=3, number=7)
        found = spoken.read(written, sender)

        assert found is not None
        assert found.role is role
        assert found.audio == (SOUND if role in (Role.SPEECH, Role.ANSWER) else b"")
        assert found.session_id in (None, "s-1")
        assert (found.turn in (None, 3), found.number in (None, 7)) == (True, True)


def test_the_story_numbers_what_comes_back():
    """Session, turn and chunk: what belongs to whom, what is lost, what comes twice."""
    spoken = audio("json")
    found = spoken.read(spoken.write(Role.ANSWER, audio=SOUND, session_id="s", turn=2, number=9), SERVER)

    assert (found.session_id, found.turn, found.number) == ("s", 2, 9)


def test_the_other_profiles_have_no_audio():
    assert {name for name in SHIPPED if find(name).audio is not None} == set(SPEAKING)


def test_a_profile_without_audio_is_refused_by_name():
    with pytest.raises(
        ValueError,
        match=r"^profile: 'stomp' has no audio; valid ones: 'json', 'openai-realtime', .*, "
        r"or Profile\.replace\(audio=Audio\(\.\.\.\)\)$",
    ):
        audio("stomp")


def test_an_audio_message_of_its_own():
    """Binary frames with a head of one byte."""
    spoken = Audio(
        speech=Codec(
            lambda message: {"audio": message[1:]} if message[:1] == b"\x01" else None,
            lambda values: b"\x01" + values["audio"],
        ),
        answer=RAW,
        answer_end={"type": "end"},
    )

    assert spoken.write(Role.SPEECH, audio=SOUND) == b"\x01" + SOUND
    assert spoken.read(b"\x01" + SOUND, CLIENT).audio == SOUND
    assert spoken.read(b"\x02" + SOUND, CLIENT) is None
    assert Profile(name="ours", audio=spoken).audio is spoken


@pytest.mark.parametrize(
    ("ends", "is_last"), [({"end": True}, True), ([{"end": True}], False), (lambda message: True, False)]
)
def test_audio_may_be_the_last_of_its_answer(ends, is_last):
    """Gemini's turnComplete may stand beside it; what a function finds may be in the audio."""
    ours = Audio(speech=RAW, answer={"a": AUDIO}, answer_end=ends)
    found = ours.read(json.dumps({"a": TEXT, "end": True}), SERVER)

    assert (found.role, found.audio, found.is_last) == (Role.ANSWER, SOUND, is_last)
    assert not ours.read(json.dumps({"a": TEXT}), SERVER).is_last


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        ({"type": "audio", "a": AUDIO, "turn": TURN}, {"type": "audio"}),
        ({"a": AUDIO, "done": ANY}, {"done": ANY}),
        (lambda message: {"audio": SOUND}, {"type": "audio"}),
    ],
)
def test_what_is_true_of_all_audio_ends_no_answer(answer, ends):
    """The same message without audio does, or a function tells it apart."""
    ours = Audio(speech=RAW, answer=answer, answer_end=ends)

    found = ours.read(json.dumps({"type": "audio", "a": TEXT, "done": True}), SERVER)
    assert (found.role, found.is_last) == (Role.ANSWER, False)


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_end_with_an_empty_place_for_audio_is_an_end(nothing):
    """ElevenLabs: audio is null beside isFinal; without it, audio is missing."""
    ours = Audio(speech=RAW, answer={"a": AUDIO}, answer_end={"end": True})

    assert ours.read(json.dumps({"a": nothing, "end": True}), SERVER) == Spoken(Role.ANSWER_END)
    with pytest.raises(BadAudio, match=r"^answer: "):
        ours.read(json.dumps({"a": nothing, "end": False}), SERVER)


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_place_for_audio_may_be_all_that_tells_the_end(nothing):
    """Nothing else stands in the message."""
    ours = Audio(speech=RAW, answer={"a": AUDIO}, answer_end={"a": nothing})

    assert ours.read(json.dumps({"a": nothing}), SERVER) == Spoken(Role.ANSWER_END)
    assert ours.read(json.dumps({"a": TEXT}), SERVER).role is Role.ANSWER


def test_a_text_that_may_be_partial_and_final_is_final():
    """Soniox and WhisperLive send what is final and what is not in one list: functions have to read it."""
    ours = Audio(speech=RAW, partial=lambda message: True, final=lambda message: "<fin>" in message)

    assert ours.read("hello", SERVER).role is Role.PARTIAL
    assert ours.read("hello <fin>", SERVER).role is Role.FINAL


@pytest.mark.parametrize(
    ("name", "message", "error"),
    [
        ("json", {"type": "audio", "audio": "no base64!"}, r"^answer: 'no base64!' is no base64: "),
        ("json", {"type": "audio", "audio": 7}, r"^answer: '7' is no audio$"),
        ("json", {"type": "audio", "audio": "AA=="},
         r"^answer: 1 bytes are no whole samples of pcm16 at 16 kHz$"),
        ("twilio", {"event": "media", "media": {}}, r"^answer: 'None' is no audio$"),
        ("twilio", {"event": "media", "media": "?"}, r"^answer: 'None' is no audio$"),
    ],
)  # fmt: skip
def test_audio_that_is_none(name, message, error):
    with pytest.raises(BadAudio, match=error):
        said(name, SERVER, message)


def test_a_function_that_raises_is_named():
    spoken = Audio(speech=Codec(lambda message: message["?"], b""), answer=RAW, answer_end="end")

    with pytest.raises(BadAudio, match=r"^speech raised TypeError\(.*\) for 'hello'$"):
        spoken.read("hello", CLIENT)


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ({}, r"^speech: is None, and nobody could speak$"),
        ({"speech": RAW}, r"^answer: is None, and so is final, so that nothing would come back$"),
        (
            {"speech": RAW, "final": "a", "manual": "m"},
            r"^speech_end: is None, and after manual nobody would ",
        ),
        ({"speech": RAW, "answer": RAW}, r"^answer_end: is None, and so is answer_quiet: nobody would know"),
        ({"speech": RAW, "final": 7}, r"^final is 7; give JSON as"),
    ],
)
def test_messages_that_make_no_sense(messages, error):
    with pytest.raises(ValueError, match=error):
        Audio(**messages)


def test_what_a_profile_can_say():
    """Whether it speaks, which messages it has, and what stands in them."""
    assert (audio("json").answers, audio("deepgram").answers) == (True, False)
    assert (audio("json").has(Role.ANSWER), audio("deepgram").has(Role.ANSWER)) == (True, False)
    assert "audio" in audio("json").names(Role.ANSWER)
    assert audio("deepgram").names(Role.ANSWER) == frozenset()


def test_what_there_is_no_message_for():
    with pytest.raises(Unwritable, match=r"^there is no message for answer$"):
        audio("deepgram").write(Role.ANSWER, audio=SOUND)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000])
def test_ten_seconds_of_audio_in_one_message_are_read(rate):
    """Agents send speech as fast as they make it."""
    spoken = Audio(
        format=AudioFormat(Encoding.PCM16, rate), speech={"a": AUDIO}, answer={"a": AUDIO}, answer_end="end"
    )
    sound = bytes(spoken.format.size(10))

    assert spoken.read(spoken.write(Role.ANSWER, audio=sound), SERVER).audio == sound


@pytest.mark.parametrize(("length", "is_read"), [(2**20, True), (2**20 + 1, False)])
def test_a_message_of_more_than_a_mebibyte_is_not_looked_at(length, is_read):
    """Parsing it would hold up the loop."""
    found = audio("json").read('{"type":"turn_end"}'.ljust(length), SERVER)

    assert (found is not None) is is_read


def test_turns_and_chunks_are_counted_from_one():
    """What is written without a number is the first."""
    found = audio("json").read(audio("json").write(Role.ANSWER, audio=SOUND), SERVER)
    first = audio("twilio").write_speech(SOUND, session_id="MZ1", number=1)

    assert (found.turn, found.number) == (1, 1)
    assert audio("twilio").write_speech(SOUND, session_id="MZ1") == first


AROUND = audio("json").around


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ('{"type":"audio","audio":"AAAA"}', "AAAA"),
        ('{"type":"audio","audio":""}', ""),
        # Written otherwise, or with more in it: it has to be parsed.
        ('{"type": "audio", "audio": "AAAA"}', None),
        ('{"type":"audio","audio":"AAAA","more":"x"}', None),
        ('{"type":"audio","audio":"AA\\u0041A"}', "AA\\u0041A"),
        ('{"type":"audio","audio":7}', None),
        ('{"type":"audio","audio":"AAAA"', None),
        (b'{"type":"audio","audio":"AAAA"}', None),
        ('{"type":"speech_end"}', None),
    ],
)
def test_frames_as_a_page_writes_them_are_not_parsed(payload, found):
    """Fifty a second; what looks otherwise is parsed as every message."""
    assert AROUND.audio(payload) == found


@pytest.mark.parametrize("name", ["json", "openai-realtime"])
def test_a_frame_is_read_the_same_however_it_is_written(name):
    """With spaces, or members in another order."""
    spoken = audio(name)
    compact = spoken.write(Role.SPEECH, audio=SOUND)
    members = json.loads(compact)
    others = [
        json.dumps(members),
        json.dumps(dict(reversed(members.items()))),
        json.dumps({**members, "x": 1}),
    ]

    assert spoken.around is not None
    assert [spoken.read(each, CLIENT) for each in (compact, *others)] == [spoken.read(compact, CLIENT)] * 4
    for each in (compact, *others):
        assert find(name).words.hear(each, CLIENT).role.name == "DATA"


@pytest.mark.parametrize("name", ["twilio", "deepgram", "deepgram-agent"])
def test_other_frames_have_nothing_around_them(name):
    assert audio(name).around is None


@pytest.mark.parametrize("size", [2, 4, 6, 640])
def test_base64_of_any_length(size):
    """With two signs of padding, with one, with none."""
    sound = bytes(size)

    assert said("json", CLIENT, {"type": "audio", "audio": base64.b64encode(sound).decode()})[1] == sound


@pytest.mark.parametrize(
    "text",
    ["AAA", "AA=AAA==", "AA==AAAA", "AAAA\n", "AA AA", "A-_A", "=AAA", "====", "AAA%AAAA", "ä", "A"],
)
def test_what_is_no_base64(text):
    """A length, padding in the middle, a line's end, a space, another alphabet, no ASCII."""
    with pytest.raises(BadAudio, match=r"^speech: .* is no base64: "):
        said("json", CLIENT, {"type": "audio", "audio": text})


FRAMES = [bytes([first, second]) * 320 for first in range(16) for second in range(32)]


def test_frames_that_come_again_are_written_and_read_once():
    """Silence, and noise that begins again; a file of many frames does not fill the memory."""
    known = dataclasses.replace(audio("json"))
    written = [known.write_speech(frame) for frame in FRAMES[:2]]
    read = [known.read(each, CLIENT) for each in written]
    assert [each.audio for each in read] == FRAMES[:2]
    assert all(known.write_speech(frame) is each for frame, each in zip(FRAMES, written, strict=False))
    assert all(known.read(message, CLIENT) is each for message, each in zip(written, read, strict=True))

    for number, frame in enumerate(FRAMES, 1):
        assert known.read(known.write_speech(frame), CLIENT).audio == frame
        if number == 256:
            assert known.write_speech(FRAMES[0]) is written[0]
            assert known.read(written[0], CLIENT) is read[0]
        elif number == 257:
            assert known.write_speech(FRAMES[0]) is not written[0]
            assert known.read(written[0], CLIENT) is not read[0]
            assert known.read(written[0], CLIENT) == read[0]


def test_a_frame_that_carries_more_than_its_audio_is_another_message_each_time():
    """Twilio numbers them."""
    twilio = audio("twilio")
    first, second = (twilio.write_speech(b"\xff" * 160, session_id="MZ1", number=each) for each in (1, 2))
    assert first != second
    numbers = [
        (each["sequenceNumber"], each["media"]["timestamp"]) for each in map(json.loads, (first, second))
    ]
    assert numbers == [("2", "0"), ("3", "20")]
    assert twilio.read(first, CLIENT).audio == twilio.read(second, CLIENT).audio


def test_what_is_no_base64_is_refused_each_time():
    """Nothing is kept of it."""
    for _ in range(2):
        with pytest.raises(BadAudio, match="is no base64"):
            audio("json").read('{"type":"audio","audio":"AAA"}', CLIENT)
