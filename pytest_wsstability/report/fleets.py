"""A fleet drawn: who lives on, what opened and ended when, and how long heartbeats took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ..core.duration import show_duration as show
from ..core.fleet.failure import count_line, events_line, group_line, more_lines, rtt_line, worker_line
from ..core.fleet.frame import RTT_LIMITS
from ..core.fleet.requirement import as_written, percent
from ..core.fleet_summary import FleetRecord, FleetSummary
from ..core.redact import redact_text, show_text
from ..core.result import Result
from ..core.timeline.events import Direction, Event, EventKind, Opcode, Role
from .cells import cells
from .lanes import SESSION

# A drawing in units of its own: as wide as half a page, and as high as it is read well.
_WIDTH, _HEIGHT, _LEFT = 600, 160, 72
# A record is a line in the middle of so many units, with a stroke upwards for what was sent.
_ROW, _STROKE = 20, 8
_BEATS = (Role.HEARTBEAT, Role.HEARTBEAT_ANSWER)


def section(result: Result) -> dict[str, Any]:
    """What the template shows of a fleet."""
    fleet = result.fleet
    assert fleet is not None
    row = cells(result)
    return {
        "test": row.test,
        "word": row.verdict.lower(),
        "outcome": result.verdict.outcome.value,
        "verdict": row.verdict,
        "cause": row.cause,
        "facts": list(_facts(fleet)),
        "groups": [group_line(group) for group in fleet.groups],
        "notes": fleet.notes,
        "survival": survival(fleet),
        "times": over_time(fleet),
        "heat": heat_map(fleet),
        "records": records(result.records),
    }


def _facts(fleet: FleetSummary) -> Iterator[tuple[str, str]]:
    yield "connections", count_line(fleet.count)
    asked = "all" if fleet.survival is None else as_written(fleet.survival)
    low, high = (percent(each, apart=fleet.survival) for each in (fleet.low, fleet.high))
    between = f"between {low} and {high}"
    yield (
        f"live for {show(fleet.hold)}",
        f"{between} ({as_written(fleet.confidence)} confidence); asked: {asked}",
    )
    if fleet.events.ends > 1:
        yield "ends", events_line(fleet)
    if fleet.rtts:
        yield "round trips", rtt_line(fleet)
    yield from more_lines(fleet)
    if len(fleet.workers) > 1:
        yield from (("worker", worker_line(each)) for each in fleet.workers)


class _Scale:
    """Seconds as units from left to right."""

    def __init__(self, longest: float) -> None:
        self.longest = longest or 1.0

    def __call__(self, seconds: float) -> float:
        return round(_LEFT + seconds / self.longest * (_WIDTH - _LEFT), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Four instants and their names."""
        return [(self(part * self.longest / 4), show(part * self.longest / 4)) for part in range(5)]


def survival(fleet: FleetSummary) -> dict[str, Any]:
    """The curve of those that live on, and its band, as paths; the axis begins where the band does."""
    lowest = min(point.low for point in fleet.curve)
    bottom = 0.0 if lowest < 0.5 else (0.5 if lowest < 0.9 else (0.9 if lowest < 0.99 else 0.99))
    scale = _Scale(max(point.age for point in fleet.curve))

    def height(share: float) -> float:
        return round(_HEIGHT * (1 - (max(share, bottom) - bottom) / (1 - bottom)), 2)

    shares = [point.share for point in fleet.curve]
    lows, highs = [point.low for point in fleet.curve], [point.high for point in fleet.curve]
    ages = [scale(point.age) for point in fleet.curve]
    upper, lower = _steps(ages, map(height, highs)), _steps(ages, map(height, lows))
    return {
        "line": "M" + " L".join(_steps(ages, map(height, shares))),
        "band": "M" + " L".join([*upper, *reversed(lower)]) + "Z",
        "ticks": scale.ticks(),
        "marks": [(height(share), percent(share)) for share in (1.0, (1 + bottom) / 2, bottom)],
        "asked": height(fleet.survival) if fleet.survival is not None else None,
        "text": f"{percent(shares[-1])} live on at {show(fleet.curve[-1].age)}",
    }


def _steps(ages: Sequence[float], heights: Iterator[float]) -> list[str]:
    """A curve that falls where it falls, and is level between."""
    points: list[str] = []
    before: float | None = None
    for age, height in zip(ages, heights, strict=True):
        if before is not None:
            points.append(f"{age} {before}")
        points.append(f"{age} {height}")
        before = height
    return points


def over_time(fleet: FleetSummary) -> dict[str, Any]:
    """Bars of what opened, upwards, and of what ended, downwards."""
    most = max([1, *(max(each.opened, each.ended) for each in fleet.stretches)])
    scale = _Scale(fleet.stretch * len(fleet.stretches))
    half = _HEIGHT / 2
    bars = []
    for place, each in enumerate(fleet.stretches):
        left, right = scale(place * fleet.stretch), scale((place + 1) * fleet.stretch)
        at = show(place * fleet.stretch)
        for word, number in (("opened", each.opened), ("ended", each.ended)):
            if number:
                size = round(max(1.0, number / most * half), 2)
                bars.append(
                    {
                        "word": word,
                        "x": left,
                        "width": round(right - left - 0.5, 2),
                        "y": round(half - size, 2) if word == "opened" else half,
                        "height": size,
                        "title": f"{number:,} {word} within {show(fleet.stretch)} from {at} on",
                    }
                )
    return {"bars": bars, "ticks": scale.ticks(), "most": f"{most:,}", "middle": half}


def heat_map(fleet: FleetSummary) -> dict[str, Any]:
    """Round trips over time: the darker, the more of the stretch's heartbeats took so long."""
    rows = [row for row in range(len(RTT_LIMITS) + 1) if any(each.rtts[row] for each in fleet.stretches)]
    if not rows:
        return {}
    rows = list(range(rows[0], rows[-1] + 1))
    scale = _Scale(fleet.stretch * len(fleet.stretches))
    height = _HEIGHT / len(rows)
    boxes = []
    for place, each in enumerate(fleet.stretches):
        left, right = scale(place * fleet.stretch), scale((place + 1) * fleet.stretch)
        for row in rows:
            if number := each.rtts[row]:
                boxes.append(
                    {
                        "x": left,
                        "width": round(right - left, 2),
                        "y": round(_HEIGHT - (row - rows[0] + 1) * height, 2),
                        "height": round(height, 2),
                        "opacity": round(max(0.08, number / sum(each.rtts)), 3),
                        "title": f"{number:,} {_limit(row)} from {show(place * fleet.stretch)} on",
                    }
                )
    marks = [(round(_HEIGHT - (row - rows[0] + 0.5) * height, 2), _limit(row)) for row in rows]
    return {"boxes": boxes, "ticks": scale.ticks(), "marks": marks}


def records(kept: Sequence[FleetRecord]) -> list[dict[str, Any]]:
    """The connections whose whole records are there, each as a lane, all on one axis from their openings."""
    longest = max((each.timeline.duration for each in kept), default=0.0) or 1.0
    return [_record(each, longest) for each in kept]


def _record(record: FleetRecord, longest: float) -> dict[str, Any]:
    timeline, middle = record.timeline, _ROW // 2
    strokes: dict[str, list[str]] = defaultdict(list)
    for event in timeline:
        x = round(event.at / longest * _WIDTH, 1)
        if event.direction is Direction.LOCAL:
            strokes[_word(event)].append(f"M{x} {middle - _STROKE}v{2 * _STROKE}")
        else:
            strokes[_word(event)].append(
                f"M{x} {middle}v{-_STROKE if event.direction is Direction.SENT else _STROKE}"
            )
    end = "open" if timeline.close is None else redact_text(str(timeline.close))
    why = f"{show_text(record.cause) or 'stable'}, {show(round(timeline.duration, 1))}"
    return {
        "name": f"connection {record.number}",
        "why": why,
        "text": f"connection {record.number}: {why}: {end}",
        "life": f"M0 {middle}H{round(timeline.duration / longest * _WIDTH, 1)}",
        "strokes": [(word, "".join(paths)) for word, paths in strokes.items()],
    }


def _word(event: Event) -> str:
    """What the page calls an event of a lane."""
    if event.kind is not EventKind.FRAME:
        return "end" if event.kind is EventKind.ENDED else "mark"
    if event.role in _BEATS:
        return "answered"
    if event.role in SESSION:
        return "session"
    control = {Opcode.PING: "pinged", Opcode.PONG: "pinged", Opcode.CLOSE: "end"}
    return control.get(event.opcode, "data")


def _limit(row: int) -> str:
    return f"≤ {show(RTT_LIMITS[row])}" if row < len(RTT_LIMITS) else f"> {show(RTT_LIMITS[-1])}"
