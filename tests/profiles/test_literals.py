"""Placeholders that would go out as they are."""

from __future__ import annotations

import pytest

from pytest_wsstability.profiles import ID, SESSION_ID, Codec, Prefixed, Profile
from pytest_wsstability.profiles.catalogue import SHIPPED, find

JOINED = {"type": "joined"}


@pytest.mark.parametrize(
    ("field", "message", "words"),
    [
        ("session_info", {"id": "{sesion_id}"}, "'{sesion_id}', which is no placeholder and would go out"),
        ("session_info", {"d": [{"id": "{SESSION_ID}"}]}, "did you mean '{session_id}'?"),
        ("session_info", {"id": "{ session_id }"}, "did you mean '{session_id}'?"),
        ("session_info", {"id": "{session-id}"}, "did you mean '{session_id}'?"),
        ("session_info", {"id": "SESSION_ID"}, "the text 'SESSION_ID'; write SESSION_ID without quotes"),
        ("session_info", {"id": "$session_id"}, "'$session_id', which is no placeholder and would go out"),
        ("session_info", {"id": "${session_id}"}, "did you mean '{session_id}'?"),
        ("session_info", {"id": "{{ session_id }}"}, "did you mean '{session_id}'?"),
        ("session_info", {"id": "<SESSION_ID>"}, "did you mean '{session_id}'?"),
        ("ping", ["%(id)s"], "'%(id)s', which is no placeholder"),
        ("session_info", {SESSION_ID: 1}, "'{session_id}' as a member's name"),
        ("session_info", Prefixed("42", ["join", "{sid}"]), "'{sid}', which is no placeholder"),
        ("session_info", "JOIN {room}", "'{room}', which is no placeholder"),
        ("ping", "PING {ID}", "did you mean '{id}'?"),
        ("ping", b"\\x01{idd}", "did you mean '{id}'?"),
        ("ping", ({"op": 1}, {"op": "{uuid}"}), "'{uuid}'"),
        ("pong", {"t": "{timestamp}"}, "'{timestamp}'"),
    ],
)  # fmt: skip
def test_one_that_there_is_not_is_refused(field, message, words):
    """With the field, what was written, what may be meant, and what there is."""
    given = {"session_confirmed": JOINED, "ping": "x", field: message}

    with pytest.raises(ValueError, match=r"^profile 'x': ") as refused:
        Profile(name="x", **given)
    assert words in str(refused.value)


@pytest.mark.parametrize("field", ["query", "headers"])
def test_where_nothing_is_filled_in(field):
    """The URL and the header fields of a handshake are as they are."""
    with pytest.raises(
        ValueError,
        match=rf"^profile 'x': {field} has '{{session_id}}': nothing is filled in there, so "
        r"it would go out as it is; open the connection with the value itself \(url=, headers=\)$",
    ):
        Profile(name="x", **{field: {"sid": SESSION_ID}})


@pytest.mark.parametrize(
    "message",
    [
        {"type": "join", "d": [{"id": SESSION_ID}, 1, None, {}]},
        f"JOIN {SESSION_ID} {ID}",
        {"$id": "$ref", "topic": "$SYS/id", "a": "$session_id of mine", "b": "<p>", "c": "100%", "d": "$"},
        '{"type":"join"}',
        '{"id":{id}}',
        "{}",
        '{"1": {}}',
        b"\\x00{\\xff}",
        {"text": "braces { and } apart, and {1} or {two words apart: no}"},
        Codec(lambda message: message == "{x}", "{x}"),
    ],
)
def test_what_is_written_as_it_should_be(message):
    """Placeholders, JSON in text, and braces that hold no word."""
    assert Profile(name="x", session_info=message, session_confirmed=JOINED).session_info == message


def test_the_profiles_of_the_package_have_none():
    """Each can be made anew."""
    for name in SHIPPED:
        assert find(name).replace(name="again").name == "again"
