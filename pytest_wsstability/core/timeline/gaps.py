"""The longest and the shortest of times: each that was so when it ended, for any stretch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

# Seconds, and since when.
Gap: TypeAlias = tuple[float, float]
# So many are kept beside the longest, or shortest; each is longer, or shorter, than those before it.
_KEPT = 15


@lru_cache(maxsize=256, typed=True)
def shared(seconds: float) -> float:
    """The same number for all connections, which have most of them in common: one object instead of many."""
    return seconds


def with_one_more(gaps: tuple[Gap, ...], gap: Gap) -> tuple[Gap, ...]:
    """The gaps with one that was the longest, or shortest, so far; the first go where they are too many."""
    return (*gaps[1 - _KEPT :], gap)


def longest_before(gaps: Iterable[Gap], until: float) -> Gap:
    """The gap of which most lies before an instant: the first of several, ``(0.0, 0.0)`` of none."""
    return max(
        (each for each in gaps if each[1] < until),
        key=lambda gap: min(gap[0], until - gap[1]),
        default=(0.0, 0.0),
    )


def shortest_before(gaps: Iterable[Gap], until: float) -> Gap | None:
    """The shortest gap that ended before an instant: the first of several, None of none."""
    return min((each for each in gaps if each[0] + each[1] < until), key=lambda gap: gap[0], default=None)
