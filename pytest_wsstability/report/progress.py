"""How holds go on while they run: one line each, and one for many."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.duration import show_duration as show
from ..core.message import event_line
from ..core.timeline.round_trips import RoundTrips
from ..core.timeline.timeline import Timeline
from .cells import held_of
from .colours import Style
from .live import Row

# Characters of a bar, and of a name or an event that says enough; what stands between two columns.
_BAR, _LEGIBLE, _APART = 10, 14, "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldProgress:
    """What a hold looked like at an instant."""

    name: str
    # Seconds that it is to last.
    total: float
    # Seconds since its opening handshake ended; None while it is not open.
    age: float | None = None
    sent: int = 0
    answered: int = 0
    # The median round trip in seconds; None while nothing was answered.
    rtt: float | None = None
    # The last event in the words of failure messages; empty while there is none.
    last: str = ""

    @property
    def unanswered(self) -> str:
        """``!2`` when so many wait for an answer: one is on its way most of the time. Else empty."""
        waiting = self.sent - self.answered
        return f"!{waiting}" if waiting > 1 else ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns of figures: age of total, a bar, answered of sent, round trip."""
        if self.age is None:
            return ("", "", "", "")
        age = held_of(int(self.age), self.total) if self.total else show(int(self.age))
        done = int(_BAR * min(1.0, self.age / self.total)) if self.total else 0
        bar = f"[{'#' * done}{'.' * (_BAR - done)}]" if self.total else ""
        answered = f"{self.answered}/{self.sent}" if self.sent else ""
        return (age, bar, answered, _rounded(self.rtt))

    @property
    def line(self) -> str:
        """``37 s of 120 s, test_voice: answered 1 of 1, rtt 0.3 ms, last +25.000 s < text 15 B``."""
        if self.age is None:
            return f"waits to open, {self.name}"
        parts = []
        if self.sent:
            parts.append(f"answered {self.answered} of {self.sent}")
        if self.rtt is not None:
            parts.append(f"rtt {_rounded(self.rtt)}")
        if self.last:
            parts.append(f"last {self.last}")
        return f"{int(self.age)} s of {show(self.total)}, {self.name}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyHolds:
    """Holds that there is no room for, in figures."""

    count: int = 0
    waiting: int = 0
    # Seconds; None while none is open.
    youngest: float | None = None
    sent: int = 0
    answered: int = 0

    def with_one(self, seen: HoldProgress) -> ManyHolds:
        """One more."""
        other = ManyHolds(
            count=1, waiting=int(seen.age is None), youngest=seen.age, sent=seen.sent, answered=seen.answered
        )
        return self + other

    def __add__(self, other: ManyHolds) -> ManyHolds:
        ages = [age for age in (self.youngest, other.youngest) if age is not None]
        return ManyHolds(
            count=self.count + other.count,
            waiting=self.waiting + other.waiting,
            youngest=min(ages, default=None),
            sent=self.sent + other.sent,
            answered=self.answered + other.answered,
        )

    @property
    def line(self) -> str:
        """``42 holds, the youngest at 36 s, answered 290 of 294, 2 wait to open``."""
        parts = [f"{self.count} hold{'' if self.count == 1 else 's'}"]
        if self.youngest is not None:
            parts.append(f"the youngest at {int(self.youngest)} s")
        if self.sent:
            parts.append(f"answered {self.answered} of {self.sent}")
        if self.waiting:
            parts.append(f"{self.waiting} wait to open")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All holds of a process at an instant: few of them closely, the rest in figures."""

    close: tuple[HoldProgress, ...] = ()
    rest: ManyHolds = ManyHolds()

    @classmethod
    def of(cls, records: Iterable[tuple[str, float, Timeline | None]], most: int) -> Survey:
        """
        Look at holds.

        Args:
            records: name, seconds that it is to last, and the record of each; None while it is not open.
            most: how many to look at closely: those with most unanswered heartbeats first.

        """
        seen = [(counts(*record), record) for record in records]
        if len(seen) > most:
            # One question is on its way most of the time.
            seen.sort(key=lambda pair: min(0, pair[0].answered - pair[0].sent + 1))
        rest = ManyHolds()
        for each, _ in seen[most:]:
            rest = rest.with_one(each)
        return cls(close=tuple(closely(each, record[2]) for each, record in seen[:most]), rest=rest)

    def __add__(self, other: Survey) -> Survey:
        return Survey(close=self.close + other.close, rest=self.rest + other.rest)

    def __bool__(self) -> bool:
        return bool(self.close or self.rest.count)

    @property
    def all(self) -> ManyHolds:
        """Every hold in figures."""
        total = self.rest
        for each in self.close:
            total = total.with_one(each)
        return total

    def rows(self, most: int, width: int) -> list[Row]:
        """
        At most so many rows in columns; the last one sums up what there is no room for.

        Figures stand first and are never cut; the last event is cut at its end, a name at its start.

        """
        if not self.rest.count and len(self.close) <= most:
            return _table(self.close, width)
        rest = self.rest
        for each in self.close[most - 1 :]:
            rest = rest.with_one(each)
        return [*_table(self.close[: most - 1], width), ((f"and {rest.line}", ()),)]

    @property
    def line(self) -> str:
        """One line for all, for a log that nobody redraws."""
        if len(self.close) == 1 and not self.rest.count:
            return f"WebSocket hold: {self.close[0].line}"
        return f"WebSocket: {self.all.line}"

    def as_dict(self) -> dict[str, Any]:
        """The survey in exact builtin types, for a worker to send."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Survey:
        """The survey that `as_dict` made this of."""
        return cls(
            close=tuple(HoldProgress(**each) for each in data["close"]), rest=ManyHolds(**data["rest"])
        )


def _table(seen: Sequence[HoldProgress], width: int) -> list[Row]:
    columns = list(zip(*((*each.numbers, each.unanswered) for each in seen), strict=True))
    widths = [max(map(len, column)) for column in columns]
    left = width - 1 - sum(size + len(_APART) for size in widths if size)
    longest = max((len(each.name) for each in seen), default=0)
    room = left - min(longest, _LEGIBLE) - len(_APART)
    lasts = [_last(each) for each in seen]
    if max(map(len, lasts), default=0) > room:
        # Without what it was for.
        lasts = [last.partition(" (")[0] for last in lasts]
    needed = max(map(len, lasts), default=0)
    event = min(needed, room) if room >= min(needed, _LEGIBLE) else 0
    name = max(min(longest, _LEGIBLE), min(longest, left - event - len(_APART)))
    pairs = zip(seen, lasts, strict=True)
    return [tuple(_row(each, widths, last[:event].ljust(event), name)) for each, last in pairs]


def _row(seen: HoldProgress, widths: Sequence[int], last: str, name: int) -> Iterator[tuple[str, Style]]:
    *numbers, unanswered = widths
    for text, size in zip(seen.numbers, numbers, strict=True):
        if size:
            yield text.rjust(size) + _APART, ()
    if unanswered:
        yield seen.unanswered.ljust(unanswered) + _APART, ("red", "bold")
    if last:
        yield last + _APART, ()
    yield seen.name if len(seen.name) <= name else f"..{seen.name[2 - name :]}", ("light",)


def _last(seen: HoldProgress) -> str:
    return "waits to open" if seen.age is None else seen.last


def _rounded(rtt: float | None) -> str:
    """Two digits: the rest of a running figure is noise."""
    return "" if rtt is None else show(float(f"{rtt:.2g}"))


def counts(name: str, total: float, timeline: Timeline | None) -> HoldProgress:
    """What costs nothing to see of a hold: its age, and the heartbeats, or else the pings, of its client."""
    if timeline is None:
        return HoldProgress(name=name, total=total)
    trips = _asked(timeline)
    # While this end waits for its own close, the hold is over.
    age = min(timeline.duration, total or timeline.duration)
    return HoldProgress(name=name, total=total, age=age, sent=trips.sent, answered=trips.answered)


def _asked(timeline: Timeline) -> RoundTrips:
    """Heartbeats; or pings, where none is sent, or nobody ever answers one."""
    answered = timeline.heartbeats.sent and not timeline.is_one_way
    return timeline.heartbeats if answered else timeline.pings


def closely(seen: HoldProgress, timeline: Timeline | None) -> HoldProgress:
    """The same with the median round trip and the last event."""
    if timeline is None:
        return seen
    trips = _asked(timeline)
    *_, last = timeline
    return dataclasses.replace(
        seen,
        rtt=trips.known.quantile(0.5) if trips.known.count else None,
        last=event_line(last).strip(),
    )
