"""Servers that look at all of their connections now and then: what they end ends in steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .observation import Observation

# Ends of one look lie so near to each other, in seconds.
AT_ONCE = 0.1
# The longest time between two looks that is known (uWebSockets, Bun: 4 s), and a bit.
LONGEST_TICK = 5.0


def steps(gone: Sequence[Observation]) -> list[list[Observation]]:
    """Those that ended at one instant, instant by instant."""
    found: list[list[Observation]] = []
    for each in sorted(gone, key=lambda one: one.ended_at):
        if found and each.ended_at - found[-1][-1].ended_at <= AT_ONCE:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def is_one_look(together: Sequence[Observation]) -> bool:
    """Whether connections that opened one by one ended at one instant."""
    opened = [each.opened_at for each in together]
    return max(opened) - min(opened) > 2 * AT_ONCE


def tick(gone: Sequence[Observation]) -> float:
    """
    Seconds between two looks, as far as ends of one timer tell; 0 where they do not come in steps.

    Who opened later ends at a later look, so that the time between two of them is seen; of one look alone,
    the ages differ by less than that.

    """
    found = steps(gone)
    if not any(map(is_one_look, found)):
        return 0.0
    apart = [
        later[0].ended_at - earlier[0].ended_at
        for earlier, later in pairwise(found)
        if min(each.opened_at for each in later) >= max(each.opened_at for each in earlier)
    ]
    spread = max(each.opened_at for each in found[0]) - min(each.opened_at for each in found[0])
    return min(apart, default=spread)


def length(ages: Sequence[float], tick: float) -> tuple[float, float]:
    """A timer's length in seconds, and its error: it had run out at the first look, and not one before."""
    if tick > 0:
        return min(ages) - tick / 2, tick / 2
    return (min(ages) + max(ages)) / 2, (max(ages) - min(ages)) / 2
