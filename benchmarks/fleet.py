"""
Many connections in one process and in virtual time: pairs of client and server for an hour.

A heartbeat every 25 s that nobody answers, server pings every 30 s, timelines at both ends.

"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from typing import NamedTuple

from pytest_wsstability import Connection, Direction, Orchestrator, connect, run_virtual

from .figures import Figure, interleaved, middle, ratios, spread

FEW, MANY = 100, 1000
ROUNDS = 3
HOUR = 3600


class Held(NamedTuple):
    """What an hour with a fleet took."""

    # CPU seconds, opening and closing included.
    cpu: float
    # CPU microseconds of the hold alone.
    per_frame: float
    frames: int
    # Traced, once open and after the hour; 0 when nobody traced.
    kib_open: float
    kib_held: float


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
    for pairs, limit in ((FEW, None), (MANY, 10)):
        seconds = [each.cpu for each in held[pairs]]
        of = f"CPU, {held[pairs][0].frames} frames, {spread(seconds)}"
        yield Figure(name=f"1 h with {pairs} pairs", value=middle(seconds), unit="s", limit=limit, of=of)
    for pairs, costs in ((FEW, few), (MANY, many)):
        yield Figure(name=f"a frame at {pairs} pairs", value=middle(costs), unit="us", of=spread(costs))
    found = ratios(many, few)
    yield Figure(name=f"a frame at {MANY} / at {FEW}", value=middle(found), limit=1.3, of=spread(found))
    # Its own pass, because tracing slows everything down.
    traced = run_virtual(hold(MANY, traced=True))
    of = f"traced, both ends, {MANY} pairs, one pass"
    yield Figure(name="memory of a pair, open", value=traced.kib_open, unit="KiB", of=of)
    yield Figure(name="memory of a pair, after 1 h", value=traced.kib_held, unit="KiB", limit=20, of=of)


async def hold(pairs: int, *, traced: bool = False) -> Held:
    """Hold so many pairs for an hour."""
    start = time.process_time()
    async with Orchestrator(answer_heartbeats=False) as orchestrator:
        if traced:
            # What is made once is made before.
            await _close(await _open(orchestrator, FEW))
            tracemalloc.start()
        connections = await _open(orchestrator, pairs)
        kib_open = _traced() / pairs
        held_from = time.process_time()
        for connection in connections:
            await connection.assert_alive_for(HOUR)
        cpu = time.process_time() - held_from
        kib_held = _traced() / pairs
        tracemalloc.stop()
        frames = sum(map(_frames, connections))
        await _close(connections)
    if frames < pairs * HOUR * (1 / 25 + 2 / 30):
        raise RuntimeError(f"only {frames} frames")
    return Held(time.process_time() - start, cpu / frames * 1e6, frames, kib_open, kib_held)


async def _open(orchestrator: Orchestrator, pairs: int) -> list[Connection]:
    return [await connect(orchestrator.url, heartbeat="25s", inbox=0) for _ in range(pairs)]


async def _close(connections: list[Connection]) -> None:
    for connection in connections:
        await connection.close()


def _traced() -> float:
    """KiB; collects what is garbage, if somebody traces at all."""
    if tracemalloc.is_tracing():
        gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1024


def _frames(connection: Connection) -> int:
    return connection.timeline.count(Direction.SENT) + connection.timeline.count(Direction.RECEIVED)
