"""A timeline as JSON has it, and back."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.timeline.close import CloseFrame
from pytest_wsstability.core.timeline.events import (
    Direction,
    End,
    Event,
    EventKind,
    FaultName,
    FrameKind,
    Opcode,
    Role,
)
from pytest_wsstability.core.timeline.rows import event_of, row
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.core.judging import BEATS
from tests.core.script import FIN, RECEIVED, RST, SENT, timeline

AUDIO = [(number / 50, "<audio") for number in range(1, 301)]
SESSION = [(0.1, "<hello"), (0.2, ">info"), (0.3, "<confirmed")]
TIMELINES = {
    "nothing": timeline(until=3),
    "heartbeats": timeline(*SESSION, *BEATS, until=120),
    "unanswered": timeline((25, ">beat"), (50, ">beat"), (60, FIN)),
    "audio": timeline(*AUDIO, (6.5, ">ping"), (6.6, "<pong"), (7, RST)),
    "a stall": timeline((1, "paused"), (3, "resumed"), (4, "lag", 1.25), (5, "paused"), (6, "slept", 9.0)),
    "pings past the ring": timeline(*((float(n), "<ping") for n in range(1, 301)), until=301),
    "the other end": timeline((25, "<beat"), (25.1, ">answer"), (60, FIN), end=End.SERVER),
}
REQUIREMENT = Requirement.of(
    alive_for="2m", heartbeat_within="5s", session_within="5s", no_abnormal_closure=True
)


def there_and_back(line):
    return Timeline.from_dict(json.loads(json.dumps(line.as_dict())))


@pytest.mark.parametrize("name", TIMELINES)
def test_the_same_again(name):
    """Nothing is lost on the way, and nothing added."""
    line = TIMELINES[name]
    back = there_and_back(line)

    assert back.as_dict() == line.as_dict()
    assert [row(event) for event in back] == [row(event) for event in line]
    assert back.total == line.total
    assert repr(back) == repr(line)


@pytest.mark.parametrize("name", TIMELINES)
def test_the_same_verdict(name):
    """A record read back is judged as the first one was."""
    line = TIMELINES[name]

    assert judge(REQUIREMENT, there_and_back(line)) == judge(REQUIREMENT, line)


@pytest.mark.parametrize("name", TIMELINES)
def test_the_same_diagnosis(name):
    """Whoever looks at it tomorrow sees what was seen today."""
    line, back = TIMELINES[name], there_and_back(TIMELINES[name])
    verdict = judge(REQUIREMENT, line)

    one, other = (diagnosed(verdict, [each]).diagnosis for each in (line, back))
    assert (one is None) == (other is None)
    if one is not None:
        assert (one.cause, one.sentence, one.remedy) == (other.cause, other.sentence, other.remedy)
        assert [fact.text for fact in one.evidence] == [fact.text for fact in other.evidence]
    for way in (SENT, RECEIVED):
        for sort in FrameKind:
            assert back.silent_for(way, sort) == pytest.approx(line.silent_for(way, sort), abs=2e-6)
            assert back.longest_gap(way, sort) == pytest.approx(line.longest_gap(way, sort), abs=2e-6)


def test_headers_that_tell_who_answered():
    """A diagnosis names the owner of a timer by them."""
    line = timeline((60, FIN))
    line.hints = (("Server", "nginx"), ("Via", "1.1 x?token=t0p"))

    assert there_and_back(line).hints == (("Server", "nginx"), ("Via", "1.1 x?token=***"))


def test_counters_and_last_instants():
    """Exact beyond the events that are held."""
    back = there_and_back(TIMELINES["audio"])

    assert back.count(RECEIVED) == 301
    assert back.bytes(RECEIVED, Opcode.BINARY) == 300 * 640
    assert back.last(direction=RECEIVED, opcode=Opcode.BINARY) == 6.0
    assert back.last(direction=RECEIVED, role=Role.DATA) == 6.0
    assert back.last(direction=SENT, opcode=Opcode.PING) == 6.5
    assert back.last(direction=SENT, role=Role.HEARTBEAT) is None
    assert back.pings.rtts.quantile(0.5) == pytest.approx(0.1)


def test_a_secret_in_a_close_reason_is_masked():
    """The peer chose it, and reports are passed around."""
    end = {**FIN, "received": CloseFrame(4401, "expired: Bearer abc.def"), "local_detail": "?token=t0p"}
    text = json.dumps(timeline((60, end)).as_dict())

    assert "abc.def" not in text
    assert "t0p" not in text
    assert "expired: Bearer ***" in text


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            Event(25.0, EventKind.FRAME, SENT, Opcode.TEXT, 15, Role.HEARTBEAT),
            [25.0, "frame", "sent", "text", 15, "heartbeat"],
        ),
        (
            Event(1 / 3, EventKind.FRAME, RECEIVED, Opcode.PONG, 4),
            [0.333333, "frame", "received", "pong", 4, "none"],
        ),
        (Event(3.0, EventKind.LOOP_LAG, Direction.LOCAL, seconds=0.25), [3.0, "loop_lag", 0.25]),
        (Event(60.0, EventKind.ENDED), [60.0, "ended", 0.0]),
        (Event(5.0, EventKind.FAULT, fault=FaultName.LATENCY), [5.0, "fault", "latency"]),
    ],
)
def test_rows(event, expected):
    """Short, and readable without a table of numbers."""
    assert row(event) == expected
    assert row(event_of(expected)) == expected


@pytest.mark.parametrize(
    "bad",
    [None, [], [1.0], [1.0, "frame", "sent"], [1.0, "exploded", 0.0], ["soon", "ended", 0.0], "ended",
     [1.0, "frame", "sideways", "text", 1, "none"], [1.0, "frame", "sent", "text", None, "none"],
     [1.0, "frame", "sent", "text", -1, "none"], [1.0, "loop_lag", -0.5], ["a" * 100_000]],
)  # fmt: skip
def test_what_is_no_row(bad):
    """A report that somebody edited."""
    with pytest.raises(ValueError, match=r"^events\[3\]: .{1,200} is no event$"):
        event_of(bad, "events[3]")


@pytest.mark.parametrize("name", ["lightning", 3, None, ""])
def test_a_fault_that_is_unknown(name):
    """A file of another version, or of one that wrote places in a list: the valid names are told."""
    with pytest.raises(ValueError, match=rf"^r\.json, fault: {name!r} is none of drop, .*, send_error$"):
        event_of([1.0, "fault", name], "r.json")
