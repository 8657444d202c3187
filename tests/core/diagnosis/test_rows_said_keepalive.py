"""Rows for keepalives that gave up: what else is on record says why no pong was there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis.features import ProxyView
from pytest_wsstability.core.diagnosis.rows_said_keepalive import ROWS
from pytest_wsstability.core.timeline.events import Direction, End, Event, EventKind, Opcode, Role
from tests.core.diagnosis.fitting import fitting, read, stream
from tests.core.script import closed_by_peer

GAVE_UP = closed_by_peer(1011, "keepalive ping timeout")
PING = [(40, "<ping"), (40, ">pong")]
# Behind every other row, where pings were answered, and where none came.
ANSWERED = ["KEEPALIVE_TIMEOUT / PEER_NOT_READING", "KEEPALIVE_TIMEOUT / READ_DEADLINE"]
UNASKED = ["KEEPALIVE_TIMEOUT / READ_DEADLINE"]


def causes(*rows, **more):
    return fitting(ROWS, read(*rows, how=GAVE_UP, **more))


def beats(count, took):
    """Heartbeats whose answers took so long."""
    return [row for at in range(count) for row in ((10 * at, ">beat"), (10 * at + took, "<answer"))]


@pytest.mark.parametrize(
    ("rows", "behind", "first"),
    [(PING, 1.0, []), (PING, 1.25, ["PONG_LATE"]), ([], 9.0, None)],
)
def test_a_second_behind_at_the_proxy_is_no_queue(rows, behind, first):
    """A ping is late there, or its pong, if one came at all."""
    features = read(*rows, how=GAVE_UP)
    features = replace(features, between=ProxyView(behind=behind, pong_missing=False))

    assert fitting(ROWS, features) == (UNASKED if first is None else [*first, *ANSWERED])


@pytest.mark.parametrize(
    ("behind", "first", "rows", "stalled"),
    [
        (1.25, 0.0625, PING, True), (1.125, 0.0625, PING, False),
        (9.0, 4.0, PING, False), (9.25, 4.0, PING, True), (9.0, None, PING, False),
        # Something to wait behind: a message that is large, or a stream.
        (9.0, 0.0, [*PING, (60, "<audio")], False), (9.0, 0.0, [*PING, (60, "<text")], True),
        (9.0, 0.0, [*PING, *stream()], False),
    ],
)  # fmt: skip
def test_what_comes_late_and_alone_was_held_up_by_a_path_that_stood_still(behind, first, rows, stalled):
    """Where the first frame was in time: on a slow path all are late."""
    features = read(*rows, how=GAVE_UP)
    between = ProxyView(behind=behind, pong_missing=False, behind_first=first)
    causes = fitting(ROWS, replace(features, between=between))

    assert causes[0] == ("PATH_STALLED" if stalled else "PONG_LATE")


@pytest.mark.parametrize(("size", "stalled"), [(511, True), (512, False)])
def test_what_came_with_it_is_small_where_a_path_stood_still(size, stalled):
    """512 bytes are something to wait behind."""
    features = read(*PING, how=GAVE_UP)
    frame = Event(60, EventKind.FRAME, Direction.RECEIVED, Opcode.TEXT, size, Role.DATA)
    between = ProxyView(behind=9.0, pong_missing=False, behind_first=0.0)
    found = replace(features, between=between, tail=replace(features.tail, received=(frame,)))

    assert ("PATH_STALLED" in fitting(ROWS, found)) is stalled


@pytest.mark.parametrize(
    ("queued", "looks", "first"),
    [
        # Written before the pong, with it, and behind it.
        ([(39, 70_000)], {}, ["PONG_LATE / PEER_NOT_READING"]),
        ([(40, 70_000)], {}, ["PONG_LATE / PEER_NOT_READING"]),
        ([(41, 70_000)], {}, []),
        ([(39, 1)], {}, ["PONG_LATE / PEER_NOT_READING"]),
        ([(39, 70_000), (39.5, 0)], {}, []),
        # Some left before the pong was due, or since: a path that carries.
        ([(39, 70_000), (39.5, 60_000)], {}, ["PONG_LATE / PEER_NOT_READING"]),
        ([(39, 70_000), (40, 60_000)], {}, ["PONG_LATE"]),
        ([(39, 70_000), (41, 60_000)], {}, ["PONG_LATE"]),
        # A window that is closed is probed, or waited for without anything being lost.
        ([(39, 70_000)], {"probes": 1}, ["PEER_NOT_READING", "PONG_LATE / PEER_NOT_READING"]),
        ([(39, 70_000)], {"backoff": 1}, ["PEER_NOT_READING", "PONG_LATE / PEER_NOT_READING"]),
        ([(39, 70_000)], {"backoff": 1, "retransmits": 1}, ["PONG_LATE / PEER_NOT_READING"]),
        ([(39, 70_000)], {"probes": 0}, ["PONG_LATE / PEER_NOT_READING"]),
    ],
)
def test_a_pong_waits_behind_what_was_written_before_it(queued, looks, first):
    """Whether the path is slow or the peer reads nothing is told by what left."""
    rows = [(at, "queued", size) for at, size in queued]

    assert causes(*PING, *rows, looks=[{"at": 59, **looks}] if looks else []) == [*first, *ANSWERED]


@pytest.mark.parametrize(
    ("queued", "first"),
    [
        ([(40, 70_000)], ["PONG_LATE / PEER_NOT_READING"]),
        ([(41, 70_000)], []),
        ([(30, 70_000), (39.5, 60_000)], ["PONG_LATE / PEER_NOT_READING"]),
        ([(30, 70_000), (40, 60_000)], ["PONG_LATE"]),
    ],
)
def test_a_pong_that_could_not_be_written_waits_too(queued, first):
    """Its ping tells when it was due, and not the pong before."""
    rows = [(20, "<ping"), (20, ">pong"), *((at, "queued", size) for at, size in queued), (40, "<ping")]

    assert causes(*rows) == [*first, "PING_UNANSWERED", *UNASKED]


@pytest.mark.parametrize(
    ("count", "pinged", "is_slow"),
    [(2, 58, False), (3, 58, True), (4, 58, True), (3, 57.75, False), (3, 58.25, True)],
)
def test_three_round_trips_as_long_as_the_peer_waited_are_usual(count, pinged, is_slow):
    """Of two seconds each."""
    found = causes(*beats(count, 2), (pinged, "<ping"), (pinged, ">pong"))

    assert (found[0] == "PONG_LATE") is is_slow


@pytest.mark.parametrize(
    ("pings", "is_late"),
    [([59.96], True), ([59.9375], False), ([59.96, 59.97], False), ([20, 40, 59.96], False), ([], False)],
)
@pytest.mark.parametrize(("asks", "answers"), [("<ping", ">pong"), ("<beat", ">answer")])
def test_an_only_ping_within_fifty_milliseconds_of_the_close_was_late(pings, is_late, asks, answers):
    """Nobody waits so little for a pong; a heartbeat of the peer is as good."""
    found = causes(*(row for at in pings for row in ((at, asks), (at, answers))))

    assert ("PONG_LATE" in found) is is_late


def test_a_heartbeat_of_the_peer_waits_at_the_proxy_as_a_ping_does():
    """Where the peer asked nothing, nothing of it was late."""
    behind = ProxyView(behind=9.0, pong_missing=False)
    asked, unasked = (
        replace(read(*rows, how=GAVE_UP), between=behind)
        for rows in ([(40, "<beat"), (40, ">answer")], [(40, "<text")])
    )

    assert fitting(ROWS, asked)[0] == "PONG_LATE"
    assert "PONG_LATE" not in fitting(ROWS, unasked)


@pytest.mark.parametrize(("pongs", "bunches", "is_frozen"), [(1, 0, False), (1, 1, True), (0, 1, False)])
def test_answers_that_came_at_once_show_a_loop_that_stood_still(pongs, bunches, is_frozen):
    """Once is enough, if a pong went out."""
    features = read(*PING * pongs, how=GAVE_UP)
    features = replace(features, own_heartbeats=replace(features.own_heartbeats, bunches=bunches))

    assert ("PEER_FROZEN" in fitting(ROWS, features)) is is_frozen


@pytest.mark.parametrize(
    ("asked", "answered", "is_late"),
    [
        # The last ping of the peer came at 55 s, and it gave up at 60 s.
        (50, 56, True),
        (51, 56, False),
        (48, 55, True),
        # That was over before.
        (45, 54.9375, False),
    ],
)
def test_a_round_trip_as_long_as_the_peer_waited_makes_its_pong_late(asked, answered, is_late):
    """One that was under way while it waited; earlier pings were answered in time."""
    pings = [(at, what) for at in (10, 25, 40, 55) for what in ("<ping", ">pong")]
    found = causes(*pings, (asked, ">beat"), (answered, "<answer"), end=60)

    assert (found[0] == "PONG_LATE") is is_late


@pytest.mark.parametrize(("last", "is_late"), [(59, True), (59.0625, False), (60, False)])
def test_a_ping_that_comes_with_the_end_is_not_what_the_peer_waited_for(last, is_late):
    """A server that pings as often as it gives up sends one then: no answer comes as soon as that."""
    pings = [(at, what) for at in (20, 40, last) for what in ("<ping", ">pong")]
    found = causes(*pings, (57.5, ">beat"), (59.5, "<answer"), end=60)

    assert (found[0] == "PONG_LATE") is is_late


def test_an_answer_of_this_end_is_no_round_trip():
    """A server that answers its client late, and all pings at once."""
    pings = [(at, what) for at in (10, 25, 40, 55) for what in ("<ping", ">pong")]
    found = causes(*pings, (50, "<beat"), (56, ">answer"), end=60, line_end=End.SERVER)

    assert found[0] == ANSWERED[0]


OF_ALL_AGES = {"together": 4, "youngest": 20, "oldest": 90}


@pytest.mark.parametrize(
    ("rows", "beside", "is_frozen"),
    [
        # All that a busy server has, whatever their ages (bigbluebutton 10826).
        (PING, OF_ALL_AGES, True),
        ([], OF_ALL_AGES, True),
        # This one alone; or it withholds its pongs, as the others may.
        (PING, {}, False),
        (PING[:1], OF_ALL_AGES, False),
        # Each so long after its opening, or its ping; some by chance at one instant.
        (PING, {**OF_ALL_AGES, "youngest": 60}, False),
        (PING, {**OF_ALL_AGES, "youngest": 46}, False),
        (PING, {**OF_ALL_AGES, "apart": 2}, False),
        (PING, {**OF_ALL_AGES, "together": 1}, False),
    ],
)
def test_a_keepalive_that_gives_up_on_all_at_once(rows, beside, is_frozen):
    """A process that stood still takes what came meanwhile for missing."""
    found = causes(*rows, beside=beside)

    assert (found[0] == "PEER_FROZEN") is is_frozen
