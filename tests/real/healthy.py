"""Connections with nothing wrong, on every server that can run here, with every core busy."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from pytest_wsstability import Outcome

from .load import busy
from .play import Played, Scenario, play
from .scenarios import SCENARIOS
from .servers import KINDS, Running

CONNECTIONS = 300
HOLD = "10s"
# Seconds over which they start.
STAGGER = 4.0


@dataclass(frozen=True)
class Health:
    """What came of the holds."""

    outcomes: Counter[Outcome]
    # The headline of each that was not stable.
    notes: list[str]


def targets() -> dict[tuple[str, str], Scenario]:
    """The scenarios in which nothing ends, by server and name."""
    return {
        (kind, name): replace(scenario, alive_for=HOLD)
        for kind, scenarios in SCENARIOS.items()
        if KINDS[kind].missing() is None
        for name, scenario in scenarios.items()
        if not scenario.causes
    }


@functools.cache
def holds() -> Health:
    """Hold them all at once; once a test run."""
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(KINDS[kind].start()) for kind, _ in targets()}
        stack.enter_context(busy())
        played = asyncio.run(_hold_all(servers))
    outcomes = Counter(each.verdict.outcome for _, each in played)
    unstable = [
        f"{name}: {each.verdict.headline}"
        for name, each in played
        if each.verdict.outcome is not Outcome.STABLE
    ]
    return Health(outcomes, unstable)


async def _hold_all(servers: Mapping[str, Running]) -> list[tuple[str, Played]]:
    wanted = targets()
    shares = [
        CONNECTIONS // len(wanted) + (index < CONNECTIONS % len(wanted)) for index in range(len(wanted))
    ]
    plays = (
        play(servers[kind], scenario, repetitions=share, stagger=STAGGER)
        for ((kind, _), scenario), share in zip(wanted.items(), shares, strict=True)
    )
    played = await asyncio.gather(*plays)
    return [
        (f"{kind}: {name}", each)
        for (kind, name), group in zip(wanted, played, strict=True)
        for each in group
    ]
