"""What the commands print: text and JSON, without the secrets that the command line gave."""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
import sys
from typing import Any, TextIO, TypeVar

from ..core.redact import in_texts, printable, redact, redact_text

# Where nobody looks, lines are as long as they are: other programs read them.
_UNBROKEN = 1_000_000
# An option of the plugin, and no part of a URL.
_OF_THE_PLUGIN = re.compile(r"(?<![^\s('`])--ws-")

_T = TypeVar("_T")


def add_output_options(parser: argparse.ArgumentParser, *, json: str) -> None:
    """Declare how a command prints; ``json`` says what the option of that name does."""
    parser.add_argument(
        "--color",
        choices=("auto", "yes", "no"),
        default="auto",
        help="colour: auto (default: on a terminal, unless NO_COLOR is set), yes, no",
    )
    parser.add_argument("--json", action="store_true", help=json)


def escape_what_cannot_be_written() -> None:
    """
    Let standard output escape the characters that its encoding lacks.

    Where it leads to a file, that is the system's (cp1252, Latin-1, ASCII), and a peer may say anything.

    """
    # Other ways of handling them are the user's choice, and raise nothing (PYTHONIOENCODING).
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines; what would move a cursor in one of them is escaped."""
    print(shown(text), file=stream or sys.stdout, flush=True)


def columns() -> int:
    """How wide a line may be: the terminal's width, where somebody looks."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNBROKEN


def say_json(value: Any) -> None:
    """Print one JSON object in a line: ASCII, so that nothing in it fools a terminal."""
    print(json.dumps(redact(value)), flush=True)


def own_options(value: _T) -> _T:
    """Advice that names options of the plugin, with those of the commands: these lack the prefix."""
    return in_texts(value, lambda text: _OF_THE_PLUGIN.sub("--", text))


def shown(text: str) -> str:
    """Lines as they may be printed: secrets masked, what would move a cursor escaped."""
    return "\n".join(map(printable, redact_text(text).split("\n")))
