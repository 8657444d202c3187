"""Lines on a terminal that are written over in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from .colours import Style, paint

# ECMA-48: cursor up, cursor forward, erase to the end of the screen.
_UP, _FORWARD, _ERASE = "\x1b[{}A", "\x1b[{}C", "\x1b[J"


# The pieces of a line, each with its style.
Row = Sequence[tuple[str, Style]]


class LiveBlock:
    """
    A few lines below what stands on the terminal; erased, they leave the cursor where it was.

    Who else writes to the terminal erases the block before.

    """

    def __init__(self) -> None:
        self._lines = 0
        # Where the line above ended; 0 when the block began on a fresh line.
        self._column = 0

    @property
    def shown(self) -> bool:
        """Whether there is something to erase."""
        return self._lines > 0

    def draw(
        self,
        stream: TextIO,
        rows: Sequence[Row],
        *,
        width: int,
        column: int = 0,
        coloured: bool = False,
    ) -> None:
        """
        Write rows over those that are shown.

        Args:
            stream: the terminal.
            rows: what to show; each is cut to the width, because one that wraps cannot be erased.
            width: columns of the terminal.
            column: where the cursor stands in the line above.
            coloured: whether the pieces of a row have their styles.

        """
        text = self._erasing()
        self._lines, self._column = len(rows), column
        shown = [_cut(row, max(1, width - 1), coloured=coloured) for row in rows]
        text += ("\n" if column and shown else "") + "\n".join(shown)
        stream.write(_encodable(text, stream))
        stream.flush()

    def erase(self, stream: TextIO) -> None:
        """Take the lines away."""
        if self.shown:
            stream.write(self._erasing())
            stream.flush()
            self._lines = 0

    def _erasing(self) -> str:
        if not self._lines:
            return ""
        up = _UP.format(self._lines - 1) if self._lines > 1 else ""
        back = _UP.format(1) + _FORWARD.format(self._column) if self._column else ""
        return f"{up}\r{_ERASE}{back}"


def _cut(row: Row, width: int, *, coloured: bool) -> str:
    text = ""
    for piece, style in row:
        shown = _printable(piece)[:width]
        width -= len(shown)
        text += paint(shown, style) if coloured else shown
    return text


def _printable(line: str) -> str:
    """A name may hold what moves the cursor."""
    return "".join(char if char.isprintable() else "?" for char in line)


def _encodable(text: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
