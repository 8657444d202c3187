"""The rule about round trip times."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..duration import show_duration as show
from ..timeline.events import SAME
from ..timeline.round_trips import Pairing, RoundTrips
from ..timeline.timeline import Timeline
from .asked import AskedInHold
from .excuses import Incidents
from .heartbeat_rules import ambiguous
from .progress import goes_on
from .requirement import Requirement
from .verdict import Doubt, Finding, Reason, Rule, Violation


def rtt(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """95 of 100 round trips are as quick as that; the slowest of fewer than 20."""
    limit = requirement.rtt_p95
    # Those that are still to come may make up for the slow ones.
    if limit is None or goes_on(requirement, timeline):
        return
    asked = ((timeline.heartbeats, requirement.answer_within), (timeline.pings, requirement.pings_within))
    for trips, waited in asked:
        found = _slow_trips(requirement, timeline, trips, waited or 0.0)
        if found[0].count[1]:
            break
    else:
        yield Doubt(Reason.TOO_FEW, "no round trip was measured")
        return
    if all(each.surely for each in found):
        yield _slow_round_trips(limit, found[0], incidents)
    elif any(each.perhaps for each in found):
        yield ambiguous(trips)


def _slow_trips(
    requirement: Requirement, timeline: Timeline, trips: RoundTrips, waited: float
) -> list[_Slow]:
    """Of the round trips in a hold those that were slow, in the readings between which all others lie."""
    asked, limit = AskedInHold(requirement, timeline, trips, waited), requirement.rtt_p95
    assert limit is not None
    return [_Slow(asked, reading, limit) for reading in trips.readings(limit)[:2]]


class _Slow:
    """Of the round trips in a hold, those that took longer than a limit."""

    def __init__(self, asked: AskedInHold, reading: Pairing, limit: float) -> None:
        # As ``(at, seconds)``; how many others there may be.
        self.told = asked.slow(reading, limit)
        self.others = asked.untold(reading, limit)
        kept = reading.rtts.slowest_above(limit + SAME)
        # Asked in the hold, and answered when it was not watched any more.
        unwatched = sum(asked.counts(at) for at, _ in kept) - len(self.told)
        # Of all round trips in the hold: at least, and at most.
        least, most = asked.answered(reading)
        self.count = max(0, least - unwatched), most - unwatched
        # Where some are none of the hold, those of which only the number is kept may be none of it either.
        sure = len(self.told) + (0 if asked.goes_on or unwatched else self.others)
        self.surely = _slow(sure, self.count[1])
        self.perhaps = _slow(len(self.told) + self.others, self.count[0])
        self._rtts = reading.rtts

    @property
    def p95(self) -> float:
        """What 95 of 100 are as quick as, where too many are slow."""
        from_the_end = self.count[1] - math.ceil(0.95 * self.count[1] - SAME)
        slowest = sorted(seconds for _, seconds in self.told)
        return slowest[-1 - from_the_end] if from_the_end < len(slowest) else self._rtts.quantile(0.95)


def _slow(above: int, count: int) -> bool:
    """More than one in twenty, counted: the quantile itself is right within half a percent only."""
    return 20 * above > count


def _slow_round_trips(limit: float, slow: _Slow, incidents: Incidents) -> Finding:
    count = slow.count[1]
    sample = f"p95 of {count}" if count >= 20 else f"slowest of {count}, too few for a p95"
    observed = f"{show(slow.p95)} ({sample})"
    asked, longest = max(slow.told, key=lambda pair: pair[1])
    each = [incidents.late(at + limit, at + seconds) for at, seconds in slow.told]
    # Where each of the slowest was our doing, those of which only the number is kept may have been too.
    unexplained = 0 if all(each) else len(each) + slow.others - sum(map(bool, each))
    excuses = () if _slow(unexplained, count) else dict.fromkeys(doubt for one in each for doubt in one)
    return Violation(
        Rule.RTT,
        asked + longest,
        f"rtt p95 within {show(limit)}",
        observed,
        f"rtt {observed}",
        excuses=tuple(excuses),
    )
