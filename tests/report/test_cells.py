"""What every table says about a result."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.report.cells import cells, split_name, totals, worst_first
from tests.core.judging import BEATS
from tests.core.script import FIN, PLANNED, timeline
from tests.report.made import HOSTILE, ONE_WAY, cut, doubtful, expected, fleet, good, hostile, result


def pings(count, seconds=0.01):
    return [row for n in range(count) for row in ((n, ">ping"), (n + seconds, "<pong"))]


def late(count, *, ids=False):
    """A heartbeat each second, answered 3.05 s late."""
    key = (lambda n: [b"%d" % n]) if ids else lambda _: []
    rows = [(n, ">beat", *key(n)) for n in range(1, count + 1)]
    rows += [(n + 3.05, "<answer", *key(n)) for n in range(1, count - 2)]
    return result(*sorted(rows), until=count + 1, requirement=Requirement.of(heartbeat_within="10s"))


ONE_WAY_BEATS = timeline((10, ">beat"), (20, ">beat"), until=21, protocol=ONE_WAY)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (good(), {"verdict": "stable", "held": "120/120 s", "heartbeats": "4/4", "close": "-", "cause": ""}),
        # The last one went out right before the end.
        (
            result(*BEATS, (119, ">beat"), until=120),
            {"verdict": "INCONCLUSIVE", "heartbeats": "4/5, 1 open"},
        ),
        (cut(), {"verdict": "UNSTABLE", "held": "60/120 s", "heartbeats": "2/2", "close": "1006"}),
        (cut(), {"cause": "1006 at 60 s of 120 s: no close frame received or sent; FIN"}),
        (doubtful(), {"verdict": "INCONCLUSIVE", "held": "40/120 s", "heartbeats": "1/1", "close": "-"}),
        (expected(cut()), {"verdict": "expected"}),
        (cut(attempt=2), {"test": "test_it.py::test_it (attempt 2)"}),
        (good(url=""), {"target": "-"}),
        # Four round trips carry no quantile, five a median, 59 a p95.
        (good(), {"p50": "too few", "p95": "too few", "slowest": "100 ms"}),
        (result(*pings(5), until=120), {"heartbeats": "-", "p50": "10 ms", "p95": "too few"}),
        (result(*pings(59), until=120), {"p50": "10 ms", "p95": "10 ms", "slowest": "10 ms"}),
        (result(until=120), {"heartbeats": "-", "p50": "-", "p95": "-", "slowest": "-"}),
        # Each answer is quick, or 3.05 s late: without an id nobody can tell.
        (late(10), {"heartbeats": "7/10, 2 open", "p50": "unclear", "p95": "too few"}),
        (late(100), {"p50": "unclear", "p95": "unclear", "slowest": "50 ms to 3.05 s"}),
        (late(1200), {"p50": "unclear", "p95": "unclear", "slowest": "50 ms or more"}),
        (late(100, ids=True), {"heartbeats": "97/100, 3 open", "slowest": "3.05 s"}),
        # No answer is ever due.
        (
            dataclasses.replace(late(10), timelines=(ONE_WAY_BEATS,)),
            {"heartbeats": "2", "p50": "-", "slowest": "-"},
        ),
        # What this end closed says nothing about the peer.
        (result((120, PLANNED)), {"close": "-"}),
        (result(until=30, requirement=Requirement.of(session_within="5s")), {"held": "30 s"}),
        (result(until=86400, requirement=Requirement.of(alive_for="24h")), {"held": "24/24 h"}),
        (result((50, FIN), requirement=Requirement.of(alive_for="24h")), {"held": "50 s/24 h"}),
        (dataclasses.replace(cut(), timelines=()), {"close": "-", "heartbeats": "-", "slowest": "-"}),
    ],
)
def test_words(made, words):
    """One wording for all reports."""
    shown = dataclasses.asdict(cells(made))

    assert {name: shown[name] for name in words} == words


def test_hostile_texts_are_one_printable_line():
    """Whatever a peer sends moves no cursor and starts no line."""
    shown = cells(hostile(url=f"wss://x/{HOSTILE}"))

    for text in (shown.cause, shown.test, shown.target):
        assert text.isprintable()


def test_worst_first():
    """Unstable, inconclusive, what was expected, stable."""
    made = [good(nodeid="d"), expected(cut(nodeid="c")), doubtful(nodeid="b"), cut(nodeid="a")]

    assert [each.nodeid for each in worst_first(made)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ([], None),
        ([good(tier=Tier.REAL)], None),
        ([good()], "1 of 1 holds stable; watched for 120 s at most"),
        (
            [good(), cut(), doubtful()],
            "1 of 3 holds stable, 1 unstable, 1 inconclusive; watched for 120 s at most",
        ),
        ([cut(), cut(tier=Tier.REAL)], "0 of 1 holds stable, 1 unstable; watched for 60 s at most"),
        (
            [good(), expected(cut())],
            "1 of 1 holds stable, 1 ended as the test expected; watched for 120 s at most",
        ),
        ([expected(cut())], "1 ended as the test expected; watched for 60 s at most"),
    ],
)
def test_totals(made, text):
    """Of one tier, with the horizon."""
    assert totals(made, Tier.VIRTUAL) == text


def test_a_fleet_is_a_row():
    """How many of those that were judged lived, the first cause, and all heartbeats."""
    row = cells(fleet())

    assert (row.verdict, row.held) == ("UNSTABLE", "88 of 100 for 120 s")
    assert (row.heartbeats, row.p50, row.p95, row.slowest) == ("300/310", "35 ms", "48.4 ms", "49.9 ms")
    assert row.cause == "restart: 12 of 100 ended before 120 s"
    assert cells(fleet(lost=0)).cause == ""


@pytest.mark.parametrize(("one_way", "shown"), [(310, "310"), (10, "300/300, 10 one-way")])
def test_heartbeats_of_a_fleet_that_nobody_answers(one_way, shown):
    """They are as many as they are, and nobody has missed one."""
    made, answered = fleet(), 300 if one_way == 10 else 0
    summary = dataclasses.replace(made.fleet, heartbeats_one_way=one_way, heartbeats_answered=answered)

    assert cells(dataclasses.replace(made, fleet=summary)).heartbeats == shown


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("a/test_b.py::test_it", ("a/test_b.py", "test_it")),
        ("test_b.py::Test::test_it[x]", ("test_b.py::Test", "test_it[x]")),
        ("test_b.py::test_it[ws://[::1]:80/-a::b]", ("test_b.py", "test_it[ws://[::1]:80/-a::b]")),
        ("ws://a.example", ("", "ws://a.example")),
        ("", ("", "")),
    ],
)
def test_a_name_and_what_it_is_in(name, split):
    """Colons in a parameter are not those between a class and its test."""
    assert split_name(name) == split
