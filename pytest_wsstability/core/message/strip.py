"""The last minute of each end as a strip of characters: silence to scale, heartbeats, pings, the end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from ..duration import show_duration as show
from ..timeline.events import Direction, Event, EventKind, Opcode, Role
from ..timeline.round_trips import RoundTrips
from ..timeline.timeline import Timeline

# Seconds that are drawn, and characters for them.
SPAN = 60.0
WIDTH = 60
# Marks of the axis, about.
_TICKS = 5
_INDENT = " " * 12

# In the order of their weight: a later one covers an earlier one in the same column.
_SILENT, _BYTES, _LOST, _PAUSED, _LAG, _SLEPT, _FAULT, _DEADLINE, _CLOSE, _END = "-=:~LZFDCX"
_ANSWERED, _OPEN, _SEEN = "+!o"
_MEANING = {
    _SILENT: "silence",
    _BYTES: "bytes",
    _LOST: "not on record any more",
    _PAUSED: "reading paused",
    _LAG: "loop lag",
    _SLEPT: "asleep",
    _FAULT: "fault",
    _DEADLINE: "read deadline",
    _CLOSE: "close frame",
    _END: "end",
    _ANSWERED: "answered",
    _OPEN: "not answered",
    _SEEN: "seen",
}
_LOCAL = {
    EventKind.LOOP_LAG: _LAG,
    EventKind.FLOOD: _LAG,
    EventKind.SUSPENDED: _SLEPT,
    EventKind.FAULT: _FAULT,
    EventKind.DEADLINE: _DEADLINE,
    EventKind.ENDED: _END,
}


def strips(timelines: Sequence[Timeline]) -> list[str]:
    """
    Lines: an axis, a strip for each end with its heartbeats and pings, and the legend.

    Instants are those of the first timeline; the others stand below them, on the same clock.

    """
    first = timelines[0]
    until = max(each.duration + each.opened - first.opened for each in timelines)
    since = max(0.0, until - SPAN)
    if until <= since:
        return []
    used: set[str] = set()
    lines = [axis(since, until)]
    for timeline in timelines:
        scale = Scale(since, until, timeline.opened - first.opened)
        lanes = {timeline.end.value: _connection(timeline, scale), **_questions(timeline, scale)}
        for name, lane in lanes.items():
            text = "".join(lane)
            if text.strip():
                used |= set(text)
                lines.append(f"  {name:<9} {text}".rstrip())
    legend = "   ".join(f"{sign} {meaning}" for sign, meaning in _MEANING.items() if sign in used)
    return [*lines, _INDENT + legend]


class Scale:
    """From an instant of a timeline to its column."""

    def __init__(self, since: float, until: float, offset: float) -> None:
        # What is drawn, on the timeline's own clock.
        self.since = since - offset
        self._since = since
        self._per_column = (until - since) / WIDTH
        self._offset = offset
        self.until = until - offset

    def column(self, at: float) -> int | None:
        """The column of an instant; None before the first one."""
        column = int((at + self._offset - self._since) / self._per_column + 1e-9)
        return None if column < 0 else min(column, WIDTH)

    def put(self, lane: list[str], at: float, sign: str) -> None:
        """Draw a sign, unless it is before the strip."""
        column = self.column(at)
        if column is not None:
            lane[column] = sign

    def fill(self, lane: list[str], since: float, until: float, sign: str) -> None:
        """Draw a sign from one instant to the other."""
        start, stop = self.column(since) or 0, self.column(until) or 0
        lane[start:stop] = sign * (stop - start)


def axis(since: float, until: float) -> str:
    """Round instants, each at its column."""
    step = round_step((until - since) / _TICKS)
    axis = ""
    tick = math.ceil(since / step - 1e-9)
    while tick * step <= until + 1e-9:
        column = int((tick * step - since) / (until - since) * WIDTH + 1e-9)
        label = show(round(tick * step, 3))
        if len(axis) < column or not axis:
            axis = axis.ljust(column) + label
        tick += 1
    return _INDENT + axis


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 15, 30 and 60 s, of minutes and hours, or of tenths, that is no less."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    return next((step for step in steps if step >= least - 1e-9), 3600 * math.ceil(least / 3600))


def _connection(timeline: Timeline, scale: Scale) -> list[str]:
    lane = [" "] * (WIDTH + 1)
    # The end that is not judged may not have been looked at for a while: it was open all the same.
    until = timeline.duration if timeline.close else scale.until
    scale.fill(lane, 0.0, until, _SILENT)
    events = list(timeline)
    data = [event.at for event in events if event.kind is EventKind.FRAME and event.role <= Role.DATA]
    if timeline.total > len(events) and data:
        # The oldest frames fell out of the record: the strip must not show them as silence.
        scale.fill(lane, 0.0, data[0], _LOST)
    paused = None
    for event in events:
        if event.kind is EventKind.READING_PAUSED:
            paused = event.at
        elif event.kind is EventKind.READING_RESUMED:
            scale.fill(lane, paused or 0.0, event.at, _PAUSED)
            paused = None
        elif event.kind is EventKind.FRAME:
            scale.put(lane, event.at, _CLOSE if event.opcode is Opcode.CLOSE else _BYTES)
    if paused is not None:
        scale.fill(lane, paused, until, _PAUSED)
    for event in events:
        if event.kind in _LOCAL:
            scale.put(lane, event.at, _LOCAL[event.kind])
    return lane


def _questions(timeline: Timeline, scale: Scale) -> dict[str, list[str]]:
    """Lanes of the questions: heartbeats, and ping frames of either end."""
    frames = [event for event in timeline if event.kind is EventKind.FRAME]
    sender = timeline.heartbeat_sender
    lanes = {}
    if sender is not None:
        asked = _at(frames, sender, role=Role.HEARTBEAT)
        lanes["  beats"] = _drawn(scale, _told(asked, timeline.heartbeats, due=not timeline.is_one_way))
    plain = [event for event in frames if event.role is Role.NONE]
    theirs = _at(plain, Direction.RECEIVED, opcode=Opcode.PING)
    ours = _at(plain, Direction.SENT, opcode=Opcode.PING)
    pings = _marks(theirs, _at(plain, Direction.SENT, opcode=Opcode.PONG)) + _told(ours, timeline.pings)
    if pings:
        lanes["  pings"] = _drawn(scale, pings)
    return lanes


def _at(
    frames: Iterable[Event], direction: Direction, *, opcode: Opcode | None = None, role: Role | None = None
) -> list[float]:
    return [
        event.at
        for event in frames
        if event.direction is direction and (event.opcode is opcode or event.role is role)
    ]


def _marks(asked: Sequence[float], answers: Sequence[float]) -> list[tuple[float, str]]:
    """Each question with its sign; an answer belongs to the youngest question before it."""
    return [
        (at, _ANSWERED if any(at <= answer < after for answer in answers) else _OPEN)
        for at, after in pairwise([*asked, float("inf")])
    ]


def _told(asked: Iterable[float], trips: RoundTrips, *, due: bool = True) -> list[tuple[float, str]]:
    """Each question with its sign, as a verdict counts them: the events alone do not tell stray answers."""
    if not due:
        return [(at, _SEEN) for at in asked]
    still, last = set(trips.open), trips.last_at or 0.0
    # What was asked after the end is not counted.
    return [(at, _OPEN if at > last or at in still else _ANSWERED) for at in asked]


def _drawn(scale: Scale, marks: Iterable[tuple[float, str]]) -> list[str]:
    lane = [" "] * (WIDTH + 1)
    # What was not answered covers what was.
    for at, sign in sorted(marks, key=lambda mark: mark[1] == _OPEN):
        scale.put(lane, at, sign)
    return lane
