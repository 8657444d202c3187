"""Which share of the connections was still up at an age, and whether fewer are than were."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import accumulate, groupby
from operator import itemgetter

from ..fleet_summary import EndEvents
from .permutation import SIGNIFICANT, sum_probability
from .proportion import CONFIDENCE, beta_quantile

# Timers of a server end connections a little later or earlier: of an age, this much is no difference.
_SAME_AGE = 0.05
# Ends less than so many seconds after the first of an event belong to it.
_ONE_EVENT = 2.0


@dataclass(frozen=True, slots=True)
class SurvivalShare:
    """The share still up at an age, the interval that holds the true one with 95 %, and of how many."""

    share: float
    low: float
    high: float
    of: int

    def __str__(self) -> str:
        # One of many has to be seen.
        share, low, high = (
            f"{each:.{max(0, len(str(self.of)) - 2)}%}" for each in (self.share, self.low, self.high)
        )
        return f"{share} of {self.of} connections ({low} to {high})"


@dataclass(frozen=True, slots=True)
class Loss:
    """That fewer live now: at the age at which the curves are furthest apart."""

    age: float
    was: SurvivalShare
    now: SurvivalShare


def survival(lifetimes: Iterable[tuple[float, bool]]) -> list[tuple[float, float]]:
    """
    The product-limit estimate (Kaplan and Meier, 1958).

    Args:
        lifetimes: seconds for which each connection was watched, and whether it then ended unplanned;
            one that was still up, or that this end closed, is censored and not lost.

    Returns:
        ``(age, share)`` at each age at which the share falls, in order; empty while nothing fell.

    """
    share = 1.0
    steps = []
    for age, lost, at_risk in _table(lifetimes):
        share *= 1 - lost / at_risk
        steps.append((age, share))
    return steps


def _table(lifetimes: Iterable[tuple[float, bool]]) -> list[tuple[float, int, int]]:
    """Each age at which connections were lost, how many, and how many were watched until then."""
    ordered = sorted(lifetimes)
    at_risk = len(ordered)
    rows = []
    for age, group in groupby(ordered, key=lambda pair: pair[0]):
        ends = [ended for _, ended in group]
        if lost := sum(ends):
            rows.append((age, lost, at_risk))
        at_risk -= len(ends)
    return rows


def share_at(lifetimes: Sequence[tuple[float, bool]], age: float) -> SurvivalShare:
    """The share still up after an age, in seconds, between the `band` that leaves 2.5 % to either side."""
    low, high = band(lifetimes, age, confidence=(1 + CONFIDENCE) / 2)
    return SurvivalShare(_up(survival(lifetimes), age), low, high, len(lifetimes))


def loss(was: Sequence[tuple[float, bool]], now: Sequence[tuple[float, bool]]) -> Loss | None:
    """
    Whether connections are lost earlier or more often than they were; None if chance explains it.

    The whole curves are compared: log-rank scores (Mantel, 1966) in a permutation test, as the statistic
    of a few beside many is far from normal. Ages are forgiven a twentieth.

    """
    if not was or not now:
        return None
    longest = max(age for age, _ in (*was, *now))
    later = [(min(age * (1 + _SAME_AGE), longest) if ended else age, ended) for age, ended in now]
    before, after = _log_rank_scores(was, later)
    if sum(after) <= 0 or sum_probability(after, before) > SIGNIFICANT:
        return None
    curves = survival(was), survival(now)
    age = max((at for at, _ in curves[1]), key=lambda at: _up(curves[0], at) - _up(curves[1], at))
    return Loss(age, share_at(was, age), share_at(now, age))


def _up(curve: Sequence[tuple[float, float]], age: float) -> float:
    """The share of a `survival` curve after an age."""
    steps = bisect_right(curve, age, key=itemgetter(0))
    return curve[steps - 1][1] if steps else 1.0


def _log_rank_scores(*groups: Sequence[tuple[float, bool]]) -> list[list[float]]:
    """Of each connection, whether it was lost, less how much was to be lost by its age were all alike."""
    rows = _table(each for group in groups for each in group)
    ages = [age for age, _, _ in rows]
    hazard = [0.0, *accumulate(lost / at_risk for _, lost, at_risk in rows)]
    return [[ended - hazard[bisect_right(ages, age)] for age, ended in group] for group in groups]


def band(
    lifetimes: Sequence[tuple[float, bool]], age: float, *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """
    One-sided bounds of the share still up after an age, in seconds: ``(not below, not above)``.

    The beta product confidence procedure by its moments (Fay, Brittain and Proschan, Biostatistics 14,
    2013): Clopper and Pearson's bounds where nothing was censored, and no [1, 1] where nothing was lost,
    as Greenwood's variance has it. Nothing is claimed beyond the longest watched: (0, 1) without one.

    Raises:
        ValueError: for a confidence outside of (0, 1).

    """
    (bounds,) = bands(lifetimes, [age], confidence=confidence)
    return bounds


def bands(
    lifetimes: Sequence[tuple[float, bool]], ages: Iterable[float], *, confidence: float = CONFIDENCE
) -> list[tuple[float, float]]:
    """`band` at each of some ascending ages, in one pass over the connections."""
    ordered, rows = sorted(lifetimes), iter(_table(lifetimes))
    row = next(rows, None)
    moments = _Moments()
    bounds = []
    for age in ages:
        while row is not None and row[0] <= age:
            _, lost, at_risk = row
            moments.times(at_risk - lost + 1, lost)
            row = next(rows, None)
        high = moments.quantile(confidence) if moments.factors else 1.0
        ended_now = bisect_right(ordered, (age, True)) - bisect_left(ordered, (age, True))
        beyond = len(ordered) - bisect_left(ordered, (age, False)) - ended_now
        if not beyond:
            bounds.append((0.0, high))
            continue
        least = copy(moments)
        least.times(beyond, 1)
        bounds.append((least.quantile(1 - confidence), high))
    return bounds


class _Moments:
    """A product of beta distributed factors, told by its first two moments."""

    def __init__(self) -> None:
        self.factors = 0
        self._first = self._second = 1.0

    def times(self, a: float, b: float) -> None:
        """Multiply by a factor that is Beta(a, b) distributed."""
        self.factors += 1
        self._first *= a / (a + b)
        self._second *= a * (a + 1) / ((a + b) * (a + b + 1))

    def quantile(self, probability: float) -> float:
        """The quantile of the beta distribution with these moments."""
        variance = self._second - self._first**2
        weight = (self._first - self._second) / variance
        return beta_quantile(probability, self._first * weight, (1 - self._first) * weight)


def end_events(instants: Iterable[float]) -> EndEvents:
    """
    Group ends by their instants on one clock, in seconds.

    Args:
        instants: when each connection ended; the clocks of two machines are never mixed.

    """
    sizes: list[int] = []
    first = -math.inf
    for at in sorted(instants):
        if at - first < _ONE_EVENT:
            sizes[-1] += 1
        else:
            sizes.append(1)
            first = at
    ends = sum(sizes)
    effect = sum(size * size for size in sizes) / ends if ends else 1.0
    return EndEvents(ends, len(sizes), effect)
