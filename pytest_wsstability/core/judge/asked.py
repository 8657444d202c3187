"""What was asked in a hold, heartbeats or pings, and what came of it."""

from __future__ import annotations

import math

from ..timeline.events import SAME
from ..timeline.round_trips import Pairing, RoundTrips
from ..timeline.timeline import Timeline
from .progress import asks_until, is_over
from .requirement import Requirement


class AskedInHold:
    """
    The questions of a hold and their answers, however far the record goes on after it.

    Args:
        requirement: what is judged.
        timeline: the record.
        trips: its questions.
        within: seconds that an answer has; one that is open at the end of the hold is waited for so long.

    """

    def __init__(
        self, requirement: Requirement, timeline: Timeline, trips: RoundTrips, within: float
    ) -> None:
        self._hold, self._now, self._within = requirement.alive_for, timeline.duration, within
        self._trips = trips
        self._until, close = asks_until(requirement), timeline.close
        # An end while they are waited for leaves them without an answer.
        self._cut = close is not None and not close.planned and is_over(requirement, timeline)

    def counts(self, at: float) -> bool:
        """Whether it belongs to the hold: what was asked after it does not."""
        return at < self._until

    @property
    def sent(self) -> tuple[int, int]:
        """How many there were: at least, and at most."""
        return self._trips.sent_before(self._until)

    @property
    def goes_on(self) -> bool:
        """Whether there are others after the hold."""
        return self.sent[0] < self._trips.sent

    @property
    def span(self) -> float:
        """Seconds in which they were."""
        return self._hold if self._hold is not None and self.goes_on else self._now

    def overdue(self, at: float) -> bool:
        """Whether it is missed."""
        return self.counts(at) and (self._cut or self._now - at >= self._within - SAME)

    def late(self, reading: Pairing) -> list[tuple[float, float]]:
        """``(at, seconds)`` of those whose answer came late, as far as they are kept: the slowest."""
        slow = reading.rtts.slowest_above(self._within + SAME)
        return [(at, seconds) for at, seconds in slow if self.counts(at)]

    def slow(self, reading: Pairing, limit: float) -> list[tuple[float, float]]:
        """The same of those that took longer than a limit, and were answered while the hold was watched."""
        slow = [pair for pair in reading.rtts.slowest_above(limit + SAME) if self.counts(pair[0])]
        hold = math.inf if self._hold is None else self._hold
        return [(at, took) for at, took in slow if min(at + took - hold, took - self._within) <= SAME]

    def untold(self, reading: Pairing, limit: float) -> int:
        """How many took longer than a limit of which only the number is kept, those after the hold too."""
        return reading.late(limit) - len(reading.rtts.slowest_above(limit + SAME))

    def missed(self, reading: Pairing) -> tuple[int, int]:
        """How many were not answered in time: at least, and at most."""
        most = reading.missed(self.overdue, self._within) + len(self.late(reading))
        most -= len(reading.rtts.slowest_above(self._within + SAME))
        if not self.goes_on:
            return most, most
        # Those of which only the number is kept may all have been asked after the hold.
        least = most - self.untold(reading, self._within) - reading.abandoned
        return least, min(most, self.sent[1])

    def answered(self, reading: Pairing) -> tuple[int, int]:
        """How many have their answer, late or not: at least, and at most."""
        count = reading.rtts.count
        if not self.goes_on:
            return count, count
        least, most = self.sent
        still = sum(map(self.counts, reading.open))
        return max(0, least - still - reading.abandoned), min(most - still, count)

    def in_time(self, reading: Pairing) -> tuple[int, int]:
        """How many were answered in time: at least, and at most."""
        least, most = self.answered(reading)
        late, untold = len(self.late(reading)), self.untold(reading, self._within)
        return max(0, least - late - untold), most - late - (0 if self.goes_on else untold)

    def young(self, reading: Pairing) -> int:
        """How many still have time."""
        return sum(self.counts(at) and not self.overdue(at) for at in reading.open)
