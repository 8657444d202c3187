"""How the commands tell a verdict: in colour, as JSON, and by what they exit with."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..core.judge.verdict import Outcome, Verdict
from ..core.message import read_on
from ..core.plain import plain
from ..net.errors import OpeningError
from ..report.colours import Style, is_coloured, paint, styled
from .exits import INCONCLUSIVE, STABLE, UNSTABLE
from .output import columns, own_options, say_json, shown
from .reports import ReportFiles

_COLOURS = {Outcome.STABLE: "green", Outcome.UNSTABLE: "red", Outcome.INCONCLUSIVE: "yellow"}
_STATUSES = {Outcome.STABLE: STABLE, Outcome.UNSTABLE: UNSTABLE, Outcome.INCONCLUSIVE: INCONCLUSIVE}


def say_message(text: str, options: argparse.Namespace, first: Style) -> None:
    """
    Print what came of it: on a terminal broken between words, and in colour if it is wanted.

    Args:
        text: the message.
        options: those of `add_output_options`.
        first: the style of the first sentence.

    """
    stream = sys.stdout
    coloured = is_coloured(stream, options.color)
    for line, style in styled(shown(own_options(text)), columns(), first):
        print(paint(line, style) if coloured else line, file=stream)
    stream.flush()


def tell_opening(exc: OpeningError, options: argparse.Namespace, reports: ReportFiles) -> int:
    """Print and write why nothing opened, what to change, where to read on; returns the exit code."""
    if options.json:
        told = {"outcome": "not opened", "error": str(exc), "diagnosis": plain(exc.diagnosis)}
        say_json(own_options(told))
    else:
        lines = [str(exc), f"  fix       {exc.diagnosis.remedy}", read_on(exc.stage.code)]
        say_message("\n".join(lines), options, ("red", "bold"))
    # Those of an earlier run would be taken for those of this one.
    reports.write(complaints=[str(exc)])
    # What this machine lacked says nothing of the server.
    return UNSTABLE if exc.shortage is None else INCONCLUSIVE


def style_of(outcome: Outcome) -> Style:
    """The style of a first sentence that says this."""
    return (_COLOURS[outcome], "bold")


def status_of(outcome: Outcome) -> int:
    """What a command that ends with this exits with."""
    return _STATUSES[outcome]


def begun_with(outcome: Outcome, said: str) -> str:
    """A failure's message, which begins with the outcome; an inconclusive one says so itself."""
    return said if said.startswith(outcome.value) else f"{outcome.value}: {said}"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """What a verdict on one connection or on a fleet says."""
    return {
        "outcome": verdict.outcome.value,
        "headline": verdict.headline,
        "horizon": verdict.horizon,
        "violations": [
            {"rule": each.rule.value, "at": each.at, "expected": each.expected, "observed": each.observed}
            for each in verdict.violations
        ],
        "doubts": [{"reason": each.reason.value, "text": each.text} for each in verdict.doubts],
    }
