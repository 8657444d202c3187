"""Text whose lines go on in the next: rich and textwrap fold what is longer than one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise

from .secret_names import is_ordinary

# What pads a line, or frames it.
_MARGIN = " \t\r│┃"
# The margin of what pytest shows of an exception.
_RAISED = "E  "
# What looks random up to the end of a line that is as long as those of a narrow column, and on its own in the
# next one, is a piece, and no last word.
_COLUMN = 30
_ENDS, _GOES_ON = re.compile(r"[\w.+/=~%\-]{16}"), re.compile(r"[\w.+/~\-]{16,}=*(?!\S)")
# What varies from one instant or id to the next.
_VARIES = re.compile(r"[^\W_]")


class Unfolded:
    """
    A text without ends of lines, and what stands around them.

    Attributes:
        text: the text.

    """

    __slots__ = ("_origins", "_starts", "text")

    def __init__(self, text: str, parts: list[tuple[int, str]]) -> None:
        self.text = text
        self._origins = [origin for origin, _ in parts]
        self._starts, length = [0], 0
        for _, part in parts[:-1]:
            length += len(part)
            self._starts.append(length)

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where that stands in the text with its lines; None for what is within one."""
        first, last = bisect_right(self._starts, start) - 1, bisect_left(self._starts, end) - 1
        if first == last:
            return None
        return (
            self._origins[first] + start - self._starts[first],
            self._origins[last] + end - self._starts[last],
        )


def unfolded(text: str) -> Unfolded | None:
    """The words that lines begin and end with, as one line; None if there is one line only."""
    if "\n" not in text:
        return None
    parts = list(_words(text))
    return Unfolded("".join([part for _, part in parts]), parts)


def unfolded_where_random(text: str) -> Unfolded | None:
    """The text without those ends of lines that stand amid what looks random; None if there are none."""
    if "\n" not in text:
        return None
    parts, number = list(_parts(text)), 0
    for place, ((_, part), (_, following)) in enumerate(pairwise(parts)):
        if len(part) >= _COLUMN and _goes_on(part, following):
            number += 1
        else:
            parts[place] = parts[place][0], f"{part}\n"
    return Unfolded("".join([part for _, part in parts]), parts) if number else None


def _goes_on(part: str, following: str) -> bool:
    if not _ENDS.fullmatch(part[-16:]):
        return False
    word = _GOES_ON.match(following)
    return word is not None and not is_ordinary(word[0]) and not _begins_alike(part, word[0])


def _begins_alike(line: str, word: str) -> bool:
    """Whether a line of several words begins with one like this, as lines of a log: an instant, an id."""
    first, space, _ = line.partition(" ")
    return bool(space) and _VARIES.sub("x", first) == _VARIES.sub("x", word)


def _words(text: str) -> Iterator[tuple[int, str]]:
    for begin, part in _parts(text):
        if " " in part:
            yield begin, f"{part[: part.index(' ')]}\0"
            last = part.rindex(" ") + 1
            yield begin + last, part[last:]
        else:
            yield begin, part


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Where each line begins, and what it holds, without its margins."""
    done = 0
    for line in text.split("\n"):
        begin = done + line.startswith(_RAISED)
        held = line[begin - done :].lstrip(_MARGIN)
        yield done + len(line) - len(held), held.rstrip(_MARGIN)
        done += len(line) + 1
