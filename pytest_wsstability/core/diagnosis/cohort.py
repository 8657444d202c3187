"""What the other connections of a run show: which ended together, and what repeats from one to the next."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from ..timeline.events import Direction, EventKind, FrameKind, Opcode, Role
from ..timeline.timeline import Timeline

# Connections that end within this time end together.
TOGETHER = 2.0
# A silence shorter than this is no timer's.
SILENCE = 1.0
# Ages or silences that differ by less than this, in seconds or as a share, are of one timer: servers' ticks
# and busy machines aside, timers were seen to differ by less (measured).
_ALIKE, _ALIKE_SHARE = 0.5, 0.01
# Instants and ages that differ by less are the same.
_SAME = TOGETHER / 20
# An end so soon after a message, in seconds, may be the answer to it on a busy machine too.
_RIGHT_AFTER = 0.5
# Silences that differ by less, in seconds, are as long as each other: steady traffic is late by less on an
# idle machine, and no timer is as short.
SAME_SILENCE = 0.01
# Some of a crowd tell what they share; of those that are alike more are looked at, as most of them may have
# ended together. Both bound the time that a fleet of one age takes.
_SOME, _SOME_ALIKE = 16, 64
# Servers that look at all connections at once do it every 1 to 4 s (uWebSockets, Bun, Daphne): what they end
# ends at one instant, at ages that differ by as much.
SWEEP = 5.0
# The longest time between two such looks: the loop in the README of ws.
LONGEST_SWEEP = 30.0
# One that a server ends for another of the same session ends within this time, in seconds, after that one has
# opened; one that it ends for any other, at once.
_DISPLACED, _AT_ONCE = 1.0, 0.1
# Openings come by accident so near to an end in fewer than one in so many cases.
_ACCIDENT = 100
# For each that ended at another instant so many that ended at one leave it an accident.
_A_FEW = 4


# What ends and openings are sorted by.
_by_instant, _by_age, _by_wait = attrgetter("at"), attrgetter("age"), attrgetter("waited")


class Shared(Enum):
    """What connections share that ended within two seconds."""

    # The instant, and neither age nor silence.
    INSTANT = "the instant"
    AGE = "the age"
    SILENCE = "the silence before the end"
    # They were opened at one instant too, so that an age tells nothing.
    EVERYTHING = "the instants of opening and end"
    # The test process stood still, and saw all ends at one instant.
    UNTOLD = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the connections beside one show."""

    # Others that ended within two seconds of it, what they share, and others that lived on.
    together: int = 0
    shared: Shared = Shared.INSTANT
    survivors: int = 0
    # Others that ended at other instants.
    apart: int = 0
    # Ages of the youngest and the oldest that ended together, this one included, in seconds.
    youngest: float = 0.0
    oldest: float = 0.0
    # How many of those, this one included, ended in the middle of traffic either way.
    lively: int = 0
    # Others that lived beside it, and ended at another instant after the same age, or after the same silence;
    # the latter at other ages before or after it, too.
    same_age: int = 0
    same_silence: int = 0
    # Others that ended at the same age, and lived before or after it, each at an instant of its own.
    in_a_row: int = 0
    # Whether all others of the same age ended right after a message of theirs; without others, they did not.
    same_age_spoke: bool = False
    # Whether this one and all others of the same age ended right after a message or a heartbeat of theirs.
    same_age_sent: bool = False
    # The greatest difference in age to those that ended together, as a share of that between the ends: 0
    # where one limit ended them all, about 1 where they were opened at one instant.
    ages_apart: float = 1.0
    # Others that were older when they ended, or still live at a greater age.
    outlived: int = 0
    # Whether another of the same session had opened right before this one ended, or any other, though
    # openings are rare.
    same_session_opened: bool = False
    another_opened: bool = False
    # Whether an older one of the same session outlived it, whose own session was never confirmed.
    same_session_open: bool = False

    @property
    def of_all_ages(self) -> bool:
        """
        Whether they differ more in their ages than what ends each so long after something of its own.

        That is more than the longest sweep, at which a limit is looked at now and then, and more than half.
        Others that ended at other instants, more than a few, leave something that ends one at a time.

        """
        return (
            self.together >= 2
            and _A_FEW * self.apart <= self.together
            and self.shared is Shared.INSTANT
            and self.oldest - self.youngest > LONGEST_SWEEP
            and self.youngest < self.oldest / 2
        )

    @property
    def at_one_instant(self) -> bool:
        """Whether nothing but the instant can have ended all: who is in the middle of traffic is not idle."""
        return self.of_all_ages and self.lively >= 3


# Nothing is known of others.
ALONE = Beside()


@dataclass(frozen=True, slots=True)
class _End:
    """The end of one connection, as a timer may have counted it."""

    # The clock's readings in seconds.
    at: float
    opened: float
    age: float
    silence: float
    # The same, as a timer may have waited for it; 0 where as long a silence was survived before.
    waited: float
    lively: bool
    # A message of its own went out right before; a message or a heartbeat did.
    spoke: bool
    sent: bool
    code: int | None


class _Opening(NamedTuple):
    """The opening of one connection: its record itself would be kept for as long as the cohort is."""

    at: float
    serial: int
    session: str | None
    # When it ended; infinite while it is open.
    until: float


class Cohort:
    """
    Other connections of a run, sorted by their ends, ages and silences, so that neighbours are found quickly.

    Args:
        timelines: all of them, on one clock; more may be added.

    """

    def __init__(self, timelines: Iterable[Timeline] = ()) -> None:
        self._of: dict[int, _End] = {}
        self._ends: list[_End] = []
        self._by_age: list[_End] = []
        self._by_wait: list[_End] = []
        self._lasts: list[float] = []
        self._ages: list[float] = []
        self._opened: list[_Opening] = []
        # By session: the serial numbers of its connections, and when the last of those up to each ended; made
        # when somebody asks.
        self._sessions: dict[str, tuple[list[int], list[float]]] = {}
        self._is_sorted = True
        for timeline in timelines:
            self.add(timeline)

    def add(self, timeline: Timeline) -> None:
        """One more connection; what others show is sorted anew when somebody asks."""
        close, age = timeline.close, timeline.duration
        if close is not None and not close.planned:
            self._of[timeline.serial] = _end(timeline)
        self._lasts.append(timeline.opened + age)
        self._ages.append(age)
        opened = timeline.opened
        until = opened + age if close is not None else math.inf
        self._opened.append(_Opening(opened, timeline.serial, timeline.session_id, until))
        self._is_sorted = False

    def _sort(self) -> None:
        ends = self._of.values()
        self._ends = sorted(ends, key=_by_instant)
        self._by_age = sorted(ends, key=_by_age)
        self._by_wait = sorted(ends, key=_by_wait)
        self._lasts.sort()
        self._ages.sort()
        self._opened.sort(key=_by_instant)
        self._sessions.clear()
        self._is_sorted = True

    def beside(self, timeline: Timeline) -> Beside:
        """What the others show of one that has ended; nothing of one that is open."""
        if timeline.close is None or not self._lasts:
            return Beside()
        if not self._is_sorted:
            self._sort()
        mine = self._of.get(timeline.serial) or _end(timeline)
        low = bisect.bisect_left(self._ends, mine.at - TOGETHER, key=_by_instant)
        high = bisect.bisect_right(self._ends, mine.at + TOGETHER, key=_by_instant)
        together = high - low - (timeline.serial in self._of)
        crowd = [each for each in self._ends[low : min(high, low + _SOME)] if each is not mine]
        with_mine = [mine, *crowd]
        limit = mine.age + max(TOGETHER, _tolerance(mine.age))
        same = _alike(self._by_age, mine, _by_age)
        return Beside(
            together=together,
            shared=_shared(crowd, mine, _stood_still(timeline)) if crowd else Shared.INSTANT,
            apart=len(self._ends) - (timeline.serial in self._of) - together,
            survivors=len(self._lasts) - bisect.bisect_right(self._lasts, mine.at + TOGETHER),
            youngest=min(each.age for each in with_mine),
            oldest=max(each.age for each in with_mine),
            lively=sum(each.lively for each in with_mine),
            same_age=_repeats(same, mine, mine.age),
            same_silence=_repeats(_alike(self._by_wait, mine, _by_wait), mine, mine.waited),
            in_a_row=_in_a_row(same, mine),
            same_age_spoke=bool(same) and all(each.spoke for each in same),
            same_age_sent=bool(same) and mine.sent and all(each.sent for each in same),
            ages_apart=_ages_apart(crowd, mine),
            outlived=len(self._ages) - bisect.bisect_right(self._ages, limit),
            **self._displaced(timeline, mine),
        )

    def _displaced(self, timeline: Timeline, mine: _End) -> dict[str, bool]:
        """Whether others had opened right before an end: of the same session, or any where they are rare."""
        ended = timeline.ended_serial
        if ended is None:
            return {}
        opened, since, until = (
            bisect.bisect_right(self._opened, at, key=_by_instant)
            for at in (mine.opened, mine.at - _DISPLACED, mine.at + _DISPLACED)
        )
        near = [each for each in self._opened[since:until][:_SOME] if timeline.serial < each.serial < ended]
        is_rare = (until - opened) * _AT_ONCE * _ACCIDENT <= mine.age
        session = timeline.session_id
        return {
            "same_session_opened": session is not None and any(each.session == session for each in near),
            "another_opened": is_rare and any(mine.at - each.at <= _AT_ONCE for each in near),
            "same_session_open": self._is_open_elsewhere(timeline, mine),
        }

    def _is_open_elsewhere(self, timeline: Timeline, mine: _End) -> bool:
        """Whether another of a session that was not confirmed was there before, and outlived this one."""
        session = timeline.session_id
        if session is None or timeline.session_confirmed_at is not None:
            return False
        if not self._sessions:
            for each in sorted(self._opened, key=lambda each: each.serial):
                if each.session is not None:
                    serials, ends = self._sessions.setdefault(each.session, ([], []))
                    serials.append(each.serial)
                    ends.append(max((each.until, *ends[-1:])))
        serials, ends = self._sessions.get(session, ([], []))
        older = bisect.bisect_left(serials, timeline.serial)
        return older > 0 and ends[older - 1] > mine.at


def _end(timeline: Timeline) -> _End:
    close, said = timeline.close, timeline.last(direction=Direction.SENT, role=Role.DATA)
    sent = (timeline.last(direction=Direction.SENT, opcode=each) for each in (Opcode.TEXT, Opcode.BINARY))
    # A close frame at its end is no traffic.
    silence = min(timeline.silent_for(Direction.SENT), timeline.silent_for(Direction.RECEIVED))
    return _End(
        at=timeline.opened + timeline.duration,
        opened=timeline.opened,
        age=timeline.duration,
        silence=silence,
        waited=silence if silence > timeline.longest_silence + SAME_SILENCE else 0.0,
        lively=is_lively(timeline),
        spoke=said is not None and timeline.duration - said <= _RIGHT_AFTER,
        sent=any(at is not None and timeline.duration - at <= _RIGHT_AFTER for at in sent),
        code=close.received.code if close is not None and close.received is not None else None,
    )


def _tolerance(seconds: float) -> float:
    return max(_ALIKE, _ALIKE_SHARE * seconds)


def _alike(ends: Sequence[_End], mine: _End, key: Callable[[_End], float]) -> list[_End]:
    """Others of the same age or silence, by which they are sorted, whenever they ended; some of many."""
    value = key(mine)
    low = bisect.bisect_left(ends, value - _tolerance(value), key=key)
    high = bisect.bisect_right(ends, value + _tolerance(value), key=key)
    some = min(high - low, _SOME_ALIKE)
    # From the first to the last: neighbours may all have ended at one instant, or before this one opened.
    found = (ends[low + (high - low) * place // some] for place in range(some))
    return [each for each in found if each is not mine]


def _repeats(alike: Sequence[_End], mine: _End, value: float) -> int:
    """
    Others of the same age or silence, whose ends are instants apart: no event of the server ended both.

    Their lives and this one's overlap, or they are of one silence at ages that differ: what ends a process
    so long after its start does not tell how long a connection has been silent.

    """
    if value < SILENCE:
        return 0
    apart = TOGETHER + _tolerance(value)
    return sum(
        each.code == mine.code
        and abs(each.at - mine.at) > apart
        and (_overlap(each, mine) or abs(each.age - mine.age) > apart)
        for each in alike
    )


def _overlap(one: _End, other: _End) -> bool:
    return one.opened < other.at - SILENCE and other.opened < one.at - SILENCE


def _in_a_row(alike: Sequence[_End], mine: _End) -> int:
    """Others of the same age that lived before or after this one, as those of a client that comes back."""
    if mine.age < SILENCE:
        return 0
    ends = sorted(each.at for each in alike if each.code == mine.code and not _overlap(each, mine))
    # Those that ended together count as one: something that happened once may have ended them.
    return sum(later - earlier > TOGETHER for earlier, later in pairwise((-math.inf, *ends)))


def _ages_apart(others: Sequence[_End], mine: _End) -> float:
    apart = max((abs(each.at - mine.at) for each in others), default=0.0)
    return max(abs(each.age - mine.age) for each in others) / apart if apart else 1.0


def is_lively(timeline: Timeline) -> bool:
    """
    Whether a connection ended in the middle of traffic either way: no silence was longer than those before.

    Pings of the peer that were not answered are no traffic, but the beginning of a silence.

    """
    for direction in (Direction.SENT, Direction.RECEIVED):
        kinds = [FrameKind.ANY]
        if timeline.count(direction, Opcode.TEXT, Opcode.BINARY):
            kinds.append(FrameKind.DATA)
        if any(broke_silence(timeline, direction, kind) for kind in kinds):
            return False
    ponged = timeline.last(direction=Direction.SENT, opcode=Opcode.PONG)
    pinged = timeline.last(direction=Direction.RECEIVED, opcode=Opcode.PING)
    return pinged is None or (ponged is not None and ponged >= pinged)


def broke_silence(timeline: Timeline, direction: Direction, kind: FrameKind) -> bool:
    """Whether the silence before the end was the longest: only then may a timer have run out."""
    return timeline.silent_for(direction, kind) > timeline.longest_gap(direction, kind) + SAME_SILENCE


def _stood_still(timeline: Timeline) -> float:
    """Seconds for which the test's own loop stood still around the end, so that ends were seen late."""
    if not timeline.max_lag:
        return 0.0
    since = timeline.duration - TOGETHER
    return sum(each.seconds for each in timeline if each.kind is EventKind.LOOP_LAG and each.at >= since)


def _shared(others: Sequence[_End], mine: _End, late: float) -> Shared:
    """What connections share that ended within two seconds, all of which may have been seen ``late``."""
    apart = max(abs(each.at - mine.at) for each in others)
    ages = max(abs(each.age - mine.age) for each in others)
    silences = max(abs(each.silence - mine.silence) for each in others)
    # One timer may be seen late by some, but what they share differs least.
    slack = min(max(TOGETHER / 4, 0.02 * mine.silence), max(ages, apart) / 2)
    if max(ages, apart) <= _SAME:
        return Shared.EVERYTHING
    # A silence that one of other ages has survived before is that behind what was sent to all.
    is_waited = ages <= max(apart, _SAME) or all(each.waited for each in (mine, *others))
    if mine.silence >= SILENCE and silences <= max(slack, _SAME) and is_waited:
        return Shared.SILENCE
    if ages <= max(apart, _SAME):
        return Shared.UNTOLD if ages > _SAME and apart <= late else Shared.AGE
    return Shared.UNTOLD if ages <= apart + late else Shared.INSTANT
