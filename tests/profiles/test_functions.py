"""Functions of a profile that give nothing when they are called are no functions of messages."""

from __future__ import annotations

import pytest

from pytest_wsstability.profiles import Codec, Profile


async def later(*given):
    """A coroutine is always true."""
    return False


def one_by_one(*given):
    """So is a generator."""
    yield False


FIELDS = {
    "read": lambda function: {"ping": "ping", "pong": function},
    "of a codec": lambda function: {"ping": Codec(function, "ping"), "pong": "pong"},
    "written": lambda function: {"ping": Codec(bool, function), "pong": "pong"},
    "one of several": lambda function: {"error": ("no", function)},
    "sequence": lambda function: {"sequence": function},
    "reply": lambda function: {"reply": function},
    "http": lambda function: {"http": function},
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("function", [later, one_by_one])
def test_a_function_that_gives_later_is_refused(fields, function):
    """When the profile is made: a server would be blamed for it, or everything match."""
    with pytest.raises(
        ValueError, match=r"^profile 'x': .* when it is called: write it with 'def', and return"
    ):
        Profile(name="x", **fields(function))


@pytest.mark.parametrize(
    "function", [lambda *given: "ping", str, "{}".format], ids=["lambda", "class", "method"]
)
def test_what_gives_at_once_is_taken(function):
    """A class, and a method of a builtin one, are functions too."""
    Profile(name="x", ping=Codec(bool, function), pong=function)
    Profile(name="x", sequence=function, reply=function, http=function)
