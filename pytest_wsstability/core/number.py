"""Numbers as people write them: True and False are none."""

from __future__ import annotations

import math
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number, whole or not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object, least: float = -math.inf) -> TypeGuard[int]:
    """Whether it is a whole number, from ``least`` on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def as_float(number: float) -> float:
    """The number as one with a fraction; infinite for a whole one that none can hold."""
    try:
        return float(number)
    except OverflowError:
        return math.inf
