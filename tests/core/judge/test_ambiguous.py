"""Answers that cannot be told apart: every reading is judged."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason, Rule
from tests.core.judging import STABLE, check, judged
from tests.core.script import timeline

# Each answer 1.05 s late, with a heartbeat each second; the last one is still open.
LATE = sorted([(n, ">beat") for n in range(1, 11)] + [(n + 1.05, "<answer") for n in range(1, 10)])
TOLD = "answers cannot be told apart, a round trip is between 50 ms and 1.05 s: give the heartbeat an id"


@pytest.mark.parametrize(
    ("written", "outcome"),
    [
        # In the quickest reading the first one was lost; in the slowest all were late.
        ({"heartbeat_within": 0.5}, [Rule.HEARTBEATS]),
        ({"heartbeat_within": 0.5, "heartbeat_missed_max": 1}, f"inconclusive: {TOLD}"),
        ({"heartbeat_within": 1.04, "heartbeat_missed_max": 1}, f"inconclusive: {TOLD}"),
        ({"heartbeat_within": 1.06, "heartbeat_missed_max": 1}, STABLE),
        ({"heartbeat_within": 0.5, "heartbeat_missed_max": 10}, [Reason.AMBIGUOUS]),
        ({"rtt_p95": 0.04}, [Rule.RTT]),
        ({"rtt_p95": 0.06}, [Reason.AMBIGUOUS]),
        ({"rtt_p95": 1.06}, STABLE),
    ],
)
def test_all_readings_are_judged(written, outcome):
    """All violate: unstable. None does: stable. Else nobody can tell."""
    check(judged(written, LATE, 10.5), outcome)


# The second heartbeat has no answer, or each is answered late, and the last one is open.
OPEN = [(7, ">beat"), (13.7, "<answer"), (14, ">beat"), (21, ">beat"), (21.3, "<answer")]
OPEN += [(26.25, ">beat"), (27.7, "<answer")]
# The last but one has no answer, or the last one.
LOST = [(7, ">beat"), (7.1, "<answer"), (14, ">beat"), (20, ">beat"), (20.5, "<answer")]


@pytest.mark.parametrize(
    ("rows", "allowed", "until", "outcome", "again"),
    [
        (OPEN, 1, 30, [Reason.TOO_SHORT], 33.25),
        (OPEN, 1, 33.25, [Reason.AMBIGUOUS], None),
        ([*OPEN, (33, "<answer")], 1, 33, STABLE, None),
        (LOST, 0, 25, [Reason.AMBIGUOUS, Reason.TOO_SHORT], 27),
        (LOST, 0, 27, [Rule.HEARTBEATS], None),
        (LOST, 1, 27, STABLE, None),
    ],
)
def test_what_is_open_in_any_reading_is_waited_for_at_the_end_of_a_hold(rows, allowed, until, outcome, again):
    """It may be missed in that one, and then nobody can tell; or be missed in all."""
    hold = min(until, 30 if rows is not LOST else 25)
    requirement = Requirement.of(alive_for=hold, heartbeat_within=7, heartbeat_missed_max=allowed)
    line = timeline(*rows, until=until)

    check(judge(requirement, line), outcome)
    assert HoldChecks(requirement).next_check(line) == again


def test_one_lost_answer_does_not_spoil_the_rest():
    """One heartbeat after it is a quarter of an interval earlier, and the answers follow."""
    rows = [(1, ">beat"), (1.1, "<answer"), (2, ">beat"), (3, ">beat"), (3.1, "<answer")]
    rows += [row for n in range(3, 9) for row in ((n + 0.75, ">beat"), (n + 0.85, "<answer"))]
    once = {"heartbeat_within": 0.5, "heartbeat_missed_max": 1}

    check(judged(once, rows, 9.5), STABLE)
    check(judged({"heartbeat_within": 0.5}, rows, 9.5), [Rule.HEARTBEATS])


def test_keys_tell_answers_apart():
    """A heartbeat with an id has one reading."""
    rows = [(*row, b"%d" % row[0]) for row in LATE if row[1] == ">beat"]
    rows += [(n + 1.05, "<answer", b"%d" % n) for n in range(1, 10)]

    check(judged({"heartbeat_within": 1.06}, sorted(rows), 10.5), STABLE)
    check(judged({"heartbeat_within": 1.04}, sorted(rows), 10.5), [Rule.HEARTBEATS])


@pytest.mark.parametrize(
    ("stray", "outcome"),
    [
        # A pong each 100 ms, that answers nothing.
        ([n / 10 + 1.001 for n in range(60)], [Reason.AMBIGUOUS]),
        # Each answer twice, shortly after one another.
        ([n + 0.02 for n in range(1, 7)] + [n + 0.03 for n in range(1, 7)], STABLE),
        # One that came later than an answer may.
        ([n + 0.02 for n in range(1, 7)] + [3.5], STABLE),
        ([n + 0.02 for n in range(1, 7)] + [3.51], [Reason.AMBIGUOUS]),
        # Before the first heartbeat there is nothing that it could be taken for.
        ([0.1, 0.2, 0.3] + [n + 0.02 for n in range(1, 7)], STABLE),
    ],
)
def test_answers_to_nothing(stray, outcome):
    """Where they come late or in numbers, none of them can be told from an answer."""
    rows = sorted([(n, ">beat") for n in range(1, 7)] + [(at, "<answer") for at in stray])

    check(judged({"heartbeat_within": 0.5}, rows, 6.6), outcome)


@pytest.mark.parametrize(
    ("beats", "why"),
    [
        (1024, TOLD),
        # The record has no room for one more: it takes the quickest reading, and says so.
        (1025, "1023 answers could not be told apart: give the heartbeat an id"),
    ],
)
def test_answers_that_were_too_many_to_keep(beats, why):
    """A reading that was taken for want of room is no proof, though it is the only one left."""
    rows = [(n, ">beat") for n in range(1, beats + 1)] + [(n + 0.05, "<answer") for n in range(2, beats + 1)]
    verdict = judged({"heartbeat_within": 0.5, "heartbeat_missed_max": 1}, sorted(rows), beats + 0.5)

    check(verdict, f"inconclusive: {why}")
    assert [doubt.reason for doubt in verdict.doubts] == [Reason.AMBIGUOUS]
