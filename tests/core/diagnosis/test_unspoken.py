"""A peer that speaks a protocol in which this end said nothing, and ends the connection in its own way."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis import Blame, Cause, diagnose
from pytest_wsstability.core.diagnosis.cohort import Beside, Shared
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_unspoken import CLOSED
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
