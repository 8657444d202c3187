"""Questions and their answers on one connection: heartbeats, and protocol pings."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Mapping
from typing import Any

from ..samples import Sample

# An end that is never answered for a month must not fill the memory.
_MAX_PENDING = 1024
# Instants are differences of clock readings; two ways to the same instant may differ in the last bit.
_SAME = 1e-9


class RoundTrips:
    """
    Questions that one end asked and the other answered.

    An answer that carries nothing to tell its question by belongs to the youngest open question: a
    server that drops one answer then has missed one, and its other answers keep their true times.
    (Matched to the oldest, each later answer would look one interval late.)

    """

    __slots__ = (
        "_abandoned", "_keys", "_pending", "_rtts", "answered", "first_at", "last_at", "longest_gap",
        "longest_gap_from", "sent",
    )  # fmt: skip

    def __init__(self) -> None:
        # Instants of the open questions, oldest first, and the keys that tell them apart, if any.
        self._pending = array("d")
        self._keys: list[bytes | None] | None = None
        # Open questions that were too many to keep.
        self._abandoned = 0
        self.sent = 0
        self.answered = 0
        # None until the first question.
        self.first_at: float | None = None
        self.last_at: float | None = None
        # Seconds between two questions, the opening counting as the first.
        self.longest_gap = 0.0
        self.longest_gap_from = 0.0
        # None until the first answer: where none is expected, none is paid for.
        self._rtts: Sample | None = None

    def __copy__(self) -> RoundTrips:
        copied = RoundTrips()
        for name in self.__slots__:
            setattr(copied, name, getattr(self, name))
        copied._pending = self._pending[:]
        copied._keys = None if self._keys is None else self._keys[:]
        copied._rtts = copy.copy(self._rtts)
        return copied

    @property
    def rtts(self) -> Sample:
        """The round trip times of the questions that were answered."""
        return self._rtts or Sample()

    def ask(self, at: float, key: bytes | None = None, *, due: bool = True) -> None:
        """A question went out at ``at``; ``due``: an answer is expected."""
        self.sent += 1
        before = self.last_at or 0.0
        if at - before > self.longest_gap:
            self.longest_gap, self.longest_gap_from = at - before, before
        self.last_at = at
        if self.first_at is None:
            self.first_at = at
        if not due:
            return
        if len(self._pending) == _MAX_PENDING:
            del self._pending[0]
            if self._keys is not None:
                del self._keys[0]
            self._abandoned += 1
        if key is not None and self._keys is None:
            self._keys = [None] * len(self._pending)
        self._pending.append(at)
        if self._keys is not None:
            self._keys.append(key)

    def answer(self, at: float, key: bytes | None = None) -> bool:
        """An answer came; False when no open question fits it (an unsolicited pong, for one)."""
        pending, keys = self._pending, self._keys
        if not pending:
            return False
        if key is None:
            first = last = len(pending) - 1
        elif keys is not None and key in keys:
            # RFC 6455, section 5.5.3: an endpoint that got several pings may answer only the most recent.
            first, last = 0, keys.index(key)
        else:
            return False
        # An older question waited until now too: a verdict must not depend on when it is asked for.
        if self._rtts is None:
            self._rtts = Sample()
        for asked in pending[first : last + 1]:
            self.answered += 1
            self._rtts.add(at - asked, asked)
        del pending[first : last + 1]
        if keys is not None:
            del keys[first : last + 1]
        return True

    @property
    def oldest_pending(self) -> float | None:
        """When the oldest open question was asked; None when all are answered."""
        return self._pending[0] if self._pending else None

    def late(self, within: float) -> int:
        """How many answers took longer than ``within`` seconds; one that took exactly so long is in time."""
        return self.rtts.above(within + _SAME)

    def overdue(self, now: float, within: float) -> list[float]:
        """Instants of the open questions that are ``within`` seconds old or older at ``now``."""
        return [at for at in self._pending if now - at >= within - _SAME]

    def missed(self, now: float, within: float) -> int:
        """How many were not answered within ``within`` seconds; young open questions do not count yet."""
        return self._abandoned + len(self.overdue(now, within)) + self.late(within)

    def next_overdue(self, now: float, within: float) -> float | None:
        """When the next open question will be overdue, if nothing answers it; None when none is open."""
        return next((at + within for at in self._pending if at + within > now + _SAME), None)

    def as_dict(self) -> dict[str, Any]:
        """What was asked and answered, in builtin types; what tells open questions apart is left out."""
        return {
            "sent": self.sent,
            "answered": self.answered,
            "pending": [round(at, 6) for at in self._pending],
            "abandoned": self._abandoned,
            "first_at": None if self.first_at is None else round(self.first_at, 6),
            "last_at": None if self.last_at is None else round(self.last_at, 6),
            "longest_gap": round(self.longest_gap, 6),
            "longest_gap_from": round(self.longest_gap_from, 6),
            "rtts": self.rtts.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RoundTrips:
        """
        The round trips that `as_dict` made this of; no further answer is expected.

        Raises:
            KeyError, TypeError, ValueError: for something missing or wrong.

        """
        trips = cls()
        trips.sent, trips.answered = int(data["sent"]), int(data["answered"])
        trips._pending = array("d", data["pending"])
        trips._abandoned = int(data["abandoned"])
        trips.first_at, trips.last_at = data["first_at"], data["last_at"]
        trips.longest_gap = float(data["longest_gap"])
        trips.longest_gap_from = float(data["longest_gap_from"])
        trips._rtts = Sample.from_dict(data["rtts"])
        return trips
