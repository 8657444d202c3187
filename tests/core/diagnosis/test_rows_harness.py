"""Rows for what the test's own end did."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.assertions import judge
from pytest_wsstability.core.cause import Blame, Cause, Confidence
from pytest_wsstability.core.diagnosis import diagnose, diagnosed
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_content import ROWS as CONTENT
from pytest_wsstability.core.diagnosis.rows_harness import ROWS
from pytest_wsstability.core.judge.requirement import ExpectedClose, Requirement
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import End, FaultName
from pytest_wsstability.core.timeline.protocol_facts import Awaited, ProtocolFacts
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import FIN, PLANNED, timeline


@pytest.mark.parametrize(("code", "is_own"), [(1000, True), (1001, True), (1002, False), (1011, False)])
def test_who_closes_with_1000_or_1001_was_asked_to(code, is_own):
    """Other codes this end sends for reasons of its own."""
    how = {"transport": TransportEnd.FIN, "sent": CloseFrame(code)}

    assert ("CLOSED_HERE" in fitting(ROWS, read((1, ">text"), how=how))) is is_own


@pytest.mark.parametrize(
    ("missed", "within", "cause"),
    [
        (30, 5.0, Cause.HALF_OPEN),
        (54.9, 5.0, Cause.HALF_OPEN),
        # It may have been answered, had the connection been left open.
        (55, 5.0, Cause.CLOSED_HERE),
    ],
)
def test_a_close_on_purpose_explains_nothing_that_came_before(missed, within, cause):
    """A test closes, and then asserts on what it has seen until then."""
    line = timeline((10, ">beat"), (10.1, "<answer"), (missed, ">beat"), (60, PLANNED))
    asked = Requirement.of(heartbeat_within=within)
    verdict = diagnosed(judge(asked, line), [line])
    found = verdict.diagnosis if verdict.violations else diagnose(line)

    assert found is not None
    assert found.cause is cause


NOT_ANSWERED = {"transport": TransportEnd.FIN, "sent": CloseFrame(1000), "planned": True}
GAVE_UP = {**NOT_ANSWERED, "transport": TransportEnd.CLOSED, "local_reason": LocalReason.CLOSE_TIMEOUT}
CLOSED_1000 = Requirement(closed=ExpectedClose(code=1000))


@pytest.mark.parametrize(
    ("asked", "end", "blame", "path"),
    [
        # It ends the stream instead (vert.x 2486), or says nothing in time (jetty 11088).
        (CLOSED_1000, NOT_ANSWERED, Blame.SERVER, False),
        (Requirement(no_abnormal_closure=True), NOT_ANSWERED, Blame.SERVER, False),
        (CLOSED_1000, GAVE_UP, Blame.SERVER, True),
        # It was answered, and nobody is to blame.
        (Requirement(closed=ExpectedClose(code=1001)), PLANNED, Blame.NOBODY, False),
    ],
)
def test_a_close_frame_that_is_not_answered(asked, end, blame, path):
    """Where the end is what is judged, the peer owes its answer."""
    line = timeline((10, ">text"), (10.1, "<text"), (60, end))
    found = diagnosed(judge(asked, line), [line]).diagnosis

    assert found is not None
    assert (found.cause, found.blame) == (Cause.CLOSED_HERE, blame)
    assert (found.runner_up is Cause.HALF_OPEN) is path
    assert ("did not answer its close frame" in found.sentence) is (blame is Blame.SERVER)


@pytest.mark.parametrize(
    ("rows", "looks", "confidence"),
    [
        ([(10, ">beat"), (10.1, "<answer")], [], Confidence.MEDIUM),
        # Nothing was answered before either; nothing arrives.
        ([(10, ">beat"), (10.1, "<answer"), (40, ">beat")], [], Confidence.LOW),
        ([], [{"at": 59.9, "backoff": 4, "retransmits": 4, "unacked": 1}], Confidence.LOW),
    ],
)
def test_a_path_that_was_dead_before_the_close(rows, looks, confidence):
    """Then the close frame did not arrive."""
    line = timeline(*rows, (60, GAVE_UP), looks=looks)
    found = diagnosed(judge(CLOSED_1000, line), [line]).diagnosis

    assert found is not None
    assert (found.runner_up, found.confidence) == (Cause.HALF_OPEN, confidence)


@pytest.mark.parametrize(
    ("applied", "end", "blame"),
    [
        ([FaultName.FREEZE_LOOP], GAVE_UP, Blame.NOBODY),
        ([FaultName.BLACKHOLE], GAVE_UP, Blame.NOBODY),
        ([FaultName.IGNORE_CLOSE], NOT_ANSWERED, Blame.NOBODY),
        # It was healed before; or is of what the server says.
        ([FaultName.BLACKHOLE, FaultName.HEAL], GAVE_UP, Blame.SERVER),
        ([FaultName.HEAL, FaultName.BLACKHOLE], GAVE_UP, Blame.NOBODY),
        ([FaultName.LATE_ANSWERS], GAVE_UP, Blame.SERVER),
        # What makes all late loses nothing in front of the end of the stream.
        ([FaultName.LATENCY], GAVE_UP, Blame.NOBODY),
        ([FaultName.LATENCY], NOT_ANSWERED, Blame.SERVER),
    ],
)
def test_a_close_frame_that_is_not_answered_behind_a_fault(applied, end, blame):
    """Which the test itself applied, here on the way."""
    here, between = timeline((60, end)), timeline(end=End.PROXY)
    for fault in applied:
        between.fault_applied(1001.0, fault)
    found = diagnosed(judge(CLOSED_1000, here), [here, between]).diagnosis

    assert found is not None
    cause = Cause.INJECTED_FAULT if blame is Blame.NOBODY else Cause.CLOSED_HERE
    assert (found.cause, found.blame) == (cause, blame)


def test_nothing_is_said_of_an_end_that_does_not_come():
    """That a server has no timer is no trouble of the connection (bun 5905, localstack 9553)."""
    line = timeline((10, ">text"), (10.1, "<text"), until=620)
    verdict = diagnosed(judge(Requirement(closed=ExpectedClose(by=End.SERVER)), line), [line])

    assert (verdict.violations[0].expected, verdict.diagnosis) == ("closed by the server", None)


def test_a_timer_of_the_protocol_is_no_close_on_purpose():
    """Nor is 1000 that a server sends because it ran out (STOMP brokers, Phoenix)."""
    how = {"transport": TransportEnd.FIN, "sent": CloseFrame(1000), "awaited": Awaited.MESSAGE}
    timer = {**how, "local_reason": LocalReason.PROTOCOL_TIMER, "local_detail": "tolerance of 30 s ran out"}
    facts = ProtocolFacts(name="p", title="P")
    there = timeline((10, "<beat"), (40, timer), end=End.SERVER, protocol=facts)

    assert diagnose(there).cause is Cause.READ_DEADLINE
    assert fitting(ROWS, extract(there)) == []


@pytest.mark.parametrize(
    ("rows", "fits"), [([], False), ([(59.5, "paused")], True), ([(10, "paused"), (10.5, "resumed")], True)]
)
def test_a_client_that_is_to_read_nothing_has_read_nothing(rows, fits):
    """For half a second too, then or until the end."""
    line = timeline(*rows, (60, FIN))
    line.deliberately_stalled = True

    assert ("HARNESS_NOT_READING" in fitting(ROWS, extract(line))) is fits


@pytest.mark.parametrize(("last", "ended"), [((60, FIN), True), ((60, "<text"), False)])
def test_what_reads_nothing_on_purpose_is_told_with_its_end_or_without(last, ended):
    """No peer ended a connection that is open."""
    line = timeline((10, "paused"), last, until=60)
    line.deliberately_stalled = True
    told = diagnose(line)

    assert told.cause is Cause.HARNESS_NOT_READING
    assert ("ended the connection" in told.sentence) is ended


@pytest.mark.parametrize(
    ("end", "frozen", "last", "fits"),
    [
        (End.SERVER, True, (50, ">ping", b"x"), True),
        # It goes on again, and the client's heartbeats are its own affair.
        (End.SERVER, False, (50, ">ping", b"x"), False),
        (End.SERVER, True, (55, FIN), False),
        (End.CLIENT, True, (50, ">ping", b"x"), False),
    ],
)
def test_a_frozen_server_says_nothing_of_its_client(end, frozen, last, fits):
    """Heartbeats that it does not read were perhaps sent."""
    line = timeline((10, "<beat"), last, until=60, end=end)
    line.frozen = frozen

    assert ("INJECTED_FAULT" in fitting(ROWS, extract(line))) is fits


@pytest.mark.parametrize(("how", "fits"), [({}, True), ({"received": CloseFrame(1000)}, False)])
def test_a_response_in_the_stream_is_the_cause_where_no_close_frame_came(how, fits):
    """What stands behind the peer's last word is none."""
    stray = {"transport": TransportEnd.ABORTED, "parser_error": "reserved bits", "stray": "HTTP/1.1 400 Bad"}

    assert ("NO_FRAMES" in fitting(CONTENT[:2], read((1, ">text"), how={**stray, **how}))) is fits
