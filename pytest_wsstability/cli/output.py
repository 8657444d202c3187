"""What the commands print: text and JSON, without the secrets that the command line gave."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

from ..core.redact import printable, redact, redact_text

if TYPE_CHECKING:
    from ..core.judge.verdict import Outcome
    from ..report.colours import Style

# Where nobody looks, lines are as long as they are: other programs read them.
_UNBROKEN = 1_000_000


def add_output_options(parser: argparse.ArgumentParser, *, json: str) -> None:
    """Declare how a command prints; ``json`` says what the option of that name does."""
    parser.add_argument(
        "--color",
        choices=("auto", "yes", "no"),
        default="auto",
        help="colour: auto (default: on a terminal, unless NO_COLOR is set), yes, no",
    )
    parser.add_argument("--json", action="store_true", help=json)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines; what would move a cursor in one of them is escaped."""
    print(_shown(text), file=stream or sys.stdout, flush=True)


def columns() -> int:
    """How wide a line may be: the terminal's width, where somebody looks."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNBROKEN


def say_message(text: str, options: argparse.Namespace, first: Style) -> None:
    """
    Print what came of it: on a terminal broken between words, and in colour if it is wanted.

    Args:
        text: the message.
        options: those of `add_output_options`.
        first: the style of the first sentence.

    """
    from ..report.colours import is_coloured, paint, styled

    stream = sys.stdout
    coloured = is_coloured(stream, options.color)
    for line, style in styled(_shown(text), columns(), first):
        print(paint(line, style) if coloured else line, file=stream)
    stream.flush()


def style_of(outcome: Outcome) -> Style:
    """The style of a first sentence that says this."""
    from ..core.judge.verdict import Outcome

    colours = {Outcome.STABLE: "green", Outcome.UNSTABLE: "red", Outcome.INCONCLUSIVE: "yellow"}
    return (colours[outcome], "bold")


def say_json(value: Any) -> None:
    """Print one JSON object in a line: ASCII, so that nothing in it fools a terminal."""
    print(json.dumps(redact(value)), flush=True)


def _shown(text: str) -> str:
    return "\n".join(map(printable, redact_text(text).split("\n")))
