"""
Spoken conversations: an hour of one caller and a minute of 200 in virtual time, with all metrics on; and how
late the frames of ten go out in real time, where the machine has something else to do.

Frames of 20 ms up (16 bit, 16 kHz, base64 in JSON), audio down at twice real time, transcripts, heartbeats.

"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_wsstability import Orchestrator, Outcome, Requirement, run_virtual
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.voice.audio import FRAME
from pytest_wsstability.voice import Pipeline, Script, VoiceRequirement, VoiceSoak, hold_call

from .figures import Figure, cpu_seconds

CALLERS = 200
FEW = 10
# Keeps a core busy for half of the time, five milliseconds at once.
_HALF_BUSY = """
import time
while True:
    until = time.perf_counter() + 0.005
    while time.perf_counter() < until:
        pass
    time.sleep(0.005)
"""


def figures() -> Iterator[Figure]:
    """Seconds of an hour and of a crowd, what a frame costs, growth, lateness."""
    yield from lateness()
    before = _resident()
    held: list[VoiceSoak] = []
    spent = cpu_seconds(lambda: held.extend(stable(run_virtual(conversations(1, alive_for="1h")))))
    frames = held[0].summary.frames
    of = f"{frames:,} frames up, {len(held[0].turns)} turns, CPU"
    yield Figure(name="1 h of conversation", value=spent, unit="s", limit=12, of=of)
    yield Figure(name="a frame", value=1e6 * spent / frames, unit="µs", of="both ends, CPU")
    of = "resident memory of the process, after the hour"
    yield Figure(name="growth", value=_resident() - before, unit="MiB", limit=16, of=of)
    spent = cpu_seconds(lambda: stable(run_virtual(conversations(CALLERS, alive_for="1m"))))
    yield Figure(name=f"{CALLERS} callers for 1 min", value=spent, unit="s", limit=40, of="one agent, CPU")


def lateness() -> Iterator[Figure]:
    """After their deadlines, of 99 in 100 frames; and those of a timer alone, which is the machine's part."""
    late = Sample()
    with half_busy():
        alone = asyncio.run(timer_alone(seconds=10))
        for each in asyncio.run(conversations(FEW, alive_for="30s")):
            late.merge(each.call.up.lateness)
    of = f"{late.count:,} frames of {FEW} callers and their agent, cores half busy"
    yield Figure(name="lateness of a frame, p99", value=1000 * late.quantile(0.99), unit="ms", limit=5, of=of)
    of = "every 20 ms, nothing else in the process"
    yield Figure(name="... of a timer alone", value=1000 * alone.quantile(0.99), unit="ms", of=of)


async def timer_alone(*, seconds: float) -> Sample:
    """How late a loop is that does nothing else."""
    loop, late = asyncio.get_running_loop(), Sample()
    start = loop.time()
    for number in range(round(seconds / FRAME)):
        due = start + number * FRAME
        await asyncio.sleep(due - loop.time())
        late.add(max(0.0, loop.time() - due), due)
    return late


@contextmanager
def half_busy() -> Iterator[None]:
    """Keep each core busy for half of the time."""
    others = [subprocess.Popen([sys.executable, "-c", _HALF_BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


async def conversations(callers: int, *, alive_for: str) -> list[VoiceSoak]:
    """So many callers of one agent at once, each with a script of its own."""
    requirement = Requirement.of(alive_for=alive_for, heartbeat_every="25s", heartbeat_within="5s")
    asked = VoiceRequirement.of(underruns=0, transcripts=True)
    async with Orchestrator(voice=Pipeline()) as orchestrator:

        async def one(number: int) -> VoiceSoak:
            await asyncio.sleep(0.005 * number)
            script = Script(seed=number, barge_ins=0.15)
            return await hold_call(
                requirement, asked, script, url=orchestrator.url, orchestrator=orchestrator
            )

        return list(await asyncio.gather(*map(one, range(callers))))


def stable(held: list[VoiceSoak]) -> list[VoiceSoak]:
    """
    The conversations, if nothing is wrong with any of them.

    Raises:
        RuntimeError: if not, with the words of the first.

    """
    for each in held:
        if each.verdict.outcome is not Outcome.STABLE:
            raise RuntimeError(each.verdict.headline)
    return held


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
