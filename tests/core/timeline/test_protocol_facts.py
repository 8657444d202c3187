"""What a timeline makes of messages when it knows the protocol."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from pytest_wsstability.core.timeline.events import Direction, End, Opcode, Role
from pytest_wsstability.core.timeline.protocol_facts import (
    Awaited,
    HeartbeatShape,
    Intervals,
    Likeness,
    ProtocolCode,
    ProtocolFacts,
    ProtocolTimer,
)
from pytest_wsstability.core.timeline.timeline import Timeline

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
BOTH = ProtocolFacts(
    name="both",
    title="Both",
    heartbeat=HeartbeatShape.ANSWERED,
    heartbeats_from=frozenset({End.CLIENT, End.SERVER}),
)
ONE_WAY = ProtocolFacts(name="one", title="One-way", heartbeat=HeartbeatShape.ONE_WAY)


def recorded(end, protocol, *rows):
    timeline = Timeline(end, protocol=protocol)
    for at, direction, role in rows:
        timeline.frame(at, direction, Opcode.TEXT, 10, role)
    return timeline


@pytest.mark.parametrize(("end", "ours"), [(End.CLIENT, SENT), (End.SERVER, RECEIVED)])
def test_both_ends_ask(end, ours):
    """The client's heartbeats are told apart from the server's, whoever came first."""
    theirs = RECEIVED if ours is SENT else SENT
    timeline = recorded(
        end,
        BOTH,
        (1.0, theirs, Role.HEARTBEAT),
        (1.1, ours, Role.HEARTBEAT_ANSWER),
        (2.0, ours, Role.HEARTBEAT),
        (2.5, theirs, Role.HEARTBEAT_ANSWER),
        (3.0, theirs, Role.HEARTBEAT),
    )

    assert timeline.heartbeat_sender is ours
    assert (timeline.heartbeats.sent, timeline.heartbeats.answered) == (1, 1)
    assert timeline.heartbeats.rtts.maximum == pytest.approx(0.5)
    assert (timeline.server_heartbeats.sent, timeline.server_heartbeats.answered) == (2, 1)
    assert timeline.server_heartbeats.oldest_pending == 3.0


def test_where_one_end_asks_the_other_ones_are_none():
    """An echo of a heartbeat is no heartbeat."""
    timeline = recorded(End.CLIENT, None, (1.0, SENT, Role.HEARTBEAT), (1.1, RECEIVED, Role.HEARTBEAT))

    assert (timeline.heartbeats.sent, timeline.server_heartbeats.sent) == (1, 0)


def test_no_answer_is_due_to_a_one_way_heartbeat():
    """It counts, its gaps too, and nothing is open."""
    timeline = recorded(End.CLIENT, ONE_WAY, (4.0, SENT, Role.HEARTBEAT), (9.0, SENT, Role.HEARTBEAT))

    assert (timeline.heartbeats.sent, timeline.heartbeats.longest_gap) == (2, 5.0)
    assert timeline.heartbeats.oldest_pending is None
    assert timeline.heartbeats.missed(100.0, 1.0) == 0


def test_a_further_message_of_a_frame_counts_no_bytes():
    """Its role does: it is an event of its own."""
    timeline = recorded(End.CLIENT, None, (1.0, SENT, Role.HEARTBEAT), (2.0, RECEIVED, Role.DATA))
    timeline.further(2.0, RECEIVED, Opcode.TEXT, Role.HEARTBEAT_ANSWER)
    timeline.further(2.0, RECEIVED, Opcode.TEXT, Role.DATA)

    assert (timeline.heartbeats.answered, timeline.count(RECEIVED), timeline.bytes(RECEIVED)) == (1, 1, 10)
    assert timeline.last(direction=RECEIVED, role=Role.HEARTBEAT_ANSWER) == 2.0
    assert [(event.role, event.size) for event in timeline][-1] == (Role.HEARTBEAT_ANSWER, 0)


CODES = ProtocolFacts(
    name="x",
    title="X",
    codes=(
        ProtocolCode(code=4408, meaning="initialisation timeout", by=End.SERVER),
        ProtocolCode(code=4408, meaning="something else", by=End.CLIENT),
        ProtocolCode(code=1000, meaning="heartbeat timeout"),
    ),
)


@pytest.mark.parametrize(
    ("code", "by", "meaning"),
    [
        (4408, End.SERVER, "initialisation timeout"),
        (4408, End.CLIENT, "something else"),
        (1000, End.CLIENT, "heartbeat timeout"),
        (4409, End.SERVER, None),
    ],
)
def test_a_code_means_what_its_sender_means(code, by, meaning):
    """One code can have two meanings."""
    found = CODES.code(code, by)

    assert (found and found.meaning) == meaning


@pytest.mark.parametrize(
    ("awaits", "length", "every", "timeout", "runs"),
    [
        (Awaited.MESSAGE, {"seconds": 30}, None, None, 30),
        (Awaited.MESSAGE, {"seconds": 30}, 7, 9, 30),
        (Awaited.MESSAGE, {"intervals": 1.5}, 20, 9, 30),
        (Awaited.MESSAGE, {"intervals": 1.5}, None, 9, None),
        # No heartbeat was agreed on, so there is no timer.
        (Awaited.MESSAGE, {"intervals": 1.5}, 0, None, None),
        # What the server names is the time of an answer.
        (Awaited.ANSWER, {"seconds": 20}, 25, None, 20),
        (Awaited.ANSWER, {"seconds": 20}, 25, 9, 9),
        # An interval and the time of an answer.
        (Awaited.HEARTBEAT, {"intervals": 1, "and_timeout": True}, 25, 20, 45),
        (Awaited.HEARTBEAT, {"intervals": 1, "and_timeout": True}, 25, None, 25),
        (Awaited.HEARTBEAT, {"intervals": 1, "and_timeout": True}, None, 20, None),
    ],
)
def test_how_long_a_timer_runs(awaits, length, every, timeout, runs):
    """Seconds of its own, or intervals that rule on the connection."""
    timer = ProtocolTimer(name="x", by=End.SERVER, awaits=awaits, **length)

    assert timer.runs(every, timeout) == runs


def test_what_was_spoken_is_kept_in_json():
    """The protocol with its timers, the intervals, the server's heartbeats, and what it looked like."""
    facts = ProtocolFacts(
        name="both",
        title="Both",
        heartbeat=HeartbeatShape.ONE_WAY,
        heartbeats_from=frozenset({End.CLIENT, End.SERVER}),
        every=10,
        timers=(ProtocolTimer(name="its timer", by=End.SERVER, awaits=Awaited.MESSAGE, intervals=1.5),),
        codes=(ProtocolCode(code=4000, meaning="x", by=End.CLIENT, returns=False),),
        max_age=3600.0,
    )
    timeline = recorded(End.CLIENT, facts, (1.0, SENT, Role.HEARTBEAT), (2.0, RECEIVED, Role.HEARTBEAT))
    timeline.intervals = Intervals(10.0, None, 20.0)
    timeline.looks_like = Likeness("socketio", "Engine.IO 4")
    timeline.unchosen = "chat, ***"
    data = json.loads(json.dumps(timeline.as_dict()))

    again = Timeline.from_dict(data)

    assert again.protocol == facts
    assert again.intervals == (10.0, None, 20.0)
    assert again.looks_like == Likeness("socketio", "Engine.IO 4")
    assert again.unchosen == "chat, ***"
    assert again.server_heartbeats.sent == 1
    assert again.is_one_way
    assert again.as_dict() == timeline.as_dict()


def test_what_nobody_knows_is_nothing_in_json():
    """A proxy knows no protocol."""
    data = Timeline(End.PROXY).as_dict()

    assert (data["protocol"], data["intervals"], data["looks_like"]) == (None, None, None)
    assert Timeline.from_dict(data).protocol is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("protocol", {"name": "x"}, "timeline.protocol: 'title' is missing"),
        ("protocol", [], "timeline.protocol: [] is no object"),
        ("looks_like", {"profile": 7, "title": "x"}, "timeline.looks_like.profile: 7 is no str"),
    ],
)
def test_a_protocol_that_is_none_is_told(name, value, words):
    """With the place."""
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        Timeline.from_dict({**Timeline(End.CLIENT).as_dict(), name: value})


def test_a_timer_that_names_no_code_ends_without_a_close_frame():
    """RFC 6455, section 7.1.5: that is what 1006 stands for."""
    assert ProtocolTimer(name="x", by=End.SERVER, awaits=Awaited.MESSAGE, seconds=30).code == 1006


def test_what_is_known_of_a_timer_cannot_be_changed():
    """All connections of its protocol share it."""
    timer = ProtocolTimer(name="x", by=End.SERVER, awaits=Awaited.MESSAGE, seconds=30)
    with pytest.raises(dataclasses.FrozenInstanceError):
        timer.seconds = 31
