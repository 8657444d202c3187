"""Durations as people write them: seconds, or "500ms", "25s", "2m", "24h"."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from .number import as_float

# What users may write wherever a duration is asked for: seconds, or a number with a unit.
Duration = float | int | str

# Milliseconds are divided: 300 * 0.001 is a bit more than 0.3.
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|h)?")
# Several units, the larger ones first, each once: "1m30s", "1h 30m".
_PART = r"(?:(\d+(?:\.\d+)?)\s*{})?\s*"
_COMPOUND = re.compile("".join(_PART.format(unit) for unit in ("h", "m(?!s)", "s", "ms")))
_VALID = 'seconds as a number, or text such as "500ms", "25s", "2m", "24h"'


def parse_duration(value: Duration, name: str = "duration", *, zero: bool = False) -> float:
    """
    Seconds of a duration.

    Args:
        value: a number of seconds, or a number with one of the units ``ms``, ``s``, ``m``, ``h``, or several
            of these, the larger ones first: ``"1m30s"``.
        name: what the duration is for; error messages start with it.
        zero: whether 0 is a valid value.

    Raises:
        ValueError: if the value is no duration, negative, not finite, or 0 where 0 makes no sense.

    """
    seconds = _seconds(value)
    if seconds is None:
        raise ValueError(f"{name}: {value!r} is not a duration; give {_VALID}")
    if seconds < 0 or not math.isfinite(seconds):
        raise ValueError(f"{name}: {value!r} is negative or not finite; give {_VALID}")
    if seconds == 0 and not zero:
        raise ValueError(f"{name}: must be longer than 0, not {value!r}; give {_VALID}")
    return seconds


def parse_optional(value: Duration | None, name: str) -> float | None:
    """The same; None of None."""
    return None if value is None else parse_duration(value, name)


def _seconds(value: object) -> float | None:
    # Also one that no float holds, which is not finite.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return as_float(value)
    return _seconds_of(value) if isinstance(value, str) else None


# Thousands of connections have their heartbeats in one text.
@lru_cache(maxsize=256)
def _seconds_of(text: str) -> float | None:
    if match := _PATTERN.fullmatch(text.strip()):
        # Whole numbers stay exact: "500ms" is 0.5 and "2m" is 120.0, to the last bit.
        number, unit = float(match[1]), match[2] or "s"
        return number / 1000 if unit == "ms" else number * _UNITS[unit]
    if (match := _COMPOUND.fullmatch(text.strip())) and any(match.groups()):
        hours, minutes, seconds, milliseconds = (float(each or 0) for each in match.groups())
        return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    return None


def show_range(least: float, most: float) -> str:
    """``0 s to 3 s``; one duration where both read the same, ``0 s or more`` where the end is infinite."""
    if math.isinf(most):
        return f"{show_duration(least)} or more"
    low, high = show_duration(least), show_duration(most)
    return low if low == high else f"{low} to {high}"


def show_duration(seconds: float) -> str:
    """A duration for a sentence, with its unit: ``0.4 ms``, ``5 s``, ``60.02 s``, ``120 s``, ``24 h``."""
    # From 0.9995 on, three digits of milliseconds would round to "1e+03 ms".
    if 0 < abs(seconds) < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:.0f} h"
    return f"{round(seconds, 3):.10g} s"
