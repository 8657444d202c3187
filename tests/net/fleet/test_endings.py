"""What is told of a connection that did not live to the end of its hold, or need not have."""

import dataclasses

import pytest

from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.fleet.frame import Fate
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.net.errors import OpeningError, OpeningStage
from pytest_wsstability.net.fleet import endings
from pytest_wsstability.net.fleet.explaining import EndedConnection
from tests.core.script import FIN, PLANNED, closed_by_peer, timeline

HOLD = Requirement.of(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s", heartbeats_at_least=4)
BEATS = [(25, ">beat"), (25.1, "<answer"), (50, ">beat"), (50.1, "<answer")]


def ended(*rows, until=None):
    """A connection with these events, judged and explained."""
    made = timeline(*BEATS, *rows, until=until)
    verdict = diagnosed(judge(HOLD, made), [made])
    return EndedConnection(7, verdict, made, 60.0, "10.0.0.0/24"), verdict.diagnosis


def test_an_end_is_told_with_its_cause_and_its_place():
    connection, diagnosis = ended((60, closed_by_peer(1012)))
    told = endings.explained(connection, diagnosis)

    assert (told.number, told.fate, told.age, told.at) == (7, Fate.ENDED, 60.0, 60.0)
    assert (told.code, told.closed_here, told.subnet) == (1012, False, "10.0.0.0/24")
    assert (told.found, told.cause) == (diagnosis.cause, diagnosis.cause.value)
    assert (told.headline, told.remedy) == (diagnosis.headline, diagnosis.remedy or "")
    assert told.silence == pytest.approx(9.9)
    assert told.seen is not None


def test_an_end_that_nobody_can_explain_is_told_by_what_was_promised():
    connection, diagnosis = ended((60, closed_by_peer(1012)))
    nobody = dataclasses.replace(diagnosis, cause=Cause.UNDETERMINED)
    told = endings.explained(connection, nobody)

    assert (told.headline, told.remedy) == (connection.verdict.headline, "")
    assert told.found is Cause.UNDETERMINED


def test_what_cannot_be_judged_is_told_by_the_doubts():
    connection, diagnosis = ended(until=130)
    told = endings.explained(connection, diagnosis)

    assert told.fate is Fate.UNOBSERVED
    assert len(connection.verdict.doubts) > 1
    assert told.headline == "; ".join(doubt.text for doubt in connection.verdict.doubts)


@pytest.mark.parametrize(("shortage", "fate"), [(None, Fate.REFUSED), (Reason.PORTS, Fate.UNOBSERVED)])
def test_what_this_machine_lacked_is_no_refusal(shortage, fate):
    error = OpeningError(
        "ws://a.example/", OpeningStage.HTTP, "503", status=503, shortage=shortage, served_by="nginx"
    )
    told = endings.refused(7, error, 2.5)

    assert (told.number, told.fate, told.age, told.at) == (7, fate, 0.0, 2.5)
    assert (told.status, told.served_by, told.found) == (503, "nginx", error.diagnosis.cause)
    assert "\n" not in told.headline


@pytest.mark.parametrize(
    ("rows", "hold", "is_let_go"),
    [
        # Planned, before two of four heartbeats were due.
        ([(60, PLANNED)], 120.0, True),
        # The same at the end of the hold, and of one that nobody closed.
        ([(60, PLANNED)], 60.0, False),
        ([], 120.0, False),
        # Not planned.
        ([(60, FIN)], 120.0, False),
    ],
)
def test_a_connection_that_is_let_go_early_has_broken_nothing(rows, hold, is_let_go):
    made = timeline(*BEATS, *rows, until=60)
    asked = dataclasses.replace(HOLD, alive_for=None, no_abnormal_closure=True)

    assert endings.is_let_go(judge(asked, made), made, hold, comes_back=False) is is_let_go


@pytest.mark.parametrize("comes_back", [False, True])
@pytest.mark.parametrize(("end", "let_go"), [(closed_by_peer(1001), True), (FIN, False)])
def test_an_end_that_was_announced_is_planned_where_the_connection_comes_back(end, let_go, comes_back):
    made = timeline(*BEATS, (59, "<notice"), (60, end))
    asked = dataclasses.replace(HOLD, heartbeats_at_least=0)
    verdict = judge(asked, made)

    assert endings.is_let_go(verdict, made, 120.0, comes_back=comes_back) is (let_go and comes_back)
    assert endings.rotated(7, verdict, made, 61.0, "").headline == ""


def test_what_was_let_go_is_told_by_what_had_not_come_by_then():
    made = timeline(*BEATS, (60, PLANNED))
    verdict = judge(dataclasses.replace(HOLD, alive_for=None), made)
    told = endings.rotated(7, verdict, made, 61.0, "")

    assert (told.fate, told.age, told.at, told.closed_here) == (Fate.ROTATED, 60.0, 61.0, True)
    assert told.headline == "2 of at least 4 heartbeats answered (2 sent in 60 s)"
    assert (told.cause, told.found, told.seen) == ("", None, None)


def test_what_was_stalled_is_told_without_a_cause():
    told = endings.stalled(7, timeline(*BEATS, until=120), 121.0, "10.0.0.0/24")

    assert (told.fate, told.age, told.closed_here, told.code) == (Fate.STALLED, 120.0, True, None)
    assert (told.headline, told.found, told.subnet) == ("", None, "10.0.0.0/24")
