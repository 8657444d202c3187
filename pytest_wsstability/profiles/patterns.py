"""Text or bytes around placeholders."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from .placeholders import IN_TEXT, PLACEHOLDER, Unwritable, Values, as_bytes, as_text, from_groups
from .wording import Parsed, Wording

# Characters of a value that stands twice in a message: each length that it may have is tried.
_LONGEST_TWICE = 256


class Pattern(Wording):
    """Text or bytes around placeholders."""

    __slots__ = ("_parts", "_pattern")

    def __init__(self, source: str | bytes) -> None:
        text = source if isinstance(source, str) else source.decode("latin-1")
        self._parts = PLACEHOLDER.split(text)
        super().__init__(source, frozenset(self._parts[1::2]))
        inner = self._parts[2:-1:2]
        if "" in inner:
            raise ValueError("nothing stands between two placeholders, so that nobody could tell them apart")
        pattern = _expression(self._parts)
        if isinstance(source, str):
            self._pattern: re.Pattern[Any] = re.compile(pattern, re.DOTALL)
        else:
            self._pattern = re.compile(pattern.encode("latin-1"), re.DOTALL)

    def read(self, message: Parsed) -> Values | None:
        if isinstance(message.payload, bytes) is not isinstance(self.source, bytes):
            return None
        return self.read_text(message.payload)

    def read_text(self, text: str | bytes) -> Values | None:
        """The values in a text, which need not be a whole message."""
        match = self._pattern.fullmatch(text)
        return None if match is None else from_groups(match.groupdict())

    def write(self, values: Values) -> str | bytes:
        if isinstance(self.source, str):
            return self.write_text(values)
        parts = [part.encode("latin-1") for part in self._parts]
        for index in range(1, len(parts), 2):
            try:
                parts[index] = as_bytes(values, self._parts[index])
            except UnicodeEncodeError as exc:
                raise Unwritable(
                    f"{self._parts[index]}: {exc.object!r} cannot be sent in binary: {exc.reason}"
                ) from None
        return b"".join(parts)

    def write_text(self, values: Values) -> str:
        """The text with values."""
        return "".join(as_text(values, part) if index % 2 else part for index, part in enumerate(self._parts))


def _expression(parts: list[str]) -> str:
    """
    A regular expression that looks for no place twice between placeholders for any text.

    Where another follows, with numbers between them at most, one ends where the text behind it stands first:
    the other takes what is left, so that no later place would do where the first does not. A peer may write
    that text as often as it likes.

    """
    seen: set[str] = set()
    twice = {name for name in parts[1::2] if parts[1::2].count(name) > 1}
    pieces = [
        _group(part, seen, is_twice=part in twice) if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    ]
    free = (index for index in range(1, len(parts), 2) if _is_free(parts, index))
    for first, following in pairwise(free):
        if all(_is_number(parts, index) for index in range(first + 2, following, 2)):
            pieces[first] = f"(?>{pieces[first]}"
            pieces[following - 1] += ")"
    return "".join(pieces)


def _group(name: str, seen: set[str], *, is_twice: bool) -> str:
    if name == "any":
        return IN_TEXT["any"]
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    text = f".{{1,{_LONGEST_TWICE}}}?" if is_twice else ".+?"
    return f"(?P<{name}>{IN_TEXT.get(name, text)})"


def _is_free(parts: list[str], index: int) -> bool:
    """Whether a placeholder stands for any text, and says the same nowhere else."""
    name = parts[index]
    return name == "any" or (name not in IN_TEXT and parts[1::2].count(name) == 1)


def _is_number(parts: list[str], index: int) -> bool:
    """Whether a placeholder stands for a number that the text behind it ends, and does so only once."""
    name, behind = parts[index], parts[index + 1][0]
    ends = not behind.isdecimal() and behind != "."
    return name in IN_TEXT and name != "any" and parts[1::2].count(name) == 1 and ends
