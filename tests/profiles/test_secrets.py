"""What a profile says of itself may hold a secret, which is hidden; the words of its protocol are shown."""

import dataclasses

import pytest

from pytest_wsstability import End
from pytest_wsstability.core.secret_values import SecretValues
from pytest_wsstability.profiles import Codec, Profile, SessionStep, mqtt, profile
from pytest_wsstability.profiles.catalogue import SHIPPED, shipped


@pytest.fixture
def values(monkeypatch):
    """What the profiles of a test give, and nothing else."""
    made = SecretValues()
    monkeypatch.setattr(profile, "SECRETS", made)
    return made


@pytest.mark.parametrize("name", SHIPPED)
def test_the_words_of_a_shipped_profile_are_none(values, name):
    dataclasses.replace(shipped(name))

    assert values.news() == []


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ({"session_id": "{session_id}"}, "hunter2hunter"),
        ({"authorization": "Bearer {session_id}"}, "hunter2hunter"),
        (b"\x01{session_id}", "hunter2hunter"),
        ({"session_id": "{session_id}", "token": "hunter2hunter"}, "***"),
        ("id={session_id};token=hunter2hunter", "***"),
    ],
    ids=str,
)
def test_what_will_stand_in_a_message_is_collected_when_it_is_known(values, message, shown):
    """`{session_id}` itself is shown: it stands in the user's source, and in what is wrong with a profile."""
    Profile(name="mine", ping=None, pong=None, session_info=message)

    assert values.mask("{session_id}: hunter2hunter") == f"{{session_id}}: {shown}"


def login(values):
    return f"auth,hunter2hunter,{values['id']}"


def fails(values):
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "fields",
    [
        {"session_info": ["auth", "hunter2hunter"]},
        {"session_info": b"PASS hunter2hunter"},
        {"session_info": Codec(bool, "PASS hunter2hunter")},
        {"session_info": Codec(bool, b"PASS hunter2hunter")},
        {"session_info": Codec(bool, login)},
        {"session_info": "hello", "session_confirmed": "hi", "resume": Codec(bool, login)},
        {"steps": (SessionStep(End.CLIENT, Codec(bool, login)),)},
        {"ping": "?", "pong": {"key": "hunter2hunter"}, "heartbeats_from": "server"},
    ],
    ids=["list", "bytes", "text", "bytes beside a function", "function", "resume", "step", "answer"],
)
def test_what_a_client_says_is_collected_whoever_writes_it(values, fields):
    """Data, text, bytes, and what a function makes of made-up values."""
    Profile(name="mine", **fields)

    assert values.mask("no: hunter2hunter") == "no: ***"


@pytest.mark.parametrize("password", ["a" * 20 + "7" * 30, "correct horse battery", "with!some#signs7"])
def test_a_password_of_mqtt_is_collected_whole(values, monkeypatch, password):
    """Whatever its length looks like that stands before it, and also where it looks like words."""
    monkeypatch.setattr(mqtt, "SECRETS", values)
    mqtt.mqtt(username="joe", password=password)

    assert values.mask(f"no: {password}") == "no: ***"


@pytest.mark.parametrize(
    "message",
    [{"args": ["hunter2hunter", object]}, Codec("hello".__eq__, login)],
    ids=["no JSON", "what it writes it does not read"],
)
def test_what_is_wrong_with_a_login_is_told_without_its_key(values, message):
    """It is collected before anything is said of the message."""
    with pytest.raises(ValueError, match="hunter2hunter") as caught:
        Profile(name="mine", session_info=message)

    assert "hunter2hunter" not in values.mask(str(caught.value))


@pytest.mark.parametrize(
    "fields",
    [
        {"session_confirmed": Codec(bool, login)},
        {"session_info": Codec(bool, fails)},
        {"session_info": Codec(bool)},
    ],
    ids=["the server's", "fails", "cannot be written"],
)
def test_what_a_server_says_or_nobody_can_write_is_not(values, fields):
    """And no function that fails breaks the profile."""
    Profile(name="mine", **fields)

    assert values.news() == []
