"""What the reference server says to what programs ask for besides their session."""

from __future__ import annotations

import asyncio
import json

import pytest

from pytest_wsstability import ConnectionEnded
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.profiles import JSON
from pytest_wsstability.profiles.catalogue import SHIPPED, find
from tests.net.peers import served

pytestmark = pytest.mark.ws_stability(time="virtual")

# What a client asks for, and what it is answered, without what ends each message; None: nothing.
WAMP_ERROR = "wamp.error.no_such_procedure"
REPLIES = [
    # SUBSCRIBE to "a/b" and "c" at quality of service 1 and 2, as MQTT 3.1.1 and 5 have it; UNSUBSCRIBE.
    ("mqtt", bytes.fromhex("820c0001 0003612f6201 00016302"), bytes.fromhex("9004 0001 0102")),
    ("mqtt5", bytes.fromhex("820d0001 00 0003612f6201 00016302"), bytes.fromhex("9005 0001 00 0102")),
    ("mqtt5", bytes.fromhex("820f0001 020b07 0003612f6201 00016302"), bytes.fromhex("9005 0001 00 0102")),
    ("mqtt", bytes.fromhex("a2070002 0003612f62"), bytes.fromhex("b002 0002")),
    ("mqtt5", bytes.fromhex("a2080002 00 0003612f62"), bytes.fromhex("b004 0002 00 00")),
    # PUBLISH to "a" at 0, 1 and 2; PUBREL.
    ("mqtt", bytes.fromhex("3004 000161 79"), None),
    ("mqtt", bytes.fromhex("3206 000161 0007 79"), bytes.fromhex("4002 0007")),
    ("mqtt5", bytes.fromhex("3407 000161 0007 00 79"), bytes.fromhex("5002 0007")),
    ("mqtt", bytes.fromhex("6202 0007"), bytes.fromhex("7002 0007")),
    # PUBACK, and a packet that ends too early.
    ("mqtt", bytes.fromhex("4002 0007"), None),
    ("mqtt", bytes.fromhex("8204 0001 0003"), bytes.fromhex("9003 0001 00")),
    ("ocpp", '[2,"7","StatusNotification",{"connectorId":0}]', '[3, "7", {}]'),
    ("ocpp", '[2,"7","Authorize",{"idTag":"t"}]', '[3, "7", {"idTagInfo": {"status": "Accepted"}}]'),
    ("ocpp2.0.1", '[2,"7","Authorize",{}]', '[3, "7", {"idTokenInfo": {"status": "Accepted"}}]'),
    ("ocpp", '[2,"7","DataTransfer",{"vendorId":"v"}]', '[3, "7", {"status": "Accepted"}]'),
    ("ocpp", '[3,"7",{}]', None),
    ("ocpp", '[2,"7","BootNotification",{"chargingStation":{}}]', None),
    ("ocpp", "no JSON", None),
    ("signalr", '{"type":1,"invocationId":"0","target":"T","arguments":[]}\x1e',
     '{"type": 3, "invocationId": "0", "result": null}'),
    ("signalr", '{"type":1,"target":"T","arguments":[]}\x1e', None),
    ("signalr", '{"type":3,"invocationId":"0","result":1}\x1e', None),
    ("stomp", "SUBSCRIBE\nid:1\ndestination:/q\nreceipt:r1\n\n\0", "RECEIPT\nreceipt-id:r1\n\n"),
    ("stomp", "SUBSCRIBE\nid:1\ndestination:/q\n\n\0", None),
    ("socketio", '427["ev",1]', "437[]"),
    ("socketio", '42/chat,7["ev",1]', "43/chat,7[]"),
    ("socketio", '42["ev",1]', None),
    ("phoenix", '["6","7","room:1","say",{}]',
     '["6", "7", "room:1", "phx_reply", {"status": "ok", "response": {}}]'),
    ("phoenix", '["6",null,"room:1","say",{}]', None),
    ("wamp", '[32,7,{},"topic"]', "[33, 7, 7]"),
    ("wamp", '[34,7,3]', "[35, 7]"),
    ("wamp", '[64,7,{},"call.it"]', "[65, 7, 7]"),
    ("wamp", '[66,7,3]', "[67, 7]"),
    ("wamp", '[48,7,{},"call.it"]', f'[8, 48, 7, {{}}, "{WAMP_ERROR}"]'),
    ("wamp", '[16,7,{"acknowledge":true},"topic"]', "[17, 7, 7]"),
    ("wamp", '[16,7,{},"topic"]', None),
    ("wamp", '["7",7,{}]', None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "asked", "said"), REPLIES)
async def test_what_a_program_asks_for_is_granted(name, asked, said):
    """In the protocol's words, right away; nobody answers what wants no answer."""
    async with served({"profile": name}) as (client, orchestrator):
        await client.assert_session_confirmed(within="1s")
        await client.send(asked)
        if said is not None:
            assert await client.recv(within="1s") == said
        await asyncio.sleep(1)

        assert not client.websocket.messages.inbox
        assert not orchestrator.sessions[0].timeline.irregular


async def test_a_namespace_of_socketio_is_joined_beside_the_profiles():
    """Each has a name of its own."""
    async with served({"profile": "socketio"}) as (client, _):
        await client.assert_session_confirmed(within="1s")
        for asked in ("40/chat,", '40/chat,{"token":"t"}'):
            await client.send(asked)
            joined = await client.recv(within="1s")

            assert joined.startswith("40/chat,")
            assert json.loads(joined.removeprefix("40/chat,"))["sid"] != client.session_id


@pytest.mark.parametrize("name", [name for name in SHIPPED if find(name).reply is not None])
@pytest.mark.parametrize(
    "message", ["", "?", "{}", "[]", "[[]]", "[1,2,3,4,5]", '{"type":[]}', b"", b"\x80", b"\xff"]
)
def test_a_reply_bears_whatever_comes(name, message):
    """As what reads does."""
    said = find(name).reply(message, {})

    assert said is None or isinstance(said, str | bytes)


async def test_a_handler_says_it_by_itself():
    """As it says goodbye."""

    async def handler(connection):
        await connection.send(f"got {await connection.recv()}")
        await connection.wait_closed()

    async with served({"profile": "ocpp", "handler": handler}) as (client, _):
        await client.send('[2,"7","MeterValues",{}]')

        assert await client.recv(within="1s") == 'got [2,"7","MeterValues",{}]'


async def test_a_reply_that_raises_is_told_of():
    """With the profile, the message, and what it raised; the connection goes on."""
    ours = JSON.replace(name="ours", reply=lambda message, began: message["op"])
    async with served({"profile": ours}) as (client, orchestrator):
        await client.send("hello")
        await asyncio.sleep(1)

        (flaw,) = orchestrator.sessions[0].timeline.irregular
        assert flaw.flaw is Flaw.FUNCTION
        assert flaw.detail.startswith("reply of the profile 'ours' raised TypeError(")
        assert flaw.detail.endswith(" for 'hello'")
        assert client.timeline.close is None


@pytest.mark.parametrize(
    ("value", "told"),
    [({"ok": True}, "gave {'ok': True}, no text or bytes,"), ("\ud800", "raised UnicodeEncodeError(")],
)
async def test_a_reply_that_cannot_be_sent_is_told_of(value, told):
    """What else a profile says may be a dict: it was the end of the connection, without a word."""
    ours = JSON.replace(name="ours", reply=lambda message, began: value)
    async with served({"profile": ours}) as (client, orchestrator):
        await client.send("hello")
        await asyncio.sleep(1)

        (flaw,) = orchestrator.sessions[0].timeline.irregular
        assert flaw.detail.startswith(f"reply of the profile 'ours' {told}")
        assert client.timeline.close is None


async def test_a_reply_is_given_what_the_session_began_with():
    """And nothing is said to a client that has closed."""
    ours = JSON.replace(name="ours", reply=lambda message, began: began["session_id"])
    async with served({"profile": ours}, session_id="mine") as (client, _):
        await client.assert_session_confirmed(within="1s")
        await client.send("who am I?")

        assert await client.recv(within="1s") == "mine"
        await client.close()
        with pytest.raises(ConnectionEnded):
            await client.recv()


def test_a_reply_is_a_function():
    """Text would be called with each message."""
    with pytest.raises(ValueError, match=r"^profile 'ours': reply is 'ok'; give a function of a message"):
        JSON.replace(name="ours", reply="ok")
