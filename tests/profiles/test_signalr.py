"""SignalR: records behind 0x1E, and heartbeats that nobody answers."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape
from pytest_wsstability.profiles.conversation import Conversation
from pytest_wsstability.profiles.signalr import SIGNALR
from tests.profiles.dialogue import Dialogue


def test_a_connection():
    """A handshake, then both ends every 15 s."""
    dialogue = Dialogue(SIGNALR).run(15)

    assert dialogue.said == [
        (0.0, "C", '{"protocol":"json","version":1}\x1e'),
        (0.0, "S", "{}\x1e"),
        (15.0, "C", '{"type":6}\x1e'),
        (15.0, "S", '{"type":6}\x1e'),
    ]
    assert SIGNALR.shape is HeartbeatShape.ONE_WAY


@pytest.mark.parametrize(
    ("frame", "roles"),
    [
        ("{}\x1e", [Role.SESSION_CONFIRMED]),
        ('{}\x1e{"type":6}\x1e', [Role.SESSION_CONFIRMED, Role.HEARTBEAT]),
        ('{"error":"no"}\x1e', [Role.SESSION_REFUSED]),
        # The answer to a call that failed.
        ('{"type":3,"invocationId":"0","error":"no"}\x1e', [Role.DATA]),
        ("[]\x1e", [Role.DATA]),
        ('{"type":3,"invocationId":"0","result":"hi"}\x1e', [Role.DATA]),
        ('{"type":1,"target":"x","arguments":[]}\x1e{"type":6}\x1e', [Role.HEARTBEAT, Role.DATA]),
        ('{"type":7}\x1e', [Role.ERROR]),
        ('{"type":7,"allowReconnect":false}\x1e', [Role.ERROR]),
        ('{"type":7,"allowReconnect":true}\x1e', [Role.NOTICE]),
        ('{"type":7,"error":"boom"}\x1e', [Role.ERROR]),
    ],
)
def test_what_a_server_says(frame, roles):
    """Several messages may come in a frame."""
    client = Conversation(SIGNALR, End.CLIENT)
    client.opened(0.0)
    heard = client.hear(frame, 1.0)

    assert [each.role for each in (heard, *heard.rest)] == roles


@pytest.mark.parametrize(
    ("request_", "role"),
    [
        # signalrcore 1.0, @microsoft/signalr 10.0, and the latter with stateful reconnect.
        ('{"protocol": "json", "version": 0}\x1e', Role.SESSION_INFO),
        ('{"protocol":"json","version":1}\x1e', Role.SESSION_INFO),
        ('{"protocol":"json","version":2}\x1e', Role.SESSION_INFO),
        ('{"protocol":"messagepack","version":1}\x1e', Role.DATA),
        ('{"protocol":"json"}\x1e', Role.DATA),
    ],
)
def test_a_client_asks_for_a_version_of_its_own(request_, role):
    """Servers take each up to theirs."""
    server = Conversation(SIGNALR, End.SERVER)
    server.opened(0.0)

    assert server.hear(request_, 0.0).role is role


def test_a_server_that_goes_lets_its_clients_come_back():
    """A close message, which says so."""
    assert SIGNALR.words.write(Role.NOTICE, {}) == '{"type":7,"allowReconnect":true}\x1e'
    assert SIGNALR.words.write(Role.ERROR, {}) == '{"type":7,"error":"an error"}\x1e'


def test_a_silent_client():
    """Is gone after 30 s; any message would have counted."""
    dialogue = Dialogue(SIGNALR, mute={Role.HEARTBEAT}).run(100)

    assert dialogue.ended == (30.0, "SignalR's client timeout")
