"""What reads and writes one message of a protocol, whatever it was made of."""

from __future__ import annotations

import json
from typing import Any

from .placeholders import Values

# A session may begin with a whole state, and an error quote what it is about. A message of this size takes
# 0.15 ms to be parsed where it is one of audio, and 8 ms where it is many small members (measured).
MAX_PARSED = 256 * 1024

# What `json.loads` comes to for text.
_decode = json.JSONDecoder().decode

# What was parsed last: a handshake, a count of numbers and an agent all look at the same message.
_latest: tuple[str, Any] = ("", None)


def json_of(text: str | bytes) -> Any:
    """The JSON object or array that a text is, for readers who do not change it; None for what is none."""
    global _latest
    if isinstance(text, bytes):
        return None
    latest, found = _latest
    if latest is not text:
        found = _json_of(text)
        _latest = text, found
    return found


def _json_of(text: str) -> Any:
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return None
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        return None


class Parsed:
    """One received message, and its JSON, which several templates look at."""

    __slots__ = ("_found", "_longest", "payload")

    def __init__(self, payload: str | bytes, *, longest: int = MAX_PARSED) -> None:
        self.payload = payload
        self._longest = longest
        self._found: dict[int, Any] = {}

    def json(self, start: int = 0) -> Any:
        """The JSON object or array from an index on; None for what is none, or too long to be looked at."""
        if start not in self._found:
            self._found[start] = self._parse(start)
        return self._found[start]

    def _parse(self, start: int) -> Any:
        return None if len(self.payload) > self._longest else json_of(self.payload[start:])


class Wording:
    """A message that is known to be sound: it reads and writes itself."""

    __slots__ = ("names", "source")

    def __init__(self, source: Any, names: frozenset[str] = frozenset()) -> None:
        # As the user wrote it.
        self.source = source
        # The placeholders in it.
        self.names = names

    def read(self, message: Parsed) -> Values | None:
        """The values in a message; None if it is another one."""
        raise NotImplementedError

    def write(self, values: Values) -> str | bytes:
        """
        The message with values.

        Raises:
            Unwritable: if it can't be written with them, saying why.

        """
        raise NotImplementedError

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same text or bytes each time."""
        return not self.names

    @property
    def is_function(self) -> bool:
        """Whether a function or a pattern of the user's reads it."""
        return False

    def telling(self, message: Parsed) -> int:
        """How many parts it fixes of a message that it reads; a function's word counts for some."""
        return 0 if self.source[:1] in ("{", b"{") else 1

    @property
    def is_writable(self) -> bool:
        """Whether it can be sent at all."""
        return True
