"""How often a diagnosis is right, by cause and confidence, on random systems whose oracle knows all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from ..figures import Figure

# So many systems make more than 2,000 claims with high confidence.
SYSTEMS = 2800


def tonight() -> int:
    """The seed of the day, or what CALIBRATION_SEED says."""
    return int(os.environ.get("CALIBRATION_SEED") or datetime.now(UTC).toordinal())


def figures() -> Iterator[Figure]:
    """The shares that are claimed, with the seed; below them the table and each claim that does not hold."""
    from pytest_wsstability import Confidence

    from .score import HIGH_BOUND, HIGH_RIGHT, MEDIUM_RIGHT, measure_all, table

    seed = tonight()
    score = measure_all(seed, SYSTEMS, os.cpu_count() or 1)
    high, medium = score.of(Confidence.HIGH), score.of(Confidence.MEDIUM)
    of = f"of {high.of} claims, seed {seed}"
    yield Figure(
        name="high: right", value=100 * high.share, unit="%", limit=100 * HIGH_RIGHT, at_least=True, of=of
    )
    of = "one-sided, 95 %"
    yield Figure(
        name="high: lower bound", value=100 * high.low, unit="%", limit=100 * HIGH_BOUND, at_least=True, of=of
    )
    of = f"of {medium.of} claims"
    yield Figure(
        name="medium: right",
        value=100 * medium.share,
        unit="%",
        limit=100 * MEDIUM_RIGHT,
        at_least=True,
        of=of,
    )
    yield Figure(
        name="alike, with high", value=score.too_sure, limit=0, of=f"of {score.connections} connections"
    )
    failures = list(score.failures())
    yield Figure(
        name="claims that do not hold", value=len(failures), limit=0, of="causes with 50 claims included"
    )
    print(table(score))
    print("\n".join([*score.wrong, *failures]))
    print(f"once more: python -m benchmarks.calibration --seed {seed} --replay NUMBER")
