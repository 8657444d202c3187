"""How a probe goes on: a line a connection on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from ..net.probe import Prober
    from ..net.probe.climber import Climber

# Seconds between two looks: on a terminal all lines are written over, elsewhere one is added.
_LIVE, _PLAIN = 0.5, 30.0


class Board:
    """The connections of a probe, as far as they are."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._live = stream.isatty()
        self._timer: asyncio.TimerHandle | None = None
        # Lines on the terminal that the next look writes over.
        self._lines = 0

    def start(self, prober: Prober) -> None:
        """Report on a probe until `stop`."""
        if not self._quiet:
            self._tick(prober)

    def stop(self) -> None:
        """Report no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, prober: Prober) -> None:
        lines = self._board(prober) if self._live else [self._summary(prober)]
        # Up over what stands there, each line cleared (ECMA-48: CUU, EL).
        up = f"\x1b[{self._lines}A" if self._lines else ""
        clear = "\r\x1b[K" if self._live else ""
        self._stream.write(up + "".join(f"{clear}{line}\n" for line in lines))
        self._stream.flush()
        self._lines = len(lines) if self._live else 0
        delay = _LIVE if self._live else _PLAIN
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick, prober)

    def _board(self, prober: Prober) -> list[str]:
        width = max(len(climber.rung.name) for climber in prober.climbers)
        rows = [f"  {climber.rung.name:<{width}}  {_state(climber)}" for climber in prober.climbers]
        return [self._summary(prober), *rows]

    def _summary(self, prober: Prober) -> str:
        from ..core.duration import show_duration as show

        ages = [line.duration for climber in prober.climbers if (line := climber.timeline) is not None]
        gone = [c for c in prober.climbers if c.observation is not None and c.observation.gone]
        count = len(prober.climbers)
        text = (
            f"{max(ages, default=0.0):.0f} s of {show(prober.seconds)} · {prober.url} · {count} connections"
        )
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
