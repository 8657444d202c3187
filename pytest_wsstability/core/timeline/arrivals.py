"""When application messages came: how many, and the longest time without one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeAlias

from ..redact import redact_text
from .close_reasons import tells_why
from .forms import is_of_a_stream
from .gaps import Gap, longest_before, with_one_more
from .ordinals import Ordinals

_Texts: TypeAlias = tuple[str | None, str | None, str | None, str | None]
_NO_TEXTS: _Texts = (None, None, None, None)


class Arrivals:
    """
    The application messages that an end received: no heartbeats, no session messages, no control frames.

    Args:
        since: the instant from which the first gap counts: the session's confirmation, or else the opening.

    """

    __slots__ = (
        "_last_text", "_ordinals", "_shorter", "_texts_before", "_was_usual",
        "last_at", "longest_gap", "longest_gap_from", "since",
    )  # fmt: skip

    def __init__(self, since: float = 0.0) -> None:
        self.since = since
        self._ordinals = Ordinals()
        # None until the first one after `since`.
        self.last_at: float | None = None
        # That one; None where it is no short text.
        self._last_text: str | None = None
        # The youngest before it, and what a report says of them.
        self._texts_before: _Texts = _NO_TEXTS
        self._was_usual = False
        # Seconds between two, the one still running excluded.
        self.longest_gap = 0.0
        self.longest_gap_from = since
        # Those that were the longest before it.
        self._shorter: tuple[Gap, ...] = ()

    def __copy__(self) -> Arrivals:
        copied = Arrivals()
        for name in self.__slots__:
            setattr(copied, name, getattr(self, name))
        copied._ordinals = copy.copy(self._ordinals)
        return copied

    @property
    def count(self) -> int:
        """How many came, before `since` too."""
        return self._ordinals.count

    @property
    def last_words(self) -> str | None:
        """The last message, if it tells why nothing comes behind it; None where it does not."""
        text = self._last_text
        return text if text is not None and tells_why(text) else None

    @property
    def last_is_usual(self) -> bool:
        """Whether messages of its form came before the last one, which then may tell of trouble by chance."""
        text = self._last_text
        return self._was_usual or (text is not None and is_of_a_stream(text, self._texts_before))

    def before(self, until: float) -> tuple[int, int]:
        """How many came before an instant: at least, and at most."""
        return self._ordinals.before(until)

    def add(self, at: float, text: str | None = None) -> None:
        """A message came; its text, if that is short."""
        ordinals = self._ordinals
        if ordinals.count == ordinals.due:
            ordinals.keep(at)
        ordinals.count += 1
        ordinals.last = at
        before = self.since if self.last_at is None else self.last_at
        if at - before > self.longest_gap:
            if self.longest_gap:
                self._shorter = with_one_more(self._shorter, (self.longest_gap, self.longest_gap_from))
            self.longest_gap, self.longest_gap_from = at - before, before
        first, second, third, _ = self._texts_before
        self._texts_before = (self._last_text, first, second, third)
        self.last_at, self._last_text = at, text

    def restart(self, at: float) -> None:
        """Count gaps from here: the session is confirmed."""
        self.since = self.longest_gap_from = at
        self.last_at, self._last_text, self.longest_gap, self._shorter = None, None, 0.0, ()
        self._texts_before = _NO_TEXTS

    def gap(self, until: float) -> tuple[float, float]:
        """
        The longest time without a message up to an instant, as ``(seconds, from)``.

        One that goes on there counts as far as that.

        """
        before = self.since if self.last_at is None else self.last_at
        longest, since = self._longest_before(until)
        longest = min(longest, until - since)
        return (until - before, before) if until - before > longest else (longest, since)

    def came_after(self, until: float) -> float:
        """When the message came that ended the longest time without one up to an instant."""
        seconds, since = self._longest_before(until)
        return since + seconds

    def _longest_before(self, until: float) -> Gap:
        return longest_before((*self._shorter, (self.longest_gap, self.longest_gap_from)), until)

    def as_dict(self) -> dict[str, Any]:
        """In builtin types; of the texts only what tells why something ended, without secrets."""
        words = self.last_words
        return {
            "count": self.count,
            "since": round(self.since, 6),
            "last_at": None if self.last_at is None else round(self.last_at, 6),
            "longest_gap": round(self.longest_gap, 6),
            "longest_gap_from": round(self.longest_gap_from, 6),
            "last_words": None if words is None else redact_text(words),
            "last_words_usual": words is not None and self.last_is_usual,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Arrivals:
        """
        What `as_dict` made this of.

        Raises:
            KeyError, TypeError, ValueError: for something missing or wrong.

        """
        arrivals = cls(float(data["since"]))
        arrivals.last_at = None if data["last_at"] is None else float(data["last_at"])
        arrivals._ordinals = Ordinals(int(data["count"]))
        arrivals.longest_gap = float(data["longest_gap"])
        arrivals.longest_gap_from = float(data["longest_gap_from"])
        # Reports of the same schema may lack it.
        words = data.get("last_words")
        arrivals._last_text = None if words is None else str(words)
        arrivals._was_usual = bool(data.get("last_words_usual"))
        return arrivals
