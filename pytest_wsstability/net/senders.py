"""Who answered a handshake, by the fields of its response that servers and proxies sign with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ..core.redact import show_text

# Fields whose value is the same in each response of one server, proxy or backend.
SENDERS = frozenset({"server", "via", "x-backend", "x-served-by"})
# A name is not as long.
_LONGEST = 60


def served_by(fields: Iterable[tuple[str, str]]) -> str:
    """Who sent these fields, such as ``nginx/1.22.1, b2``; empty where they name nobody."""
    return _named(tuple(value for name, value in fields if name.lower() in SENDERS))


# Most responses of a fleet say the same.
@lru_cache(maxsize=256)
def _named(values: tuple[str, ...]) -> str:
    return ", ".join(show_text(value, _LONGEST) for value in values)
