"""The judgement itself."""

import dataclasses

import pytest

from pytest_wsstability.core.cause import Blame, Cause, Confidence, Diagnosis
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Doubt, Outcome, Reason, Rule, Verdict, Violation
from pytest_wsstability.core.timeline.events import Tier

DEAD = Violation(Rule.ALIVE, 60.0, "alive for 120 s", "1006 at 60 s", "1006 at 60 s of 120 s")
LATE = Violation(Rule.RTT, 30.0, "rtt p95 within 1 s", "2 s", "rtt 2 s")
SHORT = Doubt(Reason.TOO_SHORT, "watched 60 s of 120 s")
LAGGED = Doubt(Reason.LOOP_LAG, "the loop stood still for 4 s")


@pytest.mark.parametrize(
    ("outcome", "violations", "doubts", "headline"),
    [
        (Outcome.STABLE, (), (), "stable"),
        (Outcome.UNSTABLE, (DEAD, LATE), (), "1006 at 60 s of 120 s"),
        (Outcome.INCONCLUSIVE, (), (SHORT,), "inconclusive: watched 60 s of 120 s"),
        (
            Outcome.INCONCLUSIVE,
            (DEAD,),
            (LAGGED, SHORT),
            "inconclusive: the loop stood still for 4 s; watched 60 s of 120 s",
        ),
    ],
)
def test_headline_is_one_line(outcome, violations, doubts, headline):
    """The first violation, or else every doubt."""
    verdict = Verdict(outcome=outcome, violations=violations, doubts=doubts, horizon=60.0, tier=Tier.VIRTUAL)

    assert verdict.headline == headline


EXCUSED = dataclasses.replace(LATE, excuses=(LAGGED,))
TIE = Doubt(Reason.TIE, "knife edge")


@pytest.mark.parametrize(
    ("findings", "outcome", "violations", "doubts"),
    [
        ([], Outcome.STABLE, (), ()),
        ([SHORT], Outcome.INCONCLUSIVE, (), (SHORT,)),
        ([SHORT, LAGGED, SHORT], Outcome.INCONCLUSIVE, (), (SHORT, LAGGED)),
        # Broken is broken, whatever else is in doubt.
        ([SHORT, DEAD], Outcome.UNSTABLE, (DEAD,), ()),
        # One that nothing of ours explains is enough, and is the first to be told.
        ([EXCUSED, DEAD], Outcome.UNSTABLE, (DEAD, EXCUSED), ()),
        ([EXCUSED, SHORT], Outcome.INCONCLUSIVE, (EXCUSED,), (LAGGED,)),
        # That the order of timers decides, or that somebody stopped it, is told in any case.
        ([TIE, DEAD], Outcome.UNSTABLE, (DEAD,), (TIE,)),
        ([TIE, EXCUSED], Outcome.INCONCLUSIVE, (EXCUSED,), (TIE, LAGGED)),
    ],
)
def test_findings_make_the_verdict(findings, outcome, violations, doubts):
    """Violations outrank doubts, unless all of them have an excuse."""
    verdict = Verdict.of(findings, horizon=60.0, tier=Tier.VIRTUAL)

    assert (verdict.outcome, verdict.violations, verdict.doubts) == (outcome, violations, doubts)
    assert (verdict.horizon, verdict.tier) == (60.0, Tier.VIRTUAL)


def test_outcomes_are_ordered():
    """The worst of several is their greatest."""
    assert sorted(Outcome, reverse=True) == [Outcome.UNSTABLE, Outcome.INCONCLUSIVE, Outcome.STABLE]
    assert Outcome.STABLE < Outcome.INCONCLUSIVE < Outcome.UNSTABLE
    assert not Outcome.UNSTABLE < Outcome.UNSTABLE


def test_a_cause_stands_in_the_place_of_what_was_observed():
    """The few words of the violation, then why; without a cause, what was seen."""
    told = Violation(Rule.ALIVE, 60.0, "alive for 120 s", "1006", "1006 at 60 s of 120 s", "FIN")
    undiagnosed = Verdict.of([told], horizon=60.0, tier=Tier.VIRTUAL)
    found = Diagnosis(
        cause=Cause.IDLE_TIMEOUT, confidence=Confidence.HIGH, blame=Blame.PATH, sentence="s", headline="idle"
    )

    assert undiagnosed.headline == "1006 at 60 s of 120 s: FIN"
    assert dataclasses.replace(undiagnosed, diagnosis=found).headline == "idle (1006 at 60 s of 120 s)"


@pytest.mark.parametrize(("blame", "is_told"), [(Blame.HARNESS, True), (Blame.PATH, False)])
def test_what_is_in_doubt_is_told_by_its_cause_only_where_that_is_ours(blame, is_told):
    """Who proves nothing has nobody else to blame."""
    found = Diagnosis(
        cause=Cause.IDLE_TIMEOUT, confidence=Confidence.HIGH, blame=blame, sentence="s", headline="idle"
    )
    verdict = dataclasses.replace(Verdict.of([SHORT], horizon=60.0, tier=Tier.VIRTUAL), diagnosis=found)

    assert verdict.code == (found.cause.code if is_told else SHORT.reason.code)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (DEAD, "at"),
        (SHORT, "text"),
        (Verdict(outcome=Outcome.STABLE, horizon=60.0, tier=Tier.REAL), "outcome"),
        (Requirement(alive_for=60.0), "alive_for"),
    ],
)
def test_judgements_are_values(value, field):
    """Neither a promise nor a verdict can be changed after the fact."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_verdict_is_neither_true_nor_false(outcome):
    """`if verdict:` would let an inconclusive one pass."""
    with pytest.raises(TypeError, match=r"^a verdict has three outcomes: compare verdict\.outcome"):
        bool(Verdict(outcome=outcome, horizon=60.0, tier=Tier.REAL))
