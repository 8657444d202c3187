"""`wsstability fleet`: many connections to a URL, held as one."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from contextlib import ExitStack
from typing import Any, TextIO

from ..core.duration import parse_duration
from ..core.duration import show_duration as show
from ..core.fleet.failure import answered_line, count_line, explain_fleet, more_lines, rtt_line, worker_line
from ..core.fleet.merge import FleetMerge
from ..core.fleet.plan import FleetPlan, check_connections
from ..core.fleet.requirement import FleetRequirement
from ..core.fleet_summary import FleetSummary
from ..core.judge.backoff import Backoff
from ..core.judge.verdict import Outcome, Verdict
from ..core.message.errors import leaves
from ..core.plain import plain
from ..core.result import Result
from ..core.timeline.events import Tier
from ..net.fleet.cluster import Cluster
from ..net.fleet.engine import Engine, InProcess, WorkerError
from ..net.fleet.fleet import Fleet, planned, run_fleet, too_much
from ..net.fleet.job import FleetJob
from ..net.fleet.workers import Workers, spread
from ..net.target import check_source
from ..report import openmetrics
from ..report.extras import MissingExtra
from ..report.live import LiveBlock
from .connecting import add_connect_options, add_heartbeat_options, connect_options, requirement_of
from .output import add_output_options, own_options, say, say_json
from .reports import ReportFiles, add_report_option
from .verdicts import as_json, begun_with, say_message, status_of, style_of

# Frames of all workers between two lines of progress where nothing can be written over, in seconds.
_PLAIN = 30.0
# Workers that have a line of their own on a terminal.
_WORKERS = 8
# Quantiles of round trips that are told meanwhile.
_LIVE = {"p50": 0.5, "p95": 0.95}

EPILOG = "exit: 0 stable, 1 unstable, 2 usage or a worker that did not start, 3 inconclusive, 130 interrupted"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--connections", type=int, required=True, metavar="N", help="how many")
    add("--for", dest="alive_for", default="2m", metavar="DURATION", help="how long each (default: 2m)")
    add_heartbeat_options(parser)
    add(
        "--ramp",
        metavar="DURATION",
        help="over how long they open (default: 500 a second here, 50 elsewhere)",
    )
    add("--survival", type=float, metavar="SHARE", help="the share that must live on (default: all)")
    add("--confidence", type=float, default=0.95, metavar="SHARE", help="of the verdict (default: 0.95)")
    add("--reconnects", metavar="DURATION", help="connections that end open again, each within this time")
    add(
        "--source",
        dest="sources",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="an address of this machine to open from; repeats: each has local ports of its own",
    )
    add("--client", default="browser", help="browser (default), mute, stalled or keepalive")
    add(
        "--workers",
        action="append",
        default=[],
        metavar="SPEC",
        help="worker processes, by specs of execnet: 4*popen, ssh=HOST//python=...; repeats (default: none)",
    )
    add(
        "--cluster",
        metavar="ADDRESS",
        help="run on a Dask cluster: the address of its scheduler, tcp://HOST:8786",
    )
    add(
        "--load-agreed",
        action="store_true",
        help="the owner of the host agrees to more than 1,000 connections or 50 opens a second",
    )
    add("--metrics", metavar="HOST:PORT", help="serve the state at /metrics while it runs, for Prometheus")
    add_connect_options(parser)
    add_report_option(parser)
    add_output_options(parser, json="a JSON object a line: the plan, progress, and the end")


def run(options: argparse.Namespace) -> int:
    """Hold the fleet; returns the exit code."""
    # Whatever is wrong with an option is said before a plan is.
    opening = connect_options(options)
    requirement = requirement_of(options)
    assert requirement.alive_for is not None
    address = openmetrics.parse_address(options.metrics) if options.metrics is not None else None
    for source in options.sources:
        check_source(source)
    asked = _asked(options)
    reports, fleet = ReportFiles(options.report), None
    engine: Engine | None = None
    try:
        engine = _engine(options)
        plan = _plan(options, requirement.alive_for, len(engine))
        progress = _Progress(sys.stdout if options.json else sys.stderr, as_json=options.json)
        job = FleetJob(
            url=options.url,
            requirement=requirement,
            options={"client": options.client, **opening},  # type: ignore[typeddict-item]
            reconnects=asked.reconnects,
            sources=tuple(options.sources),
        )
        fleet = Fleet(plan, job, asked, tier=Tier.REAL)
        progress.begin(plan, asked)
        _hold(options, address, fleet, job, engine, progress)
    except WorkerError as error:
        raise ValueError(str(error)) from error
    except KeyboardInterrupt:
        # What it has shown by then counts, unless nothing had begun.
        if fleet is not None and fleet.merge.interrupted_at is not None:
            _finish(fleet, options, progress, reports)
        raise
    finally:
        if engine is not None:
            engine.close()
    return status_of(_finish(fleet, options, progress, reports))


def _finish(fleet: Fleet, options: argparse.Namespace, progress: _Progress, reports: ReportFiles) -> Outcome:
    """Say and write what came of the fleet; returns the outcome."""
    progress.stop()
    # Once: of 100,000 connections that ended each takes seconds.
    verdict, summary = fleet.verdict, fleet.summary
    if options.json:
        say_json(own_options(_as_json(fleet, verdict, summary)))
    else:
        say_message(_as_text(fleet, verdict, summary), options, style_of(verdict.outcome))
    reports.write(_result(fleet, verdict, summary))
    return verdict.outcome


def _plan(options: argparse.Namespace, alive_for: float, workers: int) -> FleetPlan:
    """
    How many connections, and when they open.

    Raises:
        ValueError: for numbers that make no fleet, or a load that nobody has agreed to.

    """
    plan = planned(
        options.url,
        connections=options.connections,
        alive_for=alive_for,
        ramp=options.ramp,
        workers=workers,
    )
    if (much := too_much(options.url, plan)) is not None and not options.load_agreed:
        raise ValueError(f"{much}: give --load-agreed if the host's owner agrees")
    return plan


def _asked(options: argparse.Namespace) -> FleetRequirement:
    """
    What all of them together have to show.

    Raises:
        ValueError: for what nothing can show, naming the option.

    """
    if options.reconnects is not None:
        within, wait = parse_duration(options.reconnects, "--reconnects"), Backoff().most(0)
        if wait >= within:
            raise ValueError(
                f"--reconnects: {show(within)} may be over before the first attempt, which waits up to "
                f"{show(wait)}; give more"
            )
    return FleetRequirement.of(
        survival=options.survival, confidence=options.confidence, reconnects=options.reconnects
    )


def _hold(
    options: argparse.Namespace,
    address: tuple[str, int] | None,
    fleet: Fleet,
    job: FleetJob,
    engine: Engine,
    progress: _Progress,
) -> None:
    """Run the fleet to its end; whoever asks for metrics gets them meanwhile, at this address."""

    async def hold() -> None:
        with ExitStack() as stack:
            if address is not None:
                port = stack.enter_context(openmetrics.serve(address, fleet.merge))
                progress.say(f"metrics: http://{options.metrics.rpartition(':')[0]}:{port}/metrics")
            await run_fleet(fleet, job, engine, progress.tell)

    try:
        asyncio.run(hold())
    except MissingExtra as error:
        raise ValueError(str(error)) from error
    except BaseExceptionGroup as group:
        # What was wrong with one connection was so with all.
        raise leaves(group)[0] from None


def _engine(options: argparse.Namespace) -> Engine:
    """Where the connections run."""
    if options.workers and options.cluster is not None:
        raise ValueError("--workers and --cluster: give one of them")
    if options.cluster is not None:
        return Cluster(options.cluster)
    # Before the workers that it would take.
    check_connections(options.connections)
    specs = options.workers or spread(options.connections)
    return Workers(specs) if specs else InProcess()


class _Progress:
    """The plan, and then how it goes: a line written over on a terminal, a line now and then elsewhere."""

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self._as_json = as_json
        self._live = stream.isatty() and not as_json
        self._block = LiveBlock()
        # How far the fleet was when this was told last, in seconds since the start of the slots.
        self._told = -_PLAIN

    def begin(self, plan: FleetPlan, asked: FleetRequirement) -> None:
        """Say what is going to happen, and what it cannot show."""
        forecast = asked.forecast(plan.connections - plan.stalled)
        if self._as_json:
            self._line(
                {
                    "event": "plan",
                    "connections": plan.connections,
                    "hold": plan.hold,
                    "ramp": plan.ramp,
                    "workers": len(plan.slots),
                    "forecast": forecast,
                }
            )
            return
        workers = f" by {len(plan.slots)} workers" if len(plan.slots) > 1 else ""
        opening = f"opened over {show(plan.ramp)}" if plan.ramp else "opened at once"
        text = f"plan: {plan.connections:,} connections for {show(plan.hold)}, {opening}{workers}"
        self._line(f"{text}; {forecast}" if forecast else text)

    def tell(self, merge: FleetMerge) -> None:
        """Say how it goes, if it is time to."""
        # Each of a hundred workers sends a frame a second: it is told when the slowest has gone on.
        at, every = merge.at, 0.0 if self._live or self._as_json else _PLAIN
        if at == self._told or at < self._told + every:
            return
        self._told = at
        if self._live:
            lines = [((line, ()),) for line in (_state(merge), *_of_workers(merge))]
            self._block.draw(self._stream, lines, width=shutil.get_terminal_size().columns)
        elif self._as_json:
            self._line({"event": "progress", "at": at, **_numbers(merge)})
        else:
            self._line(_state(merge))

    def say(self, text: str) -> None:
        """Say something besides, where a person reads."""
        if not self._as_json:
            self._line(text)

    def stop(self) -> None:
        """Report no more; the last line stays."""
        if self._block.shown:
            self._stream.write("\n")

    def _line(self, line: str | dict[str, Any]) -> None:
        say(line, self._stream) if isinstance(line, str) else say_json(line)


def _state(merge: FleetMerge) -> str:
    """How a fleet goes, in one line."""
    count = merge.count
    causes = ", ".join(f"{number:,} {cause}" for cause, number in list(merge.causes.items())[:2])
    ended = f"{count.ended - count.broke:,} ended"
    if count.broke:
        ended += f", {count.broke:,} broke a promise"
    if causes:
        ended += f" ({causes})"
    parts = [f"{show(merge.at)}: {max(0, merge.held):,} open", f"{count.stable:,} stable", ended]
    if count.refused:
        parts.append(f"{count.refused:,} did not open")
    if count.unobserved:
        parts.append(f"{count.unobserved:,} unobserved")
    answered, sent, one_way = merge.heartbeats_answered, merge.heartbeats_sent, merge.heartbeats_one_way
    if beats := answered_line(answered, sent, one_way=one_way):
        parts.append(f"heartbeats {beats}")
    rtts = [(name, merge.rtt_below(share)) for name, share in _LIVE.items()]
    if told := [f"{name} <{show(limit)}" for name, limit in rtts if limit is not None]:
        parts.append(f"rtt {' '.join(told)}")
    if merge.returns:
        parts.append(f"{_came_back(merge):,} came back")
    if merge.lag >= 0.1:
        parts.append(f"own lag {show(merge.lag)}")
    return ", ".join(parts)


def _of_workers(merge: FleetMerge) -> list[str]:
    """A line for each of the first workers, where there are several."""
    workers = merge.workers
    if len(workers) < 2:
        return []
    more = [f"  and {len(workers) - _WORKERS} more workers"] if len(workers) > _WORKERS else []
    shown = [worker_line(each, merge.held_by(each.number)) for each in workers[:_WORKERS]]
    return [f"  worker {line}" for line in shown] + more


def _numbers(merge: FleetMerge) -> dict[str, Any]:
    """How a fleet goes, as data: the parts add up to the plan, and what has yet to open is not open."""
    count, held = merge.count, max(0, merge.held)
    return {
        **plain(count),
        "open": held,
        "unopened": count.open - held,
        "opened": merge.opened,
        "causes": dict(merge.causes),
        "came_back": _came_back(merge),
        "heartbeats_sent": merge.heartbeats_sent,
        "heartbeats_answered": merge.heartbeats_answered,
        "heartbeats_one_way": merge.heartbeats_one_way,
        **{f"rtt_{name}_below": merge.rtt_below(share) for name, share in _LIVE.items()},
        "lag": round(merge.lag, 3),
    }


def _came_back(merge: FleetMerge) -> int:
    return sum(each.after is not None for each in merge.returns)


def _result(fleet: Fleet, verdict: Verdict, summary: FleetSummary) -> Result:
    """What came of the fleet, for a report."""
    return Result(
        nodeid=f"wsstability fleet {fleet.url}",
        url=fleet.url,
        requirement=fleet.requirement,
        verdict=verdict,
        fleet=summary,
        records=fleet.kept,
    )


def _as_text(fleet: Fleet, verdict: Verdict, summary: FleetSummary) -> str:
    if verdict.outcome is not Outcome.STABLE:
        return begun_with(verdict.outcome, explain_fleet(verdict, summary))
    told = [f"rtt {rtt_line(summary)}"] if summary.rtts else []
    told += [f"{name}: {line}" for name, line in more_lines(summary)]
    held = f"{fleet.url} for {show(verdict.horizon)} in {verdict.tier.value}"
    return "; ".join([f"stable: {held}: {count_line(summary.count)}", *told])


def _as_json(fleet: Fleet, verdict: Verdict, summary: FleetSummary) -> dict[str, Any]:
    return {"event": "end", **as_json(verdict), "url": fleet.url, "fleet": plain(summary)}
