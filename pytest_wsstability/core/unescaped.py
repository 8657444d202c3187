"""Text as it was before software escaped it for URLs, JSON, HTML, Markdown or a program's source."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

_HEX = "[0-9a-fA-F]"
_ESCAPED = re.compile(
    rf"(?P<percent>(?:%{_HEX}{{2}})+)|(?P<byte>(?:\\x{_HEX}{{2}})+)|(?P<unit>(?:\\u{_HEX}{{4}})+)|"
    rf"(?P<char>\\U{_HEX}{{8}})|\\(?P<letter>[nrtbf])|\\(?P<mark>[!-/:-@\[-`{{-~])|"
    rf"&(?:#(?P<decimal>\d{{1,7}})|#[xX](?P<hex>{_HEX}{{1,6}})|(?P<entity>amp|lt|gt|quot|apos));"
)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class Unescaped(NamedTuple):
    """
    A text without one layer of escapes.

    Attributes:
        text: the text.
        starts: where its parts begin: what stands in both texts, and each character that was escaped.
        origins: where those begin in the text that it was made from.

    """

    text: str
    starts: list[int]
    origins: list[int]

    def origin(self, position: int) -> int:
        """Where a place of this text, its end included, is in the other."""
        part = bisect_right(self.starts, position) - 1
        return self.origins[part] + position - self.starts[part]


def unescaped(text: str) -> Unescaped | None:
    """The text without its outermost escapes; None if there are none."""
    if "\\" not in text and "%" not in text and "&" not in text:
        return None
    parts, starts, origins = [], [], []
    done = length = 0
    for match in _ESCAPED.finditer(text):
        place = match.start()
        for part, width in (text[done:place], place - done), *_decoded(match):
            if part:
                parts.append(part)
                starts.append(length)
                origins.append(done)
                length += len(part)
                done += width
    if not parts:
        return None
    parts.append(text[done:])
    return Unescaped("".join(parts), [*starts, length], [*origins, done])


def _decoded(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    """Characters, each with how many it was written with."""
    kind, written = match.lastgroup, match[match.lastgroup or 0]
    if kind in ("percent", "byte"):
        width = 3 if kind == "percent" else 4
        octets = bytes.fromhex(written.replace("%", "").replace("\\x", ""))
        try:
            yield from ((char, width * len(char.encode())) for char in octets.decode())
        except UnicodeDecodeError:
            yield from ((char, width) for char in octets.decode("latin-1"))
    elif kind == "unit":
        # UTF-16: a character beyond the first 65,536 is two.
        units = bytes.fromhex(written.replace("\\u", ""))
        chars = units.decode("utf-16-be", "surrogatepass")
        yield from ((char, 12 if char > "\uffff" else 6) for char in chars)
    else:
        yield _char(kind, written), len(match[0])


def _char(kind: str | None, written: str) -> str:
    if kind == "letter":
        return _LETTERS[written]
    if kind == "entity":
        return _ENTITIES[written]
    if kind == "mark":
        return written
    number = int(written) if kind == "decimal" else int(written.removeprefix("\\U"), 16)
    return chr(number) if number < 0x110000 else "\ufffd"
