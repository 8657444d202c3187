"""What excuses a violation, what does not, and what every verdict says beside its outcome."""

import pytest

from pytest_wsstability.core.judge.requirement import ExpectedClose, Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.timeline.close import CloseFrame, TransportEnd
from pytest_wsstability.core.timeline.events import Direction, End, Opcode, Role, Tier
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.core.judging import (
    BEATS,
    CLOSURE,
    HOLD,
    INCONCLUSIVE,
    SERVER,
    STABLE,
    STALLED_END,
    UNSTABLE,
    WITHIN,
    check,
    judged,
)
from tests.core.script import FIN, RST, closed_by_peer, timeline

HARNESS = {
    "loop stood still before a FIN": (HOLD, [(59, "lag", 1.0), (60, FIN)], [Reason.LOOP_LAG]),
    # Seen by the monitor after the close frame that was waiting, and begun before.
    "loop stood still until the close frame": (
        HOLD,
        [(60, "<close"), (60.001, "lag", 40.0), (60.002, closed_by_peer(1011, at=60))],
        [Reason.LOOP_LAG],
    ),
    "loop was a bit late": (HOLD, [(59, "lag", 0.9), (60, FIN)], [Rule.ALIVE]),
    # What a peer decided meanwhile shows within two seconds.
    "loop stood still shortly before": (HOLD, [(58, "lag", 9.0), (60, FIN)], [Reason.LOOP_LAG]),
    "loop stood still long ago": (HOLD, [(57.9, "lag", 9.0), (60, FIN)], [Rule.ALIVE]),
    "loop stood still, and the peer broke the protocol": (
        HOLD,
        [(59, "lag", 9.0), (60, {**FIN, "sent": CloseFrame(1002), "parser_error": "reserved bits"})],
        [Rule.ALIVE],
    ),
    "loop stood still, and this end refused a message": (
        HOLD,
        [(59, "lag", 9.0), (60, {**FIN, "sent": CloseFrame(1009)})],
        [Rule.ALIVE],
    ),
    "loop stood still, and the close says that credentials expired": (
        HOLD,
        [(59, "lag", 9.0), (60, closed_by_peer(1008, "token expired"))],
        [Rule.ALIVE],
    ),
    "loop stood still, and the close speaks of a keepalive": (
        HOLD,
        [(59, "lag", 9.0), (60, closed_by_peer(4000, "keepalive ping timeout"))],
        [Reason.LOOP_LAG],
    ),
    "loop stood still, and the close speaks of a keepalive of another connection": (
        HOLD,
        [(59, "lag", 9.0), (60, closed_by_peer(1011, "sent 1011 (internal error) keepalive ping timeout"))],
        [Rule.ALIVE],
    ),
    **{
        f"loop stood still, and the code is one that ping timeouts have: {code}": (
            HOLD,
            [(59, "lag", 9.0), (60, closed_by_peer(code))],
            [Reason.LOOP_LAG],
        )
        for code in (1000, 1001, 1005, 1008, 1011, 3008)
    },
    "loop stood still, and the code is another": (
        HOLD,
        [(59, "lag", 9.0), (60, closed_by_peer(3007))],
        [Rule.ALIVE],
    ),
    "loop stood still afterwards": (
        WITHIN,
        [(25, ">beat"), (25.1, "<answer"), (50, ">beat"), (70, "lag", 9.0), (80, "<ping")],
        [Rule.HEARTBEATS],
    ),
    # The monitor looks ten times a second, so a lag may be a bit older than it was seen to be.
    "loop stood still, seen a bit late": (
        WITHIN,
        [(25, ">beat"), (25.1, "<answer"), (50, ">beat"), (56.1, "lag", 1.0), (56.3, "<answer")],
        [Reason.LOOP_LAG],
    ),
    # The answer was not waiting when the loop ran again.
    "loop stood still, and the answer came later": (
        WITHIN,
        [(25, ">beat"), (25.1, "<answer"), (50, ">beat"), (56.1, "lag", 1.0), (56.31, "<answer")],
        [Rule.HEARTBEATS],
    ),
    "loop stood still, and no answer came at all": (
        WITHIN,
        [(25, ">beat"), (25.1, "<answer"), (50, ">beat"), (56.1, "lag", 1.0), (80, "<ping")],
        [Rule.HEARTBEATS],
    ),
    "loop stood still after the answer was due": (
        WITHIN,
        [(25, ">beat"), (25.1, "<answer"), (50, ">beat"), (56.11, "lag", 1.0), (56.2, "<answer")],
        [Rule.HEARTBEATS],
    ),
    # Of two late answers one is the lag's.
    "loop stood still for one of two": (
        {**WITHIN, "heartbeat_missed_max": 1},
        [(25, ">beat"), (31, "<answer"), (50, ">beat"), (56, "lag", 6.0), (56, "<answer")],
        [Reason.LOOP_LAG],
    ),
    "loop stood still for one of two, and none may be missed": (
        WITHIN,
        [(25, ">beat"), (31, "<answer"), (50, ">beat"), (56, "lag", 6.0), (56, "<answer")],
        [Rule.HEARTBEATS],
    ),
    # As with Socket.IO on a busy machine: its question waited for us as long as it waited for the answer.
    "loop stood still until a ping and the end of it": (
        HOLD,
        [(6.06, "<ping"), (6.06, closed_by_peer(1005)), (6.07, "lag", 0.86)],
        [Reason.LOOP_LAG],
    ),
    # At the same instant, and as much as a look of the monitor later.
    "loop stood still until a ping and the end, at one instant": (
        HOLD,
        [(6.5, "<ping"), (6.5, closed_by_peer(1005)), (6.51, "lag", 0.86)],
        [Reason.LOOP_LAG],
    ),
    "loop stood still until a ping and the end a look later": (
        HOLD,
        [(0, "<ping"), (0.2, closed_by_peer(1005)), (0.21, "lag", 0.86)],
        [Reason.LOOP_LAG],
    ),
    "loop stood still, but the ping had been answered in time": (
        HOLD,
        [(5, "<ping"), (5, ">pong"), (6.06, closed_by_peer(1005)), (6.07, "lag", 0.86)],
        [Rule.ALIVE],
    ),
    "loop stood still, but no ping timeout is told so": (
        HOLD,
        [(6.06, "<ping"), (6.06, closed_by_peer(1012)), (6.07, "lag", 0.86)],
        [Rule.ALIVE],
    ),
    "loop stood still, but the ping had been read long before": (
        HOLD,
        [(5.8, "<ping"), (6.06, closed_by_peer(1005)), (6.07, "lag", 0.86)],
        [Rule.ALIVE],
    ),
    "the loop was late for a short answer": (
        {"heartbeat_within": "100ms"},
        [(25, ">beat"), (25.2, "lag", 0.15), (25.2, "<answer")],
        [Reason.LOOP_LAG],
    ),
    "the loop was late for a round trip": (
        {"rtt_p95": "200ms"},
        [(25, ">beat"), (25.2, "lag", 0.2), (25.3, "<answer")],
        [Reason.LOOP_LAG],
    ),
    # Of the codes that refuse a message, each is this end's own doing.
    **{
        f"loop stood still, and this end closed with {code}": (
            HOLD,
            [(59, "lag", 9.0), (60, {**FIN, "sent": CloseFrame(code)})],
            [Rule.ALIVE],
        )
        for code in (1002, 1003, 1007)
    },
    "loop stood still, and this end left": (
        HOLD,
        [(59, "lag", 9.0), (60, {**FIN, "sent": CloseFrame(1001)})],
        [Reason.LOOP_LAG],
    ),
    # A quarter of a second is as long as a ping may wait without harm.
    "loop stood still for a moment until a ping and the end of it": (
        HOLD,
        [(6.06, "<ping"), (6.06, closed_by_peer(1005)), (6.07, "lag", 0.25)],
        [Reason.LOOP_LAG],
    ),
    "loop stood still for less until a ping and the end of it": (
        HOLD,
        [(6.06, "<ping"), (6.06, closed_by_peer(1005)), (6.07, "lag", 0.24)],
        [Rule.ALIVE],
    ),
    "machine slept and woke to an answer": (
        WITHIN,
        [(25, ">beat"), (28, "slept", 30.0), (88, "<answer")],
        [Reason.SUSPENDED],
    ),
    "machine slept, and the answer came a minute later": (
        WITHIN,
        [(25, ">beat"), (28, "slept", 30.0), (88.1, "<answer")],
        [Rule.HEARTBEATS],
    ),
    "machine slept until the end": (HOLD, [(60, "slept", 30.0), (60, FIN)], [Reason.SUSPENDED]),
    "machine slept": (HOLD, [(60, "slept", 30.0), (60.1, FIN)], [Reason.SUSPENDED]),
    "machine slept a minute ago": (HOLD, [(20, "slept", 30.0), (80, FIN)], [Reason.SUSPENDED]),
    "machine slept long ago": (HOLD, [(20, "slept", 30.0), (80.1, FIN)], [Rule.ALIVE]),
    "machine slept before a heartbeat was due": (
        WITHIN,
        [(25, ">beat"), (28, "slept", 30.0), (50, "<ping")],
        [Reason.SUSPENDED],
    ),
    "reading paused": (HOLD, [(50, "paused"), (60, RST)], [Reason.READING_PAUSED]),
    "reading paused and resumed": (
        HOLD,
        [(50, "paused"), (55, "resumed"), (56, closed_by_peer(1011))],
        [Reason.READING_PAUSED],
    ),
    "reading paused and resumed before": (
        HOLD,
        [(50, "paused"), (55, "resumed"), (56.1, closed_by_peer(1011))],
        [Rule.ALIVE],
    ),
    "reading paused since long ago": (
        {"alive_for": 600},
        [(10, "paused"), (400, RST)],
        [Reason.READING_PAUSED],
    ),
    "reading paused for a moment": (HOLD, [(50, "paused"), (50.9, "resumed"), (60, FIN)], [Rule.ALIVE]),
    "reading paused for a moment right before": (
        HOLD,
        [(50, "paused"), (50.9, "resumed"), (51, FIN)],
        [Rule.ALIVE],
    ),
    "reading paused while a heartbeat was out": (
        WITHIN,
        [(24, "paused"), (25, ">beat"), (31, "resumed"), (31, "<answer")],
        [Reason.READING_PAUSED],
    ),
    "reading paused, and the answer was read a second later": (
        WITHIN,
        [(24, "paused"), (25, ">beat"), (31, "resumed"), (32, "<answer")],
        [Reason.READING_PAUSED],
    ),
    "reading paused, and the answer was not there after a second": (
        WITHIN,
        [(24, "paused"), (25, ">beat"), (31, "resumed"), (32.1, "<answer")],
        [Rule.HEARTBEATS],
    ),
    "reading paused, so long ago that the record lost it": (
        HOLD,
        [(1, "paused"), *((2 + number / 10, ">ping") for number in range(300)), (50, "resumed"), (50.5, RST)],
        [Reason.READING_PAUSED],
    ),
    "more than one": (
        HOLD,
        [(50, "slept", 9.0), (51, "lag", 2.0), (52, "paused"), (53, RST)],
        [Reason.SUSPENDED, Reason.LOOP_LAG, Reason.READING_PAUSED],
    ),
}


@pytest.mark.parametrize(("written", "rows", "outcome"), HARNESS.values(), ids=HARNESS)
def test_trouble_of_our_own_blames_nobody(written, rows, outcome):
    """What the test process may have caused itself is inconclusive, never the peer's fault."""
    verdict = judged(written, rows)

    check(verdict, outcome)
    assert len(verdict.violations) == 1


def test_a_server_that_stood_still_was_asked_too():
    """A heartbeat of the client that was read as the end came is what a ping of the peer is."""
    rows = [(6.06, "<beat"), (6.06, closed_by_peer(1005)), (6.07, "lag", 0.86)]

    check(judged(HOLD, rows, end=End.SERVER), [Reason.LOOP_LAG])
    check(judged(HOLD, [(5.8, "<beat"), *rows[1:]], end=End.SERVER), [Rule.ALIVE])


@pytest.mark.parametrize(
    ("end", "told"), [(End.CLIENT, 'client="stalled"'), (SERVER, "faults.StopReading()")]
)
def test_who_reads_nothing_was_told_so(end, told):
    """In the words in which it was."""
    line = timeline((1, "paused"), end=end, until=120)
    line.deliberately_stalled = True
    (doubt,) = judge(Requirement.of(**HOLD), line).doubts

    assert doubt.text.startswith(f"this end reads nothing, as it was told to ({told}): ")


def test_a_stall_on_purpose_is_no_excuse():
    """The client that stops reading is the experiment, and its end is the result."""
    line = timeline((1, "paused"), (60, RST))
    line.deliberately_stalled = True

    check(judge(Requirement.of(**HOLD), line), [Rule.ALIVE])


@pytest.mark.parametrize(
    ("rows", "until", "outcome"),
    [
        ([(1, "paused"), (25, ">beat")], 60, [Reason.TOO_SHORT, Reason.READING_PAUSED]),
        ([(1, "paused"), (25, ">beat")], 120, [Reason.READING_PAUSED]),
        ([(1, "paused"), (25, ">beat"), (90, "resumed"), (90, "<answer")], 120, [Reason.READING_PAUSED]),
        ([(1, "paused"), (25, ">beat"), (60, RST)], None, [Rule.ALIVE]),
    ],
)
def test_a_stalled_client_sees_no_answers(rows, until, outcome):
    """A heartbeat whose answer this end did not want to read is not the peer's to answer for."""
    line = timeline(*rows, until=until)
    line.deliberately_stalled = True

    check(judge(Requirement.of(**HOLD, **WITHIN), line), outcome)


def test_the_worst_lag_counts_though_the_ring_forgot_it():
    """Hundreds of pings after it don't make it undone."""
    pings = [(29 + number / 400, "<ping") for number in range(400)]

    check(judged(HOLD, [(29, "lag", 5.0), *pings, (30, FIN)]), [Reason.LOOP_LAG])


def lagged(instants, seconds=3.0):
    """Heartbeats whose answers waited for our loop."""
    return [
        row
        for at in instants
        for row in ((at, ">beat"), (at + seconds, "lag", seconds), (at + seconds, "<answer"))
    ]


def answered(instants):
    return [row for at in instants for row in ((at, ">beat"), (at + 0.1, "<answer"))]


@pytest.mark.parametrize("between", [5, 60])
def test_a_lag_that_is_not_the_worst_counts_though_the_ring_forgot_it(between):
    """One answer waited for our loop, a worse lag cost none; then one is missed, as may be."""
    at = 20 * (between + 2)
    rows = [*lagged([20]), *answered(range(40, at, 20)), (at - 10, "lag", 4.0), (at, ">beat")]
    written = {"heartbeat_within": 2, "heartbeat_missed_max": 1}

    check(judged(written, rows, at + 3), [Reason.LOOP_LAG])
    check(judged(written, [*rows, (at + 20, ">beat")], at + 23), [Rule.HEARTBEATS])


@pytest.mark.parametrize("written", [{"heartbeat_within": 2}, {"rtt_p95": 2}])
@pytest.mark.parametrize("count", [16, 17, 40])
def test_late_answers_of_which_only_the_number_is_kept(written, count):
    """Where each of the slowest waited for our loop, the others may have; not where one of them did not."""
    rows = lagged(20 * n for n in range(1, count + 1))
    check(judged(written, rows, 1000), [Reason.LOOP_LAG])

    rows += [(1000, ">beat"), (1004, "<answer")]
    check(judged(written, rows, 1010), [Rule.HEARTBEATS if "rtt_p95" not in written else Rule.RTT])


@pytest.mark.parametrize(("allowed", "outcome"), [(4, UNSTABLE), (5, INCONCLUSIVE)])
def test_where_one_is_not_explained_those_of_which_only_the_number_is_kept_are_not(allowed, outcome):
    """Of 20 late answers 16 are kept, one of which did not wait for our loop: five may be missed."""
    rows = [*lagged(20 * n for n in range(1, 20)), (1000, ">beat"), (1004, "<answer")]

    assert judged({"heartbeat_within": 2, "heartbeat_missed_max": allowed}, rows, 1010).outcome is outcome


@pytest.mark.parametrize(("slow", "outcome"), [(1, INCONCLUSIVE), (2, UNSTABLE)])
def test_an_answer_at_the_limit_is_none_that_a_lag_does_not_explain(slow, outcome):
    """Of 39 answers one in 20 may be slow: ten waited for our loop, and most took as long as they may."""
    exact = [row for at in range(20, 20 * (30 - slow), 20) for row in ((at, ">beat"), (at + 2, "<answer"))]
    others = [row for at in range(1000, 1000 + 20 * slow, 20) for row in ((at, ">beat"), (at + 3, "<answer"))]
    rows = [*exact, *lagged(range(600, 800, 20)), *others]

    assert judged({"rtt_p95": 2}, rows, 1100).outcome is outcome


def test_one_violation_without_excuse_is_enough():
    """A lag excuses the heartbeat it delayed, and not the end five minutes later."""
    rows = [(25, ">beat"), (32, "lag", 6.0), (32, "<answer"), (50, ">beat"), (50.1, "<answer"), (350, FIN)]
    verdict = judged({"alive_for": 600, **WITHIN}, rows)
    assert [bool(each.excuses) for each in verdict.violations] == [False, True]

    check(verdict, [Rule.ALIVE, Rule.HEARTBEATS])
    assert verdict.doubts == ()

    rows = [(25, ">beat"), (350, "lag", 6.0), (350.1, FIN)]
    verdict = judged({"alive_for": 600, **WITHIN}, rows)
    check(verdict, [Rule.HEARTBEATS, Rule.ALIVE])
    assert verdict.headline == "1 of 1 heartbeats not answered within 5 s: sent at 25 s: no answer"


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ((10, "lag", 5.0), STABLE),
        ((10, "lag", 5.1), [Reason.LOOP_LAG]),
        ((20, "slept", 5.0), STABLE),
        ((20, "slept", 60.0), [Reason.SUSPENDED]),
        ((120, "slept", 60.0), STABLE),
        # It began after what is claimed.
        ((126, "lag", 5.5), STABLE),
        ((125, "lag", 5.5), [Reason.LOOP_LAG]),
    ],
)
def test_a_pass_claims_no_time_that_nobody_saw(row, outcome):
    """An incident longer than a heartbeat may take hides one that was missed; a shorter one cannot."""
    verdict = judged({**HOLD, **WITHIN}, sorted([*BEATS, row], key=lambda each: each[0]), 130)

    check(verdict, outcome)


def test_only_what_was_long_enough_is_told():
    """A lag that could hide nothing is not named beside a sleep that could; and how long is told."""
    rows = [*BEATS, (10, "lag", 5.0), (20, "slept", 0.5), (30, "slept", 60.0)]
    verdict = judged({**HOLD, **WITHIN}, sorted(rows, key=lambda each: each[0]), 130)

    check(verdict, [Reason.SUSPENDED])
    assert [each.text for each in verdict.doubts] == ["the machine slept for 60 s"]


def test_a_short_lag_is_told_with_its_length():
    rows = [(6.06, "<ping"), (6.06, closed_by_peer(1005)), (6.07, "lag", 0.86)]
    (doubt,) = judged(HOLD, rows).doubts

    assert doubt.text == "the test's own event loop stood still for 860 ms"


def test_a_hold_without_heartbeats_claims_no_more_than_that_it_lives():
    """A lag in between hides nothing of that."""
    check(judged(HOLD, [(10, "lag", 5.0), (20, "slept", 60.0)], 120), STABLE)


def test_missed_heartbeats_in_the_order_of_time():
    """The first three by name, the rest by number."""
    beats = [(10, ">beat"), (17, "<answer"), *((at, ">beat") for at in (20, 30, 40))]
    (violation,) = judged({**WITHIN, "heartbeat_missed_max": 1}, beats, 60).violations

    assert violation.at == 15
    assert violation.expected == "every heartbeat answered within 5 s, 1 may be missed"
    assert violation.observed == (
        "4 of 4 missed (sent at 10 s: answered after 7 s, sent at 20 s: no answer, "
        "sent at 30 s: no answer and 1 more)"
    )


def test_three_missed_pings_are_all_named():
    """And nothing is said of more."""
    pings = [(at, ">ping", b"%d" % at) for at in (10, 20, 30)]
    (violation,) = judged({"pings_within": 2}, pings, 60).violations

    assert violation.expected == "every ping answered within 2 s"
    assert violation.observed == (
        "3 of 3 missed (sent at 10 s: no answer, sent at 20 s: no answer, sent at 30 s: no answer)"
    )


def test_a_verdict_does_not_depend_on_when_it_is_asked_for():
    """A ping that had no answer in time stays missed when a later pong covers it."""
    rows = [(20, ">ping", b"1"), (40, ">ping", b"2"), (40.1, "<pong", b"2")]

    for until in (22, 40.1, 60):
        seen = [row for row in rows if row[0] <= until]
        check(judged({"pings_within": 2}, seen, until), [Rule.PINGS])


@pytest.mark.parametrize(
    ("written", "rows", "until", "horizon"),
    [
        (HOLD, [], 500, 120),
        (HOLD, [(60, FIN)], None, 60),
        (CLOSURE, [], 500, 500),
        # Nothing is known of what was not read.
        (HOLD, [(10, "paused")], 130, 10),
        (HOLD, [(0.5, "paused"), (120, "resumed"), (120.1, STALLED_END)], None, 0.5),
    ],
)
def test_horizon(written, rows, until, horizon):
    """What the verdict covers ends with the hold, with the connection, or with what was read."""
    assert judged(written, rows, until).horizon == horizon


@pytest.mark.parametrize("tier", Tier)
def test_the_tier_comes_from_the_timeline(tier):
    """A virtual pass must never read as a real one."""
    assert judge(Requirement.of(**CLOSURE), Timeline(End.CLIENT, tier)).tier is tier


def test_the_last_bit_of_a_clock_breaks_no_promise():
    """An answer at exactly its limit is in time, whatever the clock read when the connection opened."""
    origin = 229.9
    line = Timeline(End.CLIENT, Tier.VIRTUAL, origin=origin)
    line.frame(origin + 25.3, Direction.SENT, Opcode.TEXT, 15, Role.HEARTBEAT)
    line.frame(origin + 25.3 + 5, Direction.RECEIVED, Opcode.TEXT, 15, Role.HEARTBEAT_ANSWER)
    assert line.heartbeats.rtts.maximum > 5

    for written in (WITHIN, {"rtt_p95": 5}):
        check(judge(Requirement.of(**written), line), STABLE)


def test_every_part_is_judged():
    """The story's requirement, all broken at once."""
    verdict = judged(
        {
            "alive_for": 120, "heartbeat_within": 5, "session_within": 5, "rtt_p95": 1, "pings_within": 2,
            "no_abnormal_closure": True, "closed": ExpectedClose(code=1000),
        },
        [(20, ">ping"), (25, ">beat"), (31, "<answer"), (60, {"transport": TransportEnd.RESET})],
    )  # fmt: skip

    check(
        verdict, [Rule.ALIVE, Rule.SESSION, Rule.HEARTBEATS, Rule.PINGS, Rule.RTT, Rule.CLOSURE, Rule.CLOSED]
    )
