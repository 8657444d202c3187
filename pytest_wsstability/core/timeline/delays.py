"""What a proxy of the test kept back on purpose, by its faults."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..plain import restore, word
from .events import Direction
from .rows import rounded

# So many are kept: the longest. Faults follow each other by the minute, and not by the frame; but with
# jitter, or large and small messages on a link of little bandwidth, nearly each frame has its own.
DELAYS = 64


class Delay(NamedTuple):
    """
    What a fault of the link kept back in one direction for about as long, between two changes of the link.

    Instants are seconds since the opening handshake ended.

    """

    direction: Direction
    # When the first of it came, when the last of it left or will leave, and the longest that any took.
    since: float
    until: float
    seconds: float


def with_delay(delays: tuple[Delay, ...], found: Delay, *, again: bool) -> tuple[Delay, ...]:
    """
    With one more, which joins the last in its direction where the same fault kept that back as long.

    What a link of little bandwidth kept back of a large message, it does not keep back of a small one.

    """
    places = [place for place, each in enumerate(delays) if each.direction is found.direction]
    if not places:
        return _longest((*delays, found))
    place = places[-1]
    last = delays[place]
    if last.until > found.until:
        # Nothing overtakes: it has left before it was said to, when the link was healed.
        last = last._replace(until=found.until, seconds=min(last.seconds, found.until - last.since))
    is_joined = again and _scale(last) == _scale(found)
    if is_joined:
        last = Delay(
            found.direction, min(last.since, found.since), found.until, max(last.seconds, found.seconds)
        )
    delays = (*delays[:place], last, *delays[place + 1 :])
    return delays if is_joined else _longest((*delays, found))


def _scale(delay: Delay) -> int:
    """The same for times of which none is twice as long as another, or longer than a millisecond."""
    return math.frexp(max(round(delay.seconds, 3), 0.001))[1]


def _longest(delays: tuple[Delay, ...]) -> tuple[Delay, ...]:
    if len(delays) <= DELAYS:
        return delays
    shortest = min(range(len(delays)), key=lambda place: delays[place].seconds)
    return (*delays[:shortest], *delays[shortest + 1 :])


def rows_of_delays(delays: Sequence[Delay]) -> list[list[Any]]:
    """For a report; `delays_of` reads them back."""
    return [[word(each.direction), *map(rounded, each[1:])] for each in delays]


def delays_of(data: Mapping[str, Any], where: str) -> tuple[Delay, ...]:
    """Those of a timeline; none from a report that was written before there were any."""
    return tuple(
        Delay(restore(Direction, direction, f"{where}.delays"), float(since), float(until), float(seconds))
        for direction, since, until, seconds in data.get("delays", ())
    )
