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

    They are added in their order, by their owner itself, as there may be thousands a second: each one that is
    `due` is kept, and of all the number and the last are.

    Args:
        count: of those that a report tells of only the number is known. They lie before any instant: a record
            ends with what was judged.

    Attributes:
        count: how many there are.
        due: what `count` is when the next one is to be kept.
        last: the last one.

    """

    __slots__ = ("_instants", "_step", "count", "due", "last")

    def __init__(self, count: int = 0) -> None:
        self.count = count
        # None up to the second one: before that, `last` says it all.
        self._instants: array[float] | None = None
        self.due = count + 1
        self._step = 1
        self.last = -1.0

    def __copy__(self) -> Ordinals:
        copied = Ordinals(self.count)
        copied._instants = None if self._instants is None else self._instants[:]
        copied._step, copied.due, copied.last = self._step, self.due, self.last
        return copied

    def keep(self, at: float) -> None:
        """Keep the next one, which is due."""
        if self._instants is None:
            self._instants = array("d", (self.last,))
        elif len(self._instants) == FIRST + OTHERS:
            del self._instants[FIRST + 1 :: 2]
            self._step *= 2
        self._instants.append(at)
        self.due += self._step

    def before(self, until: float) -> tuple[int, int]:
        """How many lie before an instant: at least, and at most."""
        if self.last < until:
            return self.count, self.count
        if self._instants is None:
            return 0, 0
        kept = bisect_left(self._instants, until)
        least = self._number(kept - 1) + 1 if kept else 0
        return least, self._number(kept) if kept < len(self._instants) else self.count

    def _number(self, place: int) -> int:
        """How many were added before the one that is kept at a place."""
        return min(place, FIRST) + max(0, place - FIRST) * self._step
