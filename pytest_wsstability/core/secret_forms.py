"""Forms of secrets, found in a text by what they begin with, however many begin alike."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# From so many characters on a form is found wherever it stands.
SHORTEST = 8
# What stands for the rest of a text that somebody has cut short, unittest's "[48 chars]" too.
CUT = re.compile(r"\.\.\.|…|\[\d{1,7} chars\]")
_LONGEST_CUT = 15
# So many beginnings are looked for one by one in half the time that each place of a text takes, measured.
_FEW = 100


class Mask(NamedTuple):
    """What stands for a form of a value, and whether it is one only where it stands alone."""

    shown: str
    alone: bool


class Forms:
    """
    Forms of values in lower case.

    Session ids of a fleet, and JSON web tokens, begin alike by the thousand: their order finds what fits.

    """

    def __init__(self) -> None:
        # By their first characters: sorted, and what stands for each.
        self._sorted: dict[str, list[str]] = {}
        self._masks: dict[str, Mask] = {}
        # Characters of the longest that was ever known.
        self._most = 0

    def __bool__(self) -> bool:
        return bool(self._masks)

    def add(self, form: str, mask: Mask) -> None:
        """Know a form, or another mask of one."""
        if form not in self._masks:
            insort(self._sorted.setdefault(form[:SHORTEST], []), form)
            self._most = max(self._most, len(form))
        self._masks[form] = mask

    def remove(self, form: str) -> None:
        """Forget a form, if it is known."""
        if self._masks.pop(form, None) is not None:
            alike = self._sorted[form[:SHORTEST]]
            del alike[bisect_left(alike, form)]
            if not alike:
                del self._sorted[form[:SHORTEST]]

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where forms stand, and where the end of the text or of what is shown cuts one short."""
        done = 0
        for position in self._places(text):
            alike = self._sorted.get(text[position : position + SHORTEST]) if position >= done else None
            found = self._longest(text, position, alike) if alike is not None else None
            if found is not None:
                yield found
                done = found[1]

    def _places(self, text: str) -> Iterable[int]:
        """Where one may begin, in order: everywhere, or where what few of them begin with was looked for."""
        if len(self._sorted) > min(_FEW, len(text) // 4):
            return range(len(text) - SHORTEST + 1)
        return sorted(place for begin in self._sorted for place in _all_places(begin, text))

    def _longest(self, text: str, start: int, alike: list[str]) -> tuple[int, int, str] | None:
        """The longest form that stands at a place, or that of which only the start is shown."""
        cut, shown = self._cut_short(text, start, alike), text[start : start + self._most]
        while (place := bisect_right(alike, shown)) and len(shown) >= SHORTEST:
            # Of those that the text begins with, the longest comes last before it.
            form = alike[place - 1]
            if not shown.startswith(form):
                shown = _common(shown, form)
                continue
            end, mask = start + len(form), self._masks[form]
            if cut is not None and cut[1] > end:
                break
            if not mask.alone or _stands_alone(text, start, end):
                return start, end, mask.shown
            shown = form[:-1]
        return cut

    def _cut_short(self, text: str, start: int, alike: list[str]) -> tuple[int, int, str] | None:
        """The form whose start is shown up to the end of the text, or up to what stands for its rest."""
        found = None
        for end in self._ends(text, start):
            shown = text[start:end]
            place = bisect_left(alike, shown)
            # One that is all there is not cut short; a longer one that has a mark of its own may be.
            longer = place + (alike[place : place + 1] == [shown])
            if longer < len(alike) and alike[longer].startswith(shown):
                found = start, end, self._masks[alike[longer]].shown
            elif longer == place:
                break
        return found

    def _ends(self, text: str, start: int) -> Iterator[int]:
        """Where a form may be cut short that begins at a place."""
        for mark in CUT.finditer(text, start + SHORTEST, start + self._most + _LONGEST_CUT):
            yield mark.start()
        if len(text) - start < self._most:
            yield len(text)


def _all_places(part: str, text: str) -> Iterator[int]:
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def _common(one: str, other: str) -> str:
    """What both begin with; neither is the beginning of the other."""
    return one[: next(place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a number or a plain word is one here, and no part of a longer one."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    number = text[start].isdecimal()
    return not any(each.isdecimal() or each == "." if number else each.isalpha() for each in (before, after))
