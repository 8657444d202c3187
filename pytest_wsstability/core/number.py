"""Numbers as people write them: True and False are none."""

from __future__ import annotations

import math
import sys
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number, whole or not; a whole one that no float can hold is none."""
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return False
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


def counted(number: int, noun: str) -> str:
    """A number with what is counted: ``1 message``, ``1,200 messages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
