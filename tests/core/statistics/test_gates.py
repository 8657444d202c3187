"""Gates: their expressions, and what they find."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.fleet.frame import Ending, Fate, Frame
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import FleetRequirement
from pytest_wsstability.core.fleet.summary import summarize
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.result import Result
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.statistics.gates import FIGURES, GateOutcome, judge_gates, parse_gate
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from tests.core.fleet.merging import merged
from tests.core.judging import BEATS
from tests.core.script import FIN, timeline

HELD, BROKEN = GateOutcome.HELD, GateOutcome.BROKEN
REQUIREMENT = Requirement.of(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")


def result(*rows, until=None, tier=Tier.VIRTUAL, **values):
    line = timeline(*rows, until=until)
    verdict = dataclasses.replace(judge(REQUIREMENT, line), tier=tier)
    return Result(nodeid="t", url="", requirement=REQUIREMENT, verdict=verdict, timelines=(line,), **values)


GOOD = result(*BEATS, until=120)
CUT = result(*BEATS[:4], (60, FIN))
LATE = result((25, ">beat"), (45, "<answer"), *BEATS[2:], until=120)
DOUBT = result(*BEATS[:2], until=40)
UNANSWERED = result((25, ">beat"), (50, ">beat"), (60, FIN))


def many(count, seconds):
    rows = [row for n in range(count) for row in ((n, ">ping"), (n + seconds, "<pong"))]
    return result(*rows, until=120)


# Round trips of 1 to 100 ms, one of each.
SPREAD = result(
    *(row for n in range(1, 101) for row in ((n, ">ping"), (n + n / 1000, "<pong"))), until=120
)  # fmt: skip


@pytest.mark.parametrize(("figure", "milliseconds"), [("rtt_p50", 50), ("rtt_p95", 95), ("rtt_max", 100)])
def test_each_quantile_is_its_own(figure, milliseconds):
    """The gate is broken below its quantile, and kept above it."""
    below, above = (parse_gate(f"{figure} > {milliseconds + more}ms") for more in (-3, 3))

    assert [each.outcome for each in judge_gates([below], [SPREAD])] == [BROKEN]
    assert [each.outcome for each in judge_gates([above], [SPREAD])] == [HELD]


def test_a_p99_is_that_of_the_slowest_hundredth():
    """Of 600 round trips, 10 are slow: more than one in a hundred, fewer than one in fifty."""
    slow = [0.5 if n % 60 == 0 else 0.01 for n in range(600)]
    rows = [row for n, each in enumerate(slow) for row in ((n, ">ping"), (n + each, "<pong"))]
    many = result(*rows, until=700)

    gates = [parse_gate(text) for text in ("rtt_p99 > 400ms", "rtt_p99 > 600ms", "rtt_p95 > 400ms")]
    assert [each.outcome for each in judge_gates(gates, [many])] == [BROKEN, HELD, HELD]


@pytest.mark.parametrize(
    ("text", "figure", "comparison", "limit", "is_share"),
    [
        ("unstable > 0", "unstable", ">", 0, False),
        ("inconclusive>10%", "inconclusive", ">", 0.1, True),
        (" missed_heartbeats >= 3 ", "missed_heartbeats", ">=", 3, False),
        ("missed_heartbeats > 0.5 %", "missed_heartbeats", ">", 0.005, True),
        ("rtt_p95 > 250ms", "rtt_p95", ">", 0.25, False),
        ("rtt_max > 0", "rtt_max", ">", 0, False),
        ("horizon < 2m", "horizon", "<", 120, False),
        ("holds <= 2", "holds", "<=", 2, False),
    ],
)
def test_expressions(text, figure, comparison, limit, is_share):
    """A figure, a comparison, a limit."""
    gate = parse_gate(text)

    assert (gate.figure, gate.comparison, gate.is_share) == (figure, comparison, is_share)
    assert gate.limit == pytest.approx(limit)
    assert gate.text == text.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^'' is no gate; write a figure, one of > >= < <=, and a limit: unstable > 0$"),
        ("unstable", r"^'unstable' is no gate; "),
        ("unstable = 0", r"^'unstable = 0' is no gate; "),
        ("unstable >", r"^'unstable >' is no gate; "),
        ("rtt_95 > 1s", rf"^'rtt_95 > 1s': there is no figure 'rtt_95'; valid ones: {', '.join(FIGURES)}$"),
        ("rtt_p95 > fast", r"^'rtt_p95 > fast': rtt_p95: 'fast' is not a duration; give seconds "),
        ("rtt_p95 > 250", r"^'rtt_p95 > 250': 250 of what\? give a duration such as 250ms$"),
        ("rtt_p95 > 5%", r"^'rtt_p95 > 5%': rtt_p95: '5%' is not a duration; "),
        (
            "unstable > 1.5",
            r"^'unstable > 1.5': '1.5' is no limit for unstable; give a count such as 0, or a s",
        ),
        ("survival < 1", r"^'survival < 1': '1' is no limit for survival; give a share such as 99%$"),
        ("unstable > 2s", r"^'unstable > 2s': '2s' is no limit for unstable; "),
        ("unstable > -1", r"^'unstable > -1': '-1' is no limit for unstable; "),
    ],
)
def test_typos(text, message):
    """What is wrong, and what would be right."""
    with pytest.raises(ValueError, match=message):
        parse_gate(text)


@pytest.mark.parametrize(
    ("text", "results", "lines"),
    [
        ("unstable > 0", [GOOD, CUT], ["unstable > 0: 1 of 2 holds (virtual time)"]),
        ("unstable > 0", [GOOD], []),
        ("unstable > 1", [GOOD, CUT], []),
        ("unstable > 49%", [GOOD, CUT], ["unstable > 49%: 1 of 2 holds (virtual time)"]),
        ("unstable > 50%", [GOOD, CUT], []),
        ("inconclusive > 10%", [GOOD, DOUBT], ["inconclusive > 10%: 1 of 2 holds (virtual time)"]),
        ("stable < 2", [GOOD, CUT], ["stable < 2: 1 of 2 holds (virtual time)"]),
        ("holds < 3", [GOOD, CUT], ["holds < 3: 2 of 2 holds (virtual time)"]),
        ("missed_heartbeats > 0", [GOOD], []),
        ("missed_heartbeats > 0", [GOOD, LATE], ["missed_heartbeats > 0: 1 of 8 heartbeats (virtual time)"]),
        ("missed_heartbeats > 0", [UNANSWERED], ["missed_heartbeats > 0: 2 of 2 heartbeats (virtual time)"]),
        ("abnormal_closures > 0", [CUT], ["abnormal_closures > 0: 1 of 1 connections (virtual time)"]),
        ("abnormal_closures > 0", [GOOD], []),
        (
            "survival < 90%",
            [GOOD, GOOD, CUT],
            ["survival < 90%: 67% of 3 connections (9% to 99%) up after 120 s (virtual time)"],
        ),
        # The one that was watched for 40 s is not lost.
        ("survival < 100%", [GOOD, DOUBT], []),
        ("survival < 50%", [GOOD, CUT], []),
        ("horizon < 2m", [CUT], ["horizon < 2m: watched for 60 s at most (virtual time)"]),
        ("horizon < 2m", [CUT, GOOD], []),
        ("rtt_max > 50ms", [GOOD], ["rtt_max > 50ms: 100 ms of 4 round trips (virtual time)"]),
        ("rtt_max > 50ms", [CUT, many(9, 0.01)], ["rtt_max > 50ms: 100 ms of 11 round trips (virtual time)"]),
        ("rtt_p95 > 5ms", [many(59, 0.01)], ["rtt_p95 > 5ms: 10 ms of 59 round trips (virtual time)"]),
        ("rtt_p95 > 50ms", [many(59, 0.01)], []),
        ("rtt_p50 > 1s", [DOUBT], []),
        ("rtt_p50 > 1ms", [], []),
    ],
)
def test_what_they_find(text, results, lines):
    """A line for what fails, with the numbers."""
    findings = judge_gates([parse_gate(text)], results)

    assert [finding.line for finding in findings if finding.outcome is BROKEN] == lines
    assert {finding.outcome for finding in findings} <= {BROKEN, HELD}


@pytest.mark.parametrize(
    ("text", "results", "line"),
    [
        ("unstable > 0", [GOOD], "unstable > 0: 0 of 1 holds (virtual time)"),
        ("unstable > 50%", [GOOD, CUT], "unstable > 50%: 1 of 2 holds (virtual time)"),
        ("survival < 50%", [GOOD], "survival < 50%: 100% of 1 connections (3% to 100%) up after 120 s"),
        ("horizon < 2m", [GOOD], "horizon < 2m: watched for 120 s at most (virtual time)"),
        ("rtt_max > 500ms", [GOOD], "rtt_max > 500ms: 100 ms of 4 round trips (virtual time)"),
    ],
)
def test_what_holds_has_its_value(text, results, line):
    """How far away it is."""
    (finding,) = judge_gates([parse_gate(text)], results)

    assert finding.outcome is HELD
    assert finding.line.startswith(line)


def fleet(lost=2, *, seen=100, rtts=0, **values):
    """A hundred connections, some of which ended abnormally at 60 s of 120 s; round trips of 20 ms."""
    sample = Sample()
    for _ in range(rtts):
        sample.add(0.02, 1.0)
    endings = tuple(
        Ending(number=number, fate=Fate.ENDED, age=60.0, at=60.0, cause="restart", abnormal=True)
        for number in range(lost)
    )
    frame = Frame(
        slot=0,
        attempt=1,
        sequence=0,
        at=120.0,
        opened=seen,
        endings=endings,
        stable=((lost, seen - 1),) if seen else (),
        rtts=sample,
        is_last=True,
        **values,
    )
    asked = FleetRequirement(survival=0.9)
    merge = merged(FleetPlan(connections=100, hold=120), [frame])
    verdict = asked.check(merge, tier=Tier.VIRTUAL)
    summary = summarize(merge, [], asked)
    return Result(nodeid="f", url="", requirement=REQUIREMENT, verdict=verdict, fleet=summary)


@pytest.mark.parametrize(
    ("text", "results", "outcome", "line"),
    [
        ("abnormal_closures > 2%", [fleet(3)], BROKEN, "3 of 100 connections"),
        ("abnormal_closures > 2", [fleet(2), GOOD], HELD, "2 of 101 connections"),
        ("survival < 99%", [fleet(2)], BROKEN, "98.0% of 100 connections (93.0% to 99.8%) up after 120 s"),
        (
            "survival < 98%",
            [fleet(2), GOOD],
            HELD,
            "98.0% of 101 connections (93.0% to 99.8%) up after 120 s",
        ),
        (
            "missed_heartbeats > 3",
            [fleet(heartbeats_sent=400, heartbeats_missed=4)],
            BROKEN,
            "4 of 400 heartbeats",
        ),
        ("missed_heartbeats > 1%", [fleet(heartbeats_sent=400), GOOD], HELD, "0 of 404 heartbeats"),
        ("rtt_p95 > 10ms", [fleet(rtts=100)], BROKEN, "20 ms of 100 round trips"),
        ("rtt_max > 30ms", [fleet(rtts=100)], HELD, "20 ms of 100 round trips"),
        (
            "rtt_p99 > 10ms",
            [fleet(rtts=100)],
            GateOutcome.NOT_JUDGED,
            "not judged, 100 round trips are too few (p99 needs 299)",
        ),
        # Each fleet by itself, and single holds together: what is worst is told.
        ("rtt_max > 50ms", [fleet(rtts=100), GOOD], BROKEN, "100 ms of 4 round trips"),
        (
            "rtt_max > 10ms",
            [fleet(rtts=100), GOOD],
            BROKEN,
            "100 ms of 4 round trips; 20 ms of 100 round trips",
        ),
    ],
)
def test_connections_of_fleets_count(text, results, outcome, line):
    """All of them, as those of single holds do."""
    (finding,) = judge_gates([parse_gate(text)], results)

    assert (finding.outcome, finding.line) == (outcome, f"{text}: {line} (virtual time)")


def test_connections_that_nobody_observed_hold_no_promise():
    """Their workers were lost, or could not open them: nothing is known of how long they lived."""
    gate = parse_gate("survival < 90%")
    (nothing,) = judge_gates([gate], [fleet(0, seen=0)])
    (half,) = judge_gates([gate], [fleet(10, seen=50)])

    assert nothing.outcome is GateOutcome.NOT_JUDGED
    assert " of 50 connections (" in half.line


def test_heartbeats_that_nobody_answers_are_not_kept_either():
    """By the protocol: a gate of missed ones has nothing to look at."""
    protocol = ProtocolFacts(name="x", title="X", heartbeat=HeartbeatShape.ONE_WAY)
    line = timeline((25, ">beat"), (50, ">beat"), until=60, protocol=protocol)
    one_way = dataclasses.replace(GOOD, timelines=(line,))
    gate, many = parse_gate("missed_heartbeats > 0"), fleet(heartbeats_sent=400, heartbeats_one_way=400)
    (finding,) = judge_gates([gate], [one_way, many])

    assert finding.outcome is GateOutcome.NOT_JUDGED
    assert finding.line == "missed_heartbeats > 0: not judged, no heartbeat was to be answered (virtual time)"
    assert judge_gates([gate], [one_way, many, LATE])[0].line.startswith(
        "missed_heartbeats > 0: 1 of 4 heart"
    )


def test_nothing_to_judge_by_is_neither():
    """No round trip at all holds no promise about round trips."""
    (finding,) = judge_gates([parse_gate("rtt_p95 > 5ms")], [result((60, FIN))])

    assert finding.outcome is GateOutcome.NOT_JUDGED
    assert finding.line == "rtt_p95 > 5ms: not judged, there was no round trip (virtual time)"


def test_no_connection_says_nothing_of_how_long_they_live():
    """One that never opened has no lifetime, and is none that was lost."""
    unopened = dataclasses.replace(GOOD, timelines=())
    (finding,) = judge_gates([parse_gate("survival < 90%")], [unopened])

    assert finding.outcome is GateOutcome.NOT_JUDGED
    assert finding.line == "survival < 90%: not judged, no connection was watched (virtual time)"
    assert judge_gates([parse_gate("survival < 90%")], [unopened, GOOD])[0].outcome is HELD


def untold(count):
    """A heartbeat each second: each answered 3.05 s late, or three are lost and the others quick."""
    rows = [(n, ">beat") for n in range(1, count + 1)] + [(n + 3.05, "<answer") for n in range(1, count - 2)]
    return result(*sorted(rows), until=count + 1)


UNJUDGED = "not judged, answers cannot be told apart: "
UNTOLD = untold(100)
# So many that there is no room to keep them apart.
CROWDED = untold(1200)


@pytest.mark.parametrize(
    ("results", "text", "outcome", "line"),
    [
        (
            [UNTOLD],
            "rtt_p95 > 250ms",
            None,
            "50 ms to 3.05 s of 97 round trips",
        ),
        (
            [UNTOLD],
            "rtt_p50 > 250ms",
            None,
            "50 ms to 3.05 s of 97 round trips",
        ),
        (
            [UNTOLD],
            "rtt_max > 250ms",
            None,
            "50 ms to 3.05 s of 97 round trips",
        ),
        (
            [UNTOLD],
            "rtt_max > 3.04s",
            None,
            "50 ms to 3.05 s of 97 round trips",
        ),
        ([UNTOLD], "rtt_max > 3.06s", HELD, "50 ms to 3.05 s of 97 round trips"),
        ([UNTOLD], "rtt_max > 40ms", BROKEN, "50 ms to 3.05 s of 97 round trips"),
        # Those of another hold are too many to change anything, or are slower.
        ([UNTOLD, many(50, 5.0)], "rtt_max > 4s", BROKEN, "5 s of 147 round trips"),
        ([CROWDED], "rtt_max > 1h", None, "50 ms or more of 1197 round trips"),
        ([CROWDED, many(50, 5.0)], "rtt_max > 4s", BROKEN, "5 s or more of 1247 round trips"),
    ],
)
def test_round_trips_that_cannot_be_told_are_no_figure(results, text, outcome, line):
    """The gate is kept or broken where all that they can be keeps or breaks it, and else not judged."""
    (finding,) = judge_gates([parse_gate(text)], results)

    assert finding.outcome is (outcome or GateOutcome.NOT_JUDGED)
    assert finding.line == f"{text}: {'' if outcome else UNJUDGED}{line} (virtual time)"


def test_too_few_round_trips_are_no_verdict():
    """A p95 of 58 is noise: said, and not failed."""
    (finding,) = judge_gates([parse_gate("rtt_p95 > 5ms")], [many(58, 0.01)])

    assert finding.outcome is GateOutcome.NOT_JUDGED
    assert finding.line == (
        "rtt_p95 > 5ms: not judged, 58 round trips are too few (p95 needs 59) (virtual time)"
    )


def test_what_the_test_asked_for_counts_for_nothing():
    """Such as a hold in pytest.raises."""
    expected = dataclasses.replace(CUT, expected=True)

    assert judge_gates([parse_gate("unstable > 0"), parse_gate("holds > 0")], [expected]) == []


def test_tiers_are_never_mixed():
    """One of two in each is half of each, and not a quarter of all."""
    real = dataclasses.replace(CUT, verdict=dataclasses.replace(CUT.verdict, tier=Tier.REAL))

    findings = judge_gates([parse_gate("unstable > 60%"), parse_gate("holds > 1")], [GOOD, CUT, real])

    assert [finding.line for finding in findings if finding.outcome is BROKEN] == [
        "unstable > 60%: 1 of 1 holds (real time)",
        "holds > 1: 2 of 2 holds (virtual time)",
    ]
