"""Colour on a terminal: the style of each line of a message, and whether there is any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TextIO

from ..core.message.wrap import wrapped

# Names of pytest's terminal writer; nothing for plain text.
Style = tuple[str, ...]

# ECMA-48, Select Graphic Rendition.
_CODES = {"bold": 1, "light": 2, "red": 31, "green": 32, "yellow": 33}
# By what a line begins with: those of a failure, and those of a probe.
_STYLES: tuple[tuple[str, Style], ...] = (
    ("  expected", ("bold",)),
    ("  observed", ("red",)),
    ("  likely", ("yellow", "bold")),
    ("  fix", ("green",)),
    ("  planned?", ("green",)),
    ("  not ", ("light",)),
    ("  covered", ("light",)),
    ("  ended at", ("bold",)),
    ("  read on", ("light",)),
    ("  in doubt", ("yellow",)),
    ("  found", ("bold",)),
    ("  send", ("green",)),
)


def is_coloured(stream: TextIO, choice: str = "auto") -> bool:
    """
    Whether what goes to a stream is coloured.

    Args:
        stream: where it goes.
        choice: "yes", "no" or "auto": a terminal is, unless the variable ``NO_COLOR`` (no-color.org) is set
            or ``TERM`` is "dumb"; the variable ``FORCE_COLOR`` colours everything else, too.

    """
    if choice != "auto":
        return choice == "yes"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def paint(text: str, style: Style) -> str:
    """The text in its style, for a terminal."""
    if not style or not text:
        return text
    return f"\x1b[{';'.join(str(_CODES[name]) for name in style)}m{text}\x1b[0m"


def styled(message: str, width: int, first: Style) -> Iterator[tuple[str, Style]]:
    """
    The lines of a message, broken between words, and the style of each.

    Args:
        message: a failure, or what a command found.
        width: columns there are.
        first: the style of its first sentence.

    """
    style = first
    for number, line in enumerate(wrapped(message, width)):
        # What hangs below a line has its colour; the first sentence hangs by four.
        if number and not line.startswith(" " * 12) and not (style is first and line[:4] == "    "):
            style = next((style for start, style in _STYLES if line.startswith(start)), ())
        yield line, style
