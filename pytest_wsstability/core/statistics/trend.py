"""One test over several runs: how it went each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..judge.verdict import Outcome
from ..result import Result, Run
from ..samples import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """What a test came to in one run."""

    # When the run began, as it says itself.
    started: str
    # The worst of its holds; None where the run did not have the test.
    outcome: Outcome | None
    # Why, in one line; empty unless it was not stable.
    cause: str
    # Seconds; None where there were no round trips.
    p95: float | None
    # Heartbeats that were not answered in time.
    missed: int


@dataclass(frozen=True, slots=True)
class Trend:
    """One test, the oldest run first."""

    nodeid: str
    nights: tuple[PastRun, ...]

    @property
    def worst(self) -> Outcome:
        """Of the latest run that had the test."""
        return next(night.outcome for night in reversed(self.nights) if night.outcome is not None)


def trends(runs: Iterable[Run]) -> list[Trend]:
    """Each test of some runs, over all of them; holds that ended as their test expected are left out."""
    ordered = sorted(runs, key=lambda run: run.started)
    held: dict[str, dict[int, list[Result]]] = {}
    for number, run in enumerate(ordered):
        for result in run.results:
            if not result.expected:
                held.setdefault(result.nodeid, {}).setdefault(number, []).append(result)
    return [
        Trend(nodeid, tuple(_night(run, by_run.get(number, ())) for number, run in enumerate(ordered)))
        for nodeid, by_run in held.items()
    ]


def _night(run: Run, results: Sequence[Result]) -> PastRun:
    rtts = Sample()
    for result in results:
        rtts.merge(result.round_trips.known)
    worst = max(results, key=lambda result: result.verdict.outcome, default=None)
    outcome = worst.verdict.outcome if worst is not None else None
    return PastRun(
        started=run.started,
        outcome=outcome,
        cause=worst.verdict.headline if worst is not None and outcome is not Outcome.STABLE else "",
        p95=rtts.quantile(0.95) if rtts.count else None,
        missed=sum(result.missed_heartbeats for result in results),
    )
