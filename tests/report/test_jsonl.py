"""The lines of a run."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.result import SchemaError
from pytest_wsstability.core.timeline.events import EventKind, FaultName, Role
from pytest_wsstability.core.timeline.rows import row
from pytest_wsstability.report.jsonl import close_line, event_lines, parse, render
from tests.core.judging import BEATS
from tests.core.script import FIN, timeline
from tests.report.made import cut, expected, good, hostile, run

MADE = run(good(), cut(), expected(cut()), hostile(), complaints=("a gate",))


def lines(made=MADE):
    return render(made).splitlines(keepends=True)


def killed(until):
    """The lines of a hold of which the last has one of these records."""
    kept = [line for line in lines(run(cut())) if json.loads(line)["record"] not in ("result", "end")]
    return kept[: until + 1]


def test_it_is_read_back():
    """And is the same run again."""
    assert parse(lines(), "x.jsonl").as_dict() == MADE.as_dict()


def test_each_line_stands_alone():
    """Tools that read lines can read it."""
    records = [json.loads(line)["record"] for line in lines(run(cut()))]

    assert records == ["run", "hold", *["event"] * 6, "result", "end"]


def test_lines_straight_from_packed_records():
    """They say what the rows of the JSON file say, whatever the event is."""
    held = timeline(*BEATS, (101, ">text"), (102, ">ping"), (103, "lag", 1.25), until=120)
    held.fault_applied(1110.0, FaultName.HEAL)
    held.mark(1111.0, EventKind.SUSPENDED, 12.5)
    records = [json.loads(line) for line in event_lines(7, held.signals_since(0))]

    assert {(each["record"], each["hold"]) for each in records} == {("event", 7)}
    assert [each["event"] for each in records] == [
        row(event) for event in held if event.role is not Role.DATA
    ]


def test_a_run_that_was_killed():
    """The hold is judged by what was written down: it was open, so nothing is said against the server."""
    (result,) = parse(killed(until=5), "x.jsonl").results

    assert result.nodeid == "test_it.py::test_it"
    assert result.verdict.outcome is Outcome.INCONCLUSIVE
    assert result.verdict.headline == "inconclusive: watched 50 s of 120 s: it is still open"
    assert [row(event)[0] for event in result.timelines[0]] == [0.0, 25.0, 25.1, 50.0]


def test_a_run_that_was_killed_after_the_end():
    """What ended it was written down, too."""
    (cause,) = cut().timelines
    text = close_line(1, cause.close) + "\n"
    (result,) = parse([*killed(until=6), text], "x.jsonl").results

    assert result.verdict.outcome is Outcome.UNSTABLE
    assert result.verdict.headline == "1006 at 60 s of 120 s: no close frame received or sent; FIN"
    assert result.timelines[0].close.transport is FIN["transport"]


def test_a_last_line_that_was_cut_short():
    """The others count."""
    *whole, last, _ = lines(run(good(), cut()))

    assert [each.verdict.outcome for each in parse([*whole, last[:40]], "x").results] == [
        Outcome.STABLE,
        Outcome.INCONCLUSIVE,
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([], r"^x: this is no report of pytest-wsstability$"),
        (["{}\n"], r"^x: this is no report of pytest-wsstability$"),
        (['{"schema":9}\n'], r"^x: its schema is 9, and this version reads 2: make it anew"),
        ([*lines()[:2], "nonsense\n", *lines()[2:]], r"^x, line 3: this is no JSON$"),
        ([lines()[0], '{"record":"song"}\n'], r"^x, line 2: there is no record 'song'$"),
        ([lines()[0], '{"hold":1}\n'], r"^x, line 2: 'record' is missing or wrong$"),
        ([lines()[0], '{"record":"event","hold":7,"event":[]}\n'], r"^x, line 2: 7 is missing or wrong$"),
        # Cut, and without secrets.
        (
            [lines()[0], json.dumps({"record": f"?token=hunter2&{'x' * 300}"})],
            r"^x, line 2: there is no record '\?token=\*\*\*&x{100,200}\.\.\.$",
        ),
        (
            [lines()[0], json.dumps({"record": "event", "hold": f"?token=hunter2&{'x' * 300}", "event": []})],
            r"^x, line 2: '\?token=\*\*\*&x{100,200}\.\.\. is missing or wrong$",
        ),
        ([*lines()[:2], '{"record":"event","hold":1,"event":[]}\n'], r"^x, line 3: \[\] is no event$"),
        ([lines()[0], "[]\n"], r"^x, line 2: list indices must be .* is missing or wrong$"),
        (['{"schema":2,"started":3}\n'], r"^x\.started: 3 is no str$"),
    ],
)
def test_damaged_files(text, message):
    """The place, and what is wrong there."""
    with pytest.raises(SchemaError, match=message):
        parse(text, "x")
