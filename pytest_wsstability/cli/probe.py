"""`wsstability probe`: which timers rule a URL, and which traffic resets them."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from .board import Board
from .connecting import add_connect_options, connect_options, opening_error, opening_message
from .exits import INCONCLUSIVE, INTERRUPTED, STABLE, UNSTABLE
from .output import add_output_options, say_json, say_message
from .reports import ReportFiles, add_report_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.probe.findings import Findings
    from ..core.result import Result
    from ..net.probe import Prober

HELP = "find out which timers rule a URL, and which traffic resets them"
EPILOG = (
    "opens at most 12 connections side by side; exit: 0 found, or nothing within --max, 1 not opened, "
    "2 usage, 3 inconclusive, 130 interrupted (what was seen until then is printed)"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("url", help="ws:// or wss://")
    add("--max", default="10m", metavar="DURATION", help="how long to wait at most (default: 10m)")
    add("--every", metavar="DURATION", help="interval of the busy connections (default: a 200th, at most 5s)")
    add("--text", metavar="MESSAGE", help="what the connection that sends text says")
    add_connect_options(parser)
    add_report_option(parser)
    add_output_options(parser, json="one JSON object in the end, nothing else")


def run(options: argparse.Namespace) -> int:
    """Probe one URL; returns the exit code."""
    from ..net.errors import OpeningError
    from ..net.probe import Prober

    reports = ReportFiles(options.report)
    text = {} if options.text is None else {"text": options.text}
    prober = Prober(options.url, seconds=options.max, every=options.every, **text, **connect_options(options))
    board = Board(sys.stderr, options)
    try:
        findings, interrupted = asyncio.run(_probe(prober, board))
    except OpeningError as exc:
        if options.json:
            say_json({"outcome": "not opened", "error": opening_error(exc)})
        else:
            say_message(opening_message(exc), options, ("red", "bold"))
        return UNSTABLE
    finally:
        board.stop()
    if options.json:
        say_json(_as_json(prober.url, findings))
    else:
        say_message(_as_text(prober.url, findings), options, ())
    reports.write(*_results(prober), notes=_notes(findings))
    if interrupted:
        return INTERRUPTED
    return INCONCLUSIVE if findings.doubts else STABLE


async def _probe(prober: Prober, board: Board) -> tuple[Findings, bool]:
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        prober.stop()

    # Where there are no signal handlers, an interrupt ends the command without findings.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
    findings = await prober.run(watch=board.start)
    return findings, interrupted


def _as_text(url: str, findings: Findings) -> str:
    from ..core.probe.words import report

    return "\n".join([url, *report(findings)])


def _as_json(url: str, findings: Findings) -> dict[str, object]:
    from ..core.probe.owners import owners
    from ..core.probe.words import sentence

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
    from ..core.judge.interrupted import interrupted
    from ..core.judge.requirement import Requirement
    from ..core.result import Result

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
    from ..core.probe.words import meaning

    return [" ".join(line.split(maxsplit=1)) for line in meaning(findings)]
