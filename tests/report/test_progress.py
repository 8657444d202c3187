"""How holds go on, in words."""

from __future__ import annotations

import pytest

from pytest_wsstability.report.progress import HoldProgress, ManyHolds, Survey
from tests.core.script import timeline
from tests.report.made import ONE_WAY

BEAT = [(25, ">beat"), (25.0003, "<answer")]


def survey(*records, most=8):
    return Survey.of(records, most)


def shown(seen, *, most=8, width=100):
    """The text of the rows."""
    return ["".join(text for text, _ in row) for row in seen.rows(most, width)]


@pytest.mark.parametrize(
    ("rows", "until", "line"),
    [
        (BEAT, 37,
         "37 s of 120 s, test: answered 1 of 1, rtt 0.3 ms, last +25.000 s < text 15 B (heartbeat answer)"),
        (BEAT[:1], 26, "26 s of 120 s, test: answered 0 of 1, last +25.000 s > text 15 B (heartbeat)"),
        ([], 0.4, "0 s of 120 s, test: last +0.000 s = opening handshake ended"),
        ([(20, ">ping", b"1"), (20.01, "<pong", b"1")], 21,
         "21 s of 120 s, test: answered 1 of 1, rtt 10 ms, last +20.010 s < pong 4 B"),
        # To which of two the answer is, is not told.
        ([(1, ">beat"), (2, ">beat"), (2.5, "<answer")], 3,
         "3 s of 120 s, test: answered 1 of 2, last +2.500 s < text 15 B (heartbeat answer)"),
        # The hold is over, and this end waits for its own close.
        ([(1, ">text")], 129, "120 s of 120 s, test: last +1.000 s > text 100 B"),
        ([(1, "lag", 2.5)], 4, "4 s of 120 s, test: last +1.000 s = own event loop 2.5 s late"),
    ],
)  # fmt: skip
def test_one_hold(rows, until, line):
    """Age of total, answers, the median round trip, the last event."""
    seen = survey(("test", 120.0, timeline(*rows, until=until)))

    assert seen.line == f"WebSocket hold: {line}"


def test_heartbeats_that_nobody_answers_wait_for_nothing():
    """Pings beside them are told of."""
    rows = [(10, ">beat"), (20, ">ping", b"1"), (20.01, "<pong", b"1"), (30, ">beat"), (50, ">beat")]
    seen = survey(("test", 120.0, timeline(*rows, until=60, protocol=ONE_WAY)))

    assert seen.line == (
        "WebSocket hold: 60 s of 120 s, test: answered 1 of 1, rtt 10 ms, "
        "last +50.000 s > text 15 B (heartbeat)"
    )


def test_one_that_is_not_open():
    """It waits for its turn, or for the server."""
    assert survey(("test", 120.0, None)).line == "WebSocket hold: waits to open, test"
    assert shown(survey(("test", 120.0, None))) == ["waits to open  test"]


def test_many():
    """Those with unanswered heartbeats first; the last line sums up the rest."""
    fine = timeline(*BEAT, until=37)
    missing = timeline((25, ">beat"), (50, ">beat"), until=60)
    records = [(f"test_{number}", 120.0, fine) for number in range(4)]
    seen = survey(*records, ("test_bad", 120.0, missing), ("test_late", 120.0, None), most=3)

    assert [line[:24] for line in shown(seen, most=3)] == [
        "60/120 s  [#####.....]  ",
        "37/120 s  [###.......]  ",
        "and 4 holds, the younges",
    ]
    assert shown(seen, most=3)[2] == "and 4 holds, the youngest at 37 s, answered 3 of 3, 1 wait to open"
    assert seen.line == "WebSocket: 6 holds, the youngest at 37 s, answered 4 of 6, 1 wait to open"


def test_as_many_as_there_is_room_for():
    """No line is wasted on a sum."""
    records = [(f"test_{number}", 120.0, None) for number in range(3)]

    assert len(survey(*records, most=3).rows(3, 80)) == 3
    assert shown(survey(*records, most=3), most=2) == [
        "waits to open  test_0", "and 2 holds, 2 wait to open",
    ]  # fmt: skip


def test_surveys_of_workers_add_up():
    """What two processes see is one picture."""
    one = survey(("test_a", 120.0, timeline(*BEAT, until=37)))
    other = survey(("test_b", 120.0, timeline(until=12)), ("test_c", 60.0, None), most=1)

    both = Survey.from_dict((one + other).as_dict())

    assert both == one + other
    assert both.all == ManyHolds(count=3, waiting=1, youngest=12, sent=1, answered=1)
    assert not Survey()


def test_what_is_sent_is_builtin():
    """A subclass of int or str would end a whole session of pytest-xdist."""

    def kinds(value):
        if isinstance(value, dict):
            return {kind for each in value.values() for kind in kinds(each)}
        if isinstance(value, tuple | list):
            return {kind for each in value for kind in kinds(each)}
        return {type(value)}

    seen = survey(("test_a", 120.0, timeline(*BEAT, until=37)), ("test_b", 1.0, None), most=1)

    assert kinds(seen.as_dict()) <= {str, int, float, type(None)}
    assert HoldProgress(**seen.as_dict()["close"][0]) == seen.close[0]


MISSING = timeline((25, ">beat"), (25.0123, "<answer"), (50, ">beat"), (75, ">beat"), until=76)
LONG = "tests/soak/test_sessions.py::test_voice_session_is_stable[agent-7-eu-central-1]"


@pytest.mark.parametrize(
    ("width", "rows"),
    [
        (100, [
            " 37/120 s  [###.......]  1/1  0.3 ms      +25.000 s < text 15 B (heartbeat answer)"
            "  ..eu-central-1]",
            "76 s/24 h  [..........]  1/3   12 ms  !2  +75.000 s > text 15 B (heartbeat)         test_b",
            "                                          waits to open                             test_c",
        ]),
        (80, [
            " 37/120 s  [###.......]  1/1  0.3 ms      +25.000 s < text 15 B  ..u-central-1]",
            "76 s/24 h  [..........]  1/3   12 ms  !2  +75.000 s > text 15 B  test_b",
            "                                          waits to open          test_c",
        ]),
        (60, [
            " 37/120 s  [###.......]  1/1  0.3 ms      ..eu-central-1]",
            "76 s/24 h  [..........]  1/3   12 ms  !2  test_b",
            "                                          test_c",
        ]),
    ],
)  # fmt: skip
def test_figures_stand_in_columns(width, rows):
    """Cut are the last event, at its end, and the name, at its start; never a figure."""
    seen = survey(
        (LONG, 120.0, timeline(*BEAT, until=37)), ("test_b", 86400.0, MISSING), ("test_c", 60.0, None)
    )

    assert shown(seen, width=width) == rows


def test_what_is_not_answered_is_red():
    """Two: one is on its way most of the time."""
    pieces = [piece for row in survey(("test_b", 120.0, MISSING)).rows(8, 100) for piece in row]

    assert [(text.strip(), style) for text, style in pieces if style] == [
        ("!2", ("red", "bold")), ("test_b", ("light",)),
    ]  # fmt: skip
    fine = survey(("test", 120.0, timeline((25, ">beat"), until=26))).rows(8, 100)
    assert not any("red" in style for row in fine for _, style in row)
