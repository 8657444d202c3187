"""What a profile says of itself may hold a secret, which is hidden; the words of its protocol are shown."""

import dataclasses

import pytest

from pytest_wsstability.core.secret_values import SecretValues
from pytest_wsstability.profiles import Profile, profile
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
