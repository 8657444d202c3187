"""`wsstability report`: earlier report files, merged and shown."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from ..core.judge.verdict import Outcome
from ..core.result import Run
from ..core.timeline.events import Tier
from ..report.cells import totals
from ..report.colours import is_coloured, paint
from ..report.formats import renderer
from ..report.json_file import render as render_json
from ..report.reading import merged, read
from ..report.terminal import summary
from .exits import INCONCLUSIVE, STABLE, UNSTABLE
from .output import add_output_options, say

EPILOG = "exit: 0 stable, 1 unstable or a gate failed, 2 usage, 3 inconclusive"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="reports of pytest --ws-report: .json or .jsonl")
    add(
        "--to",
        action="append",
        default=[],
        metavar="FILE",
        help="write a report instead: .json, .jsonl, .md, .html or .xml; repeats",
    )
    add_output_options(parser, json="one JSON object, nothing else")


def run(options: argparse.Namespace) -> int:
    """Read, merge and show; returns the exit code."""
    renderers = [(Path(path), renderer(path)) for path in options.to]
    runs = [read(Path(path)) for path in options.files]
    together = merged(runs)
    for path, render in renderers:
        path.write_text(render(together), encoding="utf-8")
    if options.json:
        print(render_json(together), end="")
    elif not renderers:
        _show(runs, together, coloured=is_coloured(sys.stdout, options.color))
    return _exit_code(together)


def _show(runs: list[Run], together: Run, *, coloured: bool) -> None:
    """Print the summary of all runs, and a line each."""
    for line in summary(together, width=shutil.get_terminal_size().columns, everything=True):
        print(paint(line.text, (line.colour,)) if coloured and line.colour else line.text)
    if not together.results:
        say("no connection was held")
    if len(runs) > 1:
        for run in sorted(runs, key=lambda each: each.started):
            for tier in Tier:
                if (total := totals(run.results, tier)) is not None:
                    say(f"run of {run.started}, {tier.value}: {total}")


def _exit_code(run: Run) -> int:
    outcomes = {result.verdict.outcome for result in run.results if result.failed}
    if Outcome.UNSTABLE in outcomes or run.complaints:
        return UNSTABLE
    return INCONCLUSIVE if outcomes else STABLE
