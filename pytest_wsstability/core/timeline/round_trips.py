"""Questions and their answers on one connection: heartbeats, and protocol pings."""

from __future__ import annotations

import copy
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..plain import restore_number
from ..samples import Sample
from .events import SAME
from .gaps import Gap, longest_before, shared, shortest_before, with_one_more
from .ordinals import Ordinals

# An end that is never answered for a month must not fill the memory.
_MAX_PENDING = 1024
# After a question without an answer, one comes so much of the interval early, where this end asks.
SHIFT = 0.25
# Questions whose gaps differ by less than this share of one were asked in one rhythm: timers are late, too.
_OTHER_RHYTHM = 0.1
# Answers follow a rhythm if they are off it by at most this share of what parts it from the other.
_RHYTHM = 0.25


@dataclass(frozen=True, slots=True)
class Pairing:
    """One way in which answers belong to questions."""

    # Of the questions that were answered, and the instants of those that were not, oldest first.
    rtts: Sample
    open: tuple[float, ...]
    # Questions without an answer of which only the number is kept.
    abandoned: int

    def missed(self, overdue: Callable[[float], bool], within: float) -> int:
        """How many were not answered in time; ``overdue`` tells of an open one whether it counts yet."""
        return self.abandoned + sum(map(overdue, self.open)) + self.late(within)

    def late(self, within: float) -> int:
        """How many answers took longer than ``within`` seconds; one that took exactly so long is in time."""
        return self.rtts.above(within + SAME)


class RoundTrips:
    """
    Questions that one end asked and the other answered.

    An answer with a key belongs to its question, and to no other. (Only a pong frame is to the older pings
    too, and what a protocol calls cumulative.) One without is read in order: answers come in the order of
    their questions, each to one that was asked before it. Where several questions are open, more than one
    such reading fits, and both ends of what they say are kept: in the quickest each answer is to the youngest
    question it can be to, and those before it are lost; in the slowest it is to the oldest, and nothing is
    lost. (A server that answers each heartbeat 1.05 s late looks 50 ms quick in the one, where they go out
    each second.) What is said without a word of reading is the quickest.

    An ambiguity ends where each open question has its answer, and where questions were asked in another
    rhythm: answers follow the rhythm of the questions that they are to.

    """

    __slots__ = (
        "_abandoned", "_answers", "_keys", "_longer", "_lost", "_ordinals", "_pending", "_rtts", "_shorter",
        "answered", "first_at", "last_at", "longest_gap", "longest_gap_from", "shortest_gap",
        "shortest_gap_from", "unasked", "unasked_after", "unmatched", "unsettled",
    )  # fmt: skip

    def __init__(self, begun: float = 0.0) -> None:
        # Instants of the questions that are open or whose answers are in `_answers`, oldest first, and the
        # keys that tell them apart, if any.
        self._pending = array("d")
        self._keys: list[bytes | None] | None = None
        # Instants of answers that may be to more than one of them; None while there was none.
        self._answers: array[float] | None = None
        # Questions whose answers were lost for sure; None while none was.
        self._lost: array[float] | None = None
        # Open questions that were too many to keep.
        self._abandoned = 0
        self._ordinals = Ordinals()
        self.answered = 0
        # Answers whose question could not be told, for want of room: it was taken to be the youngest, or was
        # not kept.
        self.unsettled = 0
        # Answers without a key that came while no question was open, after the first one; and the longest
        # time from the last question to one.
        self.unasked = 0
        self.unasked_after = 0.0
        # Answers with a key that no open question has: a second one, or one to somebody else's.
        self.unmatched = 0
        # None until the first question.
        self.first_at: float | None = None
        self.last_at: float | None = None
        # Seconds between two questions; the instant from which on they are due counts as the first.
        self.longest_gap = 0.0
        self.longest_gap_from = begun
        # Those that were the longest before it.
        self._shorter: tuple[Gap, ...] = ()
        # The same without that instant; None before the second question.
        self.shortest_gap: float | None = None
        self.shortest_gap_from = 0.0
        # Those that were the shortest before it.
        self._longer: tuple[Gap, ...] = ()
        # None until the first answer: where none is expected, none is paid for.
        self._rtts: Sample | None = None

    def __copy__(self) -> RoundTrips:
        copied = RoundTrips()
        for name in self.__slots__:
            value = getattr(self, name)
            growing = isinstance(value, array | list | Sample | Ordinals)
            setattr(copied, name, copy.copy(value) if growing else value)
        return copied

    @property
    def sent(self) -> int:
        """How many questions there were."""
        return self._ordinals.count

    def sent_before(self, until: float) -> tuple[int, int]:
        """How many questions there were before an instant: at least, and at most."""
        return self._ordinals.before(until)

    def ask(self, at: float, key: bytes | None = None, *, due: bool = True) -> None:
        """A question went out at ``at``; ``due``: an answer is expected."""
        ordinals = self._ordinals
        if ordinals.count == ordinals.due:
            ordinals.keep(at)
        ordinals.count += 1
        ordinals.last = at
        before = self.last_at
        self.last_at = at
        if before is None:
            self.first_at = at
            before = self.longest_gap_from
            gap = at - before
        else:
            gap = at - before
            if self.shortest_gap is None or gap < self.shortest_gap:
                if self.shortest_gap is not None:
                    self._longer = with_one_more(self._longer, (self.shortest_gap, self.shortest_gap_from))
                self.shortest_gap, self.shortest_gap_from = shared(gap), before
        if gap > self.longest_gap:
            if self.longest_gap:
                self._shorter = with_one_more(self._shorter, (self.longest_gap, self.longest_gap_from))
            self.longest_gap, self.longest_gap_from = shared(gap), before
        if not due:
            return
        pending = self._pending
        if len(pending) == _MAX_PENDING:
            self._make_room()
        keys = self._keys
        if keys is not None:
            keys.append(key)
        elif key is not None:
            self._keys = [*[None] * len(pending), key]
        pending.append(at)

    def _make_room(self) -> None:
        if self._answers:
            self.unsettled += len(self._answers)
            self._settle(self._quickest())
        if len(self._pending) == _MAX_PENDING:
            self._abandoned += 1
            del self._pending[0]
            if self._keys is not None:
                del self._keys[0]

    def answer(self, at: float, key: bytes | None = None, *, older: bool = False) -> bool:
        """
        An answer came; False when no open question fits it (an unsolicited pong, for one).

        Args:
            at: when.
            key: that of the question; None where it has none.
            older: whether it answers all questions before that one, too, as a pong frame does, or a
                cumulative answer.

        """
        if key is None:
            return self._answer_in_order(at)
        if self._answers and key in (self._keys or ()):
            self._settle(self._quickest())
        keys = self._keys or []
        try:
            place = keys.index(key)
        except ValueError:
            if self._answer_abandoned(1):
                return True
            self.unmatched += 1
            return False
        # RFC 6455, section 5.5.3: an endpoint that got several pings may answer only the most recent. An
        # older question waited until now too: a verdict must not depend on when it is asked for.
        if older:
            self._answer_abandoned(self._abandoned)
        while older and place:
            place -= 1
            del keys[0]
            self._answered(at, self._pending.pop(0))
        del keys[place]
        self._answered(at, self._pending.pop(place))
        return True

    def _answer_abandoned(self, most: int) -> int:
        """So many of those that were too many to keep have their answer, after nobody knows how long."""
        count = min(most, self._abandoned)
        self._abandoned -= count
        self.answered += count
        self.unsettled += count
        return count

    def _answer_in_order(self, at: float) -> bool:
        pending, answers = self._pending, self._answers
        if not pending:
            if self._answer_abandoned(1):
                return True
            if self.last_at is not None and self._keys is None:
                self.unasked += 1
                self.unasked_after = max(self.unasked_after, at - self.last_at)
            return False
        if len(pending) == 1:
            # The rule, and there is nothing to read.
            asked = pending.pop()
            self.answered += 1
            if self._rtts is None:
                self._rtts = Sample()
            self._rtts.add(at - asked, asked)
            if self._keys is not None:
                self._keys.clear()
            return True
        if answers is None:
            answers = self._answers = array("d")
        answers.append(at)
        self.answered += 1
        if len(answers) == len(pending):
            self._settle(range(len(answers)))
        elif len(answers) > 1:
            self._settle_by_rhythm(answers)
        return True

    def _answered(self, at: float, asked: float) -> None:
        self.answered += 1
        self._measure(at - asked, asked)

    def _measure(self, seconds: float, asked: float) -> None:
        if self._rtts is None:
            self._rtts = Sample()
        self._rtts.add(seconds, asked)

    def _quickest(self) -> list[int]:
        """For each answer that is not settled, the place of the youngest question it can be to."""
        places: list[int] = []
        place = len(self._pending)
        for at in reversed(self._answers or ()):
            place = min(place, bisect_right(self._pending, at)) - 1
            places.append(place)
        places.reverse()
        return places

    def _settle(self, places: Sequence[int]) -> None:
        """Answers that were not settled belong to the questions at these places."""
        assert self._answers is not None
        pending, answered = self._pending, set(places)
        for place, at in zip(places, self._answers, strict=True):
            self._measure(at - pending[place], pending[place])
        done = places[-1] + 1
        lost = [pending[place] for place in range(done) if place not in answered]
        if lost:
            self._lost = (self._lost or array("d")) + array("d", lost)
            self._abandoned += len(self._lost[:-_MAX_PENDING])
            self._lost = self._lost[-_MAX_PENDING:]
        del pending[:done]
        if self._keys is not None:
            del self._keys[:done]
        self._answers = None

    def _settle_by_rhythm(self, answers: array[float]) -> None:
        """
        The last two answers are as far apart as the questions that they are to.

        That tells which ones they are, where the questions were not asked in one rhythm.

        """
        places, pending = self._quickest(), self._pending
        before, last = places[-2:]
        apart = answers[-1] - answers[-2]
        spare = before - (len(answers) - 2)
        gaps = [pending[last - back] - pending[before - back] for back in range(spare + 1)]
        youngest, others = gaps[0], gaps[1:]
        if not others or any(abs(gap - youngest) < _OTHER_RHYTHM * youngest for gap in others):
            return
        if all(abs(apart - youngest) <= _RHYTHM * abs(gap - youngest) for gap in others):
            self._settle(places)
        elif len(others) == 1 and abs(apart - others[0]) <= _RHYTHM * abs(others[0] - youngest):
            self._settle(range(len(answers)))

    def readings(self, within: float) -> tuple[Pairing, ...]:
        """
        Readings between which all others lie; a single one where each answer is told.

        Args:
            within: seconds that an answer has: one reading has as many in time as there can be.

        """
        if not self._answers:
            return (self._read({}),)
        quickest = dict(zip(self._quickest(), self._answers, strict=True))
        slowest = dict(enumerate(self._answers))
        return self._read(quickest), self._read(slowest), self._read(self._most_in_time(within))

    def _most_in_time(self, within: float) -> dict[int, float]:
        """As many answers as can be in time, by the places of their questions."""
        found: dict[int, float] = {}
        place, pending = 0, self._pending
        for at in self._answers or ():
            while place < len(pending) and at - pending[place] > within + SAME:
                place += 1
            if place < len(pending) and pending[place] <= at:
                found[place] = at
                place += 1
        return found

    def _read(self, answers: Mapping[int, float]) -> Pairing:
        sample = self._rtts or Sample()
        if answers:
            sample = copy.copy(sample)
            for place, at in answers.items():
                sample.add(at - self._pending[place], self._pending[place])
        still = [at for place, at in enumerate(self._pending) if place not in answers]
        return Pairing(sample, (*(self._lost or ()), *still), self._abandoned)

    @property
    def _first_reading(self) -> Pairing:
        return self._read(dict(zip(self._quickest(), self._answers or (), strict=True)))

    @property
    def rtts(self) -> Sample:
        """The round trip times of the questions that were answered, in the quickest reading."""
        return self._first_reading.rtts if self._answers else self._rtts or Sample()

    @property
    def told(self) -> Sample:
        """The round trip times of those that can be told."""
        return self._rtts or Sample()

    @property
    def are_told(self) -> bool:
        """Whether each answer is told, so that all round trip times are known."""
        return not self._answers and not self.unsettled

    @property
    def known(self) -> Sample:
        """All round trip times; none where those of some answers cannot be told."""
        return self.told if self.are_told else Sample()

    @property
    def bounds(self) -> tuple[Sample, Sample | None]:
        """Round trip times at the least and at the most; None where there was no room to keep the latter."""
        quickest, *others = self.readings(0.0)
        most = others[0] if others else quickest
        return quickest.rtts, None if self.unsettled else most.rtts

    @property
    def range(self) -> tuple[float, float] | None:
        """Between which seconds round trips lie that cannot be told; None where each is known."""
        if not self._answers:
            return None
        quickest = min(
            at - self._pending[place] for place, at in zip(self._quickest(), self._answers, strict=True)
        )
        slowest = max(at - asked for asked, at in zip(self._pending, self._answers, strict=False))
        return quickest, slowest

    @property
    def open(self) -> Sequence[float]:
        """Instants of the questions without an answer, oldest first, in the quickest reading."""
        if self._answers or self._lost:
            return self._first_reading.open
        return tuple(self._pending)

    @property
    def perhaps_open(self) -> Sequence[float]:
        """The same in any reading, and so some that have their answer in each."""
        return (*(self._lost or ()), *self._pending)

    @property
    def awaits_last(self) -> bool:
        """Whether the last question is open, and nothing would tell an answer to it from another."""
        if self._keys is not None or not self._pending or self._pending[-1] != self.last_at:
            return False
        return not self._answers or self._quickest()[-1] != len(self._pending) - 1

    @property
    def oldest_pending(self) -> float | None:
        """When the oldest open question was asked; None when all are answered."""
        return next(iter(self.open), None)

    def are_in_time(self, now: float, within: float) -> bool:
        """Whether each question was answered in so many seconds or still may be, and no answer is unclear."""
        if self._answers or self._lost or self._abandoned:
            return False
        pending, rtts = self._pending, self._rtts
        young = not pending or now - pending[0] < within - SAME
        return young and (rtts is None or rtts.maximum <= within + SAME)

    def late(self, within: float) -> int:
        """How many answers took longer than ``within`` seconds; one that took exactly so long is in time."""
        return self.rtts.above(within + SAME)

    def overdue(self, now: float, within: float) -> list[float]:
        """Instants of the open questions that are ``within`` seconds old or older at ``now``."""
        return [at for at in self.open if now - at >= within - SAME]

    def longest_gap_before(self, until: float) -> Gap:
        """The time between two questions of which most lies before an instant, as ``(seconds, from)``."""
        return longest_before((*self._shorter, (self.longest_gap, self.longest_gap_from)), until)

    def shortest_gap_before(self, until: float) -> Gap | None:
        """
        The shortest time between two questions that came before an instant, as ``(seconds, from)``.

        None where there were no two, and where there are too many shorter ones since to know.

        """
        latest = () if self.shortest_gap is None else ((self.shortest_gap, self.shortest_gap_from),)
        return shortest_before((*self._longer, *latest), until)

    def missed(self, now: float, within: float) -> int:
        """How many were not answered within ``within`` seconds; young open questions do not count yet."""
        return self._abandoned + len(self.overdue(now, within)) + self.late(within)

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
            "shortest_gap": None if self.shortest_gap is None else round(self.shortest_gap, 6),
            "shortest_gap_from": round(self.shortest_gap_from, 6),
            "answers": [round(at, 6) for at in self._answers or ()],
            "lost": [round(at, 6) for at in self._lost or ()],
            "unsettled": self.unsettled,
            "unasked": self.unasked,
            "unasked_after": round(self.unasked_after, 6),
            "unmatched": self.unmatched,
            # Of answers that can be told; `answers` are the others.
            "rtts": (self._rtts or Sample()).as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RoundTrips:
        """
        The round trips that `as_dict` made this of; no further answer is expected.

        Raises:
            KeyError, TypeError, ValueError: for something missing or wrong.

        """
        trips = cls()
        trips.answered = int(data["answered"])
        trips._pending = array("d", data["pending"])
        trips._abandoned = int(data["abandoned"])
        trips.first_at, trips.last_at = (
            restore_number(data["first_at"], None),
            restore_number(data["last_at"], None),
        )
        trips._ordinals = Ordinals(int(data["sent"]))
        trips.longest_gap = float(data["longest_gap"])
        trips.longest_gap_from = float(data["longest_gap_from"])
        trips.shortest_gap = restore_number(data["shortest_gap"], None)
        trips.shortest_gap_from = float(data["shortest_gap_from"])
        trips._answers = array("d", data["answers"]) or None
        answers, asked = trips._answers or (), trips._pending
        if len(answers) > len(asked) or any(at < begun for at, begun in zip(answers, asked, strict=False)):
            raise ValueError("answers that were there before what they are to")
        trips._lost = array("d", data["lost"]) or None
        trips.unsettled, trips.unasked = int(data["unsettled"]), int(data["unasked"])
        trips.unasked_after, trips.unmatched = float(data["unasked_after"]), int(data["unmatched"])
        trips._rtts = Sample.from_dict(data["rtts"])
        return trips
