"""One test over several runs."""

from __future__ import annotations

import dataclasses

from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.statistics.trend import trends
from tests.core.judging import BEATS
from tests.report.made import cut, expected, good, result, run

STABLE, UNSTABLE = Outcome.STABLE, Outcome.UNSTABLE


def night(started, *results):
    return dataclasses.replace(run(*results), started=started)


def test_the_oldest_run_first():
    """Whatever the order in which they are given; a run without the test has no outcome."""
    (trend,) = trends([night("c", cut()), night("a", good()), night("b")])

    assert [(each.started, each.outcome) for each in trend.nights] == [
        ("a", STABLE), ("b", None), ("c", UNSTABLE)
    ]  # fmt: skip
    assert trend.worst is UNSTABLE


def test_the_worst_of_a_run_counts():
    """A test may hold several connections; its round trips are taken together."""
    ((only,),) = (each.nights for each in trends([night("a", good(), cut(), good())]))

    assert only.outcome is UNSTABLE
    assert only.cause.startswith("1006 at 60 s of 120 s")
    assert only.p95 is not None
    assert abs(only.p95 - 0.1) < 1e-9


def test_missed_heartbeats_are_those_that_had_their_time():
    """One that was not answered for its interval is missed; the one that is on its way is not."""
    missed = result(*BEATS[:4], (75, ">beat"), until=110)
    ((only,),) = (each.nights for each in trends([night("a", missed)]))

    assert only.missed == 1


def test_expected_ends_are_no_trend():
    """The test asked for them."""
    assert trends([night("a", expected(cut()))]) == []
