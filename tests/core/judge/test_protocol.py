"""The rule that a peer keeps to its protocol."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Outcome, Reason, Rule
from pytest_wsstability.core.timeline.flaws import Flaw
from tests.core.script import timeline


@pytest.mark.parametrize("flaw", [Flaw.INTERVAL, Flaw.SEQUENCE, Flaw.SUBPROTOCOL, Flaw.VERSION, Flaw.FRAMING])
def test_a_peer_that_breaks_its_protocol_is_unstable(flaw):
    """Whatever was asked of the connection."""
    line = timeline((1, ">beat"), (2, "<answer"), until=60)
    line.irregularity(1003.0, flaw, "the detail")
    verdict = judge(Requirement(alive_for=60), line)

    assert verdict.outcome is Outcome.UNSTABLE
    (violation,) = verdict.violations
    assert (violation.rule, violation.at) == (Rule.PROTOCOL, 3.0)
    assert violation.line == f"{flaw.value}: the detail"


def test_a_function_of_the_profile_that_raised_proves_nothing():
    """Its author is to blame and not the peer, and no claim stands on it."""
    line = timeline((1, ">beat"), (2, "<answer"), until=60)
    line.irregularity(1003.0, Flaw.FUNCTION, "pong raised ValueError()")
    verdict = judge(Requirement(alive_for=60), line)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert [(doubt.reason, doubt.text) for doubt in verdict.doubts] == [
        (Reason.PROFILE, "pong raised ValueError()")
    ]


def test_a_flaw_of_the_handshake_is_another_rule():
    """It counts only where the handshake is asked for."""
    line = timeline((1, ">beat"), (2, "<answer"), until=60)
    line.irregularity(1003.0, Flaw.REPEATED, "twice")

    assert judge(Requirement(alive_for=60), line).outcome is Outcome.STABLE
    violations = judge(Requirement(alive_for=60, handshake=True), line).violations
    assert [violation.rule for violation in violations] == [Rule.HANDSHAKE]


def test_a_flaw_of_the_protocol_is_none_of_the_handshake():
    """It is told once."""
    line = timeline((0.1, "<hello"), (0.2, ">info"), (0.3, "<confirmed"), until=60)
    line.irregularity(1003.0, Flaw.SEQUENCE, "back")
    violations = judge(Requirement(alive_for=60, handshake=True), line).violations

    assert [violation.rule for violation in violations] == [Rule.PROTOCOL]
