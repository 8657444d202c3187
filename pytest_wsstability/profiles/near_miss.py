"""Why a message is not the one that was expected: for people who look for their mistake."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .profile import SESSION_ID, Message, may_name_session


def why_not(expected: Message, payload: str | bytes) -> str:
    """
    What a message lacks to be the expected one.

    Of the message itself only the members that the expected one fixes are quoted: the others may be secrets.

    """
    if isinstance(payload, bytes):
        kind = "bytes" if isinstance(expected, bytes) else "text"
        return f"a binary message of {len(payload)} B, not the {kind} expected"
    if not isinstance(expected, Mapping):
        return f"a text message of {len(payload)} characters that is not the one expected"
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return f"a text message of {len(payload)} characters that is no JSON"
    if not isinstance(found, dict):
        return f"JSON that is no object but {_kind(found)}"
    return "; ".join(_differences(expected, found)) or "a message too long to be read"


def _differences(expected: Mapping[str, Any], found: dict[str, Any]) -> list[str]:
    differences = []
    for name, value in expected.items():
        if name not in found:
            differences.append(f"member {name!r} is missing")
        elif value == SESSION_ID and not may_name_session(found[name]):
            differences.append(f"member {name!r} is {_kind(found[name])}, which names no session")
        elif value != SESSION_ID and found[name] != value:
            differences.append(f"member {name!r} is {json.dumps(found[name])[:40]}, not {json.dumps(value)}")
    return differences


def _kind(value: Any) -> str:
    kinds = {list: "an array", dict: "an object", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
