"""Which of several messages a received one may be, found by one member instead of by trying all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from .placeholders import PLACEHOLDER
from .wording import Parsed, Wording

T = TypeVar("T")


class Telling(Generic[T]):
    """
    Messages, looked up by a member that each of them has, with a text of its own: ``"type"`` for most.

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
        text = found.get(self._member) if isinstance(found, dict) else None
        return self._by_text.get(text, ()) if isinstance(text, str) else ()


def _common(sources: Sequence[object]) -> str | None:
    """A member that every message has, always with the same text in it; None if there is none."""
    if not sources or not isinstance(sources[0], Mapping):
        return None
    return next((name for name in sources[0] if all(_is_fixed(source, name) for source in sources)), None)


def _is_fixed(source: object, name: str) -> bool:
    text = source.get(name) if isinstance(source, Mapping) else None
    return isinstance(text, str) and not PLACEHOLDER.search(text)
