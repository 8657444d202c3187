"""A fleet from its plan to its verdict: what the ``ws_fleet`` fixture gives, and `open_fleet` in a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Unpack

from ...core.duration import Duration, parse_duration
from ...core.fleet.failure import FleetError, count_line
from ...core.fleet.frame import Fate
from ...core.fleet.groups import EndGroup, group_endings
from ...core.fleet.merge import FleetMerge
from ...core.fleet.plan import FleetPlan, check_connections
from ...core.fleet.requirement import Drain, FleetReconnects, FleetRequirement
from ...core.fleet.summary import summarize
from ...core.fleet_summary import FleetCount, FleetRecord, FleetSummary
from ...core.judge.requirement import Requirement, RequirementKeywords
from ...core.judge.verdict import Outcome, Verdict
from ...core.message.errors import leaves
from ...core.redact import redact_url
from ...core.timeline.events import Tier
from ...core.url import is_here
from ..health import tier_of
from ..keywords import ConnectKeywords
from ..server.orchestrator import Orchestrator
from ..target import parse_url
from ..traffic import Traffic
from .engine import Engine, InProcess, Watch
from .job import FleetJob, check_functions, sources_of

# Connections that open in a second where nobody says how fast: a host elsewhere is treated gently.
OPENS_HERE, OPENS_ELSEWHERE = 500.0, 50.0
# More than this, or faster, at a host elsewhere is a load that its owner has to agree to.
AGREED_CONNECTIONS = 1_000
# The part of the hold that a ramp which nobody has chosen may take.
_RAMP_SHARE = 0.5


class Fleet:
    """
    Many connections held as one.

    Raises:
        ValueError: for options that no connection opens with.

    Attributes:
        plan: how many, for how long, opened over which time.
        requirement: what each of them is held to.
        asked: what all of them together have to show.
        merge: what is known of them.

    """

    def __init__(self, plan: FleetPlan, job: FleetJob, asked: FleetRequirement, *, tier: Tier) -> None:
        job.check_options()
        self.plan = plan
        self.requirement = job.requirement
        self.asked = asked
        self.url = redact_url(job.url)
        self.tier = tier
        self.merge = FleetMerge(plan, job.requirement.answer_within)

    def __repr__(self) -> str:
        return f"<Fleet {self.url}: {count_line(self.count)}>"

    @property
    def count(self) -> FleetCount:
        """What became of the connections so far; the parts add up to the plan."""
        return self.merge.count

    @property
    def records(self) -> dict[str, list[FleetRecord]]:
        """Whole records of some that ended, by cause, and of some stable ones under ""; once it is over."""
        return self.merge.records

    @property
    def kept(self) -> tuple[FleetRecord, ...]:
        """All of `records`, those that ended first, by cause."""
        causes = sorted(self.records, key=lambda cause: (cause == "", cause))
        return tuple(record for cause in causes for record in self.records[cause])

    @property
    def verdict(self) -> Verdict:
        """What they have shown up to now."""
        return self.asked.check(self.merge, tier=self.tier)

    @property
    def groups(self) -> list[EndGroup]:
        """The connections that ended or did not open, by cause, the largest group first."""
        of = len(self.plan.slots)
        return group_endings(
            [each for each in self.merge.endings if each.fate is not Fate.ROTATED],
            workers={str(slot): number for slot, number in self.merge.watched.items()},
            unwatched=frozenset(map(str, self.merge.unwatched)),
            backends=self.merge.backends,
            worker_of=lambda ending: str(ending.number % of),
            labels={str(slot): own for slot, own in self.merge.labels.items()},
            subnets=self.merge.subnets,
            one_clock=self.merge.one_clock,
        )

    @property
    def summary(self) -> FleetSummary:
        """What is known up to now, as data."""
        return summarize(self.merge, self.groups, self.asked)

    def assert_stable(self) -> Verdict:
        """
        The fleet has shown what it was asked for.

        Raises:
            FleetError: if not, or if it cannot be told, with the causes in groups.

        """
        __tracebackhide__ = True
        verdict = self.verdict
        if verdict.outcome is not Outcome.STABLE:
            raise FleetError(self.requirement, verdict, self.summary, self)
        return verdict


def planned(
    url: str,
    *,
    connections: int,
    alive_for: float,
    ramp: Duration | None = None,
    workers: int = 1,
    stalled: int = 0,
) -> FleetPlan:
    """
    The plan of a fleet, with a gentle ramp where none is given.

    Raises:
        ValueError: for numbers that make no fleet, naming them.

    """
    check_connections(connections, stalled)
    seconds = parse_duration(ramp, "ramp", zero=True) if ramp is not None else None
    if seconds is None:
        rate = OPENS_HERE if is_here(url) else OPENS_ELSEWHERE
        seconds = min(connections / rate, alive_for * _RAMP_SHARE)
    return FleetPlan(connections=connections, hold=alive_for, ramp=seconds, workers=workers, stalled=stalled)


def too_much(url: str, plan: FleetPlan) -> str | None:
    """Why a fleet is more than a host elsewhere should get unasked; None if it is not."""
    if is_here(url):
        return None
    asked = []
    if plan.connections > AGREED_CONNECTIONS:
        asked.append(f"{plan.connections:,} connections (at most {AGREED_CONNECTIONS:,} without agreement)")
    if plan.opens_per_second > OPENS_ELSEWHERE + 1e-9:
        asked.append(
            f"{plan.opens_per_second:.3g} opens a second (at most {OPENS_ELSEWHERE:g} without agreement)"
        )
    return " and ".join(asked) or None


async def hold_fleet(
    job: FleetJob,
    plan: FleetPlan,
    asked: FleetRequirement | None = None,
    *,
    engine: Engine | None = None,
    watch: Watch | None = None,
) -> Fleet:
    """
    Run a fleet to its end, and give it.

    Args:
        job: where the connections go, what they do and what each is held to.
        plan: how many, and when they open.
        asked: what all of them together have to show; by default that all live.
        engine: where they run; by default on this loop, in its time.
        watch: called with what is known, about once a second.

    Raises:
        ValueError: if the connections go to several hosts.
        WorkerError: if a worker could not begin. Nothing was opened then.

    """
    fleet = prepared(job, plan, asked)
    await run_fleet(fleet, job, engine, watch)
    return fleet


def prepared(job: FleetJob, plan: FleetPlan, asked: FleetRequirement | None = None) -> Fleet:
    """A fleet of which nothing has opened yet, in the time of the running loop."""
    return Fleet(plan, job, asked or FleetRequirement(), tier=tier_of(asyncio.get_running_loop()))


async def run_fleet(
    fleet: Fleet, job: FleetJob, engine: Engine | None = None, watch: Watch | None = None
) -> None:
    """
    Run a prepared fleet to its end; see `hold_fleet`.

    Whoever cancels this has a fleet that is over: what was not seen to its end is unobserved.

    """
    engine = engine or InProcess()
    try:
        job.check_targets(fleet.plan.connections)
    except Exception:
        await asyncio.to_thread(engine.close)
        raise
    try:
        await engine.run(fleet.plan, job, fleet.merge, watch or (lambda merge: None))
    except asyncio.CancelledError:
        fleet.merge.interrupt()
        raise


@asynccontextmanager
async def open_fleet(
    url: str,
    *,
    connections: int,
    ramp: Duration | None = None,
    survival: float | None = None,
    confidence: float = 0.95,
    refused_max: float = 0.0,
    stalled: int = 0,
    drain: Drain | int | None = None,
    reconnects: FleetReconnects | Duration | None = None,
    sources: Sequence[str] = (),
    engine: Engine | None = None,
    options: ConnectKeywords | None = None,
    options_of: Callable[[int], ConnectKeywords] | None = None,
    url_of: Callable[[int], str] | None = None,
    traffic: Traffic | None = None,
    fanout_of: Callable[[str | bytes], str | None] | None = None,
    fanout_within: Duration | None = None,
    fanout_p99: Duration | None = None,
    orchestrator: Orchestrator | None = None,
    load_agreed: bool = False,
    **requirement: Unpack[RequirementKeywords],
) -> AsyncIterator[Fleet]:
    """
    Hold many connections while a block runs, and to their end: ``async with open_fleet(...) as fleet:``.

    In the block the fleet lives: restart a server, look at ``fleet.count``. After the block it is finished
    and can be judged: ``fleet.assert_stable()``.

    Args:
        url: where they go.
        connections: how many.
        ramp: over how long they open; by default 500 a second here, 50 a second elsewhere.
        survival: the share that must live to the end; by default all.
        confidence: with which the verdict is right.
        refused_max: the share that may fail to open; by default none.
        stalled: so many of them stop reading, and are not judged; the others must not suffer.
        drain: at most so many ends a second, with 1001 or 1012, which then are planned ends.
        reconnects: connections that end open again, each within this time; see `FleetReconnects`.
        sources: addresses of this machine that they are opened from, in turn.
        engine: where they run; by default on this loop, in its time.
        options: how each of them opens, as `connect` has it.
        options_of: what one of them has otherwise, by its number from 0 on: headers, a session id...
        url_of: where one of them goes, by its number.
        traffic: a coroutine function that talks on each of them while it is held.
        fanout_of: names a message that the server sends on to all others, by its text; None for others.
        fanout_within: such a message reaches all others of its sender's worker in this time.
        fanout_p99: it reaches 99 % of them in this time.
        orchestrator: the reference server, where they go to one of this loop: why connections end is then
            told by its records too, but for those of workers in other processes.
        load_agreed: the owner of a host elsewhere agrees to more than 1,000 of them, or 50 opens a second.
        requirement: what each connection is held to; ``alive_for`` is needed.

    Raises:
        ValueError: for a value that makes no sense, naming it.
        Exception: what the block raises, or a function of the user's.

    """
    asked = FleetRequirement.of(
        survival=survival, confidence=confidence, refused_max=refused_max, drain=drain,
        reconnects=reconnects, fanout_within=fanout_within, fanout_p99=fanout_p99,
        measures_fanout=fanout_of is not None,
    )  # fmt: skip
    each = _held_to(requirement, asked.drain)
    if each.alive_for is None:
        raise ValueError("alive_for: how long is each connection held? give a duration, such as '10m'")
    parse_url(url)
    engine = _checked(engine)
    plan = planned(
        url, connections=connections, alive_for=each.alive_for, ramp=ramp, workers=len(engine),
        stalled=stalled,
    )  # fmt: skip
    if (much := too_much(url, plan)) is not None and not load_agreed:
        raise ValueError(f"{much}: give load_agreed=True if its owner agrees")
    check_functions(options_of=options_of, url_of=url_of, traffic=traffic, fanout_of=fanout_of)
    job = FleetJob(
        url=url, requirement=each, options={} if options is None else options, options_of=options_of,
        url_of=url_of, traffic=traffic, fanout_of=fanout_of, fanout_within=asked.fanout_within,
        fanout_p99=asked.fanout_p99, reconnects=asked.reconnects, sources=sources_of(sources),
        opened=orchestrator.witness if orchestrator is not None else None,
    )  # fmt: skip
    async with _running(prepared(job, plan, asked), job, engine) as fleet:
        yield fleet


def _held_to(keywords: RequirementKeywords, drain: Drain | None) -> Requirement:
    """What each connection is held to; the ends that a drain plans are allowed."""
    if drain is not None:
        keywords["allow_close"] = drain.with_planned(keywords.get("allow_close", ()))
    return Requirement.of(**keywords)


def _checked(engine: Engine | None) -> Engine:
    """
    Where a fleet runs: by default on this loop.

    Raises:
        ValueError: for what is no engine, or has no part in the time of this loop.

    """
    engine = InProcess() if engine is None else engine
    if not callable(getattr(engine, "run", None)):
        raise ValueError(f"engine: {engine!r} is none; give fleet.Workers(['2*popen']), for one")
    if not isinstance(engine, InProcess) and tier_of(asyncio.get_running_loop()) is not Tier.REAL:
        raise ValueError("engine: other processes have no virtual time; leave it out, or run in real time")
    return engine


@asynccontextmanager
async def _running(fleet: Fleet, job: FleetJob, engine: Engine) -> AsyncIterator[Fleet]:
    """Run a fleet beside a block; whichever raises something ends the other, and that is raised."""

    async def run() -> None:
        try:
            await run_fleet(fleet, job, engine)
        except BaseExceptionGroup as raised:
            raise leaves(raised)[0] from None

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run())
            yield fleet
    except BaseExceptionGroup as raised:
        # The block may have raised a group of its own: that is left whole.
        raise raised.exceptions[0] from None
