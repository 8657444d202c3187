"""What may stand for the values of a message, and what is made of it."""

import math

import pytest

from pytest_wsstability.profiles.placeholders import take


@pytest.mark.parametrize(
    ("name", "found", "values"),
    [
        ("any", {"a": [1]}, {}),
        ("session_id", "s-1", {"session_id": "s-1"}),
        ("session_id", 7, {"session_id": "7"}),
        ("session_id", 7.0, {"session_id": "7"}),
        ("session_id", None, {"session_id": None}),
        ("session_number", 7, {"session_id": "7"}),
        ("session_number", None, {"session_id": None}),
        ("sequence", 7, {"sequence": 7}),
        ("sequence", "7-0", {"sequence": "7-0"}),
        ("sequence", None, {"sequence": None}),
        ("interval", 25, {"interval": 25.0}),
        ("interval_ms", 25_500, {"interval": 25.5}),
        ("interval", None, {"interval": None}),
        ("timeout_ms", 500.5, {"timeout": 0.5005}),
        ("timeout", 10**400, {"timeout": math.inf}),
        ("now", 1.5, {"now": 1.5}),
        ("id", "a", {"id": "a"}),
        ("id", 7.0, {"id": 7}),
        ("id", True, {"id": True}),
        ("text_id", "7", {"id": "7"}),
        ("token", {"a": 1}, {"token": {"a": 1}}),
        ("audio", None, {"audio": None}),
    ],
)
def test_what_may_stand_for_a_value(name, found, values):
    """Seconds are told as such, a session's id as text, and 7.0 as 7, which JSON writes either way."""
    told = {}

    assert take(name, found, told)
    assert told == values
    assert [type(each) for each in told.values()] == [type(each) for each in values.values()]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("session_id", 7.5), ("session_id", True), ("session_id", ["s"]),
        ("session_number", "7"), ("session_number", 7.5), ("session_number", True),
        ("sequence", 7.5), ("sequence", False), ("sequence", {}),
        ("interval", "25"), ("interval_ms", True), ("timeout", []), ("now", "noon"), ("now", False),
        ("id", None), ("id", {}), ("id", []), ("text_id", None), ("text_id", {"id": 1}),
    ],
)  # fmt: skip
def test_what_may_not(name, found):
    told = {}

    assert not take(name, found, told)
    assert told == {}


def test_a_value_that_stands_twice_is_the_same_both_times():
    told = {}

    assert take("session_id", "7", told)
    assert take("session_number", 7, told)
    assert not take("session_id", "8", told)
    assert told == {"session_id": "7"}
