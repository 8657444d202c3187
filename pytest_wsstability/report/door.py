"""JSON from elsewhere, on its way in: no deeper, and with no numbers or texts that reports have not."""

from __future__ import annotations

import json
import math
from typing import Any

from ..core.redact import is_text

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
    if isinstance(value, dict):
        for name, each in value.items():
            _check(name, depth + 1)
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)
    elif isinstance(value, str):
        if not is_text(value):
            raise ValueError("it has half of a character, which no file can hold")
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _LARGEST):
        raise ValueError("it has a number that no report has")
