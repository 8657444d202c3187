"""The longest lags of the test's own loop: they outlive the ring of events, as the slowest answers do."""

from __future__ import annotations

from array import array

# So many are kept: as many as a `Sample` keeps of the slowest answers.
LAGS = 16


def add_lag(lags: array[float], at: float, seconds: float) -> None:
    """Add a lag that ended at an instant; of too many, the shortest goes, the first of several."""
    if len(lags) == 2 * LAGS:
        long = lags[1::2]
        shortest = min(long)
        if seconds <= shortest:
            return
        place = 2 * long.index(shortest)
        del lags[place : place + 2]
    lags.extend((at, seconds))


def told_lags(lags: array[float] | None) -> list[tuple[float, float]]:
    """Each as its end and its seconds, in the order in which they were; none of None."""
    return [] if lags is None else list(zip(lags[::2], lags[1::2], strict=True))
