"""Deepgram, Twilio and OpenAI: the protocols of voice agents."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape
from pytest_wsstability.profiles.audio import VoiceRole
from pytest_wsstability.profiles.catalogue import find
from pytest_wsstability.profiles.conversation import Conversation
from pytest_wsstability.profiles.deepgram import DEEPGRAM, DEEPGRAM_AGENT
from pytest_wsstability.profiles.json import JSON
from pytest_wsstability.profiles.openai_realtime import OPENAI_REALTIME
from pytest_wsstability.profiles.twilio import TWILIO, number
from tests.profiles.dialogue import Dialogue


def test_deepgram_is_kept_alive():
    """Every 5 s, and nobody answers."""
    dialogue = Dialogue(DEEPGRAM).run(12)

    assert dialogue.said == [(5.0, "C", '{"type":"KeepAlive"}'), (10.0, "C", '{"type":"KeepAlive"}')]
    assert DEEPGRAM.shape is HeartbeatShape.ONE_WAY
    assert not DEEPGRAM.has_session


def test_deepgram_ends_a_silent_client():
    """NET-0001, after 10 s; audio would have counted."""
    server = Conversation(DEEPGRAM, End.SERVER)
    server.opened(0.0)
    assert server.due(9.0) == []
    server.hear(b"\x00" * 320, 9.0)
    assert server.due(10.0) == []
    (end,) = server.due(19.0)

    assert (end.timer.code, "NET-0001" in end.timer.words) == (1011, True)


def test_a_deepgram_agent():
    """Welcome, Settings, SettingsApplied."""
    dialogue = Dialogue(DEEPGRAM_AGENT).run(8)

    assert [json.loads(message)["type"] for _, _, message in dialogue.said] == [
        "Welcome", "Settings", "SettingsApplied", "KeepAlive",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "message", ['{"event":"media"', '["media"]', '{"event":"x","media":{}}', "[" * 9000 + '"media"']
)
def test_what_is_no_media_of_twilio(message):
    """And raises nothing: a peer may send anything."""
    assert TWILIO.audio.read(message, End.CLIENT) is None


def test_twilio_starts_and_is_asked_by_marks():
    """Twilio is the client, and sends a mark back."""
    dialogue = Dialogue(TWILIO, client={"session_id": "MZ1"}, server={"interval": 5.0}).run(5)

    said = [(who, json.loads(message)) for _, who, message in dialogue.said]
    assert [message["event"] for _, message in said] == ["connected", "start", "mark", "mark"]
    assert said[1][1]["start"] == {
        "accountSid": "accountSid", "streamSid": "MZ1", "callSid": "callSid", "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {},
    }  # fmt: skip
    mark = {"event": "mark", "streamSid": "MZ1", "mark": {"name": "1"}}
    assert said[2:] == [("S", mark), ("C", mark)]
    assert dialogue.server.session_id == "MZ1"


@pytest.mark.parametrize(
    "start", ['"start":{"streamSid":"MZ1"},', '"start":{"callSid":"CA1"},', '"start":{},', ""]
)
def test_a_call_may_say_less_of_itself(start):
    """As simulators of Twilio do."""
    heard = TWILIO.words.hear(f'{{"event":"start",{start}"streamSid":"MZ1"}}', End.CLIENT)

    assert (heard.role, heard.session_id) == (Role.SESSION_INFO, "MZ1")


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('{"event":"media","sequenceNumber":"2","media":{}}', 2),
        ('{"event":"media","sequenceNumber":3}', 3),
        ('{"event":"media","sequenceNumber":"x"}', None),
        ('{"event":"media"}', None),
        (b"\x00", None),
    ],
)
def test_twilio_numbers_its_messages(message, found):
    """In text."""
    assert number(message) == found


def test_an_openai_session():
    """The server names it."""
    dialogue = Dialogue(OPENAI_REALTIME).run(1)

    assert [json.loads(message)["type"] for _, _, message in dialogue.said] == [
        "session.created", "session.update", "session.updated",
    ]  # fmt: skip
    assert dialogue.client.session_id == "server-1"


@pytest.mark.parametrize(
    ("message", "role", "session_id"),
    [
        (
            '{"type":"session.created","event_id":"event_1","session":{"type":"realtime","id":"sess_1"}}',
            Role.GREETING,
            "sess_1",
        ),
        (
            '{"type":"session.updated","event_id":"e","session":{"id":"sess_1"}}',
            Role.SESSION_CONFIRMED,
            "sess_1",
        ),
        ('{"type":"session.updated"}', Role.SESSION_CONFIRMED, None),
        ('{"type":"error","error":{"message":"no"}}', Role.ERROR, None),
        ('{"type":"response.output_audio.delta","delta":"AAAA"}', Role.DATA, None),
    ],
)
def test_what_openai_says(message, role, session_id):
    """Audio is data."""
    heard = OPENAI_REALTIME.words.hear(message, End.SERVER)

    assert (heard.role, heard.session_id) == (role, session_id)


@pytest.mark.parametrize(
    ("status", "output", "role"),
    [
        # What comes of the tool is said in a response of its own.
        ("completed", ["function_call"], VoiceRole.TOOL_CALL),
        ("completed", ["function_call", "function_call"], VoiceRole.TOOL_CALL),
        ("completed", ["message", "function_call"], VoiceRole.TOOL_CALL),
        ("completed", ["message", "message", "function_call"], VoiceRole.TOOL_CALL),
        ("completed", ["message"], VoiceRole.ANSWER_END),
        ("completed", [], VoiceRole.ANSWER_END),
        # Of one that was broken off or failed no tool is called.
        ("cancelled", ["message", "function_call"], VoiceRole.INTERRUPTED),
        ("failed", ["function_call"], VoiceRole.ANSWER_END),
        ("incomplete", ["function_call"], VoiceRole.ANSWER_END),
    ],
)
def test_an_answer_of_openai_goes_on_behind_a_call_of_a_tool(status, output, role):
    response = {"id": "r", "status": status, "output": [{"type": kind, "id": "i"} for kind in output]}
    spoken = OPENAI_REALTIME.audio.read(
        json.dumps({"type": "response.done", "response": response}), End.SERVER
    )

    assert spoken.role is role


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("deepgram-agent", {"type": "FunctionCallRequest", "functions": [{"id": "f", "client_side": True}]}),
        ("elevenlabs", {"type": "client_tool_call", "client_tool_call": {"tool_name": "t"}}),
    ],
)
def test_other_services_call_tools_too(profile, message):
    assert find(profile).audio.read(json.dumps(message), End.SERVER).role is VoiceRole.TOOL_CALL


def test_what_is_written_for_openai_is_the_first_part_of_the_first_answer():
    """As its client libraries want it: with the places of both, which are those of its turn alone."""
    written = json.loads(OPENAI_REALTIME.audio.write(VoiceRole.ANSWER, audio=b"\0\0", turn=3))

    assert written == {
        "type": "response.output_audio.delta", "delta": "AAA=", "response_id": "turn-3", "output_index": 0,
        "item_id": "item-6", "content_index": 0, "event_id": "event_1",
    }  # fmt: skip


def test_what_is_written_for_openai_before_an_answer():
    """Its client libraries want to hear of the answer and of its message first."""
    created, added = map(json.loads, OPENAI_REALTIME.audio.write_sequence(VoiceRole.ANSWER_STARTED, turn=3))

    assert (created["type"], created["response"]["id"]) == ("response.created", "turn-3")
    assert (added["type"], added["response_id"], added["item"]["id"]) == (
        "response.output_item.added", "turn-3", "item-6",
    )  # fmt: skip


def test_nothing_is_written_before_an_answer_where_nobody_says_it():
    assert JSON.audio.write_sequence(VoiceRole.ANSWER_STARTED, turn=1) == []


@pytest.mark.parametrize("role", [VoiceRole.SPEECH_STARTED, VoiceRole.ANSWER_END, VoiceRole.FINAL])
def test_all_that_openai_says_has_an_event_id(role):
    """Clients that check what they read refuse it without (pipecat-ai 1.14)."""
    assert json.loads(OPENAI_REALTIME.audio.write(role))["event_id"]


def test_openai_ends_every_session_after_an_hour():
    """Whatever was said."""
    dialogue = Dialogue(OPENAI_REALTIME).run(4000)

    assert dialogue.ended == (3600.0, "OpenAI's limit of 60 minutes a session")
