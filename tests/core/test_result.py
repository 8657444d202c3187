"""What a run leaves behind, and its form in JSON."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.result import Result, Run, SchemaError
from tests.core.judging import BEATS
from tests.core.script import FIN, timeline

REQUIREMENT = Requirement.of(alive_for="2m", heartbeat_every="25s")


def result(*rows, until=None, **values):
    line = timeline(*rows, until=until)
    fields = {"nodeid": "test_it.py::test_it", "url": "ws://x/", "path": "test_it.py", "line": 3, **values}
    return Result(requirement=REQUIREMENT, verdict=judge(REQUIREMENT, line), timelines=(line,), **fields)


def run(*results):
    return Run(started="2026-11-24T02:00:00Z", tool="pytest-wsstability 0.1.0", machine="x", results=results)


def builtin(value) -> bool:
    if isinstance(value, dict):
        return type(value) is dict and all(type(key) is str and builtin(each) for key, each in value.items())
    if isinstance(value, list):
        return type(value) is list and all(map(builtin, value))
    return value is None or type(value) in (bool, int, float, str)


@pytest.mark.parametrize(
    "made",
    [
        result(*BEATS, until=120),
        result(*BEATS[:4], (60, FIN), started_at=3.25, attempt=2, worker="gw1"),
        result((1, "lag", 2.0), (60, FIN), expected=True),
    ],
)
def test_there_and_back(made):
    """Exact builtin types, and the same result again."""
    data = made.as_dict()
    back = Result.from_dict(json.loads(json.dumps(data)))

    assert builtin(data)
    assert back.as_dict() == data
    assert (back.verdict, back.requirement, back.failed) == (made.verdict, made.requirement, made.failed)


def test_a_run_there_and_back():
    """With all its results."""
    made = run(result(*BEATS, until=120), result((60, FIN)))

    assert Run.from_dict(json.loads(json.dumps(made.as_dict()))).as_dict() == made.as_dict()


def test_what_fails():
    """What is not stable, unless the test asked for it."""
    assert not result(*BEATS, until=120).failed
    assert result((60, FIN)).failed
    assert not result((60, FIN), expected=True).failed


def test_round_trips_are_those_of_pings_where_no_heartbeat_was_answered():
    """A hold without heartbeats may still have measured something."""
    assert result(*BEATS, until=120).round_trips.answered == 4
    assert result((1, ">ping"), (1.5, "<pong"), (60, FIN)).round_trips.rtts.maximum == 0.5
    assert (
        Result(nodeid="", url="", requirement=REQUIREMENT, verdict=result().verdict).round_trips.answered == 0
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 7}, r"^a\.json: its schema is 7, and this version reads 2: make it anew"),
        ({"results": [{}]}, r"^a\.json\.results\[0\]: this is no report of pytest-wsstability$"),
        ({"results": [{"schema": 2}]}, r"^a\.json\.results\[0\]: 'nodeid' is missing$"),
        ({"started": 3}, r"^a\.json\.started: 3 is no str$"),
        ({"results": 3}, r"not iterable"),
    ],
)
def test_another_schema_or_a_damaged_file(change, message):
    """Named, with the place."""
    with pytest.raises(SchemaError, match=message):
        Run.from_dict({**run().as_dict(), **change}, "a.json")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("verdict", "outcome"),
            "fine",
            r"^r\.verdict\.outcome: 'fine' is none of stable, inconclusive, unst",
        ),
        (("requirement", "alive_for"), "2m", r"^r\.requirement\.alive_for: '2m' is no float$"),
        (("timelines", 0, "end"), "middle", r"^r\.timelines\[0\]\.end: 'middle' is none of client, "),
        (("timelines", 0, "events", 1), [], r"^r\.timelines\[0\]\.events\[1\]: \[\] is no event$"),
        (("timelines", 0, "heartbeats", "rtts", "count"), 9, r"^a sample of 9 whose buckets hold 4$"),
    ],
)
def test_a_damaged_result(path, value, message):
    """Whatever is wrong is one kind of error, with the place in it."""
    data = result(*BEATS, until=120).as_dict()
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value

    with pytest.raises(SchemaError, match=message):
        Result.from_dict(data, "r")


@pytest.mark.parametrize("data", [None, [], "x", {}, 3])
def test_what_is_no_report(data):
    """Some other JSON file."""
    with pytest.raises(SchemaError, match=r"^r: this is no report of pytest-wsstability$"):
        Result.from_dict(data, "r")
