"""A run beside an earlier one."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.result import Result, Run
from pytest_wsstability.core.statistics.comparison import compare
from pytest_wsstability.core.timeline.events import Tier
from tests.core.judging import BEATS
from tests.core.script import FIN, timeline

HOLD = Requirement.of(alive_for="2m")


def result(*rows, until=None, nodeid="t", url="wss://staging.example/ws", requirement=HOLD, **values):
    line = timeline(*rows, until=until)
    return Result(
        nodeid=nodeid, url=url, requirement=requirement, verdict=judge(requirement, line), timelines=(line,),
        **values,
    )  # fmt: skip


def run(*results):
    return Run(started="2026-11-24T02:00:00Z", tool="x", machine="x", results=results)


def pings(count, seconds):
    return result(*(row for n in range(count) for row in ((n, ">ping"), (n + seconds, "<pong"))), until=120)


def mixed(*parts):
    """So many round trips of so many seconds, one after the other."""
    seconds = [each for count, each in parts for _ in range(count)]
    rows = [row for n, each in enumerate(seconds) for row in ((n, ">ping"), (n + each, "<pong"))]
    return result(*rows, until=120)


SOON = result((30, FIN))
# A ping each second, and the answers from the fourth second on.
UNTOLD = result(
    *sorted([(n, ">ping") for n in range(1, 41)] + [(n + 3.05, "<pong") for n in range(1, 38)]), until=120
)
GOOD, CUT, DOUBT = result(*BEATS, until=120), result((60, FIN)), result(until=40)


@pytest.mark.parametrize(
    ("before", "now", "lines"),
    [
        ([GOOD], [GOOD], []),
        ([CUT], [CUT], []),
        ([GOOD], [CUT], ["t: was stable, now 1006 at 60 s of 120 s: no close frame received or sent; FIN"]),
        (
            [GOOD],
            [DOUBT],
            ["t: was stable, now inconclusive: watched 40 s of 120 s: it is still open"],
        ),
        (
            [DOUBT],
            [CUT],
            ["t: was inconclusive, now 1006 at 60 s of 120 s: no close frame received or sent; FIN"],
        ),
        ([CUT], [DOUBT], []),
        # One of twenty more is chance; ten of twenty are not.
        ([GOOD] * 19 + [CUT], [GOOD] * 18 + [CUT] * 2, []),
        (
            [GOOD] * 19 + [CUT],
            [GOOD] * 9 + [CUT] * 11,
            [
                "t: up after 60 s: was 95% of 20 connections (75% to 100%), "
                "now 45% of 20 connections (23% to 68%)"
            ],
        ),
        # None was stable then, and none is: but they end in half the time. A second more or less is none.
        (
            [CUT] * 5,
            [SOON] * 5,
            [
                "t: up after 30 s: was 100% of 5 connections (48% to 100%), "
                "now 0% of 5 connections (0% to 52%)"
            ],
        ),
        ([CUT] * 50, [result((59, FIN))] * 50, []),
        ([SOON] * 5, [CUT] * 5, []),
        # All lived, and yet most were in doubt.
        (
            [GOOD] * 19 + [CUT],
            [GOOD] * 5 + [DOUBT] * 14 + [CUT],
            ["t: connections stable: was 19 of 20, now 5 of 20"],
        ),
        # One is no more than chance where twelve of a hundred were.
        ([GOOD] * 88 + [DOUBT] * 12, [DOUBT], []),
        # The interval is apart, and so are the values.
        (
            [pings(20, 0.010)],
            [pings(25, 0.050)],
            ["t: rtt p50: was 10 ms (10 ms to 10 ms, 20 round trips), now 50 ms (50 ms to 50 ms, 25)"],
        ),
        # Of five the median may be less than the least.
        (
            [pings(5, 0.010)],
            [pings(25, 0.050)],
            ["t: rtt p50: was 10 ms (0 s to 10 ms, 5 round trips), now 50 ms (50 ms to 50 ms, 25)"],
        ),
        # Slower, or not: without an id nobody can tell.
        ([pings(20, 0.010)], [UNTOLD], []),
        # Apart, and yet nobody minds: less than a millisecond, less than a tenth.
        ([pings(20, 0.0001)], [pings(20, 0.0009)], []),
        ([pings(20, 0.100)], [pings(20, 0.105)], []),
        # More than a millisecond, and more than a tenth: two milliseconds of few, a fifth of many.
        (
            [pings(20, 0.0001)],
            [pings(20, 0.0021)],
            ["t: rtt p50: was 0.1 ms (0.1 ms to 0.1 ms, 20 round trips), now 2.1 ms (2.1 ms to 2.1 ms, 20)"],
        ),
        (
            [pings(20, 0.100)],
            [pings(20, 0.120)],
            ["t: rtt p50: was 100 ms (100 ms to 100 ms, 20 round trips), now 120 ms (120 ms to 120 ms, 20)"],
        ),
        # The intervals touch.
        ([mixed((13, 0.010), (7, 0.030))], [mixed((9, 0.030), (11, 0.050))], []),
        # Three are no sample.
        ([pings(20, 0.010)], [pings(3, 0.050)], []),
        ([pings(3, 0.010)], [pings(20, 0.050)], []),
        # Quicker is no regression.
        ([pings(20, 0.050)], [pings(20, 0.010)], []),
    ],
)
def test_regressions(before, now, lines):
    """A line each, with both values and how many there were of each."""
    found = compare(run(*before), run(*now))

    assert found.refused == ()
    assert list(found.regressions) == lines


def test_what_is_mended_is_noted_and_what_was_good_is_not():
    """A test that was unstable and is stable now, and no other."""
    assert compare(run(CUT), run(GOOD)).notes == ("t: was unstable, now stable",)
    assert compare(run(GOOD), run(GOOD)).notes == ()
    assert compare(run(CUT), run(CUT)).notes == ()


def test_verdicts_come_first():
    """Whatever was slow, what broke is told before."""
    slow = [dataclasses.replace(pings(20, seconds), nodeid="a") for seconds in (0.010, 0.050)]

    found = compare(run(slow[0], GOOD), run(slow[1], CUT))

    assert [line.split(":")[0] for line in found.regressions] == ["t", "a"]


def test_a_p95_with_enough_round_trips():
    """From 59 on."""
    fast = pings(100, 0.010)
    rows = [row for n in range(100) for row in ((n, ">ping"), (n + (0.2 if n % 8 == 0 else 0.01), "<pong"))]

    (line,) = compare(run(fast), run(result(*rows, until=120))).regressions

    assert line.startswith("t: rtt p95: was 10 ms (")


def test_what_is_better_or_alone_is_a_note():
    """Nothing of it fails a run."""
    found = compare(run(CUT, result(nodeid="old", until=120)), run(GOOD, result(nodeid="new", until=120)))

    assert found.regressions == ()
    assert found.notes == (
        "t: was unstable, now stable",
        "only in the baseline: old",
        "only in this run: new",
    )


def test_what_a_test_asked_for_is_left_out():
    """It is no verdict on the server."""
    expected = dataclasses.replace(CUT, expected=True)

    assert compare(run(GOOD), run(GOOD, expected)).regressions == ()


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (
            result(until=120, requirement=Requirement.of(alive_for="1m", session_within="5s")),
            "t: alive_for=120.0 then, 60.0 now; session_within=None then, 5.0 now",
        ),
        (
            result(until=120, url="wss://other.example/ws"),
            "t: target wss://staging.example/ws then, wss://other.example/ws now",
        ),
        (
            dataclasses.replace(GOOD, verdict=dataclasses.replace(GOOD.verdict, tier=Tier.REAL)),
            "t: in virtual time then, in real time now",
        ),
    ],
)
def test_runs_of_other_things_are_refused(now, line):
    """With the difference, and without a word about anything else."""
    found = compare(run(GOOD), run(now))

    assert found.refused == (line,)
    assert (found.regressions, found.notes) == ((), ())


def test_the_port_of_a_server_of_ones_own_is_no_difference():
    """It takes a free one each time."""
    one, other = (result(until=120, url=f"ws://127.0.0.1:{port}/ws") for port in (4001, 4002))
    third = result(until=120, url="ws://127.0.0.1:4001/other")

    assert compare(run(one), run(other)).refused == ()
    assert compare(run(one), run(third)).refused == (
        "t: target ws://loopback/ws then, ws://loopback/other now",
    )
