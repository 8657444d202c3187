"""Values as JSON has them, and back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, IntEnum

import pytest

from pytest_wsstability.core.judge.requirement import ExpectedClose, Requirement
from pytest_wsstability.core.judge.verdict import Doubt, Outcome, Reason
from pytest_wsstability.core.plain import plain, restore, restore_number
from pytest_wsstability.core.timeline.close import CloseFrame, TransportEnd
from pytest_wsstability.core.timeline.events import Opcode


class Text(str):
    """A subclass, as `ReferenceURL` is."""


class Code(IntEnum):
    NORMAL = 1000


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Pair:
    colour: Colour
    numbers: tuple[int, ...] = ()
    pair: tuple[str, float] | None = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (Text("ws://x/"), "ws://x/"),
        (Outcome.STABLE, "stable"),
        (Opcode.TEXT, "text"),
        (float("inf"), None),
        (frozenset({1012, 1001}), [1001, 1012]),
        ((1, 2.5), [1, 2.5]),
        ({Code.NORMAL: 1}, {"1000": 1}),
        (CloseFrame(1000, "bye"), {"code": 1000, "reason": "bye"}),
        (Doubt(Reason.TIE, "both"), {"reason": Reason.TIE.value, "text": "both"}),
    ],
)
def test_plain(value, expected):
    """Exact builtin types only."""
    found = plain(value)

    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found)


def test_a_number_that_is_an_enum_is_its_name():
    """Names can be read by people, and stay when numbers change."""
    assert plain(Code.NORMAL) == "normal"


def test_what_json_has_no_form_for():
    """Bytes, for one: said at once, not by whoever reads the report."""
    with pytest.raises(TypeError, match=r"^bytes has no plain form$"):
        plain(b"abc")


@pytest.mark.parametrize(
    "value",
    [
        Requirement.of(alive_for="2m", heartbeat_every="25s", allow_close=[1001, 1012]),
        Requirement.of(closed=ExpectedClose(code=1000, reason="bye")),
        CloseFrame(1011, "x"),
        Pair(Colour.RED, (1, 2), ("a", 0.5)),
    ],
)
def test_there_and_back(value):
    """What was made plain and went through JSON is the same value."""
    assert restore(type(value), json.loads(json.dumps(plain(value)))) == value


def test_infinity_comes_back():
    """JSON has none, so null stands for it where a number has to be."""
    assert restore(float, plain(float("inf"))) == float("inf")


def test_a_field_that_is_missing_has_its_default():
    """A report of a younger or older writer of the same schema."""
    assert restore(CloseFrame, {"code": 1000, "later": 1}) == CloseFrame(1000, "")


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (int, "1", r"^x: '1' is no int$"),
        (int, True, r"^x: True is no int$"),
        (float, "1", r"^x: '1' is no float$"),
        (str, None, r"^x: None is no str$"),
        (Colour, "blue", r"^x: 'blue' is none of red$"),
        (TransportEnd, ["FIN"], r"^x: \['FIN'\] is none of TCP still open, FIN, "),
        (tuple[int, ...], "12", r"^x: '12' is no list$"),
        (tuple[int, ...], [1, "2"], r"^x\[1\]: '2' is no int$"),
        (tuple[str, float], ["a"], r"^x: 1 values where 2 are expected$"),
        (CloseFrame, [], r"^x: \[\] is no object$"),
        (CloseFrame, {"reason": ""}, r"^x: 'code' is missing$"),
        (Pair, {"colour": "red", "numbers": ["a"]}, r"^x\.numbers\[0\]: 'a' is no int$"),
        # Not the whole of a file's text, nor a secret in it.
        (int, "a" * 100_000, r"^x: 'a{196}\.\.\. is no int$"),
        (Colour, "token=Zz99aa88bb77", r"^x: 'token=\*\*\*' is none of red$"),
    ],
)
def test_what_does_not_fit(hint, value, message):
    """The place, the value, and what would fit."""
    with pytest.raises(ValueError, match=message):
        restore(hint, value, "x")


@pytest.mark.parametrize(
    ("value", "like"), [(1.5, 0.0), (2, 0.0), (1.5, None), (None, None), (7, 3), (True, False), (False, True)]
)
def test_a_number_stands_as_it_is(value, like):
    """JSON writes 2.0 as 2 where a program may; a truth value is no number."""
    assert restore_number(value, like) is value


@pytest.mark.parametrize(
    ("value", "like", "kind"),
    [
        (True, 0.0, "float"), (None, 0.0, "float"), ("1", None, "float"), (1.5, 3, "int"), (True, 3, "int"),
        (None, 3, "int"), (1, False, "bool"),
    ],
)  # fmt: skip
def test_what_is_no_such_number_is_refused_by_its_place(value, like, kind):
    with pytest.raises(ValueError, match=rf"^a\.lag: {re.escape(repr(value))} is no {kind}$"):
        restore_number(value, like, "a.lag")
