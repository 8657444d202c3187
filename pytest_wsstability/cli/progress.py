"""How a command goes on: rows written over on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence

from ..report.colours import is_coloured
from ..report.live import LiveBlock, Row
from .output import say

# Seconds between two looks: on a terminal all rows are written over, elsewhere a line is added.
_LIVE, _PLAIN = 0.5, 30.0


class CommandProgress:
    """
    What is known until now, again and again, on standard error; with ``--json`` nothing.

    Args:
        options: those of `add_output_options`.

    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._quiet = options.json
        self._live = sys.stderr.isatty()
        self._coloured = is_coloured(sys.stderr, options.color)
        self._block = LiveBlock()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, rows: Callable[[int], Sequence[Row]], line: Callable[[], str]) -> None:
        """
        Report until `stop`.

        Args:
            rows: what a terminal of so many columns shows.
            line: the same in a line.

        """
        if not self._quiet:
            self._tick(rows, line)

    def stop(self) -> None:
        """Report no more; the last rows stay."""
        if self._timer is not None:
            self._timer.cancel()
        if self._block.shown:
            sys.stderr.write("\n")

    def _tick(self, rows: Callable[[int], Sequence[Row]], line: Callable[[], str]) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns
            self._block.draw(sys.stderr, rows(width), width=width, coloured=self._coloured)
        else:
            say(line(), sys.stderr)
        delay = _LIVE if self._live else _PLAIN
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick, rows, line)
