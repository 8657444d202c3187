"""Round trip times in bounded memory, and what a sample of them can carry."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
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

    __slots__ = ("_buckets", "_slow", "_slow_at", "count", "maximum", "minimum")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        # The slowest, ascending, and beside each the instant it was measured for.
        self._slow = array("d")
        self._slow_at = array("d")
        self.count = 0
        self.minimum = math.inf
        self.maximum = -math.inf

    def __copy__(self) -> Sample:
        copied = Sample()
        copied._buckets = dict(self._buckets)
        copied._slow, copied._slow_at = self._slow[:], self._slow_at[:]
        copied.count, copied.minimum, copied.maximum = self.count, self.minimum, self.maximum
        return copied

    def add(self, seconds: float, at: float) -> None:
        """Add a duration that belongs to the instant ``at``."""
        self.count += 1
        if seconds < self.minimum:
            self.minimum = seconds
        if seconds > self.maximum:
            self.maximum = seconds
        bucket = _bucket(seconds)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        if len(self._slow) == _SLOWEST:
            if seconds <= self._slow[0]:
                return
            del self._slow[0], self._slow_at[0]
        position = bisect_left(self._slow, seconds)
        self._slow.insert(position, seconds)
        self._slow_at.insert(position, at)

    def above(self, limit: float) -> int:
        """How many are longer than ``limit``: exact up to sixteen, within one percent of the limit beyond."""
        exact = len(self._slow) - bisect_left(self._slow, math.nextafter(limit, math.inf))
        if exact < _SLOWEST:
            return exact
        edge = _bucket(limit)
        return max(exact, sum(count for bucket, count in self._buckets.items() if bucket > edge))

    def histogram(self, limits: Sequence[float]) -> list[int]:
        """How many there are between ascending limits: up to the first one, ..., beyond the last one."""
        counts = [0] * (len(limits) + 1)
        for bucket, count in self._buckets.items():
            counts[bisect_left(limits, _value(bucket))] += count
        return counts

    def slowest_above(self, limit: float) -> list[tuple[float, float]]:
        """``(at, seconds)`` of the slowest that are longer than ``limit``, in the order of their instants."""
        pairs = zip(self._slow_at, self._slow, strict=True)
        return sorted((at, seconds) for at, seconds in pairs if seconds > limit)

    def quantile(self, fraction: float) -> float:
        """
        The nearest-rank quantile, such as ``quantile(0.95)``: the maximum while there are fewer than 20.

        Raises:
            ValueError: if there is no sample.

        """
        if not self.count:
            raise ValueError("no quantile of an empty sample")
        rank = max(1, math.ceil(fraction * self.count - 1e-9))
        if self.count - rank < len(self._slow):
            return self._slow[len(self._slow) - 1 - (self.count - rank)]
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(max(_value(bucket), self.minimum), self.maximum)
        raise AssertionError("the buckets hold fewer values than were counted")

    def carries(self, fraction: float) -> bool:
        """Whether there are enough for a quantile of `NEEDED` to mean something."""
        return self.count >= NEEDED[fraction]

    def interval(self, fraction: float) -> tuple[float, float]:
        """
        Between which values the true quantile lies, with 95 % confidence: order statistics.

        Raises:
            ValueError: if there is no sample.

        """
        spread = 1.96 * math.sqrt(self.count * fraction * (1 - fraction))
        ranks = (self.count * fraction - spread, self.count * fraction + spread + 1)
        low, high = (self.quantile(min(max(rank / max(self.count, 1), 0.0), 1.0)) for rank in ranks)
        return low, high

    def as_dict(self) -> dict[str, Any]:
        """The sample in builtin types; microseconds are enough for what a network does."""
        empty = not self.count
        return {
            "count": self.count,
            "min": None if empty else round(self.minimum, 9),
            "max": None if empty else round(self.maximum, 9),
            "buckets": [[bucket, self._buckets[bucket]] for bucket in sorted(self._buckets)],
            "slowest": [
                [round(at, 6), round(seconds, 9)]
                for at, seconds in zip(self._slow_at, self._slow, strict=True)
            ],
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
        sample._buckets = {int(bucket): int(count) for bucket, count in data["buckets"]}
        if sum(sample._buckets.values()) != sample.count:
            raise ValueError(f"a sample of {sample.count} whose buckets hold {sum(sample._buckets.values())}")
        if sample.count:
            sample.minimum, sample.maximum = float(data["min"]), float(data["max"])
        sample._slow_at = array("d", [at for at, _ in data["slowest"]])
        sample._slow = array("d", [seconds for _, seconds in data["slowest"]])
        return sample

    def merge(self, other: Sample) -> None:
        """Add all of another sample: counts are merged, never quantiles."""
        self.count += other.count
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        pairs = [*zip(self._slow, self._slow_at, strict=True), *zip(other._slow, other._slow_at, strict=True)]
        slowest = sorted(pairs)[-_SLOWEST:]
        self._slow = array("d", [seconds for seconds, _ in slowest])
        self._slow_at = array("d", [at for _, at in slowest])


def _bucket(seconds: float) -> int:
    return 0 if seconds < _SMALLEST else 1 + math.floor(math.log(seconds / _SMALLEST) / _GROWTH)


def _value(bucket: int) -> float:
    return 0.0 if bucket == 0 else _SMALLEST * math.exp((bucket - 0.5) * _GROWTH)
