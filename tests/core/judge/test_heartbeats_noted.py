"""Heartbeats that stopped where nothing requires them: a note, and no verdict."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Noted, Outcome
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import Intervals
from pytest_wsstability.profiles.catalogue import shipped
from tests.core.script import timeline


def beats(answered, sent, every=10):
    """So many heartbeats of this end, of which the first ones were answered."""
    for number in range(1, sent + 1):
        yield (every * number, ">beat", number)
        if number in answered:
            yield (every * number + 0.1, "<answer", number)


def noted(line, **requirement):
    verdict = judge(Requirement.of(alive_for=60, **requirement), line)
    return [each.text for each in verdict.notes if each.noted is Noted.STOPPED]


@pytest.mark.parametrize(
    ("answered", "sent", "until", "is_noted"),
    [
        ({1, 2, 3}, 5, 60, True),
        ({1, 2, 3, 4}, 5, 60, False),
        # Every second one; none ever; the last, which had no time.
        ({2, 4}, 5, 60, False),
        (set(), 5, 60, False),
        ({1, 2, 3}, 5, 54, False),
    ],
)
def test_heartbeats_that_are_not_answered_any_more(answered, sent, until, is_noted):
    """Two in a row, each for five seconds, behind some that were."""
    line = timeline(*beats(answered, sent), until=until)

    assert bool(noted(line)) is is_noted
    assert all("heartbeats were answered, and the last ones were not" in each for each in noted(line))


def test_what_this_end_does_not_answer_is_not_its_peers():
    """A server that answers its client's heartbeats no more has its own record of that."""
    asked = [(10 * number, "<beat", number) for number in range(1, 6)]
    line = timeline(*asked[:2], (20.1, ">answer", 2), *asked[2:], until=60, end=End.SERVER)

    assert noted(line) == []


def test_what_is_required_is_judged_and_not_noted():
    line = timeline(*beats({1, 2, 3}, 5), until=60)

    assert noted(line, heartbeat_within=5) == []
    assert judge(Requirement.of(alive_for=60, heartbeat_within=5), line).outcome is Outcome.UNSTABLE


@pytest.mark.parametrize(("until", "is_noted"), [(87.5, False), (87.75, True)])
def test_heartbeats_that_a_server_owes(until, is_noted):
    """One and a half of the 25 s that Socket.IO's server has named."""
    line = timeline(
        (25, "<beat"), (25, ">answer"), (50, "<beat"), (50, ">answer"),
        until=until, protocol=shipped("socketio").facts, intervals=Intervals(server=25),
    )  # fmt: skip

    assert bool(noted(line)) is is_noted
