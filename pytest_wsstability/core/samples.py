"""Round trip times in bounded memory, and what a sample of them can carry."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

# Buckets grow by 1 %: quantiles are right within half a percent, and 1 µs to 1 h are 2,200 buckets at most.
_GROWTH = math.log(1.01)
_SMALLEST = 1e-6
# So many of the slowest are kept exactly, with the instants they belong to.
_SLOWEST = 16
# From so many on, the nearest-rank quantile has an upper bound of 95 % confidence within the sample:
# below, 1 - 0.5**n, 1 - 0.95**n and 1 - 0.99**n are less than 0.95.
NEEDED = {0.5: 5, 0.95: 59, 0.99: 299}


class Sample:
    """
    Durations in seconds: count, minimum, maximum and the slowest sixteen exactly, the rest as a histogram.

    A hold of 30 days has 100,000 heartbeats; this stays at a few hundred bytes.

    """

    __slots__ = ("_buckets", "_minimum", "_slow", "count")

    def __init__(self) -> None:
        # None while the slowest are all there are: most connections of a fleet never have more.
        self._buckets: dict[int, int] | None = None
        self._minimum = math.inf
        # The slowest, ascending: of each the duration, then the instant it was measured for.
        self._slow = array("d")
        self.count = 0

    def __copy__(self) -> Sample:
        copied = Sample()
        copied._buckets = None if self._buckets is None else dict(self._buckets)
        copied._minimum, copied._slow, copied.count = self._minimum, self._slow[:], self.count
        return copied

    @property
    def minimum(self) -> float:
        """The shortest; infinity while there is none."""
        if self._buckets is not None:
            return self._minimum
        return self._slow[0] if self._slow else math.inf

    @property
    def maximum(self) -> float:
        """The longest; minus infinity while there is none."""
        return self._slow[-2] if self._slow else -math.inf

    def add(self, seconds: float, at: float) -> None:
        """Add a duration that belongs to the instant ``at``."""
        slow, buckets = self._slow, self._buckets
        if buckets is None and self.count >= _SLOWEST:
            buckets = self._begin_counting()
        self.count += 1
        if buckets is not None:
            if seconds < self._minimum:
                self._minimum = seconds
            bucket = _bucket(seconds)
            buckets[bucket] = buckets.get(bucket, 0) + 1
            if len(slow) == 2 * _SLOWEST:
                if seconds <= slow[0]:
                    return
                del slow[:2]
        position = 2 * bisect_left(slow[::2], seconds)
        slow[position:position] = array("d", (seconds, at))

    def _begin_counting(self) -> dict[int, int]:
        """From now on durations are counted that are not among the slowest."""
        if self._buckets is None:
            self._minimum, self._buckets = self.minimum, self._counted()
        return self._buckets

    def _counted(self) -> dict[int, int]:
        """How many there are in each bucket."""
        return Counter(map(_bucket, self._slow[::2])) if self._buckets is None else self._buckets

    def above(self, limit: float) -> int:
        """How many are longer than ``limit``: exact up to sixteen, within one percent of the limit beyond."""
        durations = self._slow[::2]
        exact = len(durations) - bisect_left(durations, math.nextafter(limit, math.inf))
        if exact < _SLOWEST or self._buckets is None:
            return exact
        edge = _bucket(limit)
        return max(exact, sum(count for bucket, count in self._buckets.items() if bucket > edge))

    def histogram(self, limits: Sequence[float]) -> list[int]:
        """How many there are between ascending limits: up to the first one, ..., beyond the last one."""
        counts = [0] * (len(limits) + 1)
        for bucket, count in self._counted().items():
            counts[bisect_left(limits, _value(bucket))] += count
        return counts

    def slowest_above(self, limit: float) -> list[tuple[float, float]]:
        """``(at, seconds)`` of the slowest that are longer than ``limit``, in the order of their instants."""
        return sorted((at, seconds) for seconds, at in self._slowest() if seconds > limit)

    def _slowest(self) -> list[tuple[float, float]]:
        return list(zip(self._slow[::2], self._slow[1::2], strict=True))

    def quantile(self, fraction: float) -> float:
        """
        The nearest-rank quantile, such as ``quantile(0.95)``: the maximum while there are fewer than 20.

        Raises:
            ValueError: if there is no sample.

        """
        if not self.count:
            raise ValueError("no quantile of an empty sample")
        rank = max(1, math.ceil(fraction * self.count - 1e-9))
        durations = self._slow[::2]
        if self.count - rank < len(durations):
            return durations[len(durations) - 1 - (self.count - rank)]
        seen, buckets = 0, self._counted()
        for bucket in sorted(buckets):
            seen += buckets[bucket]
            if seen >= rank:
                return min(max(_value(bucket), self.minimum), self.maximum)
        raise AssertionError("the buckets hold fewer values than were counted")

    def carries(self, fraction: float) -> bool:
        """Whether there are enough for a quantile of `NEEDED` to mean something."""
        return self.count >= NEEDED[fraction]

    def as_dict(self) -> dict[str, Any]:
        """The sample in builtin types; microseconds are enough for what a network does."""
        empty, buckets = not self.count, self._counted()
        return {
            "count": self.count,
            "min": None if empty else round(self.minimum, 9),
            "max": None if empty else round(self.maximum, 9),
            "buckets": [[bucket, buckets[bucket]] for bucket in sorted(buckets)],
            "slowest": [[round(at, 6), round(seconds, 9)] for seconds, at in self._slowest()],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Sample:
        """
        The sample that `as_dict` made this of.

        Raises:
            KeyError, TypeError, ValueError: for something missing or wrong.

        """
        sample = cls()
        sample.count = int(data["count"])
        # Kept though they follow from the slowest of a few: those are rounded, and may be in another one.
        sample._buckets = {int(bucket): int(count) for bucket, count in data["buckets"]}
        if sum(sample._buckets.values()) != sample.count:
            raise ValueError(f"a sample of {sample.count} whose buckets hold {sum(sample._buckets.values())}")
        slowest = [(float(seconds), float(at)) for at, seconds in data["slowest"]]
        if len(slowest) != min(sample.count, _SLOWEST):
            raise ValueError(f"a sample of {sample.count} of which the slowest are {len(slowest)}")
        if sample.count:
            sample._minimum = float(data["min"])
            if slowest[-1][0] != float(data["max"]):
                raise ValueError(f"a sample whose slowest is {slowest[-1][0]}, and not {data['max']}")
        sample._slow = array("d", chain.from_iterable(slowest))
        return sample

    def merge(self, other: Sample) -> None:
        """Add all of another sample: counts are merged, never quantiles."""
        if not other.count:
            return
        buckets = self._begin_counting()
        self._minimum = min(self._minimum, other.minimum)
        for bucket, count in other._counted().items():
            buckets[bucket] = buckets.get(bucket, 0) + count
        self.count += other.count
        slowest = sorted([*self._slowest(), *other._slowest()])[-_SLOWEST:]
        self._slow = array("d", chain.from_iterable(slowest))


def _bucket(seconds: float) -> int:
    return 0 if seconds < _SMALLEST else 1 + math.floor(math.log(seconds / _SMALLEST) / _GROWTH)


def _value(bucket: int) -> float:
    return 0.0 if bucket == 0 else _SMALLEST * math.exp((bucket - 0.5) * _GROWTH)
