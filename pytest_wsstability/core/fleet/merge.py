"""The frames of all workers as one: each connection of the plan is accounted for, once."""

from __future__ import annotations

import dataclasses
import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ..duration import show_duration as show
from ..fleet_summary import FleetCount, FleetRecord, WorkerSummary
from ..redact import show_text
from ..samples import NEEDED, Sample
from ..timeline.events import SAME
from .frame import RTT_LIMITS, Ending, FanoutCounts, Fate, Frame, Return
from .plan import FleetPlan, Slot

# A worker whose loop lags more than this part of the time that a heartbeat has judges nobody meanwhile; and
# one that lags more than this part of a second sees more in a second than happens in it.
LAG_SHARE = 0.1
# A loop that goes on works off what came meanwhile: until so long after a lag, in seconds, what is seen may
# come of it. That is the time of a frame.
_LAG_OVER = 1.0

# Records that are kept whole: so many failures of each cause, and so many stable ones, drawn at random.
KEPT_FAILURES = 20
KEPT_STABLE = 8

# Of two workers, one that was heard for a time that is shorter by more than this, in seconds, was not watched
# as long as the other: two frames.
_AS_LONG = 2.0

# Columns of drawings over time: as many as stand beside each other on a terminal of 80.
COLUMNS = 60

# Fates in the byte that each connection has; 0 is open or not opened yet.
_FATES = (Fate.STABLE, Fate.ENDED, Fate.ROTATED, Fate.REFUSED, Fate.UNOBSERVED, Fate.STALLED)
_BYTE = {fate: number for number, fate in enumerate(_FATES, 1)}


class Refusal(Enum):
    """Why a frame was not counted."""

    SECOND_ATTEMPT = "a second attempt at a slot"
    REPEATED = "a frame that had come already"
    UNPLANNED = "a slot that was not planned"
    AFTER_THE_END = "a frame after the last one of its slot"


@dataclass(slots=True)
class Column:
    """What happened in one stretch of a fleet's time."""

    opened: int = 0
    ended: int = 0
    # Round trips by `RTT_LIMITS`.
    rtt_counts: list[int] = field(default_factory=lambda: [0] * (len(RTT_LIMITS) + 1))


@dataclass(slots=True)
class _Lag:
    """A time in which a worker lagged, from one of its frames to another, on its own clock."""

    since: float
    until: float
    worst: float
    is_noted: bool = False


@dataclass(slots=True)
class _Lags:
    """When a worker lagged more than this, in order; None for never."""

    limit: float | None
    times: list[_Lag] = field(default_factory=list)

    def add(self, since: float, until: float, lag: float) -> None:
        """Remember the time between two frames, if the worker lagged in it."""
        if self.limit is None or lag <= self.limit:
            return
        if self.times and self.times[-1].until == since:
            last = self.times[-1]
            last.until, last.worst = until, max(last.worst, lag)
        else:
            self.times.append(_Lag(since, until, lag))

    def at(self, instant: float) -> _Lag | None:
        """The lag that what was seen at an instant may come of."""
        place = bisect_left(self.times, instant, key=lambda lag: lag.until + _LAG_OVER)
        return next((each for each in self.times[place : place + 1] if each.since <= instant), None)


@dataclass(slots=True)
class _Progress:
    """What is known of a slot."""

    slot: Slot
    # When it lagged too much to blame anybody.
    lags: _Lags
    # The attempt that counts: the first one that told something.
    attempt: int | None = None
    frames: int = 0
    # When it last told something, on its own clock.
    at: float = 0.0
    is_over: bool = False
    # It came to its end by itself, so that all of its connections were watched for as long as was asked.
    is_whole: bool = False
    opened: int = 0
    # Unobserved connections that were not seen to open.
    unopened: int = 0
    # Connections that broke a promise, and did not end by themselves.
    broke: int = 0
    # Connections of which it told that nobody could see what became of them.
    unseen: int = 0
    # Those that were answered, by what the response named as its sender, and those that opened by the network
    # that they were opened from; without the unseen ones.
    backends: Counter[str] = field(default_factory=Counter)
    subnets: Counter[str] = field(default_factory=Counter)
    # When it lagged too much to count what happens in a second.
    uncounted: _Lags = field(default_factory=lambda: _Lags(LAG_SHARE))


@dataclass(slots=True)
class FleetMerge:
    """
    The state of a fleet, from the frames of its workers.

    Args:
        plan: what was planned.
        heartbeat_within: seconds in which a heartbeat is answered; None where none is asked for.

    """

    plan: FleetPlan
    heartbeat_within: float | None = None
    opened: int = 0
    heartbeats_sent: int = 0
    heartbeats_answered: int = 0
    # See `Frame`.
    heartbeats_one_way: int = 0
    heartbeats_missed: int = 0
    messages: int = 0
    rtts: Sample = field(default_factory=Sample)
    # Connections that ended: whether and when they came back, where they were to; and how many failed to, or
    # broke a promise after that, while their worker lagged, or could not open them.
    returns: list[Return] = field(default_factory=list)
    returns_excused: int = 0
    # When connections that come back ended abnormally where that was not to be, and of how many ends.
    abnormal: list[float] = field(default_factory=list)
    ends: int = 0
    fanout: FanoutCounts = field(default_factory=FanoutCounts)
    fanout_times: Sample = field(default_factory=Sample)
    # The worst lag of a worker's loop, and those of all frames.
    lag: float = 0.0
    lags: Sample = field(default_factory=Sample)
    # All but the stable ones.
    endings: list[Ending] = field(default_factory=list)
    refusals: Counter[Refusal] = field(default_factory=Counter)
    # Frames that never came though later ones did.
    gaps: int = 0
    # How each worker is called, and what labels it has (``NAME=value``), by its slot; an engine says so.
    names: dict[int, str] = field(default_factory=dict)
    labels: dict[int, tuple[str, ...]] = field(default_factory=dict)
    # All workers go by the clock of one machine, and began together; an engine says so.
    one_clock: bool = False
    # When somebody ended the fleet before its time, in seconds since the start of the slots.
    interrupted_at: float | None = None
    # Why connections are unobserved: a line a slot.
    notes: list[str] = field(default_factory=list)
    # Of connections that were watched, and of which their own record cannot tell: the first, and how many.
    doubted: tuple[Ending, int] | None = None
    # Whole records of some that ended, by cause, and of some stable ones under "".
    records: dict[str, list[FleetRecord]] = field(default_factory=dict)
    # What happened over time, in stretches of `stretch` seconds; each worker's time begins at its start.
    columns: list[Column] = field(init=False)
    _fates: bytearray = field(init=False)
    _slots: dict[int, _Progress] = field(init=False)
    # How long each unobserved connection had been seen to live.
    _seen: dict[int, float] = field(init=False)
    # Of each connection that ended: whether it was back when that was told last.
    _back: dict[int, bool] = field(init=False)
    _draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        # A frame a second is no finer than a column of a second.
        seconds = math.ceil(self.plan.ramp + self.plan.hold)
        self.columns = [Column() for _ in range(min(COLUMNS, seconds))]
        self._fates = bytearray(self.plan.connections)
        limit = None if self.heartbeat_within is None else LAG_SHARE * self.heartbeat_within
        self._slots = {slot.number: _Progress(slot, _Lags(limit)) for slot in self.plan.slots}
        self._seen, self._back = {}, {}
        self._draw = random.Random(0)

    def add(self, frame: Frame) -> Refusal | None:
        """Count a frame; gives why it was not counted."""
        progress = self._slots.get(frame.slot)
        refusal = self._refusal(progress, frame)
        if refusal is not None or progress is None:
            self.refusals[refusal or Refusal.UNPLANNED] += 1
            return refusal
        progress.attempt = frame.attempt
        self.gaps += frame.sequence - progress.frames
        for lags in (progress.lags, progress.uncounted):
            lags.add(progress.at, frame.at, frame.lag)
        progress.frames, progress.at = frame.sequence + 1, frame.at
        self._count(progress, frame)
        for record in frame.records:
            self._keep(record)
        if frame.retold:
            own = {each.number: each for each in frame.retold if each.number in progress.slot.numbers}
            self.retell([own.get(each.number, each) for each in self.endings])
        if frame.is_last:
            progress.is_whole = not frame.cut_short
            self._close(progress, show_text(frame.failure) or "it was stopped")
        return None

    def _keep(self, record: FleetRecord) -> None:
        """Keep it, and let one that is drawn go where there are too many of its kind."""
        kept = self.records.setdefault(record.cause, [])
        kept.append(record)
        if len(kept) > (KEPT_FAILURES if record.cause else KEPT_STABLE):
            del kept[self._draw.randrange(len(kept))]

    @property
    def reasons(self) -> list[str]:
        """Why connections are unobserved: those in doubt by themselves, and a line a slot."""
        if self.doubted is None:
            return self.notes
        first, number = self.doubted
        doubted = f"{number:,} of {self.plan.connections:,} in doubt, such as connection {first.number}"
        return [f"{doubted}: {first.headline}", *self.notes]

    def retell(self, endings: Sequence[Ending]) -> None:
        """Take the same endings with other causes, of which somebody knows more than the workers."""
        causes = {each.number: each.cause for each in endings}
        kept = [each for records in self.records.values() for each in records]
        self.endings, self.records = list(endings), {}
        for record in kept:
            self._keep(dataclasses.replace(record, cause=causes.get(record.number, record.cause)))

    @property
    def stretch(self) -> float:
        """Seconds of a column: the fleet's whole time in at most `COLUMNS` parts, and at least a second."""
        return max(1.0, (self.plan.ramp + self.plan.hold) / COLUMNS)

    def _column(self, at: float) -> Column:
        return self.columns[min(int(at / self.stretch), len(self.columns) - 1)]

    def _refusal(self, progress: _Progress | None, frame: Frame) -> Refusal | None:
        if progress is None:
            return Refusal.UNPLANNED
        if frame.attempt != (progress.attempt or 1):
            return Refusal.SECOND_ATTEMPT
        if progress.is_over:
            return Refusal.AFTER_THE_END
        return Refusal.REPEATED if frame.sequence < progress.frames else None

    def _count(self, progress: _Progress, frame: Frame) -> None:
        self.opened += frame.opened
        progress.opened += frame.opened
        self.messages += frame.messages
        column = self._column(frame.at)
        column.opened += frame.opened
        if frame.rtt_counts:
            column.rtt_counts = [sum(pair) for pair in zip(column.rtt_counts, frame.rtt_counts, strict=True)]
        progress.backends.update(frame.backends)
        progress.subnets.update(frame.subnets)
        self.fanout += frame.fanout
        self.fanout_times.merge(frame.fanout_times)
        self.heartbeats_sent += frame.heartbeats_sent
        self.heartbeats_answered += frame.heartbeats_answered
        self.heartbeats_one_way += frame.heartbeats_one_way
        self.heartbeats_missed += frame.heartbeats_missed
        self.rtts.merge(frame.rtts)
        self.lag = max(self.lag, frame.lag)
        self.lags.add(frame.lag, frame.at)
        for ending in frame.endings:
            self._end(progress, ending)
        for each in frame.returns:
            self._return(progress, each)
        for first, last in frame.stable:
            for number in range(first, last + 1, progress.slot.of):
                self._settle(progress, number, Fate.STABLE)

    def _end(self, progress: _Progress, ending: Ending) -> None:
        # It is told when it has been explained, some seconds after it was seen.
        lag = progress.lags.at(ending.at) if ending.fate in (Fate.ENDED, Fate.REFUSED) else None
        fate = ending.fate if lag is None else Fate.UNOBSERVED
        if self._settle(progress, ending.number, fate):
            if lag is not None and not lag.is_noted:
                lag.is_noted = True
                self.notes.append(
                    f"worker {progress.slot.number} lagged {show(lag.worst)} before {show(lag.until)}: "
                    "what ended there is not the server's"
                )
            if fate is Fate.UNOBSERVED:
                self._seen[ending.number] = ending.age
                # One that was judged at the instant at which it opened has a cause.
                opened = ending.fate is Fate.ENDED or ending.age or ending.confidence
                if ending.fate is Fate.UNOBSERVED:
                    first, number = self.doubted or (ending, 0)
                    self.doubted = first, number + 1
                progress.unopened += not opened
                progress.unseen += 1
                progress.backends.subtract([ending.served_by] if ending.served_by else [])
                progress.subnets.subtract([ending.subnet] if ending.subnet else [])
            elif fate is not Fate.STALLED:
                self.endings.append(ending)
                progress.broke += fate is Fate.ENDED and ending.closed_here
                self._column(ending.at).ended += fate is Fate.ENDED

    def _return(self, progress: _Progress, each: Return) -> None:
        if each.number not in progress.slot.numbers:
            return
        was_back = self._back.get(each.number, False)
        self._back[each.number] = each.after is not None
        self.ends += not each.broke
        if each.abnormal_at is not None:
            if not each.abnormal_excused and progress.lags.at(each.abnormal_at) is None:
                self.abnormal.append(each.abnormal_at)
            else:
                # What became of its first end is told as such.
                self.returns_excused += was_back
        if each.after is None and (each.excused or progress.lags.at(each.at) is not None):
            self.returns_excused += 1
        else:
            self.returns.append(each)

    def _settle(self, progress: _Progress, number: int, fate: Fate) -> bool:
        """Say once what became of a connection; a worker speaks for its own only."""
        if number not in progress.slot.numbers or self._fates[number]:
            return False
        self._fates[number] = _BYTE[fate]
        return True

    def lose(self, slot: int, why: str) -> None:
        """A worker is gone, or silent for too long: what it still held is unobserved."""
        progress = self._slots[slot]
        if not progress.is_over:
            self._close(progress, why)

    def interrupt(self) -> None:
        """Somebody ends the fleet now: what is still held, or was not opened yet, is unobserved."""
        self.interrupted_at = max(each.at for each in self._slots.values())
        for slot in self.waiting:
            self.lose(slot, "the fleet was interrupted")

    def _close(self, progress: _Progress, why: str) -> None:
        left = [number for number in progress.slot if not self._fates[number]]
        progress.unopened += len(left) - min(self._held(progress), len(left))
        for number in left:
            self._fates[number] = _BYTE[Fate.UNOBSERVED]
            self._seen[number] = max(0.0, progress.at - self.plan.opens_at(number))
        progress.is_over = True
        if left:
            self.notes.append(
                f"{len(left)} of {len(progress.slot)} connections of worker {progress.slot.number} "
                f"unobserved from {show(progress.at)} on: {why}"
            )

    @property
    def at(self) -> float:
        """How far the slowest slot that still runs has come, in seconds since it started."""
        running = [each.at for each in self._slots.values() if not each.is_over]
        return min(running, default=max(each.at for each in self._slots.values()))

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come."""
        return all(progress.is_over for progress in self._slots.values())

    @property
    def waiting(self) -> Sequence[int]:
        """The slots that have not come to their end."""
        return [number for number, progress in self._slots.items() if not progress.is_over]

    @property
    def unwatched(self) -> frozenset[int]:
        """The slots whose workers were lost before others were over: what came later was not seen there."""
        farthest = max(each.at for each in self._slots.values())
        lost = [each for each in self._slots.values() if each.is_over and not each.is_whole]
        return frozenset(each.slot.number for each in lost if each.at < farthest - _AS_LONG)

    @property
    def watched(self) -> dict[int, int]:
        """How many connections each slot has of which it could be seen what became of them."""
        return {number: len(each.slot) - each.unseen for number, each in self._slots.items()}

    @property
    def backends(self) -> Counter[str]:
        """Connections that were answered, by what the response named as its sender; see `unwatched`."""
        return self._sum(lambda progress: progress.backends)

    @property
    def subnets(self) -> Counter[str]:
        """Connections that opened, by the network that they were opened from; see `unwatched`."""
        return self._sum(lambda progress: progress.subnets)

    def _sum(self, of: Callable[[_Progress], Counter[str]]) -> Counter[str]:
        watched = self._slots.keys() - self.unwatched
        return sum((of(self._slots[slot]) for slot in watched), Counter())

    @property
    def workers(self) -> tuple[WorkerSummary, ...]:
        """What became of the connections of each worker."""
        return tuple(self._worker(progress.slot) for progress in self._slots.values())

    def _worker(self, slot: Slot) -> WorkerSummary:
        fates = self._fates[slot.number :: slot.of]
        of = {fate: fates.count(number) for fate, number in _BYTE.items()}
        return WorkerSummary(
            number=slot.number,
            name=self.names.get(slot.number, ""),
            labels=self.labels.get(slot.number, ()),
            connections=len(slot),
            stable=of[Fate.STABLE],
            ended=of[Fate.ENDED],
            refused=of[Fate.REFUSED],
            unobserved=of[Fate.UNOBSERVED],
            rotated=of[Fate.ROTATED],
            stalled=of[Fate.STALLED],
            broke=self._slots[slot.number].broke,
        )

    @property
    def held(self) -> int:
        """How many are open now."""
        return sum(map(self._held, self._slots.values()))

    def held_by(self, number: int) -> int:
        """How many of one worker are open now, by its number."""
        return self._held(self._slots[number])

    def _held(self, progress: _Progress) -> int:
        """How many of a slot are open: those that opened, without those that are over."""
        if progress.is_over:
            return 0
        fates = self._fates[progress.slot.number :: progress.slot.of]
        over = len(fates) - fates.count(0) - fates.count(_BYTE[Fate.REFUSED]) - progress.unopened
        return max(0, progress.opened - over)

    @property
    def unopened(self) -> int:
        """How many unobserved connections were not seen to open."""
        return sum(each.unopened for each in self._slots.values())

    @property
    def rtt_counts(self) -> list[int]:
        """Round trips of the timed connections by `RTT_LIMITS`, over the whole time."""
        return [sum(row) for row in zip(*(column.rtt_counts for column in self.columns), strict=True)]

    def rtt_below(self, share: float) -> float | None:
        """
        The limit of `RTT_LIMITS` below which this share of the timed round trips was so far, in seconds.

        None where there are too few of them to tell, or some are beyond all limits.

        """
        counts = self.rtt_counts
        total, below = sum(counts), 0
        if total < NEEDED[share]:
            return None
        for limit, count in zip(RTT_LIMITS, counts, strict=False):
            below += count
            if below >= share * total:
                return limit
        return None

    @property
    def causes(self) -> Counter[str]:
        """Connections that ended unplanned so far, by cause, the most common first."""
        ended = Counter(each.cause or "undetermined" for each in self.endings if each.fate is Fate.ENDED)
        return Counter(dict(ended.most_common()))

    @property
    def count(self) -> FleetCount:
        """What became of each connection of the plan so far."""
        # A copy: who asks may be another thread, and what is settled meanwhile would be missing, or be twice.
        fates = bytes(self._fates)
        of = {fate: fates.count(number) for fate, number in _BYTE.items()}
        return FleetCount(
            planned=self.plan.connections,
            stable=of[Fate.STABLE],
            ended=of[Fate.ENDED],
            rotated=of[Fate.ROTATED],
            refused=of[Fate.REFUSED],
            unobserved=of[Fate.UNOBSERVED],
            open=fates.count(0),
            stalled=of[Fate.STALLED],
            broke=sum(each.broke for each in self._slots.values()),
        )

    def lag_at(self, number: int, instant: float) -> float:
        """By how much what a connection's worker saw at an instant may be late, in seconds; else 0."""
        lag = self._slots[number % len(self._slots)].uncounted.at(instant)
        return lag.worst if lag is not None else 0.0

    @property
    def ended(self) -> list[Ending]:
        """Those that ended by themselves within their hold, by plan or not: what a client opens again."""
        fates, until = (Fate.ENDED, Fate.ROTATED), self.plan.hold - SAME
        own = [each for each in self.endings if each.fate in fates and not each.closed_here]
        return [each for each in own if each.age < until]

    @property
    def unreturned(self) -> int:
        """How many ended by themselves, and were not watched until they were back for good or given up."""
        return sum(not self._is_settled(each.number) for each in self.ended)

    def _is_settled(self, number: int) -> bool:
        """Whether all is known of the returns of a connection that ended."""
        if number not in self._back:
            return False
        return not self._back[number] or self._slots[number % len(self._slots)].is_whole

    def lifetimes(self, *, lost: Fate | None = None) -> list[tuple[float, bool]]:
        """
        How long each connection that opened was watched within its hold, and whether it then ended unplanned.

        Some of what breaks a hold is known after it only, such as a proof of life that did not come: that
        counts at the end of the hold. Planned rotations and connections that nobody watched any longer are
        censored, never dropped; the latter before that end, because nobody knows whether they reached it.

        Args:
            lost: a fate besides ENDED that counts as an unplanned end.

        """
        fates, hold = (Fate.ENDED, lost), self.plan.hold
        over = [each for each in self.endings if each.fate is not Fate.REFUSED]
        ended = [(min(each.age, hold), each.fate in fates) for each in over]
        longest = math.nextafter(hold, 0.0)
        unseen = [(min(age, longest), lost is Fate.UNOBSERVED) for age in self._seen.values()]
        return [*ended, *unseen, *[(hold, False)] * self._fates.count(_BYTE[Fate.STABLE])]
