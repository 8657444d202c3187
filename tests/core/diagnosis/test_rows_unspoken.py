"""A peer that speaks a protocol in which this end said nothing, and ends the connection in its own way."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis import Blame, Cause, Confidence, diagnose
from pytest_wsstability.core.diagnosis.cohort import Beside, Shared
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_unspoken import CLOSED
from pytest_wsstability.core.timeline.close import CloseEvidence
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import Likeness
from tests.core.diagnosis.fitting import fitting
from tests.core.script import FIN, closed_by_peer, timeline

ASKED = [(0, "<text"), (10, "<text")]


def told(*rows, like="Engine.IO 4"):
    line = timeline(*rows)
    line.looks_like = Likeness("socketio", like) if like else None
    return diagnose(line, (), verdict=None)


@pytest.mark.parametrize(
    "end", [FIN, closed_by_peer(1000), closed_by_peer(1005), closed_by_peer(3100), closed_by_peer(4999)]
)
def test_what_went_unanswered_is_named(end):
    """Whatever code it has, or none: with the protocol, its profile, and who said nothing."""
    found = told(*ASKED, (17, end))

    assert (found.cause, found.blame) == (Cause.HEARTBEAT_UNANSWERED, Blame.CLIENT)
    assert found.confidence.value == "low"
    assert "what looks like Engine.IO 4, and the client said nothing in it" in found.sentence
    assert "7 s after" in found.sentence
    assert "--ws-profile socketio" in found.remedy


def test_an_age_that_others_show_is_no_heartbeat_that_was_left_unanswered():
    """Others were cut at the same age, at other instants: it is the age's."""
    lines = [timeline(*ASKED, (30, FIN), origin=origin) for origin in (1000, 1010, 1020)]
    for line in lines:
        line.looks_like = Likeness("socketio", "Engine.IO 4")

    assert diagnose(lines[0]).cause is Cause.HEARTBEAT_UNANSWERED
    assert diagnose(lines[0], cohort=lines).cause is not Cause.HEARTBEAT_UNANSWERED


def test_heartbeats_of_another_protocol_are_no_answer():
    """What the profile sends is nothing to a peer that does not speak it."""
    assert "Engine.IO 4" in told(*ASKED, (12, ">beat"), (15, FIN)).sentence


@pytest.mark.parametrize(
    ("rows", "like"),
    [
        # No protocol is known.
        ([*ASKED, (17, FIN)], None),
        # This end said something.
        ([*ASKED, (11, ">text"), (17, FIN)], "Engine.IO 4"),
        # Only the path speaks of a protocol.
        ([(17, FIN)], "Engine.IO 4"),
        # It was ended before anybody could have answered.
        ([(0, "<text"), (0.9, FIN)], "Engine.IO 4"),
        # The code says more.
        ([*ASKED, (17, closed_by_peer(1011))], "Engine.IO 4"),
        ([*ASKED, (17, closed_by_peer(1000, "token expired"))], "Engine.IO 4"),
    ],
)
def test_what_else_may_have_ended_it(rows, like):
    """The likeness alone explains nothing."""
    assert "said nothing in it" not in told(*rows, like=like).sentence


@pytest.mark.parametrize(
    ("rows", "fits"), [(ASKED, True), (ASKED[:1], False), ([*ASKED, (11, ">text")], False)]
)
def test_messages_that_nobody_answered_may_be_heartbeats(rows, fits):
    """Where no protocol is known, it is a second cause beside a close on purpose."""
    found = told(*rows, (17.3, closed_by_peer(4321)), like=None)

    assert found.cause is Cause.CLOSED_BY_PEER
    assert ("answered none of its messages" in found.sentence) is fits
    assert (found.runner_up is Cause.HEARTBEAT_UNANSWERED) is fits


def test_the_other_end_is_told_the_same():
    """A server whose client speaks something else."""
    line = timeline(*ASKED, (17, FIN), end=End.SERVER)
    line.looks_like = Likeness("mqtt", "MQTT 3.1.1")

    assert "the client speaks what looks like MQTT 3.1.1, and the server said" in diagnose(line, ()).sentence


def unspoken(*rows, age=17, code=1000, **beside):
    line = timeline(*rows, (age, closed_by_peer(code)))
    line.looks_like = Likeness("socketio", "Engine.IO 4")
    return fitting(CLOSED, extract(line, beside=Beside(**beside)))


@pytest.mark.parametrize(
    ("rows", "age", "code", "fits"),
    [
        *((ASKED, 17, code, True) for code in (1000, 1001, 1005, 3000, 4999)),
        *((ASKED, 17, code, False) for code in (1002, 1011, 2999, 5000)),
        # One message is enough, a second after the opening.
        ([(0, "<text")], 1, 1000, True),
        ([(0, "<text")], 0.75, 1000, False),
        ([], 17, 1000, False),
        # What was said, heartbeats aside.
        ([*ASKED, (12, ">text")], 17, 1000, False),
        ([*ASKED, (12, ">beat")], 17, 1000, True),
    ],
)
def test_who_said_nothing_is_closed_politely(rows, age, code, fits):
    """Or with a code of the other protocol's own."""
    assert bool(unspoken(*rows, age=age, code=code)) is fits


def test_one_other_of_the_same_age_leaves_a_restart():
    """Of another age, it shows one."""
    assert unspoken(*ASKED) == ["HEARTBEAT_UNANSWERED"]
    assert unspoken(*ASKED, together=1, shared=Shared.AGE) == ["HEARTBEAT_UNANSWERED / RESTART"]
    assert unspoken(*ASKED, together=1) == []


def pinged(*pings, rows=(), end=FIN, at=35.0, until=None, origin=1000.0):
    """A client that talks until 10 s; the server's ping messages come at these instants."""
    line = timeline((1, ">text"), (10, ">text"), *rows, origin=origin)
    for ping in pings:
        line.unknown_ping(origin + ping)
    line.over(origin + at, CloseEvidence(end=End.CLIENT, at=at, **end))
    return line


MEDIUM, LOW = Confidence.MEDIUM, Confidence.LOW


@pytest.mark.parametrize(
    ("pings", "rows", "end", "at", "expected"),
    [
        # tRPC cuts 5 s after its PING, Meteor closes 15 s after its own.
        ((30,), (), FIN, 35, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        ((30,), (), closed_by_peer(1000), 45, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        ((30,), (), closed_by_peer(4001), 35, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        # Words of a keepalive say so, with whatever code; some may mean something else.
        ((30,), (), closed_by_peer(1000, "pong timeout"), 45, (Cause.HEARTBEAT_UNANSWERED, Confidence.HIGH)),
        ((30,), (), closed_by_peer(1011, "pong timeout"), 45, (Cause.HEARTBEAT_UNANSWERED, Confidence.HIGH)),
        ((30,), (), closed_by_peer(1000, "stale connection"), 45, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        ((15, 20, 30), (), closed_by_peer(1000, "pong timeout"), 45, None),
        # Who sends ping frames waits for pongs.
        ((30,), [(40, "<ping", b"1"), (40, ">pong", b"1")], closed_by_peer(1011, "pong timeout"), 45, None),
        ((30,), [(30, ">text")], closed_by_peer(1000, "pong timeout"), 45, None),
        # Two may be missed; who sends three needs no answer.
        ((15, 30), (), FIN, 35, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        ((15, 20, 30), (), FIN, 35, None),
        # Those are no longer open that this end said something behind.
        ((2, 3, 4, 30), (), FIN, 35, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        ((30,), [(30, ">text")], FIN, 35, None),
        # Its own heartbeats are no answer.
        ((30,), [(31, ">beat"), (31, "<answer")], FIN, 35, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        # No time to answer, or none that timers have.
        ((30,), (), FIN, 30.9, None),
        ((30,), (), FIN, 31, (Cause.HEARTBEAT_UNANSWERED, MEDIUM)),
        ((30,), [(31, "<text"), (36, "<text")], FIN, 37.3, (Cause.HEARTBEAT_UNANSWERED, LOW)),
        # Its words come first, also those that are not understood.
        ((30,), (), closed_by_peer(4001, "kicked"), 35, None),
        ((30,), (), closed_by_peer(1008), 35, None),
    ],
)
def test_a_ping_message_that_the_profile_does_not_have(pings, rows, end, at, expected):
    """Nobody has answered it, and the end comes as long after it as servers wait."""
    found = diagnose(pinged(*pings, rows=[*rows, (30, "<text")] if expected else rows, end=end, at=at))

    if expected is None:
        assert "ping message" not in found.sentence
    else:
        assert (found.cause, found.confidence) == expected
        assert "a ping message that the profile does not answer at 30 s" in found.sentence
        assert found.remedy.startswith("answer it: give the profile this ping")


@pytest.mark.parametrize("said", [">text", ">beat"])
@pytest.mark.parametrize(("at", "confidence"), [(29.9, LOW), (29, LOW), (28.99, MEDIUM)])
def test_a_ping_message_may_be_an_echo(said, at, confidence):
    """A server that sends back what it gets sends a client's own ping."""
    found = diagnose(pinged(30, rows=[(at, said), (30, "<text")]))

    assert (found.cause, found.confidence) == (Cause.HEARTBEAT_UNANSWERED, confidence)


def test_a_ping_message_may_be_an_echo_whatever_the_words():
    found = diagnose(
        pinged(30, rows=[(30, ">beat"), (30, "<text")], end=closed_by_peer(1000, "pong timeout"))
    )

    assert (found.cause, found.confidence) == (Cause.HEARTBEAT_UNANSWERED, LOW)
    assert found.runner_up is Cause.KEEPALIVE_TIMEOUT


def test_an_idle_timeout_counts_from_a_ping_message_too():
    """Where it was the last of all, and nothing had been as silent."""
    found = diagnose(pinged(30, rows=[(30, "<text")], at=90))

    assert (found.cause, found.confidence) == (Cause.HEARTBEAT_UNANSWERED, LOW)
    assert found.runner_up is Cause.IDLE_TIMEOUT


def test_an_age_that_others_show_has_nothing_to_do_with_a_ping_message():
    lines = [pinged(30, rows=[(30, "<text")], origin=origin) for origin in (1000, 1010, 1020)]

    assert "ping message" in diagnose(lines[0]).sentence
    assert "ping message" not in diagnose(lines[0], cohort=lines).sentence
