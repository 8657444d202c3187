"""Whether messages are of one form: content of a stream, of which one may tell of trouble by chance."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeAlias

# So many messages of one form make a stream of them.
_STREAM = 2
# Members whose values say of which kind a message is.
_KINDS = frozenset({
    "action", "category", "channel", "class", "cmd", "code", "command", "event", "intent", "kind", "level",
    "method", "name", "op", "opcode", "reason", "severity", "state", "status", "subtype", "topic", "type",
})  # fmt: skip
# The same where they are words: numbers are times and ids.
_SHORT_KINDS = frozenset({"e", "t"})

_Form: TypeAlias = tuple[Any, ...] | None


def is_of_a_stream(text: str, before: Iterable[str | None]) -> bool:
    """Whether enough of the texts before say the same, or are JSON of the same members and of one kind."""
    form = _form(text)
    return sum(each == text or (form is not None and form == _form(each)) for each in before) >= _STREAM


def _form(text: str | None) -> _Form:
    """
    The names of members, with the values that name kinds, of an object or the first one of an array.

    None of what is neither, or too deep.

    """
    if text is None:
        return None
    try:
        value = json.loads(text)
        # Feeds send each event in an array (Alpaca, Polygon).
        return _shape(value[0] if isinstance(value, list) and value else value)
    except (ValueError, RecursionError):
        return None


def is_of_a_form(text: str) -> bool:
    """Whether a message is a JSON object, or an array around one."""
    return _form(text) is not None


def _shape(value: Any) -> _Form:
    if not isinstance(value, dict):
        return None
    kinds = ((name, each if _is_kind(name, each) else _shape(each)) for name, each in value.items())
    return tuple(sorted(kinds, key=lambda member: member[0]))


def _is_kind(name: str, value: Any) -> bool:
    return name.lower() in _KINDS or (name in _SHORT_KINDS and isinstance(value, str))
