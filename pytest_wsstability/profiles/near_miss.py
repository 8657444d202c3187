"""Why a message is not the one that was expected: for people who look for their mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .messages import Prefixed
from .placeholders import SESSION_ID, may_name_session
from .templates import Free
from .wording import MAX_PARSED
from .words import Messages


def why_not(expected: Messages, payload: str | bytes) -> str:
    """
    What a message lacks to be the expected one; of several that mean the same, the first.

    Of the message itself only the members that the expected one fixes are quoted: the others may be secrets.

    """
    if isinstance(expected, tuple):
        expected = expected[0]
    if isinstance(payload, bytes):
        kind = "bytes" if isinstance(expected, bytes) else "text"
        return f"a binary message of {len(payload)} B, not the {kind} expected"
    template, text = expected, payload
    if isinstance(expected, Prefixed):
        template, text = expected.template, payload.removeprefix(expected.prefix)
    if not isinstance(template, Mapping | list) or (isinstance(expected, Prefixed) and text is payload):
        return f"a text message of {len(payload)} characters that is not the one expected"
    if len(payload) > MAX_PARSED:
        return f"a text message of {len(payload)} characters; at most {MAX_PARSED} are read"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return f"a text message of {len(payload)} characters that is no JSON"
    if isinstance(template, Mapping) and not isinstance(found, dict):
        return f"JSON that is no object but {_kind(found)}"
    return "; ".join(_differences(template, found, "")) or "a message that looks like another one"


def _differences(expected: Any, found: Any, place: str) -> Iterator[str]:
    if isinstance(expected, Mapping):
        yield from _members(expected, found, place)
    elif isinstance(expected, list):
        if not isinstance(found, list):
            yield f"{_named(place)} is {_kind(found)}, not an array"
            return
        for index, value in enumerate(expected):
            if index >= len(found):
                yield f"{_named(place)} has {len(found)} elements, not {len(expected)}"
                return
            yield from _differences(value, found[index], f"{place}[{index}]")
    elif expected == SESSION_ID:
        if not may_name_session(found):
            yield f"{_named(place)} is {_kind(found)}, which names no session"
    elif not _stands_for_another(expected) and found != expected:
        yield f"{_named(place)} is {json.dumps(found)[:40]}, not {json.dumps(expected)}"


def _members(expected: Mapping[str, Any], found: Any, place: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{_named(place)} is {_kind(found)}, not an object"
        return
    for name, value in expected.items():
        inner = f"{place}.{name}" if place else name
        if name in found:
            yield from _differences(value, found[name], inner)
        else:
            yield f"{_named(inner)} is missing"


def _named(place: str) -> str:
    return f"member {place!r}" if place else "it"


def _stands_for_another(expected: Any) -> bool:
    return isinstance(expected, Free) or (isinstance(expected, str) and expected.startswith("{"))


def _kind(value: Any) -> str:
    kinds = {list: "an array", dict: "an object", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
