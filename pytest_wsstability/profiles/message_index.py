"""Which of several messages a received one may be, found by one member instead of by trying all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from .placeholders import PLACEHOLDER
from .wording import Parsed, Wording

T = TypeVar("T")


class MessageIndex(Generic[T]):
    """
    Messages, looked up by a member that each of them has, with a text of its own: ``"type"`` for most, or by
    an element, where all are lists: the fourth of Phoenix'.

    A stream of audio is fifty messages a second that are none of the handshake's: to hold each of them
    against every template took a third of what a frame cost (measured).

    """

    __slots__ = ("_all", "_by_text", "_member")

    def __init__(self, entries: Sequence[tuple[Wording, T]]) -> None:
        self._all = tuple(entries)
        self._member = _common([wording.source for wording, _ in entries])
        self._by_text: dict[str, tuple[tuple[Wording, T], ...]] = {}
        if self._member is not None:
            for wording, entry in entries:
                text = wording.source[self._member]
                self._by_text[text] = (*self._by_text.get(text, ()), (wording, entry))

    def possible(self, message: Parsed) -> Sequence[tuple[Wording, T]]:
        """Those that it may be, in their order."""
        if self._member is None:
            return self._all
        found = message.json()
        if isinstance(self._member, int):
            text = found[self._member] if isinstance(found, list) and len(found) > self._member else None
        else:
            text = found.get(self._member) if isinstance(found, dict) else None
        return self._by_text.get(text, ()) if isinstance(text, str) else ()


def _common(sources: Sequence[object]) -> str | int | None:
    """A member or an element that every message has, always with the same text; None if there is none."""
    if not sources:
        return None
    first = sources[0]
    places: Iterable[str | int] = first if isinstance(first, Mapping) else ()
    if isinstance(first, list):
        places = range(len(first))
    return next((place for place in places if all(_is_fixed(source, place) for source in sources)), None)


def _is_fixed(source: object, place: str | int) -> bool:
    text = None
    if isinstance(source, Mapping):
        text = source.get(place)
    elif isinstance(source, list) and isinstance(place, int) and place < len(source):
        text = source[place]
    return isinstance(text, str) and not PLACEHOLDER.search(text)
