"""A message is parsed once, however many look at it."""

import pytest

from pytest_wsstability.profiles.near_miss import why_not
from pytest_wsstability.profiles.wording import Parsed, json_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \r\n\t["a"]', ["a"]),
        # Neither an object nor an array, or no JSON at all.
        ("7", None),
        ('"a"', None),
        ("", None),
        ('{"a": ', None),
        ("[" * 100_000, None),
    ],
)
def test_json_that_is_an_object_or_an_array(text, found):
    """None for everything else, however deep it is nested."""
    assert json_of(text) == found


def test_the_same_text_is_parsed_once():
    """Until another one comes in between; an equal text is another."""
    text = '{"a": [1]}'
    found = json_of(text)
    assert json_of(text) is found
    assert Parsed(text).json() is found
    other = "".join(text)
    assert json_of('{"b": 2}') == {"b": 2}
    assert json_of(other) == found
    assert json_of(text) is not found


@pytest.mark.parametrize(("length", "is_read"), [(262_144, True), (262_145, False)])
def test_messages_of_more_than_256_kib_are_not_parsed(length, is_read):
    """Their JSON takes a moment of the loop; what they should have been is told in words."""
    payload = '{"a":' + "1".rjust(length - 6) + "}"

    assert (Parsed(payload).json() == {"a": 1}) is is_read
    assert ("at most 262144 are read" in why_not({"a": 2}, payload)) is not is_read
