"""MQTT over WebSocket, byte by byte."""

from __future__ import annotations

import re

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import Intervals
from pytest_wsstability.profiles.conversation import Conversation, Resumption
from pytest_wsstability.profiles.messages import Unwritable
from pytest_wsstability.profiles.mqtt import MQTT, MQTT5, mqtt, split
from pytest_wsstability.profiles.speech import Say
from tests.profiles.dialogue import Dialogue

# As paho-mqtt 2.2 and mosquitto 2.0 write them.
PAHO = bytes.fromhex("100e00044d5154540402003c00026331")
PAHO5 = bytes.fromhex("100f00044d5154540502003c0000026331")
CONNACK5 = bytes.fromhex("20090000062200 0a210014".replace(" ", ""))


def client_of(profile, name="c1", **state):
    client = Conversation(profile, End.CLIENT, session_id=name, **state)
    return client, client.opened(0.0)


@pytest.mark.parametrize(("profile", "written"), [(MQTT, PAHO), (MQTT5, PAHO5)])
def test_connect_is_what_paho_writes(profile, written):
    """Clean, keep-alive 60 s, client id c1."""
    client, (connect,) = client_of(profile)

    assert client.write(connect, 0.0) == written


def test_a_connection():
    """PINGREQ each minute."""
    dialogue = Dialogue(MQTT, client={"session_id": "c1"}).run(60)

    assert dialogue.said == [
        (0.0, "C", PAHO), (0.0, "S", b"\x20\x02\x00\x00"), (60.0, "C", b"\xc0\x00"), (60.0, "S", b"\xd0\x00"),
    ]  # fmt: skip
    assert dialogue.server.session_id == "c1"


def test_a_server_answers_in_the_clients_version():
    """A CONNACK of version 5 has properties."""
    server = Conversation(MQTT, End.SERVER)
    server.opened(0.0)
    (confirm,) = server.answer(server.hear(PAHO5, 0.1))

    assert server.write(confirm, 0.1) == b"\x20\x03\x00\x00\x00"


# As paho-mqtt 2.2 writes them where its user gives no client id.
NAMELESS = bytes.fromhex("100c00044d5154540402003c0000")
NAMELESS5 = bytes.fromhex("100d00044d5154540502003c000000")


@pytest.mark.parametrize("profile", [MQTT, MQTT5])
@pytest.mark.parametrize(
    ("connect", "written"), [(NAMELESS, lambda name: b""), (NAMELESS5, lambda name: b"\x2c\x12\0\x29" + name)]
)
def test_a_server_names_a_client_that_leaves_that_to_it(profile, connect, written):
    """A name of its own for each, which version 5 tells the client (MQTT 5, section 3.2.2.3.7)."""
    servers = [Conversation(profile, End.SERVER) for _ in range(2)]
    for server in servers:
        server.opened(0.0)
        (confirm,) = server.answer(server.hear(connect, 0.1))
        properties = written(server.session_id.encode())

        assert server.write(confirm, 0.1) == bytes([0x20, 2 + len(properties), 0, 0]) + properties
    assert len({server.session_id for server in servers}) == 2


@pytest.mark.parametrize(("every", "promised"), [(0.4, 1), (1, 1), (1.2, 2), (None, 60)])
def test_a_keep_alive_is_rounded_up(every, promised):
    """To whole seconds: 0 would promise none, and one below the interval would be broken."""
    client, (connect,) = client_of(MQTT, interval=every)

    assert client.write(connect, 0.0)[10:12] == bytes([0, promised])


def test_packets_over_frames():
    """mqtt.js sends CONNECT as nine frames, aedes answers in four."""
    server = Conversation(MQTT, End.SERVER)
    server.opened(0.0)
    frames = [PAHO[:1], PAHO[1:2], PAHO[2:4], PAHO[4:9], PAHO[9:]]
    heard = [server.hear(frame, 0.1) for frame in frames]

    assert [each.role for each in heard] == [Role.NONE] * 4 + [Role.SESSION_INFO]
    assert heard[-1].session_id == "c1"


def test_packets_in_one_frame():
    """A publish and an answer."""
    client, _ = client_of(MQTT)
    heard = client.hear(b"\x30\x05\x00\x01a\x31\x32\xd0\x00", 1.0)

    assert (heard.role, [each.payload for each in heard.rest]) == (
        Role.HEARTBEAT_ANSWER,
        [b"\x30\x05\x00\x01a12"],
    )


@pytest.mark.parametrize(
    ("data", "packets", "rest"),
    [
        (b"", [], b""),
        (b"\xc0", [], b"\xc0"),
        (b"\xc0\x00", [b"\xc0\x00"], b""),
        (b"\x30\x7f" + b"x" * 127, [b"\x30\x7f" + b"x" * 127], b""),
        (b"\x30\x80\x01" + b"x" * 128, [b"\x30\x80\x01" + b"x" * 128], b""),
        (b"\x30\x80", [], b"\x30\x80"),
        (b"\x30\x81\x80\x01" + b"x" * 16384, [], b"\x30\x81\x80\x01" + b"x" * 16384),
    ],
)
def test_the_length_of_a_packet(data, packets, rest):
    """In one to four bytes of seven bits."""
    assert split(data) == (packets, rest)


def test_a_length_without_an_end_is_told():
    """A stream that is no MQTT."""
    client, _ = client_of(MQTT)
    problem = client.hear(b"\x30\xff\xff\xff\xff\x01", 1.0).problem

    assert problem == (Flaw.FRAMING, "a length of more than four bytes")


def test_the_server_of_version_5_may_name_the_keep_alive():
    """Property 0x13; without it the client's own counts."""
    client, _ = client_of(MQTT5)
    client.hear(bytes.fromhex("2006 0000 03 13 000a".replace(" ", "")), 1.0)
    assert (client.intervals, client.at) == (Intervals(10.0, None, 5.0), 11.0)

    other, _ = client_of(MQTT5)
    other.hear(CONNACK5, 1.0)
    assert other.at == 61.0


@pytest.mark.parametrize(
    ("before", "interval"),
    [
        # A text, a pair of texts, a byte, two bytes, four; and what does not stand in a CONNACK.
        *((f"{kind} 0002 6331", 10.0) for kind in ("12", "15", "16", "1a", "1c", "1f")),
        ("26 0001 6b 0002 7676", 10.0),
        *((f"{kind} 01", 10.0) for kind in ("24", "25", "28", "29", "2a")),
        *((f"{kind} 0005", 10.0) for kind in ("21", "22")),
        *((f"{kind} 00000e10", 10.0) for kind in ("11", "27")),
        ("01 01", None),
        ("7f", None),
    ],
)
def test_the_keep_alive_stands_behind_other_properties(before, interval):
    """And before others: each has the length of its kind; behind an unknown one nothing can be read."""
    properties = bytes.fromhex(f"{before} 13 000a 2401".replace(" ", ""))
    client, _ = client_of(MQTT5)
    client.hear(bytes([0x20, 3 + len(properties), 0, 0, len(properties)]) + properties, 1.0)

    assert client.at == 1.0 + (interval or 60.0)


@pytest.mark.parametrize(
    ("connack", "role"),
    [
        ("20020000", Role.SESSION_CONFIRMED),
        ("20020100", Role.SESSION_CONFIRMED),
        ("20020001", Role.SESSION_REFUSED),
        # Cut off.
        ("200100", Role.DATA),
        ("2000", Role.DATA),
        ("20020005", Role.SESSION_REFUSED),
        ("2003008700", Role.SESSION_REFUSED),
        ("e0028b00", Role.NOTICE),
        ("9003000100", Role.DATA),
    ],
)
def test_what_a_broker_says(connack, role):
    """Accepted or not."""
    client, _ = client_of(MQTT)

    heard = client.hear(bytes.fromhex(connack), 0.1)

    assert (heard.role, heard.problem) == (role, None)


@pytest.mark.parametrize(
    ("profile", "connack"), [(MQTT, b"\x20\x02\x00\x05"), (MQTT5, b"\x20\x03\x00\x87\x00")]
)
def test_a_session_is_refused_as_not_authorized(profile, connack):
    """By the code of each version: 5, and 0x87 (MQTT 5, section 3.2.2.2)."""
    server = Conversation(profile, End.SERVER)

    assert server.write(Say(Role.SESSION_REFUSED), 0.0) == connack


@pytest.mark.parametrize(("connack", "resumed"), [("20020100", True), ("20020000", False)])
def test_whether_the_session_is_still_there(connack, resumed):
    """CONNACK says so."""
    client, (connect,) = client_of(mqtt(clean=False), before=Resumption("c1"))
    assert client.write(connect, 0.0)[9] == 0
    client.hear(bytes.fromhex(connack), 0.1)

    assert client.resumed is resumed


def test_a_lasting_session_of_version_5_has_an_expiry():
    """Else it would end with its connection."""
    client, (connect,) = client_of(mqtt(version=5, clean=False))

    assert bytes.fromhex("05 11 00000e10".replace(" ", "")) in client.write(connect, 0.0)


def test_a_user_and_a_password():
    """Behind the client id."""
    client, (connect,) = client_of(mqtt(username="u", password="pw"))

    assert client.write(connect, 0.0) == bytes.fromhex(
        "1015 0004 4d515454 04 c2 003c 0002 6331 0001 75 0002 7077".replace(" ", "")
    )


def test_the_longest_client_id_is_sent():
    """Two bytes have its length."""
    client, (connect,) = client_of(MQTT, "x" * 65535)

    assert b"\xff\xffxxxx" in client.write(connect, 0.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("\ud800", "'\\ud800' cannot be sent in binary: surrogates not allowed"),
        ("x" * 65536, "'" + "x" * 40 + "'... has 65536 bytes; at most 65535 can be sent"),
    ],
)
def test_a_client_id_that_cannot_be_sent(name, words):
    """Is told with the reason."""
    client, (connect,) = client_of(MQTT, name)
    with pytest.raises(Unwritable, match=f"^session_info: {re.escape(words)}$"):
        client.write(connect, 0.0)


@pytest.mark.parametrize("version", [3, 6, "5"])
def test_other_versions_are_refused(version):
    """With the valid ones."""
    with pytest.raises(ValueError, match=rf"^version: {version!r}; valid ones: 4 \(3\.1\.1\) and 5$"):
        mqtt(version=version)


@pytest.mark.parametrize("interval", [20.0, 60.0])
def test_a_client_that_says_nothing(interval):
    """One and a half of what it promised."""
    dialogue = Dialogue(MQTT, mute={Role.HEARTBEAT}, client={"interval": interval}).run(200)

    assert dialogue.ended == (1.5 * interval, "MQTT's keep-alive")


@pytest.mark.parametrize(
    ("body", "is_notice"),
    [
        ("", True),
        ("00", True),
        ("8b", True),
        ("9d", True),
        ("a000", True),
        # Keep alive timeout, session taken over, packet too large, quota exceeded, not authorized.
        *((code, False) for code in ("8d", "8e", "95", "97", "87")),
    ],
)
def test_a_broker_that_goes_gives_notice_and_one_that_says_what_was_wrong_does_not(body, is_notice):
    """By the reason code of its DISCONNECT (MQTT 5, section 3.14.2.1)."""
    data = bytes.fromhex(body)
    heard = Conversation(MQTT5, End.CLIENT).hear(bytes([0xE0, len(data)]) + data, 1.0)

    assert (heard.role is Role.NOTICE) is is_notice


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("8e", "DISCONNECT 0x8e, session taken over"),
        ("8d00", "DISCONNECT 0x8d, keep alive timeout"),
        # With the words of the broker, behind a property of another kind.
        (
            "9714" + "1100000001" + "1f000c" + b"100 a second".hex(),
            "DISCONNECT 0x97, quota exceeded: 100 a second",
        ),
        # It goes, or says nothing that version 5 knows.
        ("8b", None),
        ("", None),
        ("04", None),
        ("c0", None),
    ],
)
def test_what_a_broker_says_was_wrong_is_read_in_words(body, said):
    """A reason code is a byte; version 3.1.1 has none."""
    data = bytes.fromhex(body)
    packet = bytes([0xE0, len(data)]) + data
    heard = Conversation(MQTT5, End.CLIENT).hear(packet, 1.0)

    assert (heard.role is Role.ERROR) is (said is not None)
    assert (heard.values or {}).get("said") == said
    assert Conversation(MQTT, End.CLIENT).hear(packet, 1.0).role is not Role.ERROR
