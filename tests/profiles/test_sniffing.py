"""What a peer speaks, told by its first messages."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.profiles import sniffing
from pytest_wsstability.profiles.catalogue import SHIPPED, find
from pytest_wsstability.profiles.sniffing import (
    is_ping,
    is_variant,
    likeness_of,
    sniff_messages,
    sniff_request,
)

C, S = End.CLIENT, End.SERVER


@pytest.mark.parametrize(
    ("sender", "messages", "name"),
    [
        (
            S,
            ['0{"sid":"a","upgrades":[],"pingInterval":25000}'],
            "socketio",
        ),
        (S, ["hello", '0{"sid":"a","pingInterval":25000,"pingTimeout":20000}'], "socketio"),
        (S, ['{"type":"connection_established","connection_id":"x"}'], "json"),
        (S, ['{"type":"session.created","session":{"id":"s"}}'], "openai-realtime"),
        (S, ['{"type":"Welcome","request_id":"r"}'], "deepgram-agent"),
        (S, ["CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0\n"], "stomp"),
        (S, [b"\x20\x02\x00\x00"], "mqtt"),
        (C, ['{"type":"connection_init","payload":{}}'], "graphql-transport-ws"),
        (C, ['["6","6","room:lobby","phx_join",{}]'], "phoenix"),
        (C, ['[null,"7","phoenix","heartbeat",{}]'], "phoenix"),
        (C, ['{"protocol":"json","version":1}\x1e'], "signalr"),
        (C, ["CONNECT\naccept-version:1.2\nhost:x\n\n\0"], "stomp"),
        (C, [bytes.fromhex("100e00044d5154540402003c00026331")], "mqtt"),
        (C, ['[2,"19","BootNotification",{"chargePointModel":"m","chargePointVendor":"v"}]'], "ocpp"),
        (C, ['{"event":"connected","protocol":"Call","version":"1.0.0"}'], "twilio"),
        # Nothing that tells.
        (S, [], None),
        (S, ["2"], None),
        (S, ["\n", "3", "{}", "[]", "", b""], None),
        (S, ['{"op":"welcome"}'], None),
        # One word is anybody's; what the protocol's own software says with it is not.
        (S, ['{"type":"ping"}'], None),
        (S, ['{"type":"ping","ts":1}'], None),
        (S, ['{"type":"ping","message":1795843358}'], "actioncable"),
        (S, ['{"type":"welcome","id":"7"}'], None),
        (S, ['{"type":"welcome"}', '{"type":"ping","message":1795843358}'], "actioncable"),
        (S, ['{"type":"hello","user":"joe"}'], None),
        (S, ['{"type":"hello","num_connections":1}'], "slack"),
        (S, ['{"type":"Error"}'], None),
        # Errors and notices have the same names in many, however much of them is there.
        (S, ['{"type":"error","error":{"message":"no such room"}}'], None),
        (S, ['{"type":"error","error":"no such room","event_id":"e"}'], None),
        (S, ['{"op":7}'], None),
        (S, ['{"op":7,"d":null}'], None),
        (S, ['{"op":10,"d":{"heartbeat_interval":41250}}'], "discord"),
        (S, ['{"op":7}', '{"op":10,"d":{"heartbeat_interval":41250}}'], "discord"),
        # An answer of OCPP's, and what a router of WAMP's says instead of a session.
        (S, ['[3,"19",{}]'], None),
        (S, ['[3,"19",{"currentTime":"2020-01-01T00:00:00Z"}]'], "ocpp"),
        (S, ['[3,{},"wamp.error.no_such_realm"]'], "wamp"),
        (S, ['[3,{},"wamp.error.no_such_realm",[]]'], "wamp"),
        (C, ['{"event":"connected"}'], None),
        # SignalR's messages end with 0x1E; many say what went wrong.
        (S, ['{"error":"unknown message"}'], None),
        (S, ['{"error":"unknown message"}\x1e'], "signalr"),
        (S, ["x" * 5000, b"\xff" * 5000], None),
        (S, ["{" * 3000], None),
    ],
)
def test_what_a_peer_speaks(sender, messages, name):
    """By what its messages fix; None where several protocols say the same, or none does."""
    assert sniff_messages(messages, sender) == name


@pytest.mark.parametrize(
    ("message", "subprotocols", "name"),
    [
        ('{"type":"connection_init"}', (), "graphql-transport-ws"),
        ('{"type":"connection_init"}', ("graphql-transport-ws",), "graphql-transport-ws"),
        ('{"type":"connection_init"}', ("graphql-ws", "graphql-transport-ws"), "graphql-transport-ws"),
        # The protocol before it begins with the same message.
        ('{"type":"connection_init"}', ("graphql-ws",), None),
        ('{"type":"connection_init"}', ("graphql-ws", "eyJhbGciOiJIUzI1NiJ9"), None),
        # A name that nobody knows denies nothing.
        ('{"type":"connection_init"}', ("v2",), "graphql-transport-ws"),
        ('["6","6","room:lobby","phx_join",{}]', ("graphql-ws",), "phoenix"),
    ],
)
def test_messages_under_the_subprotocol_of_the_protocol_before_are_its_own(message, subprotocols, name):
    """Whatever they look like."""
    assert sniff_messages([message], C, subprotocols) == name


@pytest.mark.parametrize(("length", "name"), [(4096, "json"), (4097, None)])
def test_a_message_of_more_than_4_kib_tells_nothing(length, name):
    """What tells a protocol is short; and three messages are looked at."""
    message = '{"type":"connection_established","connection_id":"x"}'.ljust(length)

    assert sniff_messages([message], S) == name
    assert sniffing.FIRST == 3


@pytest.mark.parametrize(
    ("path", "subprotocols", "name"),
    [
        ("/socket.io/?EIO=4", [], "socketio"),
        ("/api/graphql", [], "graphql-transport-ws"),
        ("/", ["unknown", "graphql-transport-ws"], "graphql-transport-ws"),
        ("/mqtt", ["mqtt"], "mqtt"),
        ("/ws", ["v12.stomp", "v11.stomp"], "stomp"),
        ("/", ["ocpp2.0.1"], "ocpp2.0.1"),
        ("/ws", [], None),
        ("/ws?next=/graphql", [], None),
        ("/graphqlish", [], None),
        # The older protocol of GraphQL, as AppSync has it, and a token that goes as a subprotocol.
        ("/graphql", ["graphql-ws"], None),
        ("/socket.io/", ["eyJhbGciOiJIUzI1NiJ9"], "socketio"),
        ("/graphql", [""], "graphql-transport-ws"),
        ("", [""], None),
    ],
)
def test_what_a_request_speaks_of(path, subprotocols, name):
    """A subprotocol says more than a path."""
    assert sniff_request(path, subprotocols) == name


def test_the_tables_name_what_there_is():
    """Every subprotocol of a shipped profile leads to a profile that has it."""
    for name in (*sniffing.PATHS.values(), *sniffing.SUBPROTOCOLS.values()):
        assert name in SHIPPED
    for name in SHIPPED:
        for subprotocol in find(name).subprotocols:
            assert subprotocol in find(sniffing.SUBPROTOCOLS[subprotocol]).subprotocols


def test_the_protocol_below_is_what_people_see():
    """Engine.IO's packets, which Socket.IO's profile speaks."""
    assert likeness_of("socketio").title == "Engine.IO 4"
    assert likeness_of("json").title == "JSON messages"


@pytest.mark.parametrize(
    ("profile", "name", "is_one"),
    [
        (find("mqtt"), "mqtt", True),
        # By the subprotocol, by the specification, by the name.
        (find("mqtt").replace(name="ours", specification=""), "mqtt", True),
        (find("stomp").replace(name="ours", subprotocols=()), "stomp", True),
        (find("stomp").replace(subprotocols=(), specification=""), "stomp", True),
        (find("stomp").replace(name="ours", subprotocols=(), specification=""), "stomp", False),
        (find("stomp"), "mqtt", False),
    ],
)
def test_another_form_of_a_protocol_is_that_protocol(profile, name, is_one):
    assert is_variant(profile, name) is is_one


def test_a_profile_that_can_not_bear_a_message_has_not_said_it():
    """A message may be anything, and a function of a profile may raise."""

    def fails(data):
        raise RuntimeError("boom")

    assert sniffing._telling(find("json").replace(records=fails), "x", S) == 0


@pytest.mark.parametrize(("length", "name"), [(4096, "graphql-transport-ws"), (4097, None)])
def test_messages_of_more_than_4_kib_are_not_looked_at(length, name):
    """What tells a protocol is short."""
    found = sniff_messages(['{"type":"connection_ack"' + "}".rjust(length - 24)], S)

    assert found == name


@pytest.mark.parametrize(
    ("payload", "asks"),
    [
        ("PING", True),
        (" ping\n", True),
        ('"primus::ping::1690000000000"', True),
        ('{"type":"ping"}', True),
        ('{"msg": "ping", "id": 7}', True),
        ('{"ping":1690000000000}', True),
        ("PING :tmi.twitch.tv\r\n", True),
        ("PING :how are you", False),
        ('["ping"]', True),
        ('[{"op":"PING"}]', True),
        ("pong", False),
        ('{"type":"pong","to":"ping"}', False),
        ('{"type":"message","text":"ping me"}', False),
        ('{"pings":3}', False),
        ("ping pong club", False),
        ("pingu", False),
        (b"ping", False),
        ('{"ping":"%s"}' % ("x" * 117), True),
        ('{"ping":"%s"}' % ("x" * 118), False),
    ],
)
def test_a_ping_message_is_told_by_a_word_of_its_own(payload, asks):
    """Short, in text, and no answer."""
    assert is_ping(payload) is asks
