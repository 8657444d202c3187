"""Messages that fit a terminal: lines broken between words, what follows below what it belongs to."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

# A line of a message: its label (``  expected  ``, ``    cause: ``), or the room before its text.
_LABEL = re.compile(r" *(?:[a-z?.-]+:? +)?")
# Narrower than this nothing is legible; a hanging indent that leaves less is none.
_NARROW = 40
# Between a number and its unit, and in the name of an end, no line breaks.
_TOGETHER = re.compile(
    r"(?<=\d) (?=(?:ms|s|h|B|KiB|MiB|%)\b)|(?<=\[client|\[server) (?=end\])|(?<=\[proxy) (?=end\])"
)
_NO_BREAK = "\u00a0"
# Strips of characters, and their axis, mean something by their columns: they are never broken.
_DRAWN = re.compile(r"^ {2,4}(?:client|server|proxy|beats|pings)? {2,}+[-=:~LZFDCX+!o ]*$|^ {12}\S")

# What the signs of a strip mean: broken between two of them.
_LEGEND = re.compile(r"^ {12}[-=:~LZFDCX+!o] [a-z]")
_BETWEEN = "   "


def wrapped(message: str, width: int) -> Iterator[str]:
    """
    The lines of a message, none wider than ``width`` columns but for words and drawings that are.

    Args:
        message: what is shown.
        width: columns there are; below `_NARROW` nothing is broken.

    """
    for line in message.splitlines():
        if len(line) > width >= _NARROW and _LEGEND.match(line):
            yield from _between_signs(line, width)
            continue
        if len(line) <= width or width < _NARROW or _DRAWN.match(line):
            yield line
            continue
        line = _TOGETHER.sub(_NO_BREAK, line)
        label = _LABEL.match(line)
        hang = len(label[0]) if label is not None and label[0][:1] == " " else 4
        hang = hang if width - hang >= _NARROW // 2 else 4
        broken = textwrap.wrap(
            line,
            width,
            subsequent_indent=" " * hang,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
            expand_tabs=False,
            replace_whitespace=False,
        )
        yield from (part.replace(_NO_BREAK, " ") for part in broken)


def _between_signs(line: str, width: int) -> Iterator[str]:
    indent = " " * 12
    shown = ""
    for sign in line.strip().split(_BETWEEN):
        longer = f"{shown}{_BETWEEN}{sign}" if shown else sign
        if len(indent) + len(longer) > width and shown:
            yield indent + shown
            longer = sign
        shown = longer
    yield indent + shown
