"""
What a fleet costs the one who hears of it: 100 workers' frames a second, the report of 100,000 connections.

Frames come as JSON, as execnet and Dask bring them, and are told on as `wsstability fleet --json` does.

"""

from __future__ import annotations

import gc
import io
import json
import random
import time
import tracemalloc
from collections.abc import Iterator

from pytest_wsstability import Requirement
from pytest_wsstability.cli.fleet import _numbers, _state
from pytest_wsstability.core.fleet.frame import RTT_LIMITS, Ending, Fate, Frame
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import FleetRequirement
from pytest_wsstability.core.result import Result, Run
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.fleet import Fleet, FleetJob
from pytest_wsstability.report import html, json_file

from .figures import Figure, cpu_seconds, middle

WORKERS, CONNECTIONS = 100, 100_000
SECONDS = 60
HOLD = 3600.0
# Of 100,000; they ended of five causes, at some backends, in the whole hour.
ENDED = 2_000
_CAUSES = ("restart", "idle timeout", "read deadline", "maximum age", "error in the handler")
_MIB = 2**20


def figures() -> Iterator[Figure]:
    """The part of a core that merging takes, its memory over time, and the report's seconds and MiB."""
    plan = FleetPlan(connections=CONNECTIONS, hold=HOLD, ramp=200.0, workers=WORKERS)
    of = f"{WORKERS} frames a second, {CONNECTIONS:,} connections, {SECONDS} s of them, median of 3"
    costs = []
    for _ in range(3):
        merge, frames = FleetMerge(plan, 5.0), [_second(second) for second in range(SECONDS)]
        costs.append(cpu_seconds(lambda: _hear(merge, frames)) / SECONDS)  # noqa: B023
    yield Figure(name="controller, part of a core", value=middle(costs), limit=0.05, of=of)
    before, after = _memory(plan)
    yield Figure(
        name="memory after 10 / after 1 minutes",
        value=after / before,
        limit=1.05,
        of=f"{after / 1024:,.0f} KiB traced, {WORKERS} workers, nothing ends",
    )

    fleet = _finished(plan)
    pages: list[str] = []
    seconds = cpu_seconds(lambda: pages.extend(_report(fleet)))
    of = f"{CONNECTIONS:,} connections, {ENDED:,} ended: judged, grouped, HTML and JSON"
    yield Figure(name="a fleet's report", value=seconds, unit="s", limit=10, of=of)
    for name, page in zip(("HTML", "JSON"), pages, strict=True):
        size = len(page.encode()) / _MIB
        yield Figure(name=f"a fleet's {name}", value=size, unit="MiB", limit=5, of=of)


def _second(second: int) -> list[str]:
    """What all workers say in a second: 40 heartbeats each, as 1,000 connections with one each 25 s have."""
    rtts = [0] * (len(RTT_LIMITS) + 1)
    rtts[4] = 40
    return [
        json.dumps(
            Frame(
                slot=slot, attempt=1, sequence=second, at=second + 1.0, opened=1000 if second == 0 else 0,
                heartbeats_sent=40, heartbeats_answered=40, rtt_counts=tuple(rtts), lag=0.002,
            ).as_dict()
        )
        for slot in range(WORKERS)
    ]  # fmt: skip


def _hear(merge: FleetMerge, seconds: list[list[str]]) -> None:
    """As `WorkerListener` does, and the terminal of ``wsstability fleet`` after it."""
    told, stream = -1.0, io.StringIO()
    for frames in seconds:
        for text in frames:
            if merge.add(Frame.from_dict(json.loads(text))) is not None:
                raise RuntimeError("a frame was refused")
            if merge.is_over:
                raise RuntimeError("it is over")
            if merge.at > told:
                told = merge.at
                stream.write(_state(merge))
                stream.write(json.dumps(_numbers(merge)))


def _memory(plan: FleetPlan) -> tuple[int, int]:
    """Bytes that a merge has after a minute, and after ten: of each fifth second, as tracing is slow."""
    tracemalloc.start()
    merge, found = FleetMerge(plan, 5.0), []
    for minute in range(10):
        _hear(merge, [_second(60 * minute + second) for second in range(0, 60, 5)])
        gc.collect()
        found.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return found[0], found[-1]


def _finished(plan: FleetPlan) -> Fleet:
    """A fleet that is over: some ended, of several causes."""
    dice = random.Random(17)
    job = FleetJob(url="ws://127.0.0.1:1/", requirement=Requirement.of(alive_for=HOLD, heartbeat_every=25))
    fleet = Fleet(plan, job, FleetRequirement(survival=0.99), tier=Tier.REAL)
    ended = {number: _ending(number, dice) for number in dice.sample(range(CONNECTIONS), ENDED)}
    rtts = Sample()
    for _ in range(10_000):
        rtts.add(dice.lognormvariate(-4, 1), 0.0)
    for slot in plan.slots:
        of_slot = [number for number in slot if number not in ended]
        frame = Frame(
            slot=slot.number, attempt=1, sequence=0, at=HOLD, opened=len(slot), rtts=rtts,
            backends={f"backend-{each}": len(slot) // 5 for each in range(5)},
            heartbeats_sent=143 * len(slot), heartbeats_answered=143 * len(slot), is_last=True,
            endings=tuple(ended[number] for number in slot if number in ended),
            stable=tuple((number, number) for number in of_slot),
        )  # fmt: skip
        fleet.merge.add(frame)
    if fleet.count.stable != CONNECTIONS - ENDED:
        raise RuntimeError(str(fleet))
    return fleet


def _ending(number: int, dice: random.Random) -> Ending:
    age, kind = dice.uniform(1, HOLD), dice.randrange(5)
    return Ending(
        number=number, fate=Fate.ENDED, age=age, at=200.0 * number / CONNECTIONS + age, cause=_CAUSES[kind],
        code=1006, silence=dice.uniform(0, 60), served_by=f"backend-{kind}", headline=_CAUSES[kind],
    )  # fmt: skip


def _report(fleet: Fleet) -> list[str]:
    result = Result(
        nodeid="test_load.py::test_fleet",
        url=fleet.url,
        requirement=fleet.requirement,
        verdict=fleet.verdict,
        fleet=fleet.summary,
    )
    run = Run(started="2026-01-01T00:00:00Z", tool="benchmark", machine="-", results=(result,))
    return [html.render(run), json_file.render(run)]


if __name__ == "__main__":
    start = time.monotonic()
    for figure in figures():
        print(figure.row(), f"{time.monotonic() - start:.0f} s", flush=True)
