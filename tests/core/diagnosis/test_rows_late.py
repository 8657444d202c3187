"""Rows for answers that came late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis import Cause, diagnose
from pytest_wsstability.core.diagnosis.rows_late import DUE, ROWS
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from tests.core.diagnosis.fitting import OPEN, fitting, read
from tests.core.script import timeline


def causes(*rows, broken=(), **more):
    return fitting(ROWS, replace(read(*rows, how=OPEN, **more), broken=frozenset(broken)))


BEATS = [(10, ">beat"), (12, ">beat")]
STOOD, SLOW = "PEER_FROZEN / PATH_STALLED", "SLOW_ANSWERS"


@pytest.mark.parametrize(
    ("rows", "looks", "first"),
    [
        ([*BEATS, (15, "<answer"), (15, "<answer")], [], [STOOD]),
        ([*BEATS, (15, "<answer"), (15.0625, "<answer")], [], []),
        # One answer cannot come with another.
        ([(10, ">beat"), (15, "<answer")], [], []),
        # What the kernel had acknowledged a second after the question, and before the answer.
        ([*BEATS, (15, "<answer"), (15, "<answer")], [{"at": 10.75}], [STOOD]),
        ([*BEATS, (15, "<answer"), (15, "<answer")], [{"at": 11}], ["PEER_FROZEN"]),
        ([*BEATS, (15, "<answer"), (15, "<answer")], [{"at": 14.75}], ["PEER_FROZEN"]),
        ([*BEATS, (15, "<answer"), (15, "<answer")], [{"at": 15}], [STOOD]),
    ],
)
def test_answers_that_came_late_and_at_once_show_what_stood_still(rows, looks, first):
    """The peer, or the path, unless that carried meanwhile."""
    assert causes(*rows, looks=looks, broken=[Rule.RTT]) == [*first, SLOW]


@pytest.mark.parametrize(("beats", "first"), [(0, [STOOD]), (1, [STOOD]), (2, [])])
def test_pings_tell_where_fewer_than_two_heartbeats_were_answered(beats, first):
    """Heartbeats come first, as the application's own loop answers them."""
    prompt = [row for at in range(beats) for row in ((at, ">beat"), (at + 0.5, "<answer"))]
    pings = [(10, ">ping", b"1"), (12, ">ping", b"2"), (15, "<pong", b"1"), (15, "<pong", b"2")]

    assert causes(*prompt, *pings, broken=[Rule.RTT]) == [*first, SLOW]


@pytest.mark.parametrize(
    ("rows", "rule", "is_slow"),
    [
        ([(5, ">beat"), (5.5, "<answer")], Rule.RTT, True),
        ([(5, ">ping", b"1"), (5.5, "<pong", b"1")], Rule.RTT, True),
        ([(5, ">beat"), (5, "<answer")], Rule.RTT, False),
        ([(5, ">text")], Rule.RTT, False),
        ([(5, ">info"), (15, "<confirmed")], Rule.SESSION, True),
        ([(5, ">info")], Rule.SESSION, False),
    ],
)
def test_only_what_was_answered_was_answered_slowly(rows, rule, is_slow):
    """Heartbeats, pings, or the session."""
    assert causes(*rows, broken=[rule]) == ([SLOW] if is_slow else [])


@pytest.mark.parametrize(("took", "rivals"), [(0.5, ""), (0.75, ""), (1, " / PEER_FROZEN")])
def test_three_times_the_usual_is_a_pause(took, rivals):
    """Answers of a quarter of a second, but for the first, which was quick."""
    usual = [row for at in range(9) for row in ((at, ">beat"), (at + (0.25 if at else 0.125), "<answer"))]

    assert causes(*usual, (20, ">beat"), (20 + took, "<answer"), broken=[Rule.RTT]) == [f"{SLOW}{rivals}"]


@pytest.mark.parametrize(("until", "cause"), [(105.75, Cause.SLOW_ANSWERS), (106, Cause.HALF_OPEN)])
def test_an_answer_that_is_too_late_is_not_missing_while_others_took_longer(until, cause):
    """Two took six seconds, and two may be missed: the third may still come."""
    ids = [b"%d" % number for number in range(5)]
    beats = [(20 + 20 * number, ">beat", each) for number, each in enumerate(ids)]
    answers = [(at + (6 if at > 50 else 0), "<answer", each) for at, _, each in beats[:4]]
    line = timeline(*sorted([*beats, *answers], key=lambda row: row[0]), until=until)
    verdict = judge(Requirement.of(heartbeat_within=4, heartbeat_missed_max=2), line)

    assert diagnose(line, verdict=verdict).cause is cause


@pytest.mark.parametrize(("slow", "cause"), [((0,), Cause.HALF_OPEN), ((0, 1), Cause.SLOW_ANSWERS)])
def test_of_several_answers_one_that_was_slow_is_a_pause(slow, cause):
    """After one stall the next heartbeat without an answer may be the first of a dead path."""
    rows = [(20 * number, ">beat", b"%d" % number) for number in range(1, 6)]
    rows += [
        (at + (7 if number in slow else 0.1), "<answer", key) for number, (at, _, key) in enumerate(rows[:4])
    ]
    line = timeline(*sorted(rows, key=lambda row: row[0]), until=105)
    verdict = judge(Requirement.of(heartbeat_within=5, heartbeat_missed_max=len(slow)), line)

    assert diagnose(line, verdict=verdict).cause is cause


@pytest.mark.parametrize(
    ("took", "until", "cause"),
    [
        # The only answer tells how long one takes.
        ((7,), 46, Cause.SLOW_ANSWERS),
        ((7,), 47, Cause.HALF_OPEN),
        # The slower of two was a pause, however quick the other one was.
        ((7, 0), 66, Cause.HALF_OPEN),
        ((7, 6.5), 66, Cause.SLOW_ANSWERS),
        ((7, 6.5), 66.5, Cause.HALF_OPEN),
    ],
)
def test_of_few_answers_two_or_the_only_one_tell(took, until, cause):
    """How long the next one may take before it is missing."""
    rows = [(20 * number, ">beat", b"%d" % number) for number in range(1, len(took) + 2)]
    rows += [(at + seconds, "<answer", key) for (at, _, key), seconds in zip(rows, took, strict=False)]
    line = timeline(*sorted(rows, key=lambda row: row[0]), until=until)
    verdict = judge(Requirement.of(heartbeat_within=5, heartbeat_missed_max=len(took) - 1), line)

    assert diagnose(line, verdict=verdict).cause is cause


@pytest.mark.parametrize(
    ("took", "heard", "fits"),
    [
        # The open one waits for 4 s.
        (2.25, True, True),
        (2.0, True, False),
        (0.1, True, False),
        # A dead path brings nothing else either.
        (2.25, False, False),
    ],
)
def test_an_answer_may_be_as_late_as_those_before_it(took, heard, fits):
    """Where the last of them took half as long already; one that is quick has not been late."""
    beats = [row for at in (10, 20, 30) for row in ((at, ">beat", at), (at + took, "<answer", at))]
    talk = [(43.9, "<text")] if heard else []

    assert fitting(DUE, read(*beats, (40, ">beat", 40), *talk, end=44, how=OPEN)) == ["SLOW_ANSWERS"] * fits


def test_an_answer_that_was_late_long_ago_tells_nothing_of_this_one():
    beats = [(10, ">beat", 1), (13, "<answer", 1)]
    beats += [row for at in range(20, 60, 10) for row in ((at, ">beat", at), (at + 0.1, "<answer", at))]

    assert fitting(DUE, read(*beats, (60, ">beat", 60), (63.9, "<text"), end=64, how=OPEN)) == []


@pytest.mark.parametrize(
    ("asked", "answered", "fits"), [(">beat", "<answer", True), ("<beat", ">answer", False)]
)
def test_how_late_a_server_answers_tells_nothing_of_its_client(asked, answered, fits):
    """Where both ends send heartbeats, its record has those of each."""
    both = frozenset({End.CLIENT, End.SERVER})
    facts = ProtocolFacts(name="both", title="both", heartbeat=HeartbeatShape.ANSWERED, heartbeats_from=both)
    rows = [row for at in (10, 20, 30) for row in ((at, asked, at), (at + 2.25, answered, at))]
    rows += [(15, ">beat", 15), (15.1, "<answer", 15), (40, ">beat", 40), (43.9, "<text")]
    features = read(*rows, end=44, how=OPEN, line_end=End.SERVER, protocol=facts)

    assert fitting(DUE, features) == ["SLOW_ANSWERS"] * fits
