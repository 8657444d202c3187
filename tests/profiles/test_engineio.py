"""Engine.IO 4 and Socket.IO 5: what their software was recorded to say."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import Intervals
from pytest_wsstability.profiles.conversation import Conversation, Resumption
from pytest_wsstability.profiles.engineio import CLIENT_TIMEOUT, ENGINEIO
from pytest_wsstability.profiles.socketio import SOCKETIO, SOCKETIO_RECOVERY, offset, socketio
from tests.profiles.dialogue import Dialogue

# As python-socketio 5.18 and socket.io 4.8 write it.
PYTHON_OPEN = (
    '0{"sid":"GRseAAAA","upgrades":[],"pingTimeout":20000,"pingInterval":25000,"maxPayload":1000000}'
)
NODE_OPEN = '0{"sid":"EIO1","upgrades":[],"pingInterval":1000,"pingTimeout":800,"maxPayload":1000000}'


@pytest.mark.parametrize(
    ("message", "session_id", "interval", "timeout"),
    [(PYTHON_OPEN, "GRseAAAA", 25.0, 20.0), (NODE_OPEN, "EIO1", 1.0, 0.8)],
)
def test_the_server_names_everything(message, session_id, interval, timeout):
    """Session, interval and timeout, whatever their order."""
    client = Conversation(ENGINEIO, End.CLIENT)
    client.opened(0.0)
    heard = client.hear(message, 0.1)

    assert (heard.role, client.session_id) == (Role.SESSION_CONFIRMED, session_id)
    assert client.intervals == Intervals(None, interval, timeout)
    assert client.at is None


def test_a_session_of_engineio():
    """The server asks every 25 s."""
    dialogue = Dialogue(ENGINEIO).run(60)

    opening = (
        '0{"sid":"server-1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
    )
    assert dialogue.said == [
        (0.0, "S", opening),
        (25.0, "S", "2"),
        (25.0, "C", "3"),
        (50.0, "S", "2"),
        (50.0, "C", "3"),
    ]
    assert dialogue.client.session_id == "server-1"


@pytest.mark.parametrize("profile", [ENGINEIO, SOCKETIO])
def test_a_client_that_does_not_answer(profile):
    """Is gone at 45 s, as with the real server."""
    assert Dialogue(profile, mute={Role.HEARTBEAT_ANSWER}).run(100).ended == (
        45.0,
        "Engine.IO's ping timeout",
    )


def test_the_client_waits_for_an_interval_and_a_timeout():
    """45 s with the defaults; what the server names counts."""
    assert CLIENT_TIMEOUT.runs(25, 20) == 45
    assert CLIENT_TIMEOUT.runs(1, 0.8) == 1.8


def test_a_session_of_socketio():
    """Two ids: Socket.IO's is the session's."""
    dialogue = Dialogue(SOCKETIO).run(1)

    assert [(who, message) for _, who, message in dialogue.said] == [
        (
            "S",
            '0{"sid":"engine","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
        ),
        ("C", "40"),
        ("S", '40{"sid":"server-1"}'),
    ]
    assert dialogue.client.session_id == "server-1"


@pytest.mark.parametrize(
    ("message", "role"),
    [
        ("40", Role.SESSION_INFO),
        ('40{"token":"x"}', Role.SESSION_INFO),
        # Another namespace is none of this session's.
        ("40/nope,", Role.DATA),
        ("3", Role.HEARTBEAT_ANSWER),
        ('420["a"]', Role.DATA),
        ('42["hi",{"a":1}]', Role.DATA),
        # It leaves, which is its right.
        ("41", Role.GOODBYE),
    ],
)
def test_what_a_client_says(message, role):
    """With a token, too."""
    assert SOCKETIO.words.hear(message, End.CLIENT).role is role


@pytest.mark.parametrize(
    ("message", "role", "session_id"),
    [
        ('40{"sid":"r0hDAAAB"}', Role.SESSION_CONFIRMED, "r0hDAAAB"),
        ('40{"sid":"SIO1","pid":"PID1"}', Role.SESSION_CONFIRMED, "SIO1"),
        ('44{"message":"no","data":{"why":1}}', Role.SESSION_REFUSED, None),
        # Of a namespace that python-socketio does not serve.
        ('44"Unable to connect"', Role.SESSION_REFUSED, None),
        # The session is over, and the connection is not.
        ("41", Role.ERROR, None),
        ('41{"message":"Connection rejected by server"}', Role.ERROR, None),
        ("41/other,", Role.DATA, None),
        ("2", Role.HEARTBEAT, None),
        ('430["ackd"]', Role.DATA, None),
        ("6", Role.DATA, None),
    ],
)
def test_what_a_server_says(message, role, session_id):
    """A refusal, and the end of a session, leave the WebSocket open."""
    heard = SOCKETIO.words.hear(message, End.SERVER)

    assert (heard.role, heard.session_id) == (role, session_id)


@pytest.mark.parametrize(
    ("profile", "joins", "confirmed"),
    [
        (socketio("/chat"), "40/chat,", '40/chat,{"sid":"server-1"}'),
        (socketio("/chat", auth={"a": 1}), '40/chat,{"a":1}', '40/chat,{"sid":"server-1"}'),
        (socketio(auth={"token": "x"}), '40{"token":"x"}', '40{"sid":"server-1"}'),
        # A packet without the first "/" would be of no namespace.
        (socketio("chat"), "40/chat,", '40/chat,{"sid":"server-1"}'),
        (socketio(""), "40", '40{"sid":"server-1"}'),
    ],
)
def test_a_session_of_a_namespace(profile, joins, confirmed):
    """What the client says of itself stands behind it."""
    dialogue = Dialogue(profile).run(1)

    assert [message for _, _, message in dialogue.said[1:]] == [joins, confirmed]
    assert dialogue.client.session_id == "server-1"


@pytest.mark.parametrize(
    ("message", "role"),
    [
        ('40/chat,{"sid":"r0hDAAAB"}', Role.SESSION_CONFIRMED),
        ('44/chat,{"message":"no"}', Role.SESSION_REFUSED),
        ('44/chat,"Unable to connect"', Role.SESSION_REFUSED),
        ("41/chat,", Role.ERROR),
        ('41/chat,{"message":"x"}', Role.ERROR),
        ("2", Role.HEARTBEAT),
        # Of another one.
        ('40{"sid":"r0hDAAAB"}', Role.DATA),
        ('40/chats,{"sid":"r0hDAAAB"}', Role.DATA),
        ('44{"message":"no"}', Role.DATA),
        ("41", Role.DATA),
        ("41/other,", Role.DATA),
        ('42/chat,["hi"]', Role.DATA),
    ],
)
def test_what_a_server_says_of_a_namespace(message, role):
    """That of another one is none of the session's."""
    assert socketio("/chat").words.hear(message, End.SERVER).role is role


def test_a_server_that_waits_for_a_client_that_never_joins():
    """Node's ends the connection at 45 s, whatever heartbeats are answered."""
    server = Conversation(SOCKETIO, End.SERVER, session_id="s")
    server.opened(0.0)
    server.due(25.0)
    server.hear("3", 25.1)

    assert [act.timer.name for act in server.due(45.0)] == ["Socket.IO's connect timeout"]


def test_an_engineio_3_server_is_told():
    """It joins by itself, and waits for the client's pings for ever."""
    client = Conversation(SOCKETIO, End.CLIENT)
    client.opened(0.0)
    client.answer(client.hear('0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":5000}', 0.1))

    assert client.hear("40", 0.2).problem == (
        Flaw.VERSION,
        "'40': an Engine.IO 3 server, which joins by itself and waits for the client's pings",
    )


def test_recovery_comes_back_with_the_last_offset():
    """The server knows the session by its pid, and confirms the same sid."""
    first = Conversation(SOCKETIO_RECOVERY, End.CLIENT)
    first.opened(0.0)
    first.answer(first.hear(NODE_OPEN, 0.1))
    first.hear('40{"sid":"SIO1","pid":"PID1"}', 0.2)
    first.hear('42["news",{"n":1},"off7"]', 0.3)
    assert first.resumption == Resumption("SIO1", "PID1", "off7")

    second = Conversation(SOCKETIO_RECOVERY, End.CLIENT, before=first.resumption)
    second.opened(0.0)
    (resume,) = second.answer(second.hear(NODE_OPEN, 0.1))
    assert second.write(resume, 0.1) == '40{"pid":"PID1","offset":"off7"}'
    second.hear('40{"sid":"SIO1","pid":"PID1"}', 0.2)
    assert second.resumed


def test_recovery_that_fails_is_a_new_session():
    """Another sid, and no error."""
    second = Conversation(SOCKETIO_RECOVERY, End.CLIENT, before=Resumption("SIO1", "PID1", "off7"))
    second.opened(0.0)
    second.hear('40{"sid":"SIO2","pid":"PID2"}', 0.2)

    assert second.resumed is False
    assert second.session_id == "SIO2"


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('42["news","off1"]', "off1"),
        ('4217["news",1,"off2"]', "off2"),
        ('42["news"]', None),
        ('42["news",5]', None),
        ("42", None),
        ("42{", None),
        ("3", None),
        (b"42", None),
    ],
)
def test_the_offset_of_an_event(message, found):
    """Its last argument, where there is text."""
    assert offset(message) == found
