"""How long a client waits before it connects again: for those who wait, and for those who judge it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from ..duration import Duration, parse_duration, show_duration
from ..number import is_number


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Backoff:
    """
    Waits that grow while attempts fail; each is shortened or lengthened at random.

    Attempt ``n`` (counted from 0) waits ``min(first * factor ** n, longest)`` seconds, more or less
    ``jitter`` of it: without it, clients that lost their connection together come back together.

    Args:
        first: the wait before the first attempt.
        factor: how much longer the next wait is, 1 for equal waits.
        longest: no wait is longer, but for the jitter.
        jitter: the part of a wait that is random, 0 to 1.

    Raises:
        ValueError: for a value that makes no sense, naming it.

    """

    first: float
    factor: float
    longest: float
    jitter: float

    def __init__(
        self, *, first: Duration = 1.0, factor: float = 2.0, longest: Duration = 30.0, jitter: float = 0.2
    ) -> None:
        start = parse_duration(first, "first", zero=True)
        limit = parse_duration(longest, "longest", zero=True)
        if start > limit:
            raise ValueError(
                f"longest: {show_duration(limit)} is shorter than the first wait, {show_duration(start)}"
            )
        values = {
            "first": start,
            "factor": _number(factor, "factor", 1.0, math.inf),
            "longest": limit,
            "jitter": _number(jitter, "jitter", 0.0, 1.0),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, value: Backoff | Duration) -> Backoff:
        """A backoff, or equal waits of a duration."""
        if isinstance(value, Backoff):
            return value
        seconds = parse_duration(value, "backoff")
        return cls(first=seconds, factor=1.0, longest=seconds, jitter=0.0)

    def _middle(self, attempt: int) -> float:
        # Far out, the power is no float any more.
        growth = self.factor ** min(attempt, 64)
        return min(self.first * growth, self.longest)

    def wait(self, attempt: int, generator: random.Random) -> float:
        """Seconds to wait before an attempt, counted from 0."""
        return self._middle(attempt) * (1 + self.jitter * generator.uniform(-1, 1))

    def least(self, attempt: int) -> float:
        """The shortest wait in seconds that can come before an attempt, counted from 0."""
        return self._middle(attempt) * (1 - self.jitter)

    def most(self, attempt: int) -> float:
        """The longest wait in seconds that can come before an attempt, counted from 0."""
        return self._middle(attempt) * (1 + self.jitter)


def _number(value: Any, name: str, least: float, most: float) -> float:
    if not is_number(value) or not least <= value <= most or not math.isfinite(value):
        limit = f"from {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise ValueError(f"{name}: {value!r} is not a number {limit}")
    return float(value)
