"""Results by what they have in common."""

from __future__ import annotations

import dataclasses

from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.report.groups import by_cause, cause_of
from tests.core.script import FIN, closed_by_peer
from tests.report.made import BEATS, cut, doubtful, expected, good, result

TALKS = Requirement.of(alive_for="2m", no_abnormal_closure=True)
ENDED = closed_by_peer(4401, "token expired")


def told(made):
    """With its cause, as the results of a run have it."""
    return dataclasses.replace(made, verdict=diagnosed(made.verdict, made.timelines))


def shown(*results):
    return [(each.verdict, each.cause, len(each.results)) for each in by_cause(results)]


def test_the_worst_first_then_the_largest():
    """Unstable, inconclusive, stable, and at last what a test asked for."""
    idle = [told(result((50, {**FIN}), nodeid=f"i{number}")) for number in range(3)]
    found = shown(good(), expected(cut()), doubtful(), told(result((60, ENDED), nodeid="a")), *idle)

    assert [(verdict, count) for verdict, _, count in found] == [
        ("UNSTABLE", 3), ("UNSTABLE", 1), ("INCONCLUSIVE", 1), ("expected", 1), ("stable", 1)
    ]  # fmt: skip
    assert found[0][1] == cause_of(idle[0])


def test_one_cause_at_several_ages_is_one_group():
    """Its title then is the cause without its numbers."""
    found = shown(told(result((50, {**FIN}))), told(result((55, {**FIN}))))

    assert [(verdict, count) for verdict, _, count in found] == [("UNSTABLE", 2)]
    assert found[0][1] == "an idle timeout"


def test_ends_without_a_cause_are_grouped_by_what_was_broken():
    """Undetermined is no cause that two ends have in common by itself: they broke the same promise."""
    found = shown(cut(nodeid="a"), cut(nodeid="b"))

    assert found == [("UNSTABLE", "1006 at 60 s of 120 s: no close frame received or sent; FIN", 2)]


def test_of_ends_without_a_cause_that_differ_the_first_promise_is_told():
    """The headline of one would be wrong for the others."""
    made = [result((seconds, FIN), requirement=TALKS) for seconds in (40, 50)]

    assert [violation.rule for violation in made[0].verdict.violations] == [Rule.ALIVE, Rule.CLOSURE]
    assert shown(*made) == [("UNSTABLE", f"{Rule.ALIVE.value}: not kept", 2)]


def test_of_doubts_that_differ_their_reason_is_told():
    made = [doubtful(), result(*BEATS[:2], until=50)]

    assert shown(*made) == [("INCONCLUSIVE", made[0].verdict.doubts[0].reason.value, 2)]
    assert shown(made[0])[0][1] == cause_of(made[0]) != cause_of(made[1])


def test_the_cause_has_no_instant():
    """That belongs to one result."""
    assert cause_of(told(result((50, {**FIN})))) == "idle timeout 50 s, or maximum age"
    assert cause_of(good()) == ""
