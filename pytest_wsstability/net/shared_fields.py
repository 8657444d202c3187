"""Fields of handshake responses: servers send most of them alike, and connections have them in common."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

Fields = tuple[tuple[str, str], ...]

# The latest field of each name; of so many names.
_fields: dict[str, tuple[str, str]] = {}
_MOST = 256


def shared_fields(fields: Iterable[tuple[str, str]]) -> Fields:
    """The fields, which are those of an earlier response if that had the same."""
    return _same(tuple(fields))


@lru_cache(maxsize=_MOST)
def _same(fields: Fields) -> Fields:
    return tuple([shared(*field) for field in fields])


def shared(name: str, value: str) -> tuple[str, str]:
    """The field, which is the one of an earlier response if that was the same."""
    known = _fields.get(name)
    if known is None:
        if len(_fields) < _MOST:
            _fields[name] = (name, value)
        return _fields.get(name, (name, value))
    if known[1] != value:
        known = _fields[name] = (known[0], value)
    return known
