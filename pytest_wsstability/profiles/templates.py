"""JSON with placeholders: what matches it, and what it becomes with values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .patterns import Pattern
from .placeholders import NESTED, OPTIONAL, PLACEHOLDER, Values, as_value, put, take


@dataclass(frozen=True, slots=True)
class Free:
    """
    Any value when it is read; this one when it is written.

    With a name, an answer carries the value of its question back: Phoenix' topic. A client that asks for
    another one on the same connection joins a second channel. What the peer's messages of the session's
    handshake have under a name is also there for those that are said later, such as a challenge.

    """

    value: Any
    name: str | None = None
    # A sender may leave the member out.
    optional: bool = False


@dataclass(frozen=True, slots=True)
class _Whole:
    """A placeholder that is a value of its own."""

    name: str


def compiled(template: Any, place: str = "") -> tuple[Any, set[str]]:
    """A template whose text with placeholders is ready to match, and the placeholders in it."""
    if isinstance(template, Mapping):
        members, names = {}, set()
        for name, value in template.items():
            if not isinstance(name, str):
                raise ValueError(f"member {name!r}{place} is no text, which JSON cannot say")
            members[name], inner = compiled(value, f" in {name!r}")
            names |= inner
        return members, names
    if isinstance(template, list):
        parts = [compiled(value, place) for value in template]
        return [value for value, _ in parts], set().union(*(inner for _, inner in parts))
    if isinstance(template, str):
        whole = PLACEHOLDER.fullmatch(template)
        if whole is not None:
            return _Whole(whole[1]), {whole[1]}
        if PLACEHOLDER.search(template):
            pattern = Pattern(template)
            return pattern, set(pattern.names)
        return template, set()
    value = template.value if isinstance(template, Free) else template
    if not _is_json(value):
        raise ValueError(f"{value!r}{place} is nothing that JSON can say")
    return template, set()


def _is_json(value: Any) -> bool:
    """Whether a value comes back from JSON as it went in: with text keys, lists, no bytes, no NaN."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


def match(template: Any, found: Any, values: Values, *, told: bool = False) -> bool:
    """
    Whether JSON has everything that a template has.

    Args:
        template: see `compiled`.
        found: the JSON.
        values: filled with what stands for placeholders.
        told: something else tells the message already, such as a prefix.

    """
    kind = type(template)
    if kind is dict:
        return isinstance(found, dict) and _match_members(template, found, values, told=told)
    if kind is list:
        return isinstance(found, list) and _match_elements(template, found, values, told=told)
    if kind is _Whole:
        return take(template.name, found, values)
    if kind is Pattern:
        inner = template.read_text(found) if isinstance(found, str) else None
        return inner is not None and all(put(name, value, values) for name, value in inner.items())
    if kind is Free:
        return template.name is None or put(template.name, found, values)
    # JSON's true and 1 are two things, Python's are one.
    return bool(found == template) and isinstance(found, bool) is isinstance(template, bool)


def _match_elements(template: list[Any], found: list[Any], values: Values, *, told: bool) -> bool:
    if len(found) < len(template):
        return False
    for part, value in zip(template, found, strict=False):
        # Most elements are told by the first that is fixed.
        told = told or (type(part) in NESTED and any(map(_tells, template)))
        if not match(part, value, values, told=told):
            return False
    return True


def _match_members(template: dict[str, Any], found: dict[str, Any], values: Values, *, told: bool) -> bool:
    for name, part in template.items():
        missing = name not in found
        if missing or type(part) in NESTED:
            told = told or any(map(_tells, template.values()))
        if missing:
            # Servers may confirm without repeating the id, where something else tells the message.
            if not (told and len(template) > 1 and _may_be_missing(part)):
                return False
        elif not match(part, found[name], values, told=told):
            return False
    return True


def _tells(part: Any) -> bool:
    """Whether a member or an element has to be there, so that a message without it is another one."""
    return type(part) not in NESTED and not _may_be_missing(part)


def _may_be_missing(part: Any) -> bool:
    if isinstance(part, _Whole):
        return part.name in OPTIONAL
    return isinstance(part, Free) and part.optional


def told_by(template: Any, found: Any) -> int:
    """How many parts of JSON that matches a template it fixes; one word alone (``"ping"``) is anybody's."""
    kind = type(template)
    if kind is dict:
        return sum(1 + told_by(part, found[name]) for name, part in template.items() if name in found)
    if kind is list:
        return sum(1 + told_by(part, value) for part, value in zip(template, found, strict=False))
    return 0 if kind is _Whole or (kind is str and template.isalpha()) else 1


def fill(template: Any, values: Values) -> Any:
    """JSON with values in the place of placeholders."""
    kind = type(template)
    if kind is dict:
        return {name: fill(part, values) for name, part in template.items()}
    if kind is list:
        return [fill(part, values) for part in template]
    if kind is _Whole:
        return as_value(values, template.name)
    if kind is Pattern:
        return template.write_text(values)
    if kind is Free:
        return template.value if template.name is None else values.get(template.name, template.value)
    return template
