"""At a server, where both ends send heartbeats that are answered: what the client answers counts, too."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.diagnosis import diagnose
from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from tests.core.judging import STABLE, check
from tests.core.script import timeline

BOTH = ProtocolFacts(
    name="both", title="both", heartbeat=HeartbeatShape.ANSWERED,
    heartbeats_from=frozenset({End.CLIENT, End.SERVER}), every=20,
)  # fmt: skip
# The client's, and what the server says to them; the server's, and what the client says.
THEIRS = [(at + 0.1 * late, what) for at in (25, 50, 75) for late, what in enumerate(["<beat", ">answer"])]
OURS = [(at, ">beat") for at in (20, 40, 60, 80)]
ANSWERS = [(at + 0.1, "<answer") for at, _ in OURS]
EACH = {"alive_for": 90, "heartbeat_every": 25, "heartbeat_within": 5}
ANSWERED = {"alive_for": 90, "heartbeat_within": 5}


def record(*rows, until=90.0):
    return timeline(*sorted(rows), end=End.SERVER, until=until, protocol=BOTH)


@pytest.mark.parametrize(
    ("rows", "asked", "outcome"),
    [
        ([*THEIRS, *OURS, *ANSWERS], EACH, STABLE),
        ([*THEIRS, *OURS], EACH, [Rule.HEARTBEATS]),
        ([*THEIRS, *OURS, *ANSWERS[:-1]], EACH, [Rule.HEARTBEATS]),
        ([*THEIRS, *OURS, *ANSWERS[:-1]], {**EACH, "heartbeat_missed_max": 1}, STABLE),
        # A server that asks nothing.
        (THEIRS, EACH, STABLE),
        # A client that asks nothing, and answers: it is asked for its own by heartbeat_every alone.
        ([*OURS, *ANSWERS], ANSWERED, STABLE),
        ([*OURS, *ANSWERS], EACH, [Rule.CADENCE]),
        (OURS, ANSWERED, [Rule.HEARTBEATS]),
        ([], ANSWERED, "the client never sent a heartbeat in 90 s"),
    ],
)
def test_both_kinds_are_judged(rows, asked, outcome):
    """What the client sends does not stand for what it answers, nor the other way round."""
    check(judge(Requirement.of(**asked), record(*rows)), outcome)


@pytest.mark.parametrize("theirs", [THEIRS, []])
@pytest.mark.parametrize(
    ("until", "outcome", "again"), [(90, [Reason.TOO_SHORT], 93), (93, [Rule.HEARTBEATS], None)]
)
def test_one_that_is_open_at_the_end_is_waited_for(theirs, until, outcome, again):
    """As one of the other end is."""
    line, requirement = (
        record(*theirs, *OURS, *ANSWERS, (88, ">beat"), until=until),
        Requirement.of(**ANSWERED),
    )

    check(judge(requirement, line), outcome)
    assert HoldChecks(requirement).next_check(line) == again


def test_a_hold_ends_when_the_first_is_missed():
    """And not at its own end."""
    line, checks = (
        record(*OURS[:1], (15, "<beat"), (15.1, ">answer"), until=25.0),
        HoldChecks(Requirement.of(**EACH)),
    )

    assert checks.is_broken(line)
    assert not checks.is_broken(record(*OURS[:1], (15, "<beat"), (15.1, ">answer"), until=24.9))


def test_those_that_were_not_answered_are_called_so():
    """Of a client that answers none, some are not said to be answered because its own are."""
    line = record(*THEIRS, *OURS)
    verdict = judge(Requirement.of(**EACH), line)

    assert diagnose(line, verdict=verdict).cause is not Cause.HEARTBEATS_SKIPPED
    assert verdict.headline.startswith("4 of 4 heartbeats not answered within 5 s")
