"""How a probe goes on: a row a connection on a terminal, plain lines elsewhere."""

from __future__ import annotations

import argparse
import asyncio
import shutil
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ..net.probe import Prober
    from ..net.probe.climber import Climber
    from ..report.live import Row

# Seconds between two looks: on a terminal all rows are written over, elsewhere a line is added.
_LIVE, _PLAIN = 0.5, 30.0


class Board:
    """The connections of a probe, as far as they are."""

    def __init__(self, stream: TextIO, options: argparse.Namespace) -> None:
        from ..report.colours import is_coloured
        from ..report.live import LiveBlock

        self._stream = stream
        self._quiet = options.json
        self._live = stream.isatty()
        self._coloured = is_coloured(stream, options.color)
        self._block = LiveBlock()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, prober: Prober) -> None:
        """Report on a probe until `stop`."""
        if not self._quiet:
            self._tick(prober)

    def stop(self) -> None:
        """Report no more; the last rows stay."""
        if self._timer is not None:
            self._timer.cancel()
        if self._block.shown:
            self._stream.write("\n")

    def _tick(self, prober: Prober) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns
            self._block.draw(self._stream, _rows(prober), width=width, coloured=self._coloured)
        else:
            print(_summary(prober), file=self._stream, flush=True)
        delay = _LIVE if self._live else _PLAIN
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick, prober)


def _rows(prober: Prober) -> list[Row]:
    width = max(len(climber.rung.name) for climber in prober.climbers)
    return [
        ((_summary(prober), ("bold",)),),
        *(_row(climber, f"  {climber.rung.name:<{width}}  ") for climber in prober.climbers),
    ]


def _row(climber: Climber, name: str) -> Row:
    gone = climber.observation is not None and climber.observation.gone
    return ((name, ()), (_state(climber), ("yellow",) if gone else ()))


def _summary(prober: Prober) -> str:
    from ..core.duration import show_duration as show

    ages = [line.duration for climber in prober.climbers if (line := climber.timeline) is not None]
    gone = [c for c in prober.climbers if c.observation is not None and c.observation.gone]
    count = len(prober.climbers)
    text = f"{max(ages, default=0.0):.0f} s of {show(prober.seconds)} · {prober.url} · {count} connections"
    return f"{text}, {len(gone)} ended" if gone else text


def _state(climber: Climber) -> str:
    from ..core.timeline.events import Direction

    if climber.observation is not None:
        seen = climber.observation
        return f"{seen.fate.value} at {seen.age:.1f} s" if seen.gone else seen.fate.value
    timeline = climber.timeline
    if timeline is None:
        return "opening"
    sent, received = timeline.count(Direction.SENT), timeline.count(Direction.RECEIVED)
    return f"{timeline.duration:.0f} s · {sent} frames sent, {received} received"
