"""Rows for servers that read or do nothing, or whose heartbeats do not arrive, each with its neighbours."""

from __future__ import annotations

import pytest

from pytest_wsstability import diagnose
from pytest_wsstability.core.cause import Blame, Cause
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_idle_server import ROWS
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import DeadlineTraffic, End
from pytest_wsstability.core.timeline.protocol_facts import Awaited, ProtocolFacts
from tests.core.diagnosis.fitting import fitting
from tests.core.script import FIN, RECEIVED, timeline

FACTS = ProtocolFacts(name="p", title="P")
SENT_CLOSE = {"transport": TransportEnd.FIN, "sent": CloseFrame(1000), "received_first": False}


def gave_up(awaited=Awaited.ANSWER):
    """A timer of the server's protocol that ran out."""
    return {**SENT_CLOSE, "local_reason": LocalReason.PROTOCOL_TIMER, "awaited": awaited}


def deadline(*kinds):
    """A read deadline of the server that ran out."""
    return {**SENT_CLOSE, "local_reason": LocalReason.READ_DEADLINE, "deadline": 30.0, "reset_by": kinds}


def told(here, there):
    return fitting(ROWS, extract(here, [there]))


@pytest.mark.parametrize(
    ("rows", "how", "fits"),
    [
        # It reads again only to see the answer to its close frame.
        ([(40, "paused"), (90, "resumed"), (90, ">close"), (90, "<text")], gave_up(), True),
        ([(40, "paused"), (89, "resumed")], gave_up(), False),
        ([(40, "paused"), (60, "resumed"), (61, "paused")], gave_up(), False),
        # It never paused.
        ([(40, "<text")], gave_up(), False),
        # A maximum age waits for nobody, and other ends have their own reasons.
        ([(40, "paused")], gave_up(Awaited.AGE), False),
        ([(40, "paused")], {**SENT_CLOSE, "local_reason": LocalReason.RESTART}, False),
        # What the client has sent would have reset the deadline, or not.
        ([(40, "paused")], deadline(DeadlineTraffic.DATA), True),
        ([(40, "paused")], deadline(DeadlineTraffic.ANY), True),
        ([(40, "paused")], deadline(DeadlineTraffic.PONG), False),
        ([(40, "paused")], deadline(DeadlineTraffic.HEARTBEAT), False),
    ],
)
def test_a_server_that_gave_up_on_what_it_had_not_read_reads_nothing(rows, how, fits):
    there = timeline(*rows, (90, how), end=End.SERVER, protocol=FACTS)
    here = timeline((50, ">answer"), (90, FIN), protocol=FACTS)

    assert told(here, there) == ["PEER_NOT_READING"] * fits


@pytest.mark.parametrize(("paused", "fits"), [(39, True), (40.04, True), (40.06, False)])
def test_a_question_that_the_server_has_not_read_is_not_answered(paused, fits):
    """One that it had read is another's fault."""
    here = timeline((40, ">beat"), until=46)
    there = timeline((paused, "paused"), until=46, end=End.SERVER)

    assert told(here, there) == ["PEER_NOT_READING"] * fits


def test_a_server_that_reads_nothing_is_to_blame():
    here = timeline((40, ">beat"), until=46)
    there = timeline((30, "paused"), until=46, end=End.SERVER)
    found = diagnose(here, [there])

    assert (found.cause, found.blame) == (Cause.PEER_NOT_READING, Blame.SERVER)
    assert "had read nothing since 30 s" in found.sentence
    assert [each.at for each in found.evidence if each.text.startswith("server: reading was paused")] == [30]


@pytest.mark.parametrize(
    ("asked", "more", "fits"),
    [
        (41, [], True),
        (41, [(45, "thawed")], False),
        (29, [], False),
        # One that it got before it was frozen, or that never came to it.
        (39, [], True),
        (38.99, [], False),
    ],
)
def test_a_frozen_server_owes_what_it_was_asked_since_it_last_read(asked, more, fits):
    here = timeline((asked, ">beat"), until=47)
    there = timeline((30, "<text"), (40, "frozen"), *more, until=47, end=End.SERVER)

    assert told(here, there) == ["PEER_FROZEN"] * fits


PINGED = [(10, ">ping", b"1"), (10.01, "<pong", b"1")]


@pytest.mark.parametrize(
    ("kinds", "rows", "fits"),
    [
        ((DeadlineTraffic.PONG,), [*PINGED, (13, "frozen")], True),
        ((DeadlineTraffic.ANY,), [*PINGED, (13, "frozen")], True),
        # The ping that was due went out as the deadline ran out.
        ((DeadlineTraffic.PONG,), [*PINGED, (13, "frozen"), (100, ">ping", b"2")], True),
        # What waited meanwhile was read as it thawed, which is when the timer rang.
        ((DeadlineTraffic.PONG,), [*PINGED, (13, "frozen"), (99.96, "<beat")], True),
        ((DeadlineTraffic.PONG,), [*PINGED, (13, "frozen"), (99.94, "<beat")], False),
        # What no pong resets waits for nothing that the server had to ask for.
        ((DeadlineTraffic.DATA,), [*PINGED, (13, "frozen")], False),
        ((DeadlineTraffic.PONG,), PINGED, False),
        # It got something after it had stood still.
        ((DeadlineTraffic.PONG,), [*PINGED, (13, "frozen"), (20, "<text")], False),
        # It sent no pings at all, or one that was not answered: the client's doing, or the path's.
        ((DeadlineTraffic.PONG,), [(13, "frozen")], False),
        ((DeadlineTraffic.PONG,), [*PINGED, (12, ">ping", b"2"), (13, "frozen")], False),
    ],
)
def test_a_server_that_stood_still_did_not_ping_in_time(kinds, rows, fits):
    there = timeline(*rows, (100, deadline(*kinds)), end=End.SERVER)
    here = timeline((10, "<ping"), (10, ">pong"), (100, FIN))

    assert told(here, there) == told(there, here) == ["PEER_FROZEN"] * fits
    assert fitting(ROWS, extract(there)) == ["PEER_FROZEN"] * fits


def test_a_ping_that_the_client_did_not_answer_is_not_the_frozen_server_s():
    there = timeline(
        (10, ">ping", b"1"),
        (10.1, "<beat"),
        (13, "frozen"),
        (100, deadline(DeadlineTraffic.PONG)),
        end=End.SERVER,
    )

    assert told(timeline((10, "<ping"), (100, FIN)), there) == []


HALF = "part of a frame"
BEATS = ProtocolFacts(name="p", title="P", heartbeats_from=frozenset({End.SERVER}))


def beats(*, came, sent, more=()):
    """What is told at 60 s where heartbeats of the server are due every 10 s."""
    frames = [row for row in more if row[1] != HALF]
    here = timeline(*((at, "<beat") for at in came), *frames, until=60, protocol=BEATS)
    for at in (at for at, what in more if what == HALF):
        here.half_frame(1000 + at, True)
    here.heartbeat_sender = RECEIVED
    there = timeline(*((at, ">beat") for at in sent), until=60, end=End.SERVER, protocol=BEATS)
    verdict = judge(Requirement.of(heartbeat_every="10s", alive_for="60s"), here)
    return fitting(ROWS, extract(here, [there], verdict=verdict))


@pytest.mark.parametrize(
    ("sent", "more", "causes"),
    [
        ((30, 40, 49.75), (), ["HALF_OPEN", "SLOW_ANSWERS"]),
        ((30, 40, 50.25), (), ["HALF_OPEN / PATH_STALLED", "SLOW_ANSWERS"]),
        # Something else came since, or only before it.
        ((30, 40, 50), [(51, "<pong")], ["SLOW_ANSWERS"]),
        ((30, 40, 50), [(49, "<pong")], ["HALF_OPEN", "SLOW_ANSWERS"]),
        # Part of a frame counts too.
        ((30, 40, 50), [(52, HALF)], ["SLOW_ANSWERS"]),
        # It sent none since, or one that is on its way.
        ((30,), (), []),
        ((30, 59.25), (), []),
    ],
)
def test_a_heartbeat_that_was_sent_and_has_not_come_is_the_path_s(sent, more, causes):
    assert beats(came=(30,), sent=sent, more=more) == causes


def test_a_heartbeat_that_nobody_misses_is_no_cause():
    """It came, or none is due."""
    assert beats(came=(30, 40, 50), sent=(30, 40, 50)) == []
