"""
Exact one-sided bounds of a proportion: what so many connections can show, and how many would decide.

Clopper and Pearson, Biometrika 26 (1934): the bounds hold for every number of connections and every share,
at the price of being a little wide; normal approximations fail where shares are close to 1, which is where
stability is claimed.

"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

# What a bound is right in, unless another confidence is asked for.
CONFIDENCE = 0.95
# The continued fraction has converged when a step changes it by less than this.
_EPSILON = 1e-16
# The last step of a quantile, as a share of it: the incomplete beta function is no closer.
_CLOSE = 1e-14
_TINY = 1e-300
# It converges within the square root of the larger parameter; this is enough for 10**9 connections.
_STEPS = 100_000


def lower_bound(survived: int, of: int, *, confidence: float = CONFIDENCE) -> float:
    """
    The share that the true one is not below, with this confidence.

    Raises:
        ValueError: for numbers that are no part of a whole, or a confidence outside of (0, 1).

    """
    _check(survived, of, confidence)
    if survived == 0:
        return 0.0
    return beta_quantile(1 - confidence, survived, of - survived + 1)


def upper_bound(survived: int, of: int, *, confidence: float = CONFIDENCE) -> float:
    """
    The share that the true one is not above, with this confidence.

    Raises:
        ValueError: for numbers that are no part of a whole, or a confidence outside of (0, 1).

    """
    _check(survived, of, confidence)
    if survived == of:
        return 1.0
    return beta_quantile(confidence, survived + 1, of - survived)


def connections_needed(target: float, *, lost: int = 0, confidence: float = CONFIDENCE) -> int:
    """
    The fewest connections that show a share above ``target`` though ``lost`` of them end.

    Raises:
        ValueError: for a target outside of (0, 1), which no number of connections can show.

    """
    if not 0 < target < 1:
        raise ValueError(f"survival: {target!r} can't be shown by any number; give a share between 0 and 1")
    low, high = lost, lost + 1
    while lower_bound(high - lost, high, confidence=confidence) <= target:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if lower_bound(middle - lost, middle, confidence=confidence) > target:
            high = middle
        else:
            low = middle
    return high


def quantile_ranks(count: int, fraction: float) -> tuple[int, int]:
    """
    Between the values of which ranks, from 1 on, the true quantile lies: `CONFIDENCE`, for any distribution.

    As much is left to either side. Where the longest leaves more, the other side has the rest; rank 0, and
    one above ``count``, say that nothing among so many is a bound.

    """
    missed, ranks = 1 - CONFIDENCE, range(1, count + 1)

    def fewer(rank: int) -> float:
        """How probable it is that fewer than so many lie below the quantile (DLMF 8.17.5)."""
        return _beta(1 - fraction, count - rank + 1, rank)

    high = bisect_left(ranks, 1 - missed / 2, key=fewer) + 1
    longest = fraction**count
    if high > count and longest <= missed:
        return bisect_right(ranks, missed - longest, key=fewer), count
    return bisect_right(ranks, missed / 2, key=fewer), high


def _check(survived: int, of: int, confidence: float) -> None:
    if not 0 <= survived <= of or of < 1:
        raise ValueError(f"{survived!r} of {of!r} connections is no proportion")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence!r}; give a share between 0 and 1, such as 0.95")


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Where the regularized incomplete beta function reaches a probability."""
    if b == 1:
        # All survive, or none: exact, where a bound is one of millions.
        return math.pow(probability, 1 / a)
    low, high, last = 0.0, 1.0, 1.0
    x = a / (a + b)
    while True:
        above = _beta(x, a, b) - probability
        low, high = (low, x) if above >= 0 else (x, high)
        slope = math.exp(_log_of_tail(x, a, b)) / (x * (1 - x))
        # Newton's step, as long as it stays in between and shrinks; halving ends in any case.
        step = above / slope if slope else math.inf
        if not low < x - step < high or abs(step) > last / 2:
            step = x - (low + high) / 2
        if not low < x - step < high or abs(step) <= _CLOSE * x:
            return x
        x, last = x - step, abs(step)


def _beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function (DLMF 8.17.22), for 0 < x < 1."""
    # The fraction converges fast below the mean, so the other tail is taken above it (DLMF 8.17.4).
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    return math.exp(_log_of_tail(x, a, b)) / (a * _fraction(x, a, b))


def _log_of_tail(x: float, a: float, b: float) -> float:
    """The logarithm of the density times ``x * (1 - x)``."""
    return math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method as Thompson mended it."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, _STEPS):
        half, odd = divmod(step, 2)
        if odd:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1 / (1 + term * d or _TINY)
        c = 1 + term / c or _TINY
        value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value
