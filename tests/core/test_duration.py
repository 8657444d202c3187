"""Durations as people write them."""

import re

import pytest

from pytest_wsstability.core.duration import parse_duration, show_duration, show_range


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (5, 5.0),
        (0.25, 0.25),
        ("5", 5.0),
        ("500ms", 0.5),
        ("25s", 25.0),
        ("1.5s", 1.5),
        (".5s", 0.5),
        (" 25 s ", 25.0),
        ("2m", 120.0),
        ("24h", 86400.0),
        ("1m30s", 90.0),
        ("1h 30m", 5400.0),
        ("1s500ms", 1.5),
        ("2h1m1s1ms", 7261.001),
        # Exact to the last bit: 300 * 0.001 would be 0.3 and a bit.
        ("300ms", 0.3),
    ],
)
def test_duration_is_parsed(written, seconds):
    """A number is seconds, and a number with a unit is that many of the unit."""
    assert parse_duration(written) == seconds
    assert type(parse_duration(written)) is float


VALID = 'give seconds as a number, or text such as "500ms", "25s", "2m", "24h"'


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2 minutes", "alive_for: '2 minutes' is not a duration; "),
        ("", "alive_for: '' is not a duration; "),
        ("-5s", "alive_for: '-5s' is not a duration; "),
        ("1e3", "alive_for: '1e3' is not a duration; "),
        ("5S", "alive_for: '5S' is not a duration; "),
        ("30s1m", "alive_for: '30s1m' is not a duration; "),
        ("1m1m", "alive_for: '1m1m' is not a duration; "),
        ("1m30", "alive_for: '1m30' is not a duration; "),
        (True, "alive_for: True is not a duration; "),
        (None, "alive_for: None is not a duration; "),
        (b"5s", "alive_for: b'5s' is not a duration; "),
        (-1, "alive_for: -1 is negative or not finite; "),
        (float("nan"), "alive_for: nan is negative or not finite; "),
        (float("inf"), "alive_for: inf is negative or not finite; "),
        ("9" * 400, f"alive_for: '{'9' * 400}' is negative or not finite; "),
        pytest.param(10**400, f"alive_for: {10**400} is negative or not finite; ", id="10**400"),
        pytest.param(-(10**400), f"alive_for: {-(10**400)} is negative or not finite; ", id="-10**400"),
        (0, "alive_for: must be longer than 0, not 0; "),
        ("0ms", "alive_for: must be longer than 0, not '0ms'; "),
    ],
)
def test_what_is_no_duration_is_refused(written, message):
    """The error names what the duration is for, the value, and the valid ones."""
    with pytest.raises(ValueError, match=f"^{re.escape(message + VALID)}$"):
        parse_duration(written, "alive_for")


def test_zero_is_a_duration_where_it_makes_sense():
    """Only the caller knows whether 0 makes sense."""
    assert parse_duration("0s", zero=True) == 0.0


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 s"),
        (0.0004, "0.4 ms"),
        (0.25, "250 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (5.0, "5 s"),
        (59.99999, "60 s"),
        (60.02, "60.02 s"),
        (120.0, "120 s"),
        (3600.0, "1 h"),
        (5400.0, "5400 s"),
        (86400.0, "24 h"),
    ],
)
def test_duration_is_shown_with_its_unit(seconds, shown):
    """A sentence gives a duration in the unit that people would choose."""
    assert show_duration(seconds) == shown


@pytest.mark.parametrize(
    ("least", "most", "shown"),
    [
        (0.0, 3.0, "0 s to 3 s"),
        (0.25, 3.0, "250 ms to 3 s"),
        (3.0, 3.0001, "3 s"),
        (0.25, float("inf"), "250 ms or more"),
    ],
)
def test_what_lies_between_two_durations_is_shown(least, most, shown):
    """Nobody reads a range whose ends are the same."""
    assert show_range(least, most) == shown
