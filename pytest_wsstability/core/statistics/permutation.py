"""Exact tests of whether a group differs from the rest by more than chance: no distribution is assumed."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import combinations

# What happens by chance no more often than this is told: one in a hundred groups or comparisons.
SIGNIFICANT = 0.01
# Permutations that are drawn where there are more than can all be looked at.
ROUNDS = 999
_LOOKED_AT = 20_000
# Sums of the same scores in another order differ by this.
_ROUNDING = 1e-9


def sum_probability(group: Sequence[float], rest: Sequence[float]) -> float:
    """
    How probable a sum of scores as great as a group's is, had the group been drawn from all at random.

    All draws are looked at where there are few, whatever the sizes; else as many as `ROUNDS`, the same for
    the same scores, where it is enough to know that the probability is above `SIGNIFICANT`, or far below.

    """
    # Whoever is drawn, the sum of the rest tells the same.
    few, sign = (group, 1) if len(group) <= len(rest) else (rest, -1)
    scores = sorted(sign * each for each in (*group, *rest))
    reached = sign * math.fsum(few) - _ROUNDING
    if (draws := math.comb(len(scores), len(few))) <= _LOOKED_AT:
        return sum(math.fsum(drawn) >= reached for drawn in combinations(scores, len(few))) / draws
    if (most := _sum_bound(scores, len(few), reached)) <= 1 / (ROUNDS + 1):
        # Less than draws could tell: those of thousands take seconds.
        return most
    # One seed for all would make some pairs of sizes more often significant than claimed.
    dice = random.Random(reached)
    as_great = 0
    for _ in range(ROUNDS):
        as_great += sum(dice.sample(scores, len(few))) >= reached
        if as_great + 1 > SIGNIFICANT * (ROUNDS + 1):
            return 1.0
    return (as_great + 1) / (ROUNDS + 1)


def _sum_bound(scores: Sequence[float], drawn: int, reached: float) -> float:
    """
    What `sum_probability` is not above, of ascending scores: Bernstein's inequality.

    It holds of draws without replacement too (Hoeffding, J. Amer. Statist. Assoc. 58, 1963, theorem 4).

    """
    mean = math.fsum(scores) / len(scores)
    variance = math.fsum((each - mean) ** 2 for each in scores) / len(scores)
    above = reached - drawn * mean
    if above <= 0:
        return 1.0
    return math.exp(-(above**2) / (2 * (drawn * variance + (scores[-1] - mean) * above / 3)))


def count_probability(count: int, *, drawn: int, kind: int, everybody: int) -> float:
    """
    How probable ``count`` or more of a kind are among those drawn at random (the hypergeometric tail).

    Args:
        count: how many of those drawn are of the kind.
        drawn: how many were drawn.
        kind: how many of everybody are of the kind.
        everybody: of how many they were drawn.

    """
    fewest = max(count, drawn + kind - everybody, 0)
    ways = math.comb(kind, fewest) * math.comb(everybody - kind, drawn - fewest)
    as_many = 0
    for most in range(fewest, min(kind, drawn) + 1):
        as_many += ways
        # The next from this one, as both factors of it grow to hundreds of digits.
        ways = ways * (kind - most) * (drawn - most) // ((most + 1) * (everybody - kind - drawn + most + 1))
    return as_many / math.comb(everybody, drawn)
