"""How often traffic has to come, with a margin."""

from __future__ import annotations

import math

# Two heartbeats and the time for an answer fit into the timeout, so one of them may be lost.
SAFE_SHARE = 0.45
# Traffic rarer than this races with the timer.
UNSAFE_SHARE = 0.9

# From so many seconds on, intervals are rounded to such steps.
_STEPS = ((600.0, 60.0), (10.0, 5.0), (5.0, 0.5), (2.0, 0.1), (0.0, 0.05))


def safe_interval(seconds: float) -> float:
    """An interval that a timer of so many seconds bears: 25 for 60, 45 for 100, 120 for 300."""
    return _round(SAFE_SHARE * seconds, math.floor)


def unsafe_interval(seconds: float) -> float:
    """An interval from which on it is a race: 55 for 60, 90 for 100."""
    return _round(UNSAFE_SHARE * seconds, math.ceil)


def _round(seconds: float, towards: type[int] | object) -> float:
    assert callable(towards)
    step = next(step for least, step in _STEPS if seconds >= least)
    if seconds < 0.2:
        # One digit more than the first.
        step = 10.0 ** (math.floor(math.log10(seconds)) - 1)
    # 27 / 0.1 is a bit less than 270.
    return round(float(towards(round(seconds / step, 6))) * step, 6)
