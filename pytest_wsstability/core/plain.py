"""Values as JSON has them, and back: dataclasses, enums, tuples and numbers of exact builtin types."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from .redact import show_text

_UNIONS = (Union, types.UnionType)


def plain(value: Any) -> Any:
    """
    A value in exact builtin types.

    Exact, because a subclass of int or str, such as an enum of close codes, does not survive every
    way between processes (measured: execnet refuses it, and the whole run ends).

    Raises:
        TypeError: for a value that JSON has no form for.

    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return word(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        # JSON has no infinity.
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(each) for each in value)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [plain(each) for each in value]
    raise TypeError(f"{type(value).__name__} has no plain form")


def word(member: Enum) -> str:
    """What a member of an enum is called in a report: its value if that is text, else its name."""
    return member.value if isinstance(member.value, str) else member.name.lower()


def restore(hint: Any, value: Any, where: str = "value") -> Any:
    """
    The value of a type that `plain` made this of.

    Args:
        hint: the type: a dataclass, an enum, a builtin, or one of them with None or in a tuple.
        value: what JSON gave.
        where: the place, for the message.

    Raises:
        ValueError: if the value does not fit the type, naming the place and what would fit.

    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin in _UNIONS:
        if value is None and type(None) in inner:
            return None
        return restore(next(each for each in inner if each is not type(None)), value, where)
    if origin in (tuple, frozenset, list):
        return _restore_items(origin, inner, value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _restore_member(hint, value, where)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _restore_fields(hint, value, where)
    if hint is float and isinstance(value, int | float | None) and not isinstance(value, bool):
        # As `plain` has made it.
        return math.inf if value is None else float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    raise ValueError(f"{where}: {show_text(repr(value))} is no {getattr(hint, '__name__', hint)}")


def restore_number(value: Any, like: Any, where: str = "value") -> Any:
    """
    A number or a truth value as it stands.

    Args:
        value: what JSON gave.
        like: another of its kind, which None stands for where there may be none.
        where: the place, for the message.

    Raises:
        ValueError: if it is no such thing.

    """
    wanted = type(like) if isinstance(like, int) else float
    if type(value) is wanted or (wanted is float and type(value) is int) or (value is None and like is None):
        return value
    raise ValueError(f"{where}: {show_text(repr(value))} is no {wanted.__name__}")


def _restore_items(kind: Any, inner: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, list):
        raise ValueError(f"{where}: {show_text(repr(value))} is no list")
    if kind is tuple and inner[-1] is not Ellipsis:
        if len(value) != len(inner):
            raise ValueError(f"{where}: {len(value)} values where {len(inner)} are expected")
        hints = list(inner)
    else:
        hints = [inner[0]] * len(value)
    pairs = zip(hints, value, strict=True)
    return kind(restore(hint, each, f"{where}[{index}]") for index, (hint, each) in enumerate(pairs))


def _restore_member(enum: type[Enum], value: Any, where: str) -> Enum:
    members = {word(member): member for member in enum}
    if not isinstance(value, str) or value not in members:
        raise ValueError(f"{where}: {show_text(repr(value))} is none of {', '.join(members)}")
    return members[value]


def _restore_fields(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: {show_text(repr(value))} is no object")
    given = {}
    for name, hint, needed in _fields(kind):
        if name in value:
            given[name] = restore(hint, value[name], f"{where}.{name}")
        elif needed:
            raise ValueError(f"{where}: {name!r} is missing")
    return kind(**given)


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name and type of each field, and whether it must be given."""
    hints = get_type_hints(kind)
    missing = dataclasses.MISSING
    return tuple(
        (field.name, hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(kind)
        if field.init
    )


def instant(value: Any, where: str) -> float:
    """
    Seconds that a report has: a number, and not the null that stands for no end.

    Raises:
        ValueError: for anything else, naming the place.

    """
    seconds: float = restore(float, value, where)
    if not math.isfinite(seconds):
        raise ValueError(f"{where}: {show_text(repr(value))} is no instant")
    return seconds
