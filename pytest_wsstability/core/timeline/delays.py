"""What a proxy of the test kept back on purpose, by its faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..plain import restore, word
from .events import Direction
from .rows import rounded

# So many are kept: the last. Faults follow each other by the minute, and not by the frame.
DELAYS = 64


class Delay(NamedTuple):
    """
    What the faults of the link kept back in one direction, between two changes of them.

    Instants are seconds since the opening handshake ended.

    """

    direction: Direction
    # When the first of it came, when the last of it left or will leave, and the longest that any took.
    since: float
    until: float
    seconds: float


def with_delay(delays: tuple[Delay, ...], found: Delay, *, again: bool) -> tuple[Delay, ...]:
    """With one more, which joins the last in its direction where it is the same fault again."""
    places = [place for place, each in enumerate(delays) if each.direction is found.direction]
    if not places or not again:
        return (*delays, found)[-DELAYS:]
    last = delays[places[-1]]
    joined = Delay(
        found.direction,
        min(last.since, found.since),
        max(last.until, found.until),
        max(last.seconds, found.seconds),
    )
    return (*delays[: places[-1]], joined, *delays[places[-1] + 1 :])


def rows_of_delays(delays: Sequence[Delay]) -> list[list[Any]]:
    """For a report; `delays_of` reads them back."""
    return [[word(each.direction), *map(rounded, each[1:])] for each in delays]


def delays_of(data: Mapping[str, Any], where: str) -> tuple[Delay, ...]:
    """Those of a timeline; none from a report that was written before there were any."""
    return tuple(
        Delay(restore(Direction, direction, f"{where}.delays"), float(since), float(until), float(seconds))
        for direction, since, until, seconds in data.get("delays", ())
    )
