"""The connections of one slot: opened in their turn, each held to its requirement, told in frames."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from ...core.cause import Diagnosis
from ...core.diagnosis import diagnose_all
from ...core.fleet.frame import Ending, Fate, Frame
from ...core.fleet.plan import FleetPlan, Slot
from ...core.judge.verdict import Outcome, Verdict
from ...core.samples import Sample
from ...core.timeline.timeline import Timeline
from ..client import connect
from ..connection import Connection
from ..errors import OpeningError
from ..keywords import ConnectKeywords
from ..traffic import hold_talking, start_talking, stop_talking
from .job import FleetJob
from .timing import Timing

# How often a slot tells how it goes, in seconds.
INTERVAL = 1.0
# Ends are explained when those that belong to the same event have come, in seconds (see `end_events`).
_SETTLED = 2.0
# Open connections beside which an end is seen: that others live on is evidence.
_BESIDE = 50
# Records that are kept whole: so many failures of each cause, and so many stable ones, drawn at random.
KEPT_FAILURES = 20
KEPT_STABLE = 8


@dataclass(slots=True)
class _Ended:
    """A connection whose end waits for its explanation."""

    number: int
    verdict: Verdict
    timeline: Timeline
    at: float


class FleetSlot:
    """
    Holds the connections of one slot.

    Args:
        slot: which connections.
        plan: of the whole fleet.
        job: what they do.
        emit: called with each frame, in order; the last one says that it is.
        attempt: how often this slot was begun, as the engine says.

    """

    def __init__(
        self, slot: Slot, plan: FleetPlan, job: FleetJob, emit: Callable[[Frame], object], *, attempt: int = 1
    ) -> None:
        self._slot, self._plan, self._job, self._emit, self._attempt = slot, plan, job, emit, attempt
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._sequence = 0
        self._open: dict[int, Timeline] = {}
        self._timing = Timing()
        self._waiting: list[_Ended] = []
        # What the next frame says.
        self._endings: list[Ending] = []
        self._stable: list[int] = []
        self._opened = 0
        self._backends: Counter[str] = Counter()
        self._rtts = Sample()
        self._lag = 0.0
        # Heartbeats of connections that are over, and what the frames before have said.
        self._done = _Heartbeats()
        self._told = _Heartbeats()
        self._draw = random.Random(slot.number)
        self._seen_stable = 0
        # Records that are kept, by cause; those of stable connections under "".
        self.kept: dict[str, list[tuple[int, Timeline]]] = {}

    async def run(self) -> None:
        """Open, hold and close all of them; whoever cancels this leaves the rest unobserved."""
        ticker = self._loop.create_task(self._tick())
        try:
            async with asyncio.TaskGroup() as holds:
                for number in self._slot:
                    wait = self._start + self._plan.opens_at(number) - self._loop.time()
                    if wait > 0:
                        await asyncio.sleep(wait)
                    holds.create_task(self._hold(number))
        finally:
            ticker.cancel()
            with suppress(asyncio.CancelledError):
                await ticker
            self._explain(until=float("inf"))
            self._tell(is_last=True)

    async def _tick(self) -> None:
        due = self._loop.time()
        while True:
            due += INTERVAL
            await asyncio.sleep(due - self._loop.time())
            # A loop that stood still is late here too.
            self._lag = max(self._lag, self._loop.time() - due)
            due = max(due, self._loop.time())
            self._explain(until=self._now() - _SETTLED)
            self._tell()

    def _now(self) -> float:
        return self._loop.time() - self._start

    # One connection.

    async def _hold(self, number: int) -> None:
        job = self._job
        options: ConnectKeywords = {"heartbeat": job.requirement.heartbeat_every, "inbox": 0, **job.options}
        if job.options_of is not None:
            options = {**options, **job.options_of(number)}
        if stalls := self._plan.is_stalled(number):
            options["client"] = "stalled"
        url = job.url if job.url_of is None else job.url_of(number)
        try:
            connection = await connect(url, **options)
        except OpeningError as error:
            self._refused(number, error)
            return
        self._opened += 1
        if served_by := _served_by(connection.timeline):
            self._backends[served_by] += 1
        self._open[number] = connection.timeline
        try:
            if stalls:
                await self._stall(number, connection)
            else:
                self._timing.add(number, connection.timeline)
                verdict = await hold_talking(connection, job.requirement, job.traffic)
                self._over(number, verdict, connection.timeline)
        finally:
            self._open.pop(number, None)
            self._timing.remove(number)
            self._done.add(connection.timeline)
            self._rtts.merge(connection.timeline.heartbeats.rtts)
            await connection.close()

    async def _stall(self, number: int, connection: Connection) -> None:
        """Read nothing until the end of the hold; what the server makes of that is not judged."""
        talk = start_talking(connection, self._job.traffic) if self._job.traffic is not None else None
        await asyncio.sleep(self._plan.hold)
        if talk is not None:
            with suppress(Exception):
                await stop_talking(talk)
        self._endings.append(self._ending(number, Fate.STALLED, connection.timeline, self._now()))

    def _refused(self, number: int, error: OpeningError) -> None:
        # What this machine lacked says nothing of the server.
        fate = Fate.REFUSED if error.shortage is None else Fate.UNOBSERVED
        cause, headline = error.diagnosis.cause.value, str(error).partition("\n")[0]
        self._endings.append(
            Ending(number=number, fate=fate, age=0.0, at=self._now(), cause=cause, headline=headline)
        )

    def _over(self, number: int, verdict: Verdict, timeline: Timeline) -> None:
        if verdict.outcome is not Outcome.STABLE:
            self._waiting.append(_Ended(number, verdict, timeline.sealed(), self._now()))
        elif timeline.close is not None:
            self._endings.append(self._ending(number, Fate.ROTATED, timeline, self._now()))
        else:
            self._stable.append(number)
            self._keep_stable(number, timeline)

    def _keep_stable(self, number: int, timeline: Timeline) -> None:
        """Each stable connection has the same chance to be among those that are kept (reservoir sampling)."""
        self._seen_stable += 1
        kept = self.kept.setdefault("", [])
        if len(kept) < KEPT_STABLE:
            kept.append((number, timeline.sealed()))
        elif (place := self._draw.randrange(self._seen_stable)) < KEPT_STABLE:
            kept[place] = (number, timeline.sealed())

    # Why they ended.

    def _explain(self, until: float) -> None:
        """Explain the ends that came before an instant, each seen beside the others."""
        ready = [each for each in self._waiting if each.at <= until]
        if not ready:
            return
        self._waiting = [each for each in self._waiting if each.at > until]
        beside = list(self._open.values())[:_BESIDE]
        timelines = [each.timeline for each in ready]
        for ended, diagnosis in zip(ready, diagnose_all([*timelines, *beside]), strict=False):
            excused = ended.verdict.outcome is Outcome.INCONCLUSIVE
            fate = Fate.UNOBSERVED if excused else Fate.ENDED
            made = self._ending(ended.number, fate, ended.timeline, ended.at, diagnosis)
            self._endings.append(made)
            kept = self.kept.setdefault(made.cause, [])
            if len(kept) < KEPT_FAILURES:
                kept.append((ended.number, ended.timeline))

    def _ending(
        self, number: int, fate: Fate, timeline: Timeline, at: float, diagnosis: Diagnosis | None = None
    ) -> Ending:
        return Ending(
            number=number,
            fate=fate,
            age=timeline.duration,
            at=at,
            cause=diagnosis.cause.value if diagnosis else "",
            confidence=diagnosis.confidence.value if diagnosis else "",
            code=timeline.close.code if timeline.close is not None else None,
            silence=timeline.silence,
            served_by=_served_by(timeline),
            headline=diagnosis.headline if diagnosis else "",
        )

    # What is told.

    def _tell(self, *, is_last: bool = False) -> None:
        total = _Heartbeats()
        total.merge(self._done)
        for timeline in self._open.values():
            total.add(timeline)
        frame = Frame(
            slot=self._slot.number,
            attempt=self._attempt,
            sequence=self._sequence,
            at=self._now(),
            opened=self._opened,
            heartbeats_sent=total.sent - self._told.sent,
            heartbeats_answered=total.answered - self._told.answered,
            messages=total.messages - self._told.messages,
            backends=dict(self._backends),
            rtt_counts=self._timing.since(),
            rtts=self._rtts,
            lag=self._lag,
            endings=tuple(self._endings),
            stable=tuple(_runs(self._stable, self._slot.of)),
            is_last=is_last,
        )
        self._sequence += 1
        self._told = total
        self._opened, self._lag, self._rtts = 0, 0.0, Sample()
        self._endings, self._stable, self._backends = [], [], Counter()
        self._emit(frame)


@dataclass(slots=True)
class _Heartbeats:
    """Counters of many timelines."""

    sent: int = 0
    answered: int = 0
    messages: int = 0

    def add(self, timeline: Timeline) -> None:
        heartbeats = timeline.heartbeats
        self.messages += timeline.messages.count
        self.sent += heartbeats.sent
        self.answered += heartbeats.answered

    def merge(self, other: _Heartbeats) -> None:
        self.sent += other.sent
        self.answered += other.answered
        self.messages += other.messages


def _served_by(timeline: Timeline) -> str:
    return ", ".join(value for _, value in timeline.hints or ())


def _runs(numbers: Iterable[int], step: int) -> list[tuple[int, int]]:
    """Numbers as the first and last of each run with this step."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + step:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


async def run_slot(
    slot: Slot, plan: FleetPlan, job: FleetJob, emit: Callable[[Frame], object], *, attempt: int = 1
) -> FleetSlot:
    """Run one slot to its end; gives it, with the records that were kept."""
    runner = FleetSlot(slot, plan, job, emit, attempt=attempt)
    await runner.run()
    return runner
