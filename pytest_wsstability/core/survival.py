"""Which share of the connections was still up at an age (Kaplan and Meier, 1958)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby


def survival(lifetimes: Iterable[tuple[float, bool]]) -> list[tuple[float, float]]:
    """
    The product-limit estimate.

    Args:
        lifetimes: seconds for which each connection was watched, and whether it then ended unplanned;
            one that was still up, or that this end closed, is censored and not lost.

    Returns:
        ``(age, share)`` at each age at which the share falls, in order; empty while nothing fell.

    """
    ordered = sorted(lifetimes)
    at_risk = len(ordered)
    share = 1.0
    steps = []
    for age, group in groupby(ordered, key=lambda pair: pair[0]):
        ends = [ended for _, ended in group]
        if lost := sum(ends):
            share *= 1 - lost / at_risk
            steps.append((age, share))
        at_risk -= len(ends)
    return steps
