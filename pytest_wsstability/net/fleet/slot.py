"""The connections of one slot: opened in their turn, each held to its requirement, told in frames."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

from ...core.cause import Diagnosis
from ...core.fleet.frame import Frame, Return
from ...core.fleet.plan import FleetPlan, Slot
from ...core.fleet.requirement import FleetReconnects
from ...core.judge.heartbeat_rules import peer_beats
from ...core.judge.hold_checks import HoldChecks
from ...core.judge.requirement import CADENCE_TOLERANCE, Requirement
from ...core.judge.verdict import Outcome, Verdict
from ...core.message.errors import leaves
from ...core.redact import show_text
from ...core.timeline.events import SAME
from ...core.timeline.timeline import Timeline
from ..client import connect
from ..errors import OpeningError
from ..holding import hold_open, look_again, start_hold
from ..keywords import ConnectKeywords
from ..senders import served_by
from ..traffic import hold_talking, inbox_for, start_talking, stop_talking
from . import endings
from .explaining import EndedConnection, EndExplainer
from .fanout import Fanout
from .held import Held, cause_of, reopen
from .job import FleetJob, check_keywords
from .looks import LookSchedule
from .next_frame import NextFrame
from .timing import Timing
from .turns import Turns, in_turns

# How often a slot tells how it goes, in seconds.
INTERVAL = 1.0
# Ends are explained when those that belong to the same event have come, in seconds (see `end_events`).
_SETTLED = 2.0
# Open connections beside which an end is seen: that others live on is evidence.
_BESIDE = 50
# So many of those that are open are counted for a frame: over a few frames all of them.
_COUNTED = 500
# So many are opened, judged or closed in one turn of the loop: each takes up to a millisecond.
AT_ONCE = 20


class FleetSlot:
    """
    Holds the connections of one slot.

    Args:
        slot: which connections.
        plan: of the whole fleet.
        job: what they do.
        emit: called with each frame, in order; the last one says that it is.

    """

    def __init__(self, slot: Slot, plan: FleetPlan, job: FleetJob, emit: Callable[[Frame], object]) -> None:
        self._slot, self._plan, self._job, self._emit = slot, plan, job, emit
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        # When somebody stopped it: what is held is not watched from then on, however long it takes to close.
        self._stopped: float | None = None
        # Each connection would have a bound method of its own.
        self._look_at = self._look
        self._checks = HoldChecks(job.requirement)
        self._looks = LookSchedule(self._loop, self._look_at)
        # Those that are open, by number; and how many may still tell something.
        self._open: dict[int, Held] = {}
        self._left = len(slot)
        self._all_over = asyncio.Event()
        self._timing = Timing()
        self._fanout: Fanout | None = None
        if job.fanout_of is not None:
            self._fanout = Fanout(job.fanout_of, job.fanout_within, job.fanout_p99)
        self._due = Turns(self._begin_to_conclude, AT_ONCE)
        self._explaining = EndExplainer(self._beside, self._explained)
        self._draw = random.Random(slot.number)
        self._next = NextFrame(slot, self._draw)

    async def run(self) -> None:
        """Open, hold and close all of them; whoever cancels this leaves the rest unobserved."""
        try:
            await self._hold_all()
        except BaseExceptionGroup as error:
            self._next.failure = _told(leaves(error)[0])
            raise
        finally:
            self._stopped = self._loop.time() if self._left else None
            self._looks.stop()
            self._due.clear()
            if self._fanout is not None:
                self._fanout.stop()
            await self._wind_up()
            self._tell(is_last=True)

    async def _hold_all(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            watching = (self._explain(), self._tick(), self._check_fanout())
            watchers = [self._tasks.create_task(each) for each in watching]
            await self._open_all()
            await self._all_over.wait()
            await self._explaining.explain(until=float("inf"))
            await self._explaining.explain_again(self._next.kept_stable, self._explained_again)
            for each in watchers:
                each.cancel()

    async def _wind_up(self) -> None:
        """Close those that nobody has closed; however many there are, this worker says that it lives."""
        ticker = self._loop.create_task(self._tick())
        closing = []
        try:
            async for held in in_turns(list(self._open.values()), AT_ONCE):
                closing.append(self._loop.create_task(self._close(held)))
            await asyncio.gather(*closing)
            await self._explaining.explain(until=float("inf"))
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)

    async def _open_all(self) -> None:
        begun = 0
        for number in self._slot:
            wait = self._start + self._plan.opens_at(number) - self._loop.time()
            if wait > 0 or begun == AT_ONCE:
                # What is open comes first, and so does the word that this worker lives.
                await asyncio.sleep(max(0.0, wait))
                begun = 0
            begun += 1
            self._tasks.create_task(self._open_one(number))

    async def _tick(self) -> None:
        due = self._loop.time()
        while True:
            due += INTERVAL
            await asyncio.sleep(due - self._loop.time())
            # A loop that stood still is late here too.
            self._next.lag = max(self._next.lag, self._loop.time() - due)
            due = max(due, self._loop.time())
            self._tell()

    async def _check_fanout(self) -> None:
        while self._fanout is not None:
            await asyncio.sleep(INTERVAL)
            self._fanout.check()

    def _now(self) -> float:
        return (self._loop.time() if self._stopped is None else self._stopped) - self._start

    # One connection.

    async def _open_one(self, number: int) -> None:
        try:
            connection = await connect(self._url(number), **self._options(number))
        except OpeningError as error:
            self._refused(number, error)
            self._settled()
            return
        self._next.opened += 1
        if self._job.opened is not None:
            self._job.opened(connection)
        if sender := served_by(connection.timeline.hints or ()):
            self._next.backends[sender] += 1
        held = self._open[number] = Held(number, connection, self._look_at)
        if held.subnet:
            self._next.subnets[held.subnet] += 1
        if self._plan.is_stalled(number):
            await self._stall(held)
            return
        self._timing.add(number, connection.timeline)
        if self._fanout is not None:
            connection.websocket.messages.transcript = self._fanout.listen(number)
        if self._job.traffic is not None:
            await self._conclude(held)
            return
        start_hold(connection.websocket, self._job.requirement)
        connection.websocket.on_over = held.look
        self._look(held)

    def _url(self, number: int) -> str:
        return self._job.url if self._job.url_of is None else self._job.url_of(number)

    def _options(self, number: int) -> ConnectKeywords:
        job = self._job
        options: ConnectKeywords = {
            "heartbeat": job.requirement.heartbeat_every, "inbox": inbox_for(job.traffic), **job.options,
        }  # fmt: skip
        if job.sources:
            # Each worker uses all of them.
            options["source"] = job.sources[number // self._slot.of % len(job.sources)]
        if job.options_of is not None:
            own = job.options_of(number)
            check_keywords(own, f"options_of: connection {number}")
            options = {**options, **own}
            job.check_profile(options)
        if self._plan.is_stalled(number):
            options["client"] = "stalled"
        return options

    def _look(self, held: Held) -> None:
        """Look at a connection that is held, and judge it if there is anything to judge."""
        held.look_at = None
        at, websocket = None, held.connection.websocket
        # What cannot be judged is an error of the task that judges it below.
        with suppress(Exception):
            at = look_again(websocket, self._checks)
        if at is not None:
            self._looks.set(held, at)
        else:
            websocket.on_over = None
            self._due.add(held)

    def _begin_to_conclude(self, held: Held) -> None:
        concluding = self._conclude(held)
        try:
            self._tasks.create_task(concluding)
        except RuntimeError:
            # The slot is stopped at this instant, and closes what is left.
            concluding.close()

    async def _conclude(self, held: Held) -> None:
        """Judge a connection at the end of its hold, or of itself; it may come back then."""
        connection, job = held.connection, self._job
        try:
            verdict = await hold_talking(connection, job.requirement, job.traffic)
            if self._fanout is not None:
                self._fanout.check()
            if verdict.outcome is not Outcome.STABLE:
                await connection.both_ended()
            self._over(held, verdict)
        finally:
            await self._close(held)
        if job.reconnects is not None:
            await self._come_back(held, job.reconnects, verdict)
        self._settled()

    async def _close(self, held: Held) -> None:
        """It is not held any longer: what it has told by now counts."""
        held.look_at = None
        held.connection.websocket.on_over = None
        if self._open.pop(held.number, None) is not None:
            timeline = held.connection.timeline
            self._next.finish(held, timeline, self._job.requirement.answer_within)
        self._timing.remove(held.number)
        if self._fanout is not None:
            over_at = held.over_at
            self._fanout.forget(held.number, self._loop.time() if over_at is None else over_at)
        await held.connection.close()

    def _settled(self) -> None:
        """One more of which nothing else can be told."""
        self._left -= 1
        if not self._left:
            self._all_over.set()

    async def _stall(self, held: Held) -> None:
        """Read nothing until the end of the hold; what the server makes of that is not judged."""
        connection = held.connection
        talk = start_talking(connection, self._job.traffic) if self._job.traffic is not None else None
        await asyncio.sleep(self._plan.hold)
        if talk is not None:
            with suppress(Exception):
                await stop_talking(connection, talk)
        told = endings.stalled(held.number, connection.timeline, self._now(), held.subnet)
        self._next.endings.append(told)
        await self._close(held)
        self._settled()

    async def _come_back(self, held: Held, asked: FleetReconnects, verdict: Verdict | None) -> None:
        """Open a connection that ended, as often as it ends, until the end of its hold."""
        known = held.connection.timeline
        until = known.opened + self._plan.hold
        while (ended := held.ended_at) is not None and ended < until - SAME:
            failed: list[str] = []
            back = await reopen(held.connection, asked, ended, self._draw, failed.append, self._job.opened)
            at = self._loop.time()
            abnormal = endings.abnormal_closure(verdict)
            self._next.returns.append(
                Return(
                    number=held.number,
                    at=at - self._start,
                    after=at - ended if back.connection is not None else None,
                    attempts=back.attempts,
                    excused=back.is_ours,
                    why=failed[-1] if failed else "",
                    abnormal_at=None if abnormal is None else ended - self._start,
                    abnormal_excused=abnormal is not None and bool(abnormal.excuses),
                )
            )
            if back.connection is None:
                return
            if held.connection.timeline.heartbeats.first_at is not None:
                # One that was short does not tell when the first heartbeat is due.
                known = held.connection.timeline
            held = self._open[held.number] = Held(held.number, back.connection, self._look_at)
            try:
                verdict = await self._hold_again(held, until, known)
                if verdict is not None and held.ended_at is None and endings.may_be_broken(verdict):
                    self._next.returns.append(self._broken(held, verdict))
                    return
            finally:
                await self._close(held)

    async def _hold_again(self, held: Held, until: float, known: Timeline) -> Verdict | None:
        """
        Hold what came back to what each connection is held to, for the rest of its hold.

        Args:
            held: what came back.
            until: when its first hold would have been over, as the loop's clock has it.
            known: the record of the last connection before it in which a heartbeat came; else of the first.

        Returns:
            What it has shown; None where nothing is left of its hold.

        """
        rest = until - held.connection.timeline.opened
        if rest <= SAME:
            return None
        asked = _of_a_part(self._job.requirement, rest, known, talks=self._job.traffic is not None)
        return await hold_open(held.connection.websocket, asked)

    def _broken(self, held: Held, verdict: Verdict) -> Return:
        """That it broke a promise without an end, or may have: it comes back no more."""
        return Return(
            number=held.number,
            at=self._now(),
            after=None,
            attempts=0,
            excused=verdict.outcome is Outcome.INCONCLUSIVE,
            why=cause_of(verdict, held.connection),
            broke=True,
        )

    def _refused(self, number: int, error: OpeningError) -> None:
        if error.served_by:
            self._next.backends[error.served_by] += 1
        self._next.endings.append(endings.refused(number, error, self._now()))

    def _over(self, held: Held, verdict: Verdict) -> None:
        number, timeline = held.number, held.connection.timeline
        # In a crowd it may have waited for its turn since.
        at = timeline.opened + timeline.duration - self._start
        comes_back = self._job.reconnects is not None
        if endings.is_let_go(verdict, timeline, self._plan.hold, comes_back=comes_back):
            self._next.endings.append(endings.rotated(number, verdict, timeline, at, held.subnet))
        elif verdict.outcome is not Outcome.STABLE:
            ended, *others = (each.sealed() for each in held.connection.timelines)
            self._explaining.add(EndedConnection(number, verdict, ended, at, held.subnet, others))
        else:
            self._next.stable.append(number)
            self._next.keep_stable(number, timeline)

    # Why they ended.

    async def _explain(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            # Of a crowd that is judged at this moment the others would be missing.
            if self._due.is_idle:
                await self._explaining.explain(until=self._now() - _SETTLED)

    def _beside(self) -> list[Timeline]:
        return [held.connection.timeline for held in islice(self._open.values(), _BESIDE)]

    def _explained(self, ended: EndedConnection, diagnosis: Diagnosis) -> None:
        made = endings.explained(ended, diagnosis)
        self._next.endings.append(made)
        self._next.keep_ended(ended, made.cause)

    def _explained_again(self, ended: EndedConnection, diagnosis: Diagnosis) -> None:
        self._next.retold.append(endings.explained(ended, diagnosis))

    # What is told.

    def _tell(self, *, is_last: bool = False) -> None:
        # Each is looked at now and then: in a large fleet that costs more than the heartbeats otherwise.
        every = -(-len(self._open) // _COUNTED) or 1
        for held in islice(self._open.values(), self._next.sequence % every, None, every):
            timeline = held.connection.websocket.timeline
            if timeline is not None and timeline.total != held.events:
                self._next.count(held, timeline)
        frame = self._next.take(
            self._now(),
            rtt_counts=self._timing.since(),
            fanout=self._fanout.since() if self._fanout is not None else None,
            is_last=is_last,
            cut_short=is_last and self._left > 0,
        )
        self._emit(frame)


def _of_a_part(asked: Requirement, seconds: float, known: Timeline, *, talks: bool) -> Requirement:
    """
    What is asked of a connection that came back, of all that is asked of a whole hold.

    Nothing that is counted over a whole hold, no messages where those of a workload that is gone were meant,
    and no heartbeats of the server where the part may be too short for the first of them.

    """
    part = dataclasses.replace(
        asked, alive_for=seconds, heartbeats_at_least=0, messages_at_least=0, rtt_p95=None,
        message_every=None if talks else asked.message_every,
    )  # fmt: skip
    seen = known.heartbeats.first_at
    first = known.peer_interval if seen is None else seen
    if peer_beats(known) and (first is None or seconds < first * CADENCE_TOLERANCE):
        return dataclasses.replace(part, heartbeat_every=None, heartbeat_within=None, heartbeat_missed_max=0)
    return part


def _told(error: BaseException) -> str:
    """What was raised, in a line."""
    said = str(error)
    return show_text(f"{type(error).__name__}: {said}" if said else type(error).__name__)


async def run_slot(slot: Slot, plan: FleetPlan, job: FleetJob, emit: Callable[[Frame], object]) -> None:
    """Run one slot to its end."""
    await FleetSlot(slot, plan, job, emit).run()
