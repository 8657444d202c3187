"""Results from scripts, for the tests of what is made of them."""

from __future__ import annotations

import dataclasses

from pytest_wsstability.core.fleet.frame import Ending, Fate, Frame
from pytest_wsstability.core.fleet.groups import group_endings
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import FleetRequirement
from pytest_wsstability.core.fleet.summary import summarize
from pytest_wsstability.core.fleet_summary import FanoutSummary, FleetRecord, Quantile, ReturnSummary
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.result import Result, Run
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from pytest_wsstability.core.voice.call import Call
from pytest_wsstability.core.voice.diagnosis import diagnosed_call
from pytest_wsstability.core.voice.requirement import VoiceRequirement
from pytest_wsstability.core.voice.summary import summarize_call
from tests.core.fleet.merging import merged
from tests.core.judging import BEATS
from tests.core.script import FIN, timeline

REQUIREMENT = Requirement.of(alive_for="2m", heartbeat_every="25s")
# What a server may send to hurt whoever reads the report.
HOSTILE = (
    "</script><script>alert(1)</script> [x](http://evil.example) `|` %0A ::error::\n::warning::\x1b[31m @all"
)
ONE_WAY = ProtocolFacts(name="x", title="X", heartbeat=HeartbeatShape.ONE_WAY)


def result(
    *rows, until=None, tier=Tier.VIRTUAL, requirement=REQUIREMENT, nodeid="test_it.py::test_it", **values
):
    line = timeline(*rows, until=until)
    line.tier = tier
    fields = {"url": "wss://staging.example/ws", "path": "test_it.py", "line": 3, **values}
    return Result(
        nodeid=nodeid, requirement=requirement, verdict=judge(requirement, line), timelines=(line,), **fields
    )


def run(*results, complaints=(), started="2026-11-24T02:00:00Z"):
    return Run(
        started=started,
        tool="pytest-wsstability 0.1.0",
        machine="CPython 3.11.7, Linux x86_64",
        results=results,
        complaints=complaints,
    )


def good(**values):
    return result(*BEATS, until=120, **values)


def cut(**values):
    return result(*BEATS[:4], (60, FIN), **values)


def doubtful(**values):
    return result(*BEATS[:2], until=40, **values)


def spoken(*, underruns=True, headline=None, nodeid="test_it.py::test_talk", **values):
    """Three turns, the second answered late, the third with a player that ran dry."""
    call = Call()
    for number, delay in enumerate((0.5, 2.5, 0.5), 1):
        at = 30.0 * number
        call.speech_began(at)
        call.sent(at, 0.02, due=at)
        call.speech_ended(at + 2)
        call.transcript(at + 2.2, final=True)
        call.audio(at + 2 + delay, 1.0)
        call.audio(at + (4.0 if number == 3 and underruns else 2.1 + delay), 1.0)
        call.turn_done(at + 4.6)
    call.round_trip(25.1, 0.1)
    made = result(*BEATS, until=120, nodeid=nodeid, **values)
    asked = VoiceRequirement(first_audio_within=0.8, underruns=0)
    verdict = asked.check(call, duration=120.0, tier=Tier.VIRTUAL)
    verdict = diagnosed_call(verdict, made.timelines, call, None, origin=0.0)
    if headline is not None:
        broken = dataclasses.replace(verdict.violations[0], headline=headline, observed=headline)
        verdict = dataclasses.replace(verdict, violations=(broken,), diagnosis=None)
    return dataclasses.replace(made, verdict=verdict, call=summarize_call(call, 120.0))


def fleet(*, lost=12, headline="closed with 1012", nodeid="test_it.py::test_many", tier=Tier.VIRTUAL):
    """A hundred connections, of which some ended at one age."""
    plan = FleetPlan(connections=100, hold=120, ramp=10)
    endings = tuple(
        Ending(
            number=number, fate=Fate.ENDED, age=60.0, at=60.0 + number / 10, cause="restart", code=1012,
            headline=headline,
        )
        for number in range(lost)
    )  # fmt: skip
    rtts = Sample()
    for beat in range(300):
        rtts.add(0.02 + beat / 10_000, 1.0)
    sent = [
        Frame(slot=0, attempt=1, sequence=0, at=5.0, opened=100, rtt_counts=(0,) * 12 + (1,)),
        Frame(
            slot=0, attempt=1, sequence=1, at=130.0, endings=endings, stable=((lost, 99),), is_last=True,
            rtts=rtts, heartbeats_sent=310, heartbeats_answered=300, rtt_counts=(0, 0, 0, 0, 3) + (0,) * 8,
        ),
    ]  # fmt: skip
    asked = FleetRequirement(survival=0.95)
    merge = merged(plan, sent)
    groups = group_endings(merge.endings, workers={"0": 100}, backends={}, worker_of=lambda each: "0")
    record = FleetRecord(number=0, cause="restart", timeline=cut().timelines[0])
    return Result(
        nodeid=nodeid,
        url="wss://staging.example/ws",
        requirement=REQUIREMENT,
        verdict=asked.check(merge, tier=tier),
        fleet=summarize(merge, groups, asked),
        records=(record,) if lost else (),
    )


def returned():
    """A fleet that was to come back, with messages that fan out."""
    made = fleet(lost=1)
    quantile = (Quantile(share=0.5, seconds=0.1),)
    returns = ReturnSummary(back=3, lost=1, busiest=2, longest=4.0, quantiles=quantile)
    fanout = FanoutSummary(messages=2, arrived=190, late=5, missing=3, longest=0.9, quantiles=quantile)
    return dataclasses.replace(made, fleet=dataclasses.replace(made.fleet, returns=returns, fanout=fanout))


def hostile(**values):
    """Every text that somebody else chose is hostile."""
    end = {
        **FIN,
        "received": CloseFrame(4000, HOSTILE),
        "error": HOSTILE,
        "local_reason": LocalReason.FAULT,
        "local_detail": HOSTILE,
    }
    return result((60, end), nodeid=f"test_it.py::test_it[{HOSTILE}]", **values)


def expected(made):
    return dataclasses.replace(made, expected=True)
