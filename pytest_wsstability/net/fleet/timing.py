"""Round trips over time: of some connections of a slot, so that a large fleet pays for few."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.fleet.frame import RTT_LIMITS
from ...core.timeline.timeline import Timeline

# So many connections of a slot are timed; when one is over, another takes its place.
TIMED = 200
_NONE = (0,) * (len(RTT_LIMITS) + 1)


class _Timed:
    """What was told of one connection: of how many events and answers, and how many of these by duration."""

    __slots__ = ("answers", "counts", "events", "timeline")

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.events = self.answers = 0
        self.counts: Sequence[int] = _NONE

    def add_to(self, found: list[int]) -> None:
        """Add the round trips that were not told before."""
        if self.timeline.total == self.events:
            # Between two heartbeats there is nothing to add up.
            return
        trips, self.events = self.timeline.heartbeats, self.timeline.total
        if trips.answered == self.answers:
            return
        counts = trips.told.histogram(RTT_LIMITS)
        for row, (now, then) in enumerate(zip(counts, self.counts, strict=True)):
            found[row] += now - then
        self.answers, self.counts = trips.answered, counts


class Timing:
    """How many round trips of the timed connections ended since this was asked before, by duration."""

    def __init__(self) -> None:
        self._timed: dict[int, _Timed] = {}
        # Those of connections that are over.
        self._found = list(_NONE)

    def add(self, number: int, timeline: Timeline) -> None:
        """Time a connection, unless there are enough."""
        if len(self._timed) < TIMED:
            self._timed[number] = _Timed(timeline)

    def remove(self, number: int) -> None:
        """A connection is over: what it has not told by then is told next."""
        timed = self._timed.pop(number, None)
        if timed is not None:
            timed.add_to(self._found)

    def since(self) -> tuple[int, ...]:
        """Counts by `RTT_LIMITS` since this was asked before."""
        for timed in self._timed.values():
            timed.add_to(self._found)
        found, self._found = self._found, list(_NONE)
        return tuple(found)
