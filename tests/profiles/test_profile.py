"""Application protocols as data."""

import dataclasses
import json
import re

import pytest

from pytest_wsstability.core.timeline.events import Role
from pytest_wsstability.profiles import BUILTIN, FRAMES, JSON, Profile
from pytest_wsstability.profiles.profile import SESSION_ID

EXACT = Profile(name="engine", ping="2", pong="3")
BINARY = Profile(name="binary", ping=b"\x00", pong=b"\x01")


def test_builtin_profiles_go_by_their_names():
    """`--ws-profile NAME` finds them."""
    assert BUILTIN == {"json": JSON, "frames": FRAMES}


@pytest.mark.parametrize(
    ("role", "written"),
    [
        (Role.GREETING, '{"type":"connection_established"}'),
        (Role.SESSION_INFO, '{"type":"session_info","session_id":"s-1"}'),
        (Role.SESSION_CONFIRMED, '{"type":"session_confirmed","session_id":"s-1"}'),
        (Role.HEARTBEAT, '{"type":"ping"}'),
        (Role.HEARTBEAT_ANSWER, '{"type":"pong"}'),
    ],
)
def test_json_round_trip(role, written):
    """What one end writes, as a page's JSON.stringify does, the other reads as the same step."""
    text = JSON.write(JSON.message(role), "s-1")

    assert text == written
    session_id = "s-1" if "s-1" in written else None
    assert JSON.read(text) == (role, session_id)


@pytest.mark.parametrize(
    ("payload", "role", "session_id"),
    [
        # Order, space and further members are the peer's.
        ('  {"ts": 1, "type": "pong"}', Role.HEARTBEAT_ANSWER, None),
        ('{"type": "session_confirmed"}', Role.SESSION_CONFIRMED, None),
        ('{"type": "session_confirmed", "session_id": null}', Role.SESSION_CONFIRMED, None),
        ('{"type": "session_info", "session_id": 7}', Role.SESSION_INFO, "7"),
        ('{"type": "session_info", "session_id": "größe"}', Role.SESSION_INFO, "größe"),
        # What is no text or whole number names no session.
        ('{"type": "session_info", "session_id": ["s-1"]}', Role.DATA, None),
        ('{"type": "session_info", "session_id": {"id": "s-1"}}', Role.DATA, None),
        ('{"type": "session_info", "session_id": true}', Role.DATA, None),
        ('{"type": "session_info", "session_id": 1.5}', Role.DATA, None),
        # All else is the application's.
        ("", Role.DATA, None),
        ("pong", Role.DATA, None),
        ('"pong"', Role.DATA, None),
        ('["pong"]', Role.DATA, None),
        ("{", Role.DATA, None),
        ('{"type": "pong"', Role.DATA, None),
        ('{"type": "pong"} and more', Role.DATA, None),
        ('{"type": "PONG"}', Role.DATA, None),
        ('{"kind": "pong"}', Role.DATA, None),
        ('{"type": ["pong"]}', Role.DATA, None),
        ('{"data": {"type": "pong"}}', Role.DATA, None),
        (b'{"type":"pong"}', Role.DATA, None),
        # Hostile: too deep for the parser, too long a number, too large to be looked at.
        ('{"a":' * 3000, Role.DATA, None),
        ('{"a":' + "9" * 5000 + "}", Role.DATA, None),
        ('{"type":"pong","pad":"' + "x" * 16 * 1024 + '"}', Role.DATA, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_json_reading(payload, role, session_id):
    """A template's members must be there and equal; what can't be read is data, never an error."""
    assert JSON.read(payload) == (role, session_id)


def test_a_message_just_small_enough_is_read():
    """Session steps may carry some payload: 16 KiB is the limit."""
    head, tail = '{"type":"pong","pad":"', '"}'
    padding = "x" * (16 * 1024 - len(head) - len(tail))

    assert JSON.read(head + padding + tail)[0] is Role.HEARTBEAT_ANSWER
    assert JSON.read(head + padding + "x" + tail)[0] is Role.DATA


def test_a_pong_of_our_own_takes_three_lines():
    """A team's other words for one step leave the rest as it is."""
    ours = JSON.replace(name="ours", pong={"op": "PONG"})

    assert ours.read('{"op": "PONG", "seq": 3}') == (Role.HEARTBEAT_ANSWER, None)
    assert ours.read('{"type": "pong"}') == (Role.DATA, None)
    assert ours.read('{"type": "ping"}') == (Role.HEARTBEAT, None)
    assert JSON.read('{"type": "pong"}') == (Role.HEARTBEAT_ANSWER, None)
    assert (ours.name, JSON.name) == ("ours", "json")  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "payload", "role"),
    [
        (EXACT, "2", Role.HEARTBEAT),
        (EXACT, "3", Role.HEARTBEAT_ANSWER),
        (EXACT, "22", Role.DATA),
        (EXACT, b"2", Role.DATA),
        (BINARY, b"\x00", Role.HEARTBEAT),
        (BINARY, b"\x00\x00", Role.DATA),
        (BINARY, "\x00", Role.DATA),
        (FRAMES, '{"type":"ping"}', Role.DATA),
        (FRAMES, "", Role.DATA),
    ],
)
def test_exact_messages(profile, payload, role):
    """Text matches text and bytes match bytes, as a whole."""
    assert profile.read(payload) == (role, None)


@pytest.mark.parametrize("message", ["2", b"\x00"])
def test_exact_messages_are_written_as_they_are(message):
    """Nothing is filled in."""
    assert EXACT.write(message, "s-1") == message


def test_templates_are_filled_in_and_stay_templates():
    """Only the whole value stands for the session's id."""
    template = {"id": SESSION_ID, "text": f"no {SESSION_ID}", "n": 1}

    assert json.loads(JSON.write(template, "s-1")) == {"id": "s-1", "text": "no {session_id}", "n": 1}
    assert template["id"] == SESSION_ID


@pytest.mark.parametrize(
    ("profile", "has_session", "heartbeat_is_frame"),
    [(JSON, True, False), (FRAMES, False, True), (EXACT, False, False)],
)
def test_what_a_profile_has(profile, has_session, heartbeat_is_frame):
    """A profile without session messages has no session; one without ping beats with protocol pings."""
    assert (profile.has_session, profile.heartbeat_is_frame) == (has_session, heartbeat_is_frame)


@pytest.mark.parametrize("role", [Role.DATA, Role.NONE, Role.GREETING])
def test_no_message_for_a_role(role):
    """None where the profile has none."""
    assert EXACT.message(role) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "profile name: '' is not a name"),
        ({"name": 7}, "profile name: 7 is not a name"),
        ({"ping": "2"}, "profile 'x': ping and pong come together, or both are None"),
        ({"pong": "3"}, "profile 'x': ping and pong come together, or both are None"),
        ({"session_info": "hi"}, "profile 'x': session_info and session_confirmed come together"),
        (
            {"greeting": ["hi"]},
            "profile 'x': greeting is ['hi']; give a JSON object as a mapping, exact text or bytes, or None",
        ),
        (
            {"ping": {}, "pong": "3"},
            "profile 'x': ping is {}; give a JSON object as a mapping, exact text or bytes, or None",
        ),
        (
            {"ping": "", "pong": "3"},
            "profile 'x': ping is ''; give a JSON object as a mapping, exact text or bytes, or None",
        ),
        ({"greeting": {"op": b"hi"}}, "profile 'x': greeting is {'op': b'hi'}, which JSON cannot say"),
        ({"greeting": {1: "hi"}}, "profile 'x': greeting is {1: 'hi'}, which JSON cannot say"),
        ({"greeting": {"v": float("nan")}}, "profile 'x': greeting is {'v': nan}, which JSON cannot say"),
        (
            {"ping": "hb", "pong": "hb"},
            "profile 'x': ping and pong are the same message, so a received one could be either",
        ),
        (
            {"ping": {"op": "hb"}, "pong": {"op": "hb"}},
            "profile 'x': ping and pong are the same message, so a received one could be either",
        ),
    ],
)
def test_a_bad_definition_is_refused(fields, message):
    """At once, naming the profile, the message and what is wrong with it."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Profile(**{"name": "x", **fields})


def test_replacing_checks_anew():
    """A copy is as good as its original, or refused."""
    with pytest.raises(ValueError, match=r"^profile 'ours': ping and pong come together, or both are None$"):
        JSON.replace(name="ours", pong=None)


def test_a_profile_is_a_value():
    """Nobody changes the profile that others use."""
    assert JSON.replace(name="json") == JSON
    with pytest.raises(dataclasses.FrozenInstanceError):
        JSON.pong = "3"
