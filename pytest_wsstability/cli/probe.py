"""`wsstability probe`: which timers rule a URL, and which traffic resets them."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress

from ..core.duration import show_duration as show
from ..core.judge.interrupted import interrupted
from ..core.judge.requirement import Requirement
from ..core.probe.findings import Findings
from ..core.probe.words import meaning, owners, report, sentence
from ..core.result import Result
from ..core.timeline.events import Direction
from ..core.url import is_here
from ..net.errors import OpeningError
from ..net.probe import Prober
from ..net.probe.climber import Climber
from ..report.live import Row
from .connecting import add_connect_options, connect_options
from .exits import INCONCLUSIVE, INTERRUPTED, STABLE
from .output import add_output_options, own_options, say_json
from .progress import CommandProgress
from .reports import ReportFiles, add_report_option
from .verdicts import say_message, tell_opening

EPILOG = (
    "opens at most 12 connections side by side; exit: 0 found, or nothing within --max, 1 not opened, "
    "2 usage, 3 inconclusive, 130 interrupted (what was seen until then is printed)"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--max", default="10m", metavar="DURATION", help="how long to wait at most (default: 10m)")
    add(
        "--every",
        metavar="DURATION",
        help="interval of the busy connections (default: --max / 200, at most 5s)",
    )
    add("--text", metavar="MESSAGE", help="what the connection that sends text says")
    add_connect_options(parser)
    add_report_option(parser)
    add_output_options(parser, json="one JSON object at the end, nothing else")


def run(options: argparse.Namespace) -> int:
    """Probe one URL; returns the exit code."""
    reports = ReportFiles(options.report)
    text = {} if options.text is None else {"text": options.text}
    prober = Prober(options.url, seconds=options.max, every=options.every, **text, **connect_options(options))
    if not options.json and not is_here(options.url):
        sys.stderr.write(f"{_plan(prober)}\n")
    progress = CommandProgress(options)
    try:
        findings, is_interrupted = asyncio.run(_probe(prober, progress))
    except OpeningError as exc:
        return tell_opening(exc, options, reports)
    finally:
        progress.stop()
    if options.json:
        say_json(own_options(_as_json(prober.url, findings)))
    else:
        say_message(_as_text(prober.url, findings), options, ())
    reports.write(*_results(prober), notes=_notes(findings))
    if is_interrupted:
        return INTERRUPTED
    return INCONCLUSIVE if findings.doubts else STABLE


def _plan(prober: Prober) -> str:
    """What somebody else's host is about to see."""
    count, seconds = len(prober.rungs), show(prober.seconds)
    return f"plan: {count} connections side by side, for {seconds} at most, to {prober.url}"


async def _probe(prober: Prober, progress: CommandProgress) -> tuple[Findings, bool]:
    """What was found, and whether somebody wanted no more of it."""
    is_interrupted = False

    def interrupt() -> None:
        nonlocal is_interrupted
        is_interrupted = True
        prober.stop()

    # Where there are no signal handlers, an interrupt ends the command without findings.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
    findings = await prober.run(
        watch=lambda prober: progress.start(lambda _: _rows(prober), lambda: _summary(prober))
    )
    return findings, is_interrupted


def _rows(prober: Prober) -> list[Row]:
    """A row a connection, below what they come to."""
    width = max(len(climber.rung.name) for climber in prober.climbers)
    return [
        ((_summary(prober), ("bold",)),),
        *(_row(climber, f"  {climber.rung.name:<{width}}  ") for climber in prober.climbers),
    ]


def _row(climber: Climber, name: str) -> Row:
    gone = climber.observation is not None and climber.observation.gone
    return ((name, ()), (_state(climber), ("yellow",) if gone else ()))


def _summary(prober: Prober) -> str:
    ages = [line.duration for climber in prober.climbers if (line := climber.timeline) is not None]
    gone = [c for c in prober.climbers if c.observation is not None and c.observation.gone]
    count = len(prober.climbers)
    text = f"{max(ages, default=0.0):.0f} s of {show(prober.seconds)} · {prober.url} · {count} connections"
    return f"{text}, {len(gone)} ended" if gone else text


def _state(climber: Climber) -> str:
    if climber.observation is not None:
        seen = climber.observation
        return f"{seen.fate.value} at {seen.age:.1f} s" if seen.gone else seen.fate.value
    timeline = climber.timeline
    if timeline is None:
        return "opening"
    sent, received = timeline.count(Direction.SENT), timeline.count(Direction.RECEIVED)
    return f"{timeline.duration:.0f} s · {sent} frames sent, {received} received"


def _as_text(url: str, findings: Findings) -> str:
    return "\n".join([url, *report(findings)])


def _as_json(url: str, findings: Findings) -> dict[str, object]:
    outcome = "inconclusive" if findings.doubts else "found" if findings.timers else "none"
    return {
        "outcome": outcome,
        "url": url,
        "sentence": sentence(findings),
        "fits": [owners(timer, findings.tier) for timer in findings.timers],
        **findings.as_dict(),
    }


def _results(prober: Prober) -> Iterator[Result]:
    """Its connections for a report: whatever became of one, the probe wanted to know it."""
    for climber in prober.climbers:
        seen, timeline = climber.seen(), climber.timeline
        if seen is None or timeline is None:
            continue
        requirement = Requirement.of(alive_for=prober.seconds if seen.gone else seen.age)
        yield Result(
            nodeid=f"wsstability probe: {climber.rung.name}",
            url=prober.url,
            requirement=requirement,
            verdict=interrupted(requirement, timeline, "ended by the probe"),
            timelines=(timeline,),
            expected=True,
        )


def _notes(findings: Findings) -> list[str]:
    """What the connections mean, a line each."""
    return [" ".join(line.split(maxsplit=1)) for line in meaning(findings)]
