"""
Spoken conversations in virtual time: an hour of one caller, a minute of 200, with all metrics on.

Frames of 20 ms up (16 bit, 16 kHz, base64 in JSON), audio down at twice real time, transcripts, heartbeats.

"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator

from pytest_wsstability import Orchestrator, Outcome, Requirement, run_virtual
from pytest_wsstability.voice import Pipeline, Script, VoiceRequirement, VoiceSoak, hold_call

from .figures import Figure, cpu_seconds

CALLERS = 200


def figures() -> Iterator[Figure]:
    """Seconds of an hour and of a crowd, what a frame costs, growth."""
    before = _resident()
    held: list[VoiceSoak] = []
    spent = cpu_seconds(lambda: held.extend(run_virtual(conversations(1, alive_for="1h"))))
    frames = held[0].summary.frames
    of = f"{frames:,} frames up, {len(held[0].turns)} turns, CPU"
    yield Figure(name="1 h of conversation", value=spent, unit="s", limit=12, of=of)
    yield Figure(name="a frame", value=1e6 * spent / frames, unit="µs", of="both ends, CPU")
    of = "resident memory of the process, after the hour"
    yield Figure(name="growth", value=_resident() - before, unit="MiB", limit=16, of=of)
    spent = cpu_seconds(lambda: run_virtual(conversations(CALLERS, alive_for="1m")))
    yield Figure(name=f"{CALLERS} callers for 1 min", value=spent, unit="s", limit=40, of="one agent, CPU")


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

        held = await asyncio.gather(*map(one, range(callers)))
    if any(each.verdict.outcome is not Outcome.STABLE for each in held):
        raise RuntimeError(next(each.verdict.headline for each in held))
    return held


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
