"""Verdicts that hang on the order of simultaneous timers."""

import pytest

from pytest_wsstability.core.judge.knife_edge import knife_edge
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Outcome, Reason
from pytest_wsstability.core.message import explain
from pytest_wsstability.core.timeline.events import End
from tests.core.script import FIN, timeline

HOLD = Requirement.of(alive_for="2m")
# A heartbeat every 20 s against a deadline of 60 s that it resets: at 60 s both are due.
LIVES = timeline((20, ">beat"), (40, ">beat"), (60, ">beat"), until=120)
LIVES_SILENTLY = timeline(until=120)
DIES = timeline((20, ">beat"), (40, ">beat"), (60, ">beat"), (60, FIN))
DIES_LATER = timeline((20, ">beat"), (40, ">beat"), (80, FIN))
TOO_SHORT = timeline(until=90)
# The server opened 0.25 s later, by the same clock.
ITS_SERVER = timeline((19.75, "<beat"), (59.75, "deadline"), (59.75, FIN), end=End.SERVER, origin=1000.25)

LIVES_TEXT = "in another stable"
DIES_TEXT = "in one order 1006 at 60 s of 120 s: no close frame received or sent; FIN"
AT_60 = "knife edge at t=60.000 s:"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LIVES, LIVES),
        (DIES, DIES),
        (TOO_SHORT, TOO_SHORT),
        (LIVES, TOO_SHORT),
        # One instant, and two floats.
        (timeline((float("60.5"), FIN)), timeline((float("60.5"), FIN))),
    ],
)
def test_runs_that_agree_have_one_verdict(one, other):
    """The same end at the same instant, or none at all: nothing hangs on the order."""
    verdict = judge(HOLD, one)

    assert knife_edge(verdict, judge(HOLD, other), [one], [other]) is verdict


@pytest.mark.parametrize(
    ("one", "other", "outcome", "text"),
    [
        ([LIVES], [DIES], Outcome.INCONCLUSIVE, f"{AT_60} heartbeat together; {DIES_TEXT}, {LIVES_TEXT}"),
        ([DIES], [LIVES], Outcome.INCONCLUSIVE, f"{AT_60} heartbeat together; {DIES_TEXT}, {LIVES_TEXT}"),
        (
            [LIVES],
            [DIES, ITS_SERVER],
            Outcome.INCONCLUSIVE,
            f"{AT_60} heartbeat and read deadline together; {DIES_TEXT}, {LIVES_TEXT}",
        ),
        (
            [DIES_LATER],
            [DIES],
            Outcome.UNSTABLE,
            f"{AT_60} heartbeat together; {DIES_TEXT}, "
            "in another 1006 at 80 s of 120 s: no close frame received or sent; FIN",
        ),
    ],
)
def test_runs_that_differ_are_told_with_their_instant(one, other, outcome, text):
    """Stable in one order only is inconclusive; broken in both stays broken, and says which was earlier."""
    verdict = knife_edge(judge(HOLD, one[0]), judge(HOLD, other[0]), one, other)

    assert verdict.outcome is outcome
    assert (verdict.doubts[0].reason, verdict.doubts[0].text) == (Reason.TIE, text)


@pytest.mark.parametrize(
    ("what", "name"),
    [(">ping", "ping"), (">pong", "pong"), (">text", "several timers"), ("<beat", "several timers")],
)
def test_who_was_there_is_named(what, name):
    """What this end began at the instant: a message or an answer is no timer."""
    other = timeline((60, what), (60, FIN))
    verdict = knife_edge(judge(HOLD, LIVES_SILENTLY), judge(HOLD, other), [LIVES_SILENTLY], [other])

    assert verdict.doubts[0].text.startswith(f"{AT_60} {name} together; ")


def test_nobody_is_named_who_was_not_there():
    """An end without a frame of ours at its instant is laid to timers without a name."""
    other = timeline((61.5, FIN))
    verdict = knife_edge(judge(HOLD, LIVES), judge(HOLD, other), [LIVES], [other])

    assert verdict.doubts[0].text.startswith("knife edge at t=61.500 s: several timers together; ")


def test_a_tie_is_shown_with_an_unstable_verdict_too():
    """The instant of the end means little when the order of timers chose it."""
    verdict = knife_edge(judge(HOLD, DIES_LATER), judge(HOLD, DIES), [DIES_LATER], [DIES])
    lines = explain(verdict, [DIES_LATER]).splitlines()

    assert lines[3].startswith("  in doubt  knife edge at t=60.000 s: ")
