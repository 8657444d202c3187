"""Why a message is not the one that was expected, in words for people who look for their mistake."""

from __future__ import annotations

import pytest

from pytest_wsstability.profiles import Prefixed
from pytest_wsstability.profiles.near_miss import why_not
from pytest_wsstability.profiles.placeholders import ANY, SESSION_ID

PONG = {"type": "pong", "seq": 7}


@pytest.mark.parametrize(
    ("expected", "payload", "why"),
    [
        (PONG, '{"type": "ping", "seq": 7}', "member 'type' is \"ping\", not \"pong\""),
        (PONG, '{"type": "pong"}', "member 'seq' is missing"),
        (PONG, "{}", "member 'type' is missing; member 'seq' is missing"),
        (PONG, "[1]", "JSON that is no object but an array"),
        (PONG, '"pong"', "JSON that is no object but a string"),
        (PONG, "7", "JSON that is no object but a number"),
        (PONG, "null", "JSON that is no object but null"),
        (PONG, "true", "JSON that is no object but a boolean"),
        (PONG, "pong", "a text message of 4 characters that is no JSON"),
        (PONG, "[" * 100_000, "a text message of 100000 characters"),
        (PONG, b"\x01\x02", "a binary message of 2 B, not the text expected"),
        (b"\x01", b"\x01\x02", "a binary message of 2 B, not the bytes expected"),
        ("PONG", "PING", "a text message of 4 characters that is not the one expected"),
        (Prefixed("42", ["pong"]), '42["ping"]', "member '[0]' is \"ping\", not \"pong\""),
        (Prefixed("42", ["pong"]), '["pong"]', "a text message of 8 characters that is not the one expected"),
        # Of several that mean the same, the first.
        (("PONG", "pong"), "PING", "a text message of 4 characters that is not the one expected"),
        ({"a": {"b": 1}}, '{"a": 1}', "member 'a' is a number, not an object"),
        ({"a": {"b": 1}}, '{"a": {}}', "member 'a.b' is missing"),
        ({"a": {"b": 1}}, '{"a": {"b": 2}}', "member 'a.b' is 2, not 1"),
        ([1, 2], "{}", "it is an object, not an array"),
        ([1, 2], "[1]", "it has 1 elements, not 2"),
        ([1, 2], "[1, 3]", "member '[1]' is 3, not 2"),
        # What stands for whatever comes is no difference.
        ({"id": ANY, "type": "pong"}, '{"id": 1, "type": "x"}', "member 'type' is \"x\", not \"pong\""),
        ({"id": SESSION_ID}, '{"id": {}}', "member 'id' is an object, which names no session"),
        ({"id": SESSION_ID}, '{"id": "abc"}', "a message that looks like another one"),
    ],
)  # fmt: skip
def test_what_a_message_lacks(expected, payload, why):
    """Only the members that the expected one fixes are quoted."""
    assert why_not(expected, payload).startswith(why)


def test_other_members_are_not_quoted():
    """They may be secrets."""
    assert "hunter2" not in why_not(PONG, '{"type": "ping", "seq": 7, "token": "hunter2"}')


def test_a_long_value_is_cut():
    assert len(why_not({"type": "pong"}, f'{{"type": "{"x" * 500}"}}')) < 100
