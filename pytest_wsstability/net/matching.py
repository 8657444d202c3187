"""Which messages somebody waits for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..core.functions import gives_later

# Exact text or bytes, members that a JSON object has, a pattern that is found in it, or a function.
Match: TypeAlias = (
    "str | bytes | Mapping[str, Any] | re.Pattern[str] | re.Pattern[bytes] | Callable[[Any], Any]"
)


def matcher(match: Match) -> Callable[[str | bytes], bool]:
    """
    A function that tells the messages that match.

    Raises:
        TypeError: for what is none of those.

    """
    if isinstance(match, str | bytes):
        return lambda message: message == match
    if isinstance(match, re.Pattern):
        pattern: re.Pattern[Any] = match
        kind = type(match.pattern)
        return lambda message: isinstance(message, kind) and pattern.search(message) is not None
    if isinstance(match, Mapping):
        return lambda message: _has(match, _parsed(message))
    if gives_later(match):
        raise TypeError(
            f"expect: {match!r} gives no truth value when it is called: write it with 'def', and return one"
        )
    if callable(match):
        return lambda message: bool(match(message))
    raise TypeError(
        f"expect: {match!r} ({type(match).__name__}) matches no message; give text or bytes, members of a "
        "JSON object as a mapping, a compiled pattern, or a function of the message"
    )


def _has(wanted: Any, found: Any) -> bool:
    """Whether JSON has every member that is wanted, at any depth, and otherwise the same value."""
    if isinstance(wanted, Mapping):
        return isinstance(found, dict) and all(
            name in found and _has(value, found[name]) for name, value in wanted.items()
        )
    return type(wanted) is type(found) and bool(wanted == found)


def _parsed(message: str | bytes) -> Any:
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None
