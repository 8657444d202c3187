"""Round trips over time: of some connections of a slot, so that a large fleet pays for few."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.fleet.frame import RTT_LIMITS
from ...core.timeline.timeline import Timeline

# So many connections of a slot are timed; when one is over, another takes its place.
TIMED = 200


class Timing:
    """How many round trips of the timed connections ended since this was asked before, by duration."""

    def __init__(self) -> None:
        self._timed: dict[int, Timeline] = {}
        self._told: list[int] = _sum(())

    def add(self, number: int, timeline: Timeline) -> None:
        """Time a connection, unless there are enough."""
        if len(self._timed) < TIMED:
            self._timed[number] = timeline

    def remove(self, number: int) -> None:
        """A connection is over: what it has not told by then comes with its whole record."""
        timeline = self._timed.pop(number, None)
        if timeline is not None:
            told = _sum([timeline])
            self._told = [total - own for total, own in zip(self._told, told, strict=True)]

    def since(self) -> tuple[int, ...]:
        """Counts by `RTT_LIMITS` since this was asked before."""
        before, self._told = self._told, _sum(self._timed.values())
        # A reading of answers without a key may change, and with it what was counted before.
        return tuple(max(0, now - then) for now, then in zip(self._told, before, strict=True))


def _sum(timelines: Iterable[Timeline]) -> list[int]:
    total = [0] * (len(RTT_LIMITS) + 1)
    for timeline in timelines:
        for row, count in enumerate(timeline.heartbeats.rtts.histogram(RTT_LIMITS)):
            total[row] += count
    return total
