"""STOMP 1.2: frames that end with NUL, and line feeds both ends agree on."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import Intervals
from pytest_wsstability.profiles import Say
from pytest_wsstability.profiles.conversation import Conversation
from pytest_wsstability.profiles.placeholders import Unsaid
from pytest_wsstability.profiles.stomp import STOMP, agree, headers, split, stomp
from tests.profiles.dialogue import Dialogue

# As RabbitMQ 3.10 writes it.
CONNECTED = "CONNECTED\nserver:RabbitMQ/3.10.8\nsession:session-pMsYG8bu\nheart-beat:{}\nversion:1.2\n\n\0\n"


def test_a_connection():
    """Both ends send a line feed at the interval that they agreed on."""
    dialogue = Dialogue(STOMP, client={"interval": 4.0}).run(10)

    assert dialogue.said == [
        (0.0, "C", "CONNECT\naccept-version:1.2\nhost:/\nheart-beat:4000,4000\n\n\0"),
        (0.0, "S", "CONNECTED\nversion:1.2\nsession:server-1\nheart-beat:10000,10000\n\n\0"),
        (4.0, "C", "\n"),
        (8.0, "C", "\n"),
        (10.0, "S", "\n"),
    ]
    assert dialogue.client.session_id == "server-1"


def test_a_login():
    """Where the broker asks for one."""
    client = Conversation(stomp(login="guest", passcode="g"), End.CLIENT)
    (connect,) = client.opened(0.0)

    assert "\nlogin:guest\npasscode:g\n" in client.write(connect, 0.0)


@pytest.mark.parametrize(
    ("client", "server", "agreed"),
    [
        # The specification's rule: the larger of what one can send and the other one wants.
        ("10000,10000", "10000,10000", Intervals(10.0, 10.0)),
        ("1000,2000", "5000,500", Intervals(1.0, 5.0)),
        ("1000,2000", "500,3000", Intervals(3.0, 2.0)),
        ("0,2000", "2000,0", Intervals(None, 2.0)),
        ("2000,0", "0,2000", Intervals(2.0, None)),
        ("2000,2000", "0,0", Intervals(None, None)),
    ],
)
def test_both_ends_agree(client, server, agreed):
    """Zero means none."""

    def pair(text):
        sends, wants = text.split(",")
        return {"sends": int(sends) / 1000, "wants": int(wants) / 1000}

    assert agree(pair(client), pair(server)) == agreed


@pytest.mark.parametrize(
    ("server", "beats"), [("10000,10000", 10.0), ("0,0", None), ("0,3000", 10.0), ("0,20500", 20.5)]
)
def test_the_client_goes_by_what_the_broker_says(server, beats):
    """Its own 10 s, or what the broker wants if that is longer."""
    client = Conversation(STOMP, End.CLIENT)
    client.opened(0.0)
    heard = client.hear(CONNECTED.format(server), 0.5)

    assert (heard.role, client.session_id) == (Role.SESSION_CONFIRMED, "session-pMsYG8bu")
    assert client.at == (None if beats is None else 0.5 + beats)


@pytest.mark.parametrize(
    "heart_beat",
    ["604800000,604800000", "9999999999999999,1" + "0" * 400, "NaN,NaN", "10000", "-1,-1", ",", "1.5,²"],
)
def test_an_interval_of_a_broker_that_makes_no_sense(heart_beat):
    """Is told as the broker's, and not gone by."""
    client = Conversation(STOMP, End.CLIENT)
    client.opened(0.0)
    problem = client.hear(CONNECTED.format(heart_beat), 0.5).problem

    assert problem is not None
    assert problem.flaw is Flaw.INTERVAL
    assert client.at == 10.5


@pytest.mark.parametrize(
    ("data", "frames", "rest"),
    [
        (b"\n", [b"\n"], b""),
        (b"\r\n", [b"\n"], b""),
        (b"", [], b""),
        (b"A\n\n\0", [b"A\n\n"], b""),
        # A line end behind a frame belongs to it.
        (b"A\n\n\0\n", [b"A\n\n"], b""),
        (b"A\n\n\0\nB\n\n\0", [b"A\n\n", b"B\n\n"], b""),
        (b"A\n\n\0B\n", [b"A\n\n"], b"B\n"),
        (b"A\n", [], b"A\n"),
    ],
)
def test_frames_are_cut(data, frames, rest):
    """Whatever the WebSocket's frames are."""
    assert split(data) == (frames, rest)


def test_a_frame_over_two_messages():
    """And sent binary, as brokers accept it."""
    client = Conversation(STOMP, End.CLIENT)
    client.opened(0.0)
    text = CONNECTED.format("0,0").encode()

    assert client.hear(text[:20], 0.1).role is Role.NONE
    assert client.hear(text[20:], 0.2).role is Role.SESSION_CONFIRMED


@pytest.mark.parametrize(
    ("message", "role"),
    [
        ("ERROR\nmessage:Bad CONNECT\n\nAccess refused\0", Role.ERROR),
        ("MESSAGE\nsubscription:0\n\nhello\0", Role.DATA),
        ("\n", Role.HEARTBEAT),
    ],
)
def test_what_a_broker_says(message, role):
    """Errors leave the WebSocket open."""
    client = Conversation(STOMP, End.CLIENT)
    client.opened(0.0)

    assert client.hear(message, 0.1).role is role


def test_headers_are_unescaped_and_the_first_counts():
    """STOMP 1.2, "Repeated Header Entries" and "Value Encoding"."""
    assert headers("CONNECTED\na:1\\c2\na:3\nb:x\\ny\n\n", "CONNECTED") == {"a": "1:2", "b": "x\ny"}
    assert headers("CONNECTED\n\n", "ERROR") is None


def test_a_client_that_says_nothing():
    """Three intervals, as RabbitMQ was measured."""
    dialogue = Dialogue(STOMP, mute={Role.HEARTBEAT}).run(100)

    assert dialogue.ended == (30.0, "the broker's heart-beat tolerance")


@pytest.mark.parametrize("receipt", [r"a\\cb", r"a\c", r"\\", r"\\\n\r", "77"])
def test_a_receipt_has_the_name_that_was_asked_for(receipt):
    """Whatever is escaped in it; of two backslashes and a "c" the first two are one."""
    server = Conversation(STOMP, End.SERVER)
    heard = server.hear(f"DISCONNECT\nreceipt:{receipt}\n\n\0", 0.0)

    assert heard.role is Role.GOODBYE
    assert server.write(Say(Role.DATA, heard.values), 0.0) == f"RECEIPT\nreceipt-id:{receipt}\n\n\0"


def test_no_receipt_where_none_is_asked_for():
    """Nothing is said then."""
    server = Conversation(STOMP, End.SERVER)
    heard = server.hear("DISCONNECT\n\n\0", 0.0)

    with pytest.raises(Unsaid):
        server.write(Say(Role.DATA, heard.values), 0.0)
