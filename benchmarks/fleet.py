"""
Many connections in one process and in virtual time: pairs of client and server for an hour.

A heartbeat every 25 s that nobody answers, server pings every 30 s, timelines at both ends; then a fleet.

"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pytest_wsstability import Connection, Direction, Orchestrator, Requirement, connect, run_virtual
from pytest_wsstability.fleet import FleetJob, FleetPlan, FleetRequirement, hold_fleet

from .figures import Figure, interleaved, middle, ratios, spread

FEW, MANY, MOST = 100, 1000, 5000
ROUNDS = 3
HOUR = 3600
# What a frame costs is seen in less.
MINUTES = 360
# Opened and closed in a second, as a fleet does here.
RATE = 500


class Held(NamedTuple):
    """What a fleet took."""

    # CPU seconds, opening and closing included.
    cpu: float
    # CPU microseconds of the hold alone.
    per_frame: float
    frames: int
    # Traced, once open, after the hold, and with what each verdict keeps; 0 when nobody traced.
    kib_open: float
    kib_held: float
    kib_judged: float


def figures() -> Iterator[Figure]:
    """Seconds, microseconds a frame, kibibytes a pair."""
    held: dict[int, list[Held]] = {FEW: [], MANY: []}

    def run(pairs: int) -> float:
        gc.collect()
        held[pairs].append(run_virtual(hold(pairs)))
        return held[pairs][-1].per_frame

    run(FEW)
    held[FEW].clear()
    few, many = interleaved([lambda: middle([run(FEW) for _ in range(3)]), lambda: run(MANY)], ROUNDS)
    for pairs, limit in ((FEW, None), (MANY, 4)):
        seconds = [each.cpu for each in held[pairs]]
        of = f"CPU, {held[pairs][0].frames} frames, {spread(seconds)}"
        yield Figure(name=f"1 h with {pairs} pairs", value=middle(seconds), unit="s", limit=limit, of=of)
    for pairs, costs in ((FEW, few), (MANY, many)):
        yield Figure(name=f"a frame at {pairs} pairs", value=middle(costs), unit="us", of=spread(costs))
    yield from _flat(few, many)
    # What a user pays: it opens over a minute, is answered, looked at, and tells each second how it goes.
    gc.collect()
    cpu = run_virtual(_fleet(MANY))
    of = f"CPU, {MANY} connections with answers, one pass"
    yield Figure(name="1 h of a fleet", value=cpu, unit="s", of=of)
    # Its own pass, because tracing slows everything down.
    traced = run_virtual(hold(MANY, traced=True))
    of = f"traced, both ends, {MANY} pairs, one pass"
    yield Figure(name="memory of a pair, open", value=traced.kib_open, unit="KiB", of=of)
    yield Figure(name="memory of a pair, after 1 h", value=traced.kib_held, unit="KiB", limit=18, of=of)
    of = f"{of}; each verdict keeps the record as it was"
    yield Figure(name="memory of a pair, judged", value=traced.kib_judged, unit="KiB", of=of)


def _flat(few: Sequence[float], many: Sequence[float]) -> Iterator[Figure]:
    """What a frame costs beside more connections, in each round of one run."""
    found = ratios(many, few)
    yield Figure(name=f"a frame at {MANY} / at {FEW}", value=middle(found), limit=1.3, of=spread(found))
    few, most = interleaved([lambda: _per_frame(FEW), lambda: _per_frame(MOST)], ROUNDS)
    found = ratios(most, few)
    of = f"holds of {MINUTES} s, {spread(found)}"
    yield Figure(name=f"a frame at {MOST} / at {FEW}", value=middle(found), limit=1.3, of=of)


def _per_frame(pairs: int) -> float:
    gc.collect()
    return run_virtual(hold(pairs, seconds=MINUTES)).per_frame


async def hold(pairs: int, *, seconds: int = HOUR, traced: bool = False) -> Held:
    """Hold so many pairs for so long."""
    start = time.process_time()
    async with Orchestrator(answer_heartbeats=False) as orchestrator:
        if traced:
            # What is made once is made before.
            await _close(await _open(orchestrator, FEW))
            tracemalloc.start()
        connections = await _open(orchestrator, pairs)
        kib_open = _traced() / pairs
        held_from = time.process_time()
        await asyncio.sleep(seconds)
        kib_held = _traced() / pairs
        for connection in connections:
            await connection.assert_alive_for(seconds)
        cpu = time.process_time() - held_from
        kib_judged = _traced() / pairs
        tracemalloc.stop()
        frames = sum(map(_frames, connections))
        await _close(connections)
    if frames < pairs * (seconds * (1 / 25 + 2 / 30) - 3):
        raise RuntimeError(f"only {frames} frames")
    return Held(time.process_time() - start, cpu / frames * 1e6, frames, kib_open, kib_held, kib_judged)


async def _fleet(connections: int) -> float:
    """CPU seconds of the same hour as `ws_fleet` holds it."""
    start = time.process_time()
    each = Requirement.of(alive_for=HOUR, heartbeat_every=25, heartbeat_within=5)
    async with Orchestrator() as orchestrator:
        job = FleetJob(url=orchestrator.url, requirement=each)
        plan = FleetPlan(connections=connections, hold=HOUR, ramp=60)
        fleet = await hold_fleet(job, plan, FleetRequirement())
    fleet.assert_stable()
    return time.process_time() - start


async def _open(orchestrator: Orchestrator, pairs: int) -> list[Connection]:
    opened = []
    for number in range(pairs):
        if number % RATE == RATE - 1:
            await asyncio.sleep(1)
        opened.append(await connect(orchestrator.url, heartbeat="25s", inbox=0))
    return opened


async def _close(connections: list[Connection]) -> None:
    for number, connection in enumerate(connections):
        if number % RATE == RATE - 1:
            await asyncio.sleep(1)
        await connection.close()


def _traced() -> float:
    """KiB; collects what is garbage, if somebody traces at all."""
    if tracemalloc.is_tracing():
        gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1024


def _frames(connection: Connection) -> int:
    return connection.timeline.count(Direction.SENT) + connection.timeline.count(Direction.RECEIVED)
