"""Why connections of a slot ended: those of one event beside each other, a few in each turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...core.cause import Confidence, Diagnosis
from ...core.diagnosis import Cohort, diagnose_beside
from ...core.judge.verdict import Verdict
from ...core.timeline.timeline import Timeline
from .turns import in_turns

# So many are explained in one turn of the loop: half a millisecond each at most (benchmarks/diagnosis.py).
EXPLAINED_AT_ONCE = 10
# Taking down what one shows of the others is ten times cheaper.
COMPARED_AT_ONCE = 100


@dataclass(slots=True)
class EndedConnection:
    """A connection whose end waits for its explanation."""

    number: int
    verdict: Verdict
    timeline: Timeline
    at: float
    subnet: str
    # Records of other ends of it, where they are this process's.
    others: Sequence[Timeline] = ()


class EndExplainer:
    """
    Explains ends, each seen beside all others of its time; and at last beside those of all times.

    Args:
        beside: records of some connections that are open: that they live on is evidence.
        explained: called with each end and its diagnosis.

    """

    def __init__(
        self,
        beside: Callable[[], Iterable[Timeline]],
        explained: Callable[[EndedConnection, Diagnosis], object],
    ) -> None:
        self._beside, self._explained = beside, explained
        self._waiting: list[EndedConnection] = []
        # All that ended so far, and those of them whose cause others may show better; in so many crowds.
        self._all = Cohort()
        self._unsure: list[EndedConnection] = []
        self._crowds = 0
        # Two crowds at once would take twice as much of each turn.
        self._one_at_a_time = asyncio.Lock()

    def add(self, ended: EndedConnection) -> None:
        """One more that waits for those of the same event."""
        self._waiting.append(ended)

    async def explain(self, until: float) -> None:
        """Explain the ends that came before an instant, after those that are being explained."""
        async with self._one_at_a_time:
            ready = [each for each in self._waiting if each.at <= until]
            if not ready:
                return
            self._waiting = [each for each in self._waiting if each.at > until]
            cohort, beside, explained = Cohort(), list(self._beside()), 0
            self._crowds += 1
            try:
                async for each in in_turns(ready, COMPARED_AT_ONCE):
                    cohort.add(each.timeline)
                for timeline in beside:
                    cohort.add(timeline)
                async for each in in_turns(ready, EXPLAINED_AT_ONCE):
                    diagnosis = diagnose_beside(each.timeline, cohort, each.others)
                    self._explained(each, diagnosis)
                    self._all.add(each.timeline)
                    if diagnosis.confidence is not Confidence.HIGH:
                        self._unsure.append(each)
                    explained += 1
            finally:
                # Whoever stops this explains the rest later.
                self._waiting = [*ready[explained:], *self._waiting]

    async def explain_again(
        self, lived: Iterable[Timeline], explained: Callable[[EndedConnection, Diagnosis], object]
    ) -> None:
        """
        Explain what is not sure once more, when all have ended: an age or a silence repeats over time.

        Args:
            lived: records of some that did not end.
            explained: called with each end and its diagnosis; with none where all ended in one crowd.

        """
        if self._crowds < 2:
            return
        for timeline in lived:
            self._all.add(timeline)
        async for each in in_turns(self._unsure, EXPLAINED_AT_ONCE):
            explained(each, diagnose_beside(each.timeline, self._all, each.others))
