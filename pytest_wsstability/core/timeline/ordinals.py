"""How many of something there were by an instant, in bounded memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left

# The first instants are all kept, and of those after them so many: each second one where there are more, then
# each fourth, and so on.
FIRST = 16
OTHERS = 32


class Ordinals:
    """
    How many instants lie before another one: exact up to `FIRST`, and of more within a sixteenth.

    They are added in their order.

    Args:
        count: of those that a report tells of only the number is known. They lie before any instant: a record
            ends with what was judged.

    """

    __slots__ = ("_instants", "_last", "_step", "count")

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self._instants = array("d")
        self._step = 1
        self._last = -1.0

    def __copy__(self) -> Ordinals:
        copied = Ordinals(self.count)
        copied._instants, copied._step, copied._last = self._instants[:], self._step, self._last
        return copied

    def add(self, at: float) -> None:
        """One more."""
        if (self.count - FIRST) % self._step == 0:
            if len(self._instants) == FIRST + OTHERS:
                del self._instants[FIRST + 1 :: 2]
                self._step *= 2
            self._instants.append(at)
        self.count += 1
        self._last = at

    def before(self, until: float) -> tuple[int, int]:
        """How many lie before an instant: at least, and at most."""
        if self._last < until:
            return self.count, self.count
        kept = bisect_left(self._instants, until)
        least = self._number(kept - 1) + 1 if kept else 0
        return least, self._number(kept) if kept < len(self._instants) else self.count

    def _number(self, place: int) -> int:
        """How many were added before the one that is kept at a place."""
        return min(place, FIRST) + max(0, place - FIRST) * self._step
