"""Text as it was before software escaped it for URLs, JSON, HTML, Markdown, source or a terminal."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

_HEX = "[0-9a-fA-F]"
# What a terminal obeys: colours and the like, and links (ECMA-48).
_OBEYED = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
_COLOURS = re.compile(_OBEYED)
# Between the parts of a long literal, as `pprint` breaks it; pytest has signs and a margin before each line.
_BROKEN = r"""['"]\n[E ]*+(?:[-+] *+)?b?['"]"""
_ESCAPED = re.compile(
    rf"(?P<percent>(?:%{_HEX}{{2}})+)|(?P<byte>(?:\\x{_HEX}{{2}})+)|(?P<unit>(?:\\u{_HEX}{{4}})+)|"
    rf"(?P<char>\\U{_HEX}{{8}})|\\(?P<letter>[nrtbf])|\\(?P<mark>[!-/:-@\[-`{{-~])|"
    rf"&(?:#(?P<decimal>\d{{1,7}})|#[xX](?P<hex>{_HEX}{{1,6}})|(?P<entity>amp|lt|gt|quot|apos));|"
    rf"(?P<colour>{_OBEYED})|(?P<broken>{_BROKEN})"
)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


# What is written for one character, of the escapes that most texts have.
_SHORT = {
    **{f"\\{letter}": char for letter, char in _LETTERS.items()},
    **{f"\\{mark}": mark for mark in "\"\\'/"},
    **{f"&{name};": char for name, char in _ENTITIES.items()},
}


class Unescaped:
    """
    A text without one layer of escapes.

    Attributes:
        text: the text.

    """

    __slots__ = ("_parts", "_written", "text")

    def __init__(self, text: str, written: str) -> None:
        self.text, self._written = text, written
        self._parts: tuple[list[int], list[int]] | None = None

    def origin(self, position: int) -> int:
        """Where a place of this text, its end included, is in the one that it was made from."""
        starts, origins = self._found_parts()
        part = bisect_right(starts, position) - 1
        return origins[part] + position - starts[part]

    def end(self, position: int) -> int:
        """Where in the other text that ends which stands before a place: before the colours there."""
        starts, origins = self._found_parts()
        part = bisect_left(starts, position)
        is_begin = part < len(starts) and starts[part] == position
        return origins[part] if is_begin else self.origin(position)

    def _found_parts(self) -> tuple[list[int], list[int]]:
        if self._parts is None:
            # Asked for where a secret stands: most texts have none.
            self._parts = _parts(self._written)
        return self._parts


def unescaped(text: str) -> Unescaped | None:
    """The text without its outermost escapes; None if there are none."""
    escaped = "\\" in text or "%" in text or "&" in text or "\x1b" in text
    if not escaped and "'\n" not in text and '"\n' not in text:
        return None
    shown, number = _ESCAPED.subn(_text_of, text)
    return Unescaped(shown, text) if number else None


def _text_of(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or "".join(char for char, _ in _decoded(match))


def _parts(written: str) -> tuple[list[int], list[int]]:
    """
    Where the parts of a text without its escapes begin, in it and as they were written.

    A part is what stands in both, each character that was escaped, and what has no length in it: colours, and
    where a literal is broken.

    """
    starts, origins = [], []
    done = length = 0
    for match in _ESCAPED.finditer(written):
        plain = match.start() - done
        for chars, width in (plain, plain), *((len(char), width) for char, width in _decoded(match)):
            if width:
                starts.append(length)
                origins.append(done)
                length += chars
                done += width
    return [*starts, length], [*origins, done]


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


def without_colours(text: str) -> str:
    """The text as a terminal shows it, in one colour."""
    return _COLOURS.sub("", text) if "\x1b" in text else text


def _char(kind: str | None, written: str) -> str:
    if kind in ("colour", "broken"):
        return ""
    if kind == "letter":
        return _LETTERS[written]
    if kind == "entity":
        return _ENTITIES[written]
    if kind == "mark":
        return written
    number = int(written) if kind == "decimal" else int(written.removeprefix("\\U"), 16)
    return chr(number) if number < 0x110000 else "\ufffd"
