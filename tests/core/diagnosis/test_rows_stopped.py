"""Rows for what the peer sends no more on a connection that is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.diagnosis.rows_stopped import ROWS
from pytest_wsstability.core.diagnosis.words import WORDS
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.template_words import TemplateWords
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, Intervals, ProtocolFacts
from tests.core.diagnosis.fitting import OPEN, fitting, read
from tests.core.script import timeline

SERVER, CLIENT = End.SERVER, End.CLIENT


def flow(step, wait, *, count=3):
    """Messages each so many seconds, then none, while a heartbeat is answered."""
    rows = [(1 + step * number, "<feed") for number in range(count)]
    end = rows[-1][0] + wait
    return read(*rows, (end - 0.5, ">beat"), (end - 0.25, "<answer"), end=end, how=OPEN)


@pytest.mark.parametrize(
    ("step", "wait", "is_dead"),
    [
        # Five seconds at least; three times the pause before; and three times a minute at most.
        (1, 5, False),
        (1, 5.25, True),
        (2, 6, False),
        (2, 6.25, True),
        (60, 180, False),
        (60, 180.25, True),
        (90, 180.25, True),
    ],
)
def test_a_stream_is_silent_after_three_of_its_pauses(step, wait, is_dead):
    """A shorter one is a pause."""
    assert fitting(ROWS, flow(step, wait)) == (["ONE_WAY_DEAD / CLOSED_BY_PEER"] if is_dead else [])


@pytest.mark.parametrize(
    ("rows", "end", "found"),
    [
        # Nothing shows whether the connection lives.
        ([], 7, ["nothing shows whether the connection lives"]),
        ([(2, ">beat"), (2.5, "<answer")], 7, ["nothing shows whether the connection lives"]),
        # An answer since shows that it does, after any pause that is longer than those before.
        ([(4, ">beat"), (4.25, "<answer")], 7, ["the connection lives", "nothing shows whether"]),
        # A question that stays open says more; a pause that is not the longest is none.
        ([(4, ">beat")], 7, []),
        ([(1, "<feed"), (10, "<feed")], 13, []),
    ],
)
def test_messages_that_are_due_do_not_come(rows, end, found):
    """By what the requirement says, and not only by the pauses before."""
    features = read(*((at, "<feed") for at in (1, 2, 3)), *rows, end=end, how=OPEN)
    due = replace(features, broken=frozenset({Rule.FLOW}))

    told = [row.sentence for row in ROWS if row.when(due)]
    assert len(told) == len(found)
    assert all(words in sentence for words, sentence in zip(found, told, strict=True))


def test_three_messages_make_a_stream():
    """Two are answers to questions."""
    assert fitting(ROWS, flow(1, 30, count=2)) == []


@pytest.mark.parametrize(("asked", "lives"), [(3, False), (3.25, True)])
def test_the_answer_to_what_was_asked_since_shows_that_the_connection_lives(asked, lives):
    """Asked with the last message, it may have come with it."""
    rows = [(1, "<feed"), (2, "<feed"), (3, "<feed"), (asked, ">beat"), (asked + 0.5, "<answer")]

    assert bool(fitting(ROWS, read(*rows, end=30, how=OPEN))) is lives


@pytest.mark.parametrize(("beat", "lives"), [(3, False), (3.25, True)])
def test_a_heartbeat_of_the_server_shows_that_the_connection_lives(beat, lives):
    """No answer is due to it, and nobody has to ask."""
    rows = [(1, "<feed"), (2, "<feed"), (3, "<feed"), (beat, "<beat")]
    features = read(*rows, end=30, how=OPEN, protocol=ASKING)
    due = replace(features, broken=frozenset({Rule.FLOW}))

    first = next(row for row in ROWS if row.when(due))
    assert first.confidence is (Confidence.MEDIUM if lives else Confidence.LOW)
    assert ("{still}" in first.sentence) is lives
    assert TemplateWords(WORDS, due)["still"] == "sends heartbeats or pings"


@pytest.mark.parametrize(
    ("rows", "end", "found"),
    [
        ([], 30, ["nothing shows"]),
        ([(1, "<feed"), (2, "<feed")], 30, ["nothing shows"]),
        ([(1, "<feed"), (2, "<feed"), (9, "<beat")], 30, ["the connection lives", "nothing shows"]),
        ([(9, ">beat"), (9.5, "<answer")], 30, ["the connection lives", "nothing shows"]),
        # A question that stays open says more, and three messages are a stream.
        ([(9, ">beat")], 30, []),
        ([(at, "<feed") for at in (1, 2, 9)], 10, []),
    ],
)
def test_a_stream_that_never_began(rows, end, found):
    """Where messages are due by the requirement; a connection that was left has said nothing wrong."""
    due = replace(read(*rows, end=end, how=OPEN), broken=frozenset({Rule.FLOW}))

    told = [row.sentence for row in ROWS if row.when(due)]
    assert len(told) == len(found)
    assert all("no stream of messages began" in sentence for sentence in told)
    assert all(words in sentence for words, sentence in zip(found, told, strict=True))
    assert fitting(ROWS, replace(due, broken=frozenset())) == []
    assert fitting(ROWS, replace(read(*rows, end=end), broken=frozenset({Rule.FLOW}))) == []


@pytest.mark.parametrize(
    ("end", "rule", "stopped"),
    [
        (CLIENT, Rule.CADENCE, True),
        (SERVER, Rule.CADENCE, True),
        (SERVER, Rule.HEARTBEATS, True),
        # Of a client's own heartbeats none was answered: they did not stop.
        (CLIENT, Rule.HEARTBEATS, False),
    ],
)
def test_heartbeats_that_are_due_and_do_not_come(end, rule, stopped):
    """Which promise is broken, at whose end."""
    way = "<" if stopped else ">"
    features = replace(read((10, f"{way}beat"), how=OPEN, line_end=end), broken=frozenset({rule}))

    assert bool(fitting(ROWS, features)) is stopped


@pytest.mark.parametrize(
    ("rows", "heard", "is_dead"),
    [
        ([(15, "<beat")], 44.75, True),
        ([(15, "<beat")], 45, False),
        # Since the opening, where none ever came.
        ([], 39.75, True),
        ([], 40, False),
    ],
)
def test_what_came_after_a_heartbeat_was_due_shows_a_peer_that_is_there(rows, heard, is_dead):
    """Nothing else since then fits a dead path as well."""
    features = read(*rows, (heard, "<text"), how=OPEN, line_end=SERVER)
    causes = fitting(ROWS, replace(features, broken=frozenset({Rule.CADENCE})))

    assert (causes[-1] == "HEARTBEATS_STOPPED / HALF_OPEN") is is_dead


@pytest.mark.parametrize(("heard", "confidence"), [(50, Confidence.LOW), (60, Confidence.HIGH)])
def test_where_nothing_came_since_a_heartbeat_was_due_it_is_one_of_three_causes(heard, confidence):
    """A path that died and a process that stands still are as silent."""
    line = timeline((15, "<beat"), (30, "<beat"), (heard, "<ping"), until=62, protocol=ASKING)
    found = diagnose(line, verdict=judge(Requirement.of(heartbeat_every=20), line))

    assert (found.cause, found.confidence) == (Cause.HEARTBEATS_STOPPED, confidence)
    assert ("a dead path or a frozen server fits too" in found.sentence) is (confidence is Confidence.LOW)


ASKING = ProtocolFacts(
    name="x", title="X", every=20, heartbeats_from=frozenset({SERVER}), names_interval=True
)


@pytest.mark.parametrize(
    ("rows", "end", "named", "cause"),
    [
        # None is late before a second after its time, by the interval that was named or the protocol has.
        ([], 26, 25, "HEARTBEATS_RARE"),
        ([], 26.25, 25, "HEARTBEATS_STOPPED"),
        ([(25, "<beat")], 51, 25, "HEARTBEATS_RARE"),
        ([(25, "<beat")], 51.25, 25, "HEARTBEATS_STOPPED"),
        ([(27, "<beat")], 40, 25, "HEARTBEATS_STOPPED"),
        ([], 21, None, "HEARTBEATS_RARE"),
        ([], 21.25, None, "HEARTBEATS_STOPPED"),
    ],
)
def test_heartbeats_that_are_due_less_often_than_the_test_wants_them_have_not_stopped(
    rows, end, named, cause
):
    """Nobody promised more of them."""
    intervals = Intervals(server=named) if named else None
    line = timeline(*rows, until=end, protocol=ASKING, intervals=intervals)
    found = diagnose(line, verdict=judge(Requirement.of(heartbeat_every=10), line))

    assert found.cause is Cause[cause]
    assert ("due every" in found.sentence) is (cause == "HEARTBEATS_RARE")


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [(1.25, "HEARTBEATS_STOPPED"), (1, "HEARTBEATS_STOPPED"), (0.75, "HEARTBEATS_RARE")],
)
def test_heartbeats_that_are_due_as_often_as_the_test_wants_them_are_not_rare(wanted, cause):
    """However short their interval is: one of a second is not late before another one has passed."""
    line = timeline((0.1, "<text"), until=1.5 * wanted, protocol=ASKING, intervals=Intervals(server=1))
    found = diagnose(line, verdict=judge(Requirement.of(heartbeat_every=wanted), line))

    assert found.cause is Cause[cause]


@pytest.mark.parametrize(
    ("facts", "rows", "cause"),
    [
        ({"greets": True}, [], "HEARTBEATS_STOPPED"),
        ({"has_session": True}, [], "HEARTBEATS_STOPPED"),
        # It has said something, or need not have by now.
        ({"greets": True}, [(0.1, "<hello")], "HEARTBEATS_RARE"),
        ({"has_session": True, "begins_session": True}, [], "HEARTBEATS_RARE"),
        ({}, [], "HEARTBEATS_RARE"),
    ],
)
def test_a_server_that_never_said_a_word_named_no_interval(facts, rows, cause):
    """Of a proxy that passes the upgrade and no frames: "due every 25 s, and none was late" is not known."""
    line = timeline(*rows, until=15, protocol=replace(ASKING, **facts))
    found = diagnose(line, verdict=judge(Requirement.of(heartbeat_every=10), line))

    assert found.cause is Cause[cause]
    passes = "a proxy that passes the upgrade and no frames fits too"
    assert (passes in found.sentence) is (cause == "HEARTBEATS_STOPPED")


def test_rare_heartbeats_explain_nothing_else_that_is_broken():
    """A stream that dried up beside them is told."""
    rows = [*((at, "<feed") for at in (1, 2, 3)), (25, "<beat")]
    line = timeline(*rows, until=30, protocol=ASKING, intervals=Intervals(server=25))
    found = diagnose(line, verdict=judge(Requirement.of(heartbeat_every=10, message_every=10), line))

    assert found.cause is Cause.ONE_WAY_DEAD


LINE_FEEDS = ProtocolFacts(
    name="x",
    title="X",
    heartbeat=HeartbeatShape.ONE_WAY,
    heartbeats_from=frozenset({CLIENT, SERVER}),
)


@pytest.mark.parametrize(
    ("rows", "causes"),
    [
        ([(10, "<beat"), (20, "<beat")], ["HEARTBEATS_STOPPED / HALF_OPEN"]),
        ([], ["HEARTBEATS_STOPPED / HALF_OPEN"]),
        # A frame that is no message shows that the server lives.
        ([(10, "<beat"), (20, "<beat"), (46.75, "<ping")], ["HEARTBEATS_STOPPED"]),
        ([(10, "<beat"), (20, "<beat"), (46.5, "<ping")], ["HEARTBEATS_STOPPED / HALF_OPEN"]),
        # A silence that is over.
        ([(10, "<beat"), (35, "<beat"), (59, "<text")], []),
    ],
)
def test_a_server_is_silent_that_owes_heartbeats_which_nobody_answers(rows, causes):
    """Those of this end went out all the time, and say nothing of it."""
    ours = [(at, ">beat") for at in range(10, 60, 10)]
    features = read(*ours, *rows, how=OPEN, protocol=LINE_FEEDS)

    assert fitting(ROWS, replace(features, broken=frozenset({Rule.HEARTBEATS}))) == causes


def test_heartbeats_that_nobody_answers_are_no_evidence():
    """That no answer came proves nothing."""
    line = timeline((10, ">beat"), (10, "<beat"), (20, ">beat"), until=40, protocol=LINE_FEEDS)
    requirement = Requirement.of(heartbeat_every=10, heartbeat_within=5)
    found = diagnose(line, verdict=judge(requirement, line))

    assert found.sentence.startswith("the server sent no message for 30 s, and heartbeats of it are due")
    assert not [each for each in found.evidence if "answered" in each.text]


BEATS = [(10, "<beat"), (10, ">answer"), (20, "<beat"), (20, ">answer")]


@pytest.mark.parametrize(("end", "stopped"), [(40, False), (40.25, True)])
def test_too_few_heartbeats_of_a_server_stopped_if_they_stay_away_for_two_pauses(end, stopped):
    """Else the hold was too short for more."""
    features = replace(read(*BEATS, end=end, how=OPEN), broken=frozenset({Rule.HEARTBEATS}))

    assert bool(fitting(ROWS, features)) is stopped


@pytest.mark.parametrize(
    ("end", "remedy"),
    [(CLIENT, "look at the task or the timer of the server"), (SERVER, "hidden browser tab")],
)
def test_what_stopped_is_a_task_of_the_server_or_the_timer_of_a_tab(end, remedy):
    """And no dead path where other messages go on."""
    line = timeline(*BEATS, (59.75, "<text"), until=60, end=end)
    found = diagnose(line, verdict=judge(Requirement.of(heartbeat_every=10), line))

    assert found.cause is Cause.HEARTBEATS_STOPPED, found
    assert remedy in found.remedy
    assert found.runner_up is None
