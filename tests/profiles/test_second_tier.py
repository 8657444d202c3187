"""What is said in the protocols of the second tier, against transcripts of their own software."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.profiles import Conversation
from pytest_wsstability.profiles.actioncable import ACTIONCABLE, actioncable
from pytest_wsstability.profiles.discord import DISCORD
from pytest_wsstability.profiles.elevenlabs import ELEVENLABS
from pytest_wsstability.profiles.gemini_live import GEMINI_LIVE
from pytest_wsstability.profiles.jsonrpc import JSONRPC, jsonrpc
from pytest_wsstability.profiles.pusher import PUSHER
from pytest_wsstability.profiles.rtvi import RTVI
from pytest_wsstability.profiles.slack import SLACK
from pytest_wsstability.profiles.speech import Say
from pytest_wsstability.profiles.wamp import WAMP, new_session, wamp
from tests.profiles.dialogue import Dialogue

C, S = End.CLIENT, End.SERVER
LSP = jsonrpc(name="lsp", initialize={"processId": None})

TRANSCRIPTS = [
    # Action Cable 6.1 on puma, @rails/actioncable 8.1.
    (ACTIONCABLE, S, '{"type":"welcome"}', Role.GREETING, None),
    (
        ACTIONCABLE,
        C,
        '{"command":"subscribe","identifier":"{\\"channel\\":\\"ChatChannel\\",\\"room\\":\\"1\\"}"}',
        Role.SESSION_INFO,
        None,
    ),
    (ACTIONCABLE, S, '{"identifier":"{}","type":"confirm_subscription"}', Role.SESSION_CONFIRMED, None),
    (ACTIONCABLE, S, '{"identifier":"{}","type":"reject_subscription"}', Role.SESSION_REFUSED, None),
    (ACTIONCABLE, S, '{"type":"ping","message":1795843358}', Role.HEARTBEAT, None),
    (ACTIONCABLE, S, '{"type": "ping", "message": 1795843358}', Role.HEARTBEAT, None),
    (ACTIONCABLE, S, '{"type":"ping"}', Role.HEARTBEAT, None),
    (ACTIONCABLE, S, '{"type":"disconnect","reason":"server_restart","reconnect":true}', Role.NOTICE, None),
    (ACTIONCABLE, S, '{"type":"disconnect","reason":"remote","reconnect":false}', Role.ERROR, None),
    (
        ACTIONCABLE,
        S,
        '{"type":"disconnect","reason":"unauthorized","reconnect":false}',
        Role.SESSION_REFUSED,
        None,
    ),
    (ACTIONCABLE, S, '{"identifier":"{}","message":{"type":"ping"}}', Role.DATA, None),
    (ACTIONCABLE, S, '"ping"', Role.DATA, None),
    (ACTIONCABLE, S, '{"ping"', Role.DATA, None),
    # autobahn and crossbar.
    (
        WAMP,
        C,
        '[1,"realm1",{"roles":{"subscriber":{}},"authmethods":["anonymous"]}]',
        Role.SESSION_INFO,
        None,
    ),
    (
        WAMP,
        S,
        '[2,3072648116597524,{"x_cb_node":"n","realm":"realm1","roles":{}}]',
        Role.SESSION_CONFIRMED,
        "3072648116597524",
    ),
    (WAMP, S, '[2,"19",{"roles":{}}]', Role.DATA, None),
    (WAMP, S, "[2,19,{}]", Role.DATA, None),
    (WAMP, S, '[3,{"message":"no such realm"},"wamp.error.no_such_realm"]', Role.SESSION_REFUSED, None),
    (WAMP, S, '[6,{"message":"…"},"wamp.close.system_shutdown"]', Role.NOTICE, None),
    (WAMP, S, "[33,1,7165623157441707]", Role.DATA, None),
    (WAMP, S, "[", Role.DATA, None),
    # pusher-js.
    (
        PUSHER,
        S,
        '{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"1.1\\",\\"activity_timeout\\":120}"}',
        Role.GREETING,
        "1.1",
    ),
    (
        PUSHER,
        S,
        '{"event":"pusher:connection_established","data":{"socket_id":"1.1"}}',
        Role.GREETING,
        "1.1",
    ),
    (PUSHER, S, '{"event":"pusher:connection_established","data":"{"}', Role.DATA, None),
    (PUSHER, S, '{"event":"pusher:connection_established"}', Role.DATA, None),
    (PUSHER, C, '{"event":"pusher:subscribe","data":{"auth":"","channel":"ch1"}}', Role.SESSION_INFO, None),
    (
        PUSHER,
        S,
        '{"event":"pusher_internal:subscription_succeeded","channel":"ch1","data":"{}"}',
        Role.SESSION_CONFIRMED,
        None,
    ),
    (PUSHER, C, '{"event":"pusher:ping","data":{}}', Role.HEARTBEAT, None),
    (PUSHER, S, '{"event":"pusher:ping","data":"{}"}', Role.HEARTBEAT, None),
    (PUSHER, S, '{"event":"pusher:pong","data":"{}"}', Role.HEARTBEAT_ANSWER, None),
    (PUSHER, S, '{"event":"pusher:error","data":{"message":"x","code":4009}}', Role.ERROR, None),
    # JSON-RPC 2.0, section 7.
    (JSONRPC, C, '{"jsonrpc":"2.0","method":"ping","id":1}', Role.HEARTBEAT, None),
    (
        JSONRPC,
        S,
        '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}',
        Role.ERROR,
        None,
    ),
    (JSONRPC, C, '{"jsonrpc":"2.0","method":"initialize","id":1}', Role.DATA, None),
    (LSP, C, '{"jsonrpc":"2.0","method":"initialize","params":{},"id":1}', Role.SESSION_INFO, None),
    # discord.py.
    (DISCORD, S, '{"op":10,"d":{"heartbeat_interval":41250},"s":null,"t":null}', Role.GREETING, None),
    (DISCORD, C, '{"op":2,"d":{"token":"x","intents":1}}', Role.SESSION_INFO, None),
    (DISCORD, C, '{"op":1,"d":null}', Role.HEARTBEAT, None),
    (DISCORD, C, '{"op":1,"d":17}', Role.HEARTBEAT, None),
    (DISCORD, S, '{"op":11,"d":null,"s":null,"t":null}', Role.HEARTBEAT_ANSWER, None),
    (
        DISCORD,
        S,
        '{"op":0,"t":"READY","s":1,"d":{"v":10,"user":{},"session_id":"sess1","guilds":[]}}',
        Role.SESSION_CONFIRMED,
        "sess1",
    ),
    (
        DISCORD,
        C,
        '{"op":6,"d":{"seq":1,"session_id":"sess1","token":"x"}}',
        Role.SESSION_INFO,
        "sess1",
    ),
    (DISCORD, S, '{"op":0,"t":"RESUMED","s":10,"d":{}}', Role.SESSION_CONFIRMED, None),
    (DISCORD, S, '{"op":9,"d":false}', Role.SESSION_REFUSED, None),
    (DISCORD, S, '{"op":7,"d":null}', Role.NOTICE, None),
    (DISCORD, S, '{"op":1,"d":null}', Role.HEARTBEAT_REQUEST, None),
    (DISCORD, C, '{"op":1,"d":null}', Role.HEARTBEAT, None),
    (DISCORD, S, '{"op":0,"t":"MESSAGE_CREATE","s":2,"d":{}}', Role.DATA, None),
    # slack_sdk.
    (
        SLACK,
        S,
        '{"type":"hello","num_connections":1,"debug_info":{},"connection_info":{"app_id":"A1"}}',
        Role.SESSION_CONFIRMED,
        None,
    ),
    (SLACK, S, '{"type":"disconnect","reason":"warning","debug_info":{}}', Role.NOTICE, None),
    (SLACK, S, '{"type":"events_api","envelope_id":"e","payload":{}}', Role.DATA, None),
    # elevenlabs.
    (
        ELEVENLABS,
        C,
        '{"type":"conversation_initiation_client_data","custom_llm_extra_body":{},"dynamic_variables":{}}',
        Role.SESSION_INFO,
        None,
    ),
    (
        ELEVENLABS,
        S,
        '{"type":"conversation_initiation_metadata","conversation_initiation_metadata_event":'
        '{"conversation_id":"conv_1","agent_output_audio_format":"pcm_16000"}}',
        Role.SESSION_CONFIRMED,
        "conv_1",
    ),
    (ELEVENLABS, S, '{"type":"ping","ping_event":{"event_id":1,"ping_ms":50}}', Role.HEARTBEAT, None),
    (ELEVENLABS, C, '{"type": "pong", "event_id": 1}', Role.HEARTBEAT_ANSWER, None),
    # google-genai; the server's own frames are binary.
    (GEMINI_LIVE, C, '{"setup":{"model":"models/x","generationConfig":{}}}', Role.SESSION_INFO, None),
    (GEMINI_LIVE, S, '{"setupComplete":{"sessionId":"S1"}}', Role.SESSION_CONFIRMED, "S1"),
    (GEMINI_LIVE, S, b'{"setupComplete":{}}', Role.SESSION_CONFIRMED, None),
    (GEMINI_LIVE, S, '{"goAway":{"timeLeft":"50s"}}', Role.NOTICE, None),
    (GEMINI_LIVE, S, b'{"sessionResumptionUpdate":{"newHandle":"h-1","resumable":true}}', Role.STEP, None),
    (
        GEMINI_LIVE,
        S,
        '{"sessionResumptionUpdate":{"newHandle":"","resumable":false}}',
        Role.DATA,
        None,
    ),
    (GEMINI_LIVE, S, b"\xff\x00", Role.DATA, None),
    # pipecat.
    (RTVI, C, '{"label":"rtvi-ai","type":"client-ready","id":"abcd1234","data":{}}', Role.SESSION_INFO, None),
    (RTVI, S, '{"label":"rtvi-ai","type":"bot-ready","id":"abcd1234"}', Role.SESSION_CONFIRMED, None),
    (RTVI, S, '{"label":"rtvi-ai","type":"error","data":{"error":"x","fatal":true}}', Role.ERROR, None),
    (RTVI, S, '{"label":"rtvi-ai","type":"error-response","id":"e1","data":{}}', Role.DATA, None),
]


@pytest.mark.parametrize(
    ("profile", "sender", "message", "role", "session_id"),
    TRANSCRIPTS,
    ids=[f"{row[0].name} {row[2][:60]!r}" for row in TRANSCRIPTS],
)
def test_what_a_message_is_for(profile, sender, message, role, session_id):
    """As the software says it."""
    heard = profile.words.hear(message, sender)

    assert (heard.role, heard.session_id, heard.problem) == (role, session_id, None)


def said(dialogue):
    return [(who, json.loads(text)) for _, who, text in dialogue.said]


def test_a_channel_of_actioncable():
    """The identifier is text, and comes back as it was sent."""
    dialogue = Dialogue(actioncable("RoomChannel", room=42))
    identifier = '{"channel":"RoomChannel","room":42}'

    assert said(dialogue) == [
        ("S", {"type": "welcome"}),
        ("C", {"command": "subscribe", "identifier": identifier}),
        ("S", {"type": "confirm_subscription", "identifier": identifier}),
    ]
    dialogue.run(31)
    beats = said(dialogue)[3:]
    assert len(beats) == 10
    assert {(who, beat["type"]) for who, beat in beats} == {("S", "ping")}


def test_a_session_of_wamp():
    """Its number is the router's, and a number."""
    dialogue = Dialogue(wamp("realm7"), server={"session_id": new_session()})

    (hello, welcome) = said(dialogue)
    assert hello[1][:2] == [1, "realm7"]
    assert welcome[1][0] == 2
    assert str(welcome[1][1]) == dialogue.server.session_id == dialogue.client.session_id
    assert 1 <= welcome[1][1] <= 2**53
    # Of twenty, one is large but for a chance of 2 ** -260.
    assert 2**40 < max(int(new_session()) for _ in range(20)) <= 2**53


def test_a_connection_of_pusher():
    """The server names the socket and the silence after which either end asks."""
    dialogue = Dialogue(PUSHER, server={"session_id": "1.2", "interval": 30})

    assert dialogue.client.session_id == "1.2"
    assert dialogue.client.intervals[:2] == (30, 30)
    dialogue.run(91)
    events = [message["event"] for _, message in said(dialogue)[3:]]
    assert sorted(events) == ["pusher:ping"] * 6 + ["pusher:pong"] * 6


@pytest.mark.parametrize(("seconds", "written"), [(30, "30"), (30.0, "30"), (2.5, "2.5"), (None, "120")])
def test_pusher_writes_whole_seconds_as_its_own_server_does(seconds, written):
    """Its libraries want no fraction; a test may."""
    (_, _, opening), *_ = Dialogue(PUSHER, server={"interval": seconds}).said

    assert json.loads(opening)["data"].endswith(f'"activity_timeout": {written}}}')


def test_a_pusher_client_that_does_not_answer():
    """The server's pong timeout, and its code."""
    dialogue = Dialogue(PUSHER, mute=(Role.HEARTBEAT_ANSWER,)).run(300)

    assert dialogue.ended == (150.0, "the pong timeout of Pusher's server")
    assert next(timer.code for timer in PUSHER.timers if timer.by is S) == 4201


def test_json_rpc_tells_answers_by_their_ids():
    """Those of other questions are results too, and an error is an answer."""
    dialogue = Dialogue(JSONRPC, client={"interval": 5})
    client = dialogue.client
    beat = client.beat()

    assert json.loads(client.write(beat, 0.0)) == {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    client.said(beat, 0.0)
    assert client.hear('{"jsonrpc":"2.0","id":7,"result":{}}', 1.0).role is Role.DATA
    answer = client.hear('{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"x"}}', 1.0)
    assert answer.role is Role.HEARTBEAT_ANSWER


def test_errors_of_json_rpc_have_their_numbers():
    """Those of the specification, section 5.1."""
    server = Conversation(LSP, S)
    refused, unread = (
        json.loads(server.write(Say(role, {"id": number}), 0.0))
        for role, number in ((Role.SESSION_REFUSED, 7), (Role.ERROR, None))
    )

    assert (refused["id"], refused["error"]) == (7, {"code": -32600, "message": "refused"})
    assert (unread["id"], unread["error"]) == (None, {"code": -32700, "message": "parse error"})


def test_a_session_of_json_rpc():
    """With ``initialize``, as LSP and MCP begin."""
    dialogue = Dialogue(LSP, client={"interval": 5}).run(11)

    methods = [message.get("method", "result") for _, message in said(dialogue)]
    assert methods == ["initialize", "result", "ping", "result", "ping", "result"]


def test_discord_sends_the_last_number():
    """And resumes with it."""
    dialogue = Dialogue(DISCORD, server={"session_id": "s1", "interval": 10})
    dialogue.client.hear('{"op":0,"t":"MESSAGE_CREATE","s":17,"d":{}}', 1.0)
    dialogue.run(11)

    assert ("C", {"op": 1, "d": 17}) in said(dialogue)
    before = dialogue.client.resumption
    assert (before.session_id, before.sequence) == ("s1", 17)
    again = Dialogue(DISCORD, client={"before": before}, server={"knows": {"s1"}.__contains__})
    identify = said(again)[1]
    assert identify == ("C", {"op": 6, "d": {"session_id": "s1", "seq": 17, "token": "token"}})
    assert said(again)[2][1]["t"] == "RESUMED"
    assert again.client.resumed is True
    assert again.client.session_id == "s1"


@pytest.mark.parametrize(("name", "number"), [("72", 72), ("server-1", 1)])
def test_a_session_of_wamp_has_a_number(name, number):
    """A name that is none is the first."""
    assert said(Dialogue(WAMP, server={"session_id": name}))[1][1][:2] == [2, number]


def test_a_session_that_discord_does_not_know_is_identified_anew():
    """After op 9."""
    before = Dialogue(DISCORD).client.resumption
    dialogue = Dialogue(DISCORD, client={"before": before}, server={"session_id": "s2"})

    assert [message["op"] for _, message in said(dialogue)] == [10, 6, 9, 2, 0]
    assert dialogue.client.resumed is False
    assert dialogue.client.session_id == "s2"


def test_elevenlabs_asks_with_a_number():
    """That comes back."""
    dialogue = Dialogue(ELEVENLABS, server={"interval": 2}).run(5)

    assert said(dialogue)[2:] == [
        ("S", {"type": "ping", "ping_event": {"event_id": 1, "ping_ms": 50}}),
        ("C", {"type": "pong", "event_id": 1}),
        ("S", {"type": "ping", "ping_event": {"event_id": 2, "ping_ms": 50}}),
        ("C", {"type": "pong", "event_id": 2}),
    ]


def test_gemini_goes_on_with_the_last_handle():
    """Which the server gives behind its confirmation, and may give anew."""
    dialogue = Dialogue(GEMINI_LIVE)
    dialogue.client.hear(b'{"sessionResumptionUpdate":{"newHandle":"h-9","resumable":true}}', 5.0)
    before = dialogue.client.resumption

    assert [list(message) for _, message in said(dialogue)] == [
        ["setup"],
        ["setupComplete"],
        ["sessionResumptionUpdate"],
    ]
    assert before.token == "h-9"
    again = Dialogue(GEMINI_LIVE, client={"before": before})
    assert said(again)[0][1]["setup"]["sessionResumption"] == {"handle": "h-9"}
    asked = [GEMINI_LIVE.words.hear(each.said[0][2], C) for each in (dialogue, again)]
    assert [heard.resumes for heard in asked] == [False, True]


def test_gemini_announces_the_end_of_a_connection():
    """Once, so long before as its message says."""
    dialogue = Dialogue(GEMINI_LIVE).run(700)

    last = [(at, json.loads(message)) for at, _, message in dialogue.said if at]
    assert last == [(550.0, {"goAway": {"timeLeft": "50s"}})]
    assert dialogue.ended == (600.0, "Gemini Live's limit of about ten minutes a connection")


def test_what_is_announced_needs_a_message():
    with pytest.raises(ValueError, match=r"^profile 'gemini-live': a timer is announced without notice: "):
        GEMINI_LIVE.replace(notice=None)


def test_a_client_without_a_handle_begins_anew():
    """There is nothing to come back with."""
    before = Dialogue(GEMINI_LIVE.replace(token=None)).client.resumption

    assert before.token is None
    assert said(Dialogue(GEMINI_LIVE, client={"before": before}))[0][1]["setup"] == {
        "model": "models/gemini-live",
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
        "sessionResumption": {},
    }


def test_rtvi_answers_with_the_same_id():
    """Of ``client-ready``."""
    ready, bot = said(Dialogue(RTVI))

    assert ready[1]["id"] == bot[1]["id"]
    assert (ready[1]["type"], bot[1]["type"]) == ("client-ready", "bot-ready")


def test_slack_says_hello_by_itself():
    """And nobody says anything back."""
    hello = {
        "type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"},
        "debug_info": {"approximate_connection_time": 18060},
    }  # fmt: skip
    assert said(Dialogue(SLACK)) == [("S", hello)]


def test_a_bot_of_discord_asks_for_no_events_unless_it_is_told():
    """What they are would be somebody's."""
    assert '"intents":0' in DISCORD.words.write(Role.SESSION_INFO, {}).replace(" ", "")
