"""Play scenarios against a server: many connections at once, each held until it ends, each diagnosed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pytest_wsstability import Connection, Requirement, Timeline, Verdict, connect
from pytest_wsstability.core.diagnosis import Cause, Diagnosis, diagnose
from pytest_wsstability.net.errors import ConnectionEnded
from pytest_wsstability.net.holding import hold_open
from pytest_wsstability.profiles import Profile

from .profiles import BEATS
from .servers import Running
from .traffic import Traffic

REPETITIONS = 20
# Seconds over which the repetitions start.
STAGGER = 1.0
# Twice and more what any timer here needs.
HOLD = "8s"
# Seconds after the last opening at which something is done to the server.
ACT_AFTER = 1.5
OPEN_WITHIN = 20


@dataclass(frozen=True)
class Act:
    """Signals: what is done to a server while connections are open, and what undoes it after."""

    number: signal.Signals
    undo: signal.Signals | None = None
    # To what stands behind the proxy, and not to the proxy.
    behind: bool = False

    def do(self, server: Running) -> None:
        """Do it."""
        self._signal(server, self.number)

    def end(self, server: Running) -> None:
        """Undo it, if there is something to undo."""
        if self.undo is not None:
            self._signal(server, self.undo)

    def _signal(self, server: Running, number: signal.Signals) -> None:
        target = server.backend if self.behind else server
        assert target is not None
        target.signal(number)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A client, its traffic, what is done to the server, and what is to come of it."""

    path: str = "/ws"
    client: str = "browser"
    profile: Profile = BEATS
    heartbeat: str | None = None
    heartbeat_within: str | None = None
    traffic: Sequence[Traffic] = ()
    # A scenario with an act has a server of its own.
    act: Act | None = None
    # Each is right where one connection cannot tell them apart; none: the connection stays.
    causes: Sequence[Cause] = ()
    # Only several connections together show the cause.
    cohort: bool = False
    # Seconds between one start and the next; as a rule they share out `STAGGER`.
    apart: float | None = None
    alive_for: str = HOLD

    @property
    def requirement(self) -> Requirement:
        """What the connection is held to."""
        values = {"alive_for": self.alive_for}
        if self.heartbeat_within is not None:
            values |= {"heartbeat_every": self.heartbeat, "heartbeat_within": self.heartbeat_within}
        return Requirement.of(**values)


@dataclass(frozen=True)
class Played:
    """What came of one connection."""

    verdict: Verdict
    timeline: Timeline
    # From this connection alone, unless it takes several; and with the others beside it.
    diagnoses: Sequence[Diagnosis]


async def play(
    server: Running, scenario: Scenario, *, repetitions: int = REPETITIONS, stagger: float = STAGGER
) -> list[Played]:
    """Play a scenario many times at once, the starts spread over some seconds; diagnose each connection."""
    apart = stagger / repetitions if scenario.apart is None else scenario.apart
    starts = [apart * index for index in range(repetitions)]
    connections: list[Connection] = []
    all_open = asyncio.Event()

    def opened(connection: Connection) -> None:
        connections.append(connection)
        if len(connections) == repetitions:
            all_open.set()

    acting = asyncio.create_task(_act(server, scenario, all_open))
    try:
        holds = (_hold(server.url(scenario.path), scenario, start, opened) for start in starts)
        held = await asyncio.gather(*holds)
        await acting
        return _diagnose(scenario, held)
    finally:
        acting.cancel()
        if scenario.act is not None:
            scenario.act.end(server)
        await asyncio.gather(*(connection.close() for connection in connections))


async def _act(server: Running, scenario: Scenario, all_open: asyncio.Event) -> None:
    if scenario.act is not None:
        await all_open.wait()
        await asyncio.sleep(ACT_AFTER)
        scenario.act.do(server)


async def _hold(
    url: str, scenario: Scenario, start: float, opened: Callable[[Connection], None]
) -> tuple[Verdict, Timeline, Diagnosis]:
    """Open one connection, let its traffic flow, and hold it; who calls closes it."""
    await asyncio.sleep(start)
    connection = await connect(
        url, client=scenario.client, profile=scenario.profile, heartbeat=scenario.heartbeat, inbox=0,
        open_timeout=OPEN_WITHIN,
    )  # fmt: skip
    opened(connection)
    sending = [asyncio.create_task(_until_ended(traffic, connection)) for traffic in scenario.traffic]
    try:
        verdict = await hold_open(connection.websocket, scenario.requirement)
        return verdict, connection.timeline, diagnose(connection.timeline)
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


async def _until_ended(traffic: Traffic, connection: Connection) -> None:
    with suppress(ConnectionEnded):
        await traffic(connection)


def _diagnose(scenario: Scenario, held: Sequence[tuple[Verdict, Timeline, Diagnosis]]) -> list[Played]:
    """What one connection tells, or what it tells with the others beside it."""
    played = []
    for verdict, timeline, diagnosis in held:
        others = [other for _, other, _ in held if other is not timeline]
        together = diagnose(timeline, cohort=others)
        found = [together] if scenario.cohort else [diagnosis, together]
        played.append(Played(verdict, timeline, found))
    return played
