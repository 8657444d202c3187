"""Messages that fit a terminal: lines broken between words, what follows below what it belongs to."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

# A line of a message: its label (``  expected  ``, ``    cause: ``), or the room before its text.
_LABEL = re.compile(r" *(?:[a-z?.-]+:? +)?")
# Narrower than this nothing is legible; a hanging indent that leaves less is none.
_NARROW = 40
# Strips of characters, and their axis, mean something by their columns: they are never broken.
_DRAWN = re.compile(r"^ {2,4}(?:client|server|proxy|beats|pings)? {2,}[-=:~LZFDCX+!o ]+$|^ {12}\S")


def wrapped(message: str, width: int) -> Iterator[str]:
    """
    The lines of a message, none wider than ``width`` columns but for words and drawings that are.

    Args:
        message: what is shown.
        width: columns there are; below `_NARROW` nothing is broken.

    """
    for line in message.splitlines():
        if len(line) <= width or width < _NARROW or _DRAWN.match(line):
            yield line
            continue
        label = _LABEL.match(line)
        hang = len(label[0]) if label is not None and label[0][:1] == " " else 4
        hang = hang if width - hang >= _NARROW // 2 else 4
        yield from textwrap.wrap(
            line,
            width,
            subsequent_indent=" " * hang,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
            expand_tabs=False,
            replace_whitespace=False,
        )
