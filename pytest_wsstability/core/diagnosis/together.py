"""Connections of a run that ended at one instant: what they share ended them, and not what each did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..duration import show_duration as show
from ..result import Result
from ..timeline.events import Tier

# Seconds between two ends of a crowd at most, and how many make one.
_APART = 1.0
_CROWD = 3
# Seconds between the ages of connections that no timer counted from their opening can have ended together.
_OF_AGE = 2.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """Connections that ended together."""

    count: int
    # How many were watched in all.
    of: int
    # Seconds since the start of the session: the first end and the last.
    first: float
    last: float
    # Ages in seconds.
    youngest: float
    oldest: float

    def __str__(self) -> str:
        text = (
            f"{self.count} of {self.of} connections ended within {show(round(self.last - self.first, 2))}, "
            f"{show(round(self.first, 1))} after the start"
        )
        if self.oldest - self.youngest < _OF_AGE:
            return text
        ages = f"{show(round(self.youngest, 1))} to {show(round(self.oldest, 1))} old"
        return f"{text}; {ages}: no timer since their opening"


def together(results: Iterable[Result]) -> Iterator[Crowd]:
    """
    Crowds of a run, worker by worker, as each has a clock of its own; real time only.

    Ends that the tests asked for count for nothing.

    """
    by_worker: dict[str, list[tuple[float, float, bool]]] = {}
    for result in results:
        if result.tier is Tier.REAL and not result.expected and result.lifetime is not None:
            age, ended = result.lifetime
            by_worker.setdefault(result.worker, []).append((result.started_at + age, age, ended))
    for watched in by_worker.values():
        yield from _crowds(sorted((end, age) for end, age, ended in watched if ended), len(watched))


def _crowds(ends: Sequence[tuple[float, float]], of: int) -> Iterator[Crowd]:
    crowd: list[tuple[float, float]] = []
    for end in [*ends, None]:
        if end is not None and (not crowd or end[0] - crowd[-1][0] <= _APART):
            crowd.append(end)
            continue
        if len(crowd) >= _CROWD:
            ages = [age for _, age in crowd]
            yield Crowd(len(crowd), of, crowd[0][0], crowd[-1][0], min(ages), max(ages))
        crowd = [] if end is None else [end]
