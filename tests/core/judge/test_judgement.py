"""Several judgements of one connection as one."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.judgement import Judgement
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Outcome, Verdict
from pytest_wsstability.core.timeline.events import Tier


def judgement(outcome, horizon=60.0, **requirement):
    return Judgement(
        Requirement.of(**requirement), Verdict(outcome=outcome, horizon=horizon, tier=Tier.VIRTUAL)
    )


def test_the_first_stands_alone():
    """There is nothing to join it with."""
    first = judgement(Outcome.STABLE)

    assert first.after(None) is first


def test_all_that_was_required_counts():
    """The longer hold, and else the later value."""
    first = judgement(Outcome.STABLE, alive_for="2m", session_within="5s")
    later = judgement(Outcome.STABLE, alive_for="1m", heartbeat_within="5s", heartbeats_at_least=4)

    assert later.after(first).requirement == Requirement.of(
        alive_for="2m", session_within="5s", heartbeat_within="5s", heartbeats_at_least=4
    )


S, U, I = Outcome.STABLE, Outcome.UNSTABLE, Outcome.INCONCLUSIVE  # noqa: E741


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        ((S, 60), (S, 120), (S, 120)),
        ((S, 120), (S, 60), (S, 120)),
        ((S, 120), (U, 60), (U, 60)),
        ((U, 60), (S, 120), (U, 60)),
        ((U, 60), (U, 30), (U, 60)),
        ((I, 10), (S, 120), (I, 10)),
        ((I, 10), (U, 60), (U, 60)),
        ((U, 60), (I, 10), (U, 60)),
    ],
)
def test_the_worse_verdict_wins(first, later, expected):
    """The earlier of two bad ones; of two stable ones, that which covers more."""
    joined = judgement(*later).after(judgement(*first)).verdict

    assert (joined.outcome, joined.horizon) == expected


def test_of_two_stable_ones_that_cover_as_much_the_later_stands():
    """It knows all that the earlier one does."""
    first, later = judgement(S, 60), judgement(S, 60)

    assert later.after(first).verdict is later.verdict
