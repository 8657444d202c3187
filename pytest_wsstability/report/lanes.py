"""A timeline as the HTML report draws it: a few bytes an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..core.timeline.events import Direction, Event, EventKind, Opcode, Role
from ..core.timeline.timeline import Timeline

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# What happened, as a capital letter: report.js knows the same.
_SESSION = (Role.GREETING, Role.SESSION_INFO, Role.SESSION_CONFIRMED)
_LOCAL = {
    EventKind.READING_PAUSED: "P",
    EventKind.READING_RESUMED: "Q",
    EventKind.LOOP_LAG: "R",
    EventKind.FLOOD: "R",
    EventKind.SUSPENDED: "S",
    EventKind.DEADLINE: "T",
    EventKind.ENDED: "U",
    EventKind.OPENED: "V",
}


def drawn(timelines: Sequence[Timeline]) -> tuple[list[str], list[tuple[float, float]]]:
    """The lane of each timeline, and the round trips of the first: all that asks for every event, at once."""
    # To make the events again of what is recorded takes most of a report's time.
    events = [list(each) for each in timelines]
    return [lane(each) for each in events], round_trips(events[0]) if events else []


def lane(events: Iterable[Event]) -> str:
    """
    Events as text: milliseconds since the one before in base 36, and a capital for what it was.

    A report of 500 connections with 1,000 events each is 2 MiB so, and 40 as JSON objects.

    """
    parts = []
    before = 0
    for event in events:
        at = max(before, round(event.at * 1000))
        parts.append(_base36(at - before) + _letter(event))
        before = at
    return "".join(parts)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def _letter(event: Event) -> str:
    if event.kind is not EventKind.FRAME:
        return _LOCAL.get(event.kind, "W")
    received = event.direction is Direction.RECEIVED
    if event.role is Role.HEARTBEAT:
        return "B" if received else "A"
    if event.role is Role.HEARTBEAT_ANSWER:
        return "C" if received else "D"
    if event.role in _SESSION:
        return "L" if received else "K"
    pairs = {Opcode.PING: "EF", Opcode.PONG: "HG", Opcode.CLOSE: "MN"}
    return pairs.get(event.opcode, "IJ")[received]


def round_trips(events: Iterable[Event]) -> list[tuple[float, float]]:
    """
    Round trips of the heartbeats among the events, as ``(at, seconds)``.

    An answer belongs to the youngest open heartbeat, as everywhere (see `RoundTrips`).

    """
    found = []
    asked: list[float] = []
    for event in events:
        if event.role is Role.HEARTBEAT:
            asked.append(event.at)
        elif event.role is Role.HEARTBEAT_ANSWER and asked:
            at = asked.pop()
            found.append((at, event.at - at))
    return found
