"""The verdict of a hold that was ended before its time."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.interrupted import interrupted
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Outcome, Reason
from tests.core.script import timeline

HOLD = {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s"}
BEATS = [(25, ">beat"), (25.1, "<answer")]


def judged(script, until, **requirement):
    return interrupted(Requirement.of(**(requirement or HOLD)), timeline(*script, until=until))


def test_it_says_how_far_it_came():
    """Neither a pass nor a failure, and the time that was seen is the horizon."""
    verdict = judged(BEATS, 37)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.headline == "inconclusive: interrupted at 37 s of 120 s"
    assert [doubt.reason for doubt in verdict.doubts] == [Reason.INTERRUPTED]
    assert verdict.horizon == 37


def test_what_is_broken_stays_broken():
    """An interrupt does not save who has missed a heartbeat already."""
    verdict = judged([(25, ">beat")], 37)

    assert verdict.outcome is Outcome.UNSTABLE


def test_what_is_kept_stays_kept():
    """Nothing was missing any more."""
    verdict = judged([], 37, alive_for="30s")

    assert verdict.outcome is Outcome.STABLE


def test_other_doubts_stay():
    """Why else the evidence is weak."""
    verdict = judged([(1, "paused"), (25, ">beat")], 60)

    assert [doubt.reason for doubt in verdict.doubts] == [Reason.INTERRUPTED, Reason.READING_PAUSED]


@pytest.mark.parametrize(("seconds", "shown"), [(0.25, "200 ms"), (1.04, "1 s"), (59.96, "60 s")])
def test_a_tenth_of_a_second_is_enough(seconds, shown):
    """Nobody presses a key more exactly."""
    assert judged(BEATS[:0], seconds).headline == f"inconclusive: interrupted at {shown} of 120 s"


def test_without_a_hold_it_says_only_when():
    """There is no time that it would have come to the end of."""
    verdict = judged([], 37, heartbeat_within="5s")

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.headline == "inconclusive: interrupted at 37 s"
