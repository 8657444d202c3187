"""Figures, their limits, and how they are taken: interleaved, in one run, medians."""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str = ""
    # None: shown beside the others, and nothing is claimed about it.
    limit: float | None = None
    # Whether the limit is a least value; otherwise it is a most.
    at_least: bool = False
    # What the figure is made of: counts, medians, spread.
    of: str = ""

    @property
    def verdict(self) -> str:
        """``ok`` or ``OVER``; ``-`` without a limit."""
        if self.limit is None:
            return "-"
        kept = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "ok" if kept else "OVER"

    def row(self) -> str:
        """The line."""
        bound = "-" if self.limit is None else f"{'>=' if self.at_least else '<='} {self.limit:g}"
        figure = f"{_shown(self.value)} {self.unit}"
        return f"{self.name:<36} {figure:<16} {bound:<9} {self.verdict:<7} {self.of}".rstrip()


HEAD = f"{'name':<36} {'figure':<16} {'limit':<9} {'verdict':<7} what of"


def _shown(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def machine() -> str:
    """What the figures depend on, the load of the moment included."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    spin = 1000 * cpu_seconds(_spin)
    return f"{python}, {platform.system()}, {os.cpu_count()} CPUs{load}, a million additions {spin:.0f} ms"


def _spin() -> None:
    """The same work at all times: neighbours on a busy machine make it slower, and all that follows."""
    total = 0
    for number in range(1_000_000):
        total += number


def cpu_seconds(call: Callable[[], object]) -> float:
    """
    CPU seconds of a call, with nothing left to collect from what ran before.

    For work that waits for nothing it is what a quiet machine's wall clock shows, and neighbours on a busy
    one disturb it less.

    """
    gc.collect()
    start = time.process_time()
    call()
    return time.process_time() - start


def interleaved(calls: Sequence[Callable[[], float]], rounds: int) -> list[list[float]]:
    """Results of each call, one round after the other; every other round goes backwards."""
    results: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        order = range(len(calls))
        for index in reversed(order) if number % 2 else order:
            results[index].append(calls[index]())
    return results


def ratios(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """``first / second`` of each round."""
    return [one / other for one, other in zip(first, second, strict=True)]


def spread(values: Sequence[float], rounds: str = "rounds") -> str:
    """Count and quartiles, for the last column."""
    low, _, high = quantiles(values, n=4)
    return f"median of {len(values)} {rounds}, quartiles {_shown(low)} to {_shown(high)}"


def middle(values: Sequence[float]) -> float:
    """The median."""
    return median(values)
