"""
Reports from elsewhere, damaged or made up: they are read, or refused by name, and shown harmlessly.

``WSSTABILITY_EXAMPLES=2000`` looks longer (`make fuzz`).

"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_wsstability import cli
from pytest_wsstability.core.result import Run, SchemaError
from pytest_wsstability.report import formats, jsonl, terminal
from pytest_wsstability.report.door import loads
from tests.report.made import cut, doubtful, good, hostile, run

look = settings(
    deadline=None,
    max_examples=int(os.environ.get("WSSTABILITY_EXAMPLES", "40")),
    suppress_health_check=[
        HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture,
    ],
)  # fmt: skip
WHOLE = run(good(), cut(), doubtful(), hostile(), complaints=("ws_fail_on holds > 0",)).as_dict()
LINES = jsonl.render(Run.from_dict(WHOLE)).splitlines(keepends=True)

texts = st.text(st.characters(categories=["Cs", "Cc", "Cf", "L", "N", "P"]), max_size=12) | st.sampled_from(
    ["\x1b[2J", "\n::error::x", "\u202eevil", "<script>", "stable", "frame", "\ud800", "real time"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from([1e308, -1, 2**70]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


def places(value, at=()):
    """Every place in a value of JSON."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*at, key))


PLACES = [place for place in places(WHOLE) if place]


def put(data, place, value):
    """A copy with something else in a place."""
    changed = copy.deepcopy(data)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def refused(error):
    """By a line that moves no cursor."""
    assert str(error).isprintable()


def is_harmless(data):
    """Whatever was read can be shown in every form, and moves no cursor."""
    for suffix in formats.RENDERERS:
        text = formats.renderer(f"x{suffix}")(data)
        text.encode()
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not any(line.startswith("::") for line in text.splitlines())
    ElementTree.fromstring(formats.renderer("x.xml")(data))
    for line in terminal.summary(data, width=80, everything=True):
        assert all(part.isprintable() for part in line.text.split("\n")), line.text


@pytest.mark.slow
@look
@example(("results", 2, "started_at"), None)
@example(("results", 1, "timelines", 0, "close", "at"), None)
@example(("results", 1, "verdict", "violations"), [])
@example(("results", 2, "verdict", "doubts"), [])
@example(("results", 1, "timelines", 0, "heartbeats", "answers"), [False])
@given(st.sampled_from(PLACES), values)
def test_a_wrong_value_in_a_place(place, value):
    """It is named, or it is taken for what it says."""
    data = put(WHOLE, place, value)
    try:
        # As it comes from a file.
        found = Run.from_dict(loads(json.dumps(data)), "x.json")
    except ValueError as error:
        refused(error)
        return
    is_harmless(found)


@pytest.mark.slow
@look
@example(28, 59, "\ud800", False)
@example(29, 30, "\x7f", False)
@given(st.integers(0, len(LINES) - 1), st.integers(0, 300), texts | st.just(""), st.booleans())
def test_damaged_lines(number, at, text, cut_there):
    """A line with something in it, or the end of the file."""
    line = LINES[number]
    damaged = [*LINES[:number], line[:at] + text + ("" if cut_there else line[at:])]
    damaged += [] if cut_there else LINES[number + 1 :]
    try:
        found = jsonl.parse(damaged, "x.jsonl")
    except SchemaError as error:
        refused(error)
        return
    is_harmless(found)


@pytest.mark.slow
@look
@given(st.lists(st.integers(0, len(LINES) - 1), max_size=8), st.sampled_from(["", "\n"]))
def test_lines_in_any_order(numbers, end):
    """Of a file that somebody has put together."""
    try:
        found = jsonl.parse([LINES[0], *(LINES[number] for number in numbers), end], "x.jsonl")
    except SchemaError as error:
        refused(error)
        return
    is_harmless(found)


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@look
@given(data=st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
def test_files_of_any_kind(tmp_path, suffix, data):
    """By the command: exit code 2 and one line, or a report."""
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(["report", str(path)])

    assert status == 2
    assert out.getvalue() == ""
    line, end, rest = err.getvalue().partition("\n")
    assert line.isprintable()
    assert (end, rest) == ("\n", "")


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000], ids=["lists", "objects", "digits"]
)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_deep_and_long(tmp_path, capsys, suffix, data):
    """Nested beyond what a parser takes, and a number beyond what Python reads."""
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)

    assert cli.main(["report", str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err
