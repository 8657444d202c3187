"""Judge a script, and compare what came of it: for the tests of the rules."""

from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.timeline.events import End
from tests.core.script import FIN, timeline

STABLE, UNSTABLE, INCONCLUSIVE = Outcome.STABLE, Outcome.UNSTABLE, Outcome.INCONCLUSIVE
SERVER = End.SERVER

# Requirements and rows of scripts that many tables share.
HOLD = {"alive_for": 120}
WITHIN = {"heartbeat_within": 5}
BEATS = [row for at in (25, 50, 75, 100) for row in ((at, ">beat"), (at + 0.1, "<answer"))]
CLOSURE = {"no_abnormal_closure": True}
STALLED_END = {**FIN, "hidden_since": 0.5}


def judged(written, rows, until=None, end=End.CLIENT):
    requirement, line = Requirement.of(**written), timeline(*rows, end=end, until=until)
    verdict = judge(requirement, line)
    # What is asked at each look at a connection, without a verdict.
    assert HoldChecks(requirement).is_broken(line) is (len(verdict.violations) > 0)
    return verdict


def check(verdict, outcome):
    """``outcome`` is STABLE, the headline, or else the rules that are broken or the reasons to doubt."""
    told = {
        STABLE: STABLE,
        UNSTABLE: [violation.rule for violation in verdict.violations],
        INCONCLUSIVE: [doubt.reason for doubt in verdict.doubts],
    }
    seen = verdict.headline if isinstance(outcome, str) else told[verdict.outcome]
    assert seen == outcome, verdict
