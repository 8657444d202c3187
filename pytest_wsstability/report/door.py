"""JSON from elsewhere, on its way in: no deeper and with no larger numbers than a report has."""

from __future__ import annotations

import json
import math
from typing import Any

# A report has a dozen levels; what is deeper costs a parser its stack.
_DEEPEST = 64
# Of seconds and bytes: 2^53 is the last integer that every reader of JSON has (RFC 8259, section 6).
_LARGEST = 2**53


def loads(text: str) -> Any:
    """
    The value that a text of JSON says.

    Raises:
        ValueError: if it is none, or one that no report has.

    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        _check(value, 0)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _check(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check(each, depth + 1)
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _LARGEST):
        raise ValueError("it has a number that no report has")
