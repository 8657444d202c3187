"""All faults by name: as JSON has them, and as a command line has them."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ..duration import parse_duration
from .fault import Fault
from .link import LINK_FAULTS
from .peer import PEER_FAULTS
from .protocol import PROTOCOL_FAULTS

GRAMMAR = "NAME [VALUE or NAME=VALUE]... [at TIME]"
FAULTS: Mapping[str, type[Fault]] = {
    fault.name: fault for fault in (*LINK_FAULTS, *PEER_FAULTS, *PROTOCOL_FAULTS)
}


def fault_of(name: Any, values: dict[str, Any]) -> Fault:
    """
    A fault by its name and parameters.

    Raises:
        ValueError: if there is no such fault or parameter, listing the valid ones.

    """
    kind = FAULTS.get(name) if isinstance(name, str) else None
    if kind is None:
        near = get_close_matches(str(name), FAULTS, n=1)
        hint = f" (did you mean {str(near[0])!r}?)" if near else ""
        raise ValueError(f"unknown fault {name!r}{hint}; valid ones: {', '.join(FAULTS)}")
    return kind.from_values(values)


def fault_in(text: str) -> tuple[float, Fault]:
    """
    A fault and when it is applied, in seconds after the opening; 0.0 where nothing is said.

    The values are those of the fault's fields, in their order or by name; several in a set are separated by
    commas.

    Raises:
        ValueError: for what is no fault, naming it and what is valid.

    """
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise ValueError(f"fault {text!r}: {exc}") from None
    if not words:
        raise ValueError(f"fault {text!r}: is empty; give {GRAMMAR}")
    when = 0.0
    if len(words) > 2 and words[-2] == "at":
        when = parse_duration(words[-1], f"fault {text!r}", zero=True)
        del words[-2:]
    name, *written = words
    try:
        return when, fault_of(name, _values(name, written))
    except ValueError as exc:
        raise ValueError(f"fault {text!r}: {exc}") from None


def _values(name: str, written: list[str]) -> dict[str, Any]:
    kind = FAULTS.get(name)
    fields = dataclasses.fields(kind) if kind is not None else ()
    types = {field.name: str(field.type) for field in fields}
    values: dict[str, Any] = {}
    for word in written:
        given, equals, value = word.partition("=")
        if word == "at":
            raise ValueError("'at' stands before the time alone, which comes last: at 30s")
        if not equals:
            given, value = next((each for each in types if each not in values), ""), word
            if not given and kind is not None:
                raise ValueError(f"{word!r} is too much; it takes {', '.join(types) or 'nothing'}")
            if types.get(given) == "str" and _is_duration(word):
                # Who forgot "at" would get a fault at once.
                raise ValueError(f"{word!r}: write 'at {word}' for the time, or {given}={word} for the text")
        if given in values:
            raise ValueError(f"{given!r} is there twice")
        values[given] = _read(value, types.get(given, ""))
    return values


def _is_duration(word: str) -> bool:
    """Whether a word is a number with its unit."""
    try:
        return word[-1:].isalpha() and parse_duration(word, zero=True) >= 0
    except ValueError:
        return False


def _read(text: str, kind: str) -> Any:
    """A value for a field of a type; the faults say what is wrong with it."""
    if kind == "str":
        return text
    if kind.startswith("frozenset"):
        return text.split(",")
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
