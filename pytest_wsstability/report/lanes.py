"""A timeline as the HTML report draws it: a few bytes an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from ..core.timeline.events import Direction, Event, EventKind, Opcode, Role
from ..core.timeline.recorder import UNMEASURED, Packed, event_of
from ..core.timeline.timeline import Timeline

# What is drawn as a step of the session, in all reports.
SESSION = (Role.GREETING, Role.SESSION_INFO, Role.SESSION_CONFIRMED, Role.SESSION_REFUSED, Role.STEP)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# What happened, as a capital letter: report.js knows the same.
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
_ONE_WAY = str.maketrans("AB", "XY")


def drawn(timelines: Sequence[Timeline]) -> tuple[list[str], list[tuple[float, float]]]:
    """The lane of each timeline, and the round trips of the first: all that asks for every event, at once."""
    records = [each.packed() for each in timelines]
    trips = round_trips(records[0], timelines[0]) if records else []
    lanes = [lane(each, one_way=line.is_one_way) for each, line in zip(records, timelines, strict=True)]
    return lanes, trips


def lane(records: Iterable[Packed], *, one_way: bool = False) -> str:
    """
    Events as text: milliseconds since the one before in base 36, and a capital for what it was.

    A report of 500 connections with 1,000 events each is 2 MiB so, and 40 as JSON objects. One-way heartbeats
    have letters of their own: no answer to them is missing.

    """
    parts = []
    before = 0
    for at, what in records:
        now = round(at * 1000)
        if now > before:
            parts.append(_base36(now - before))
            before = now
        parts.append(_letter(what[UNMEASURED]))
    text = "".join(parts)
    return text.translate(_ONE_WAY) if one_way else text


@lru_cache(4096)
def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


@lru_cache(64)
def _is_pong(what: bytes) -> bool:
    return _unmeasured(what).opcode is Opcode.PONG


@lru_cache(4096)
def _letter(what: bytes) -> str:
    """The letter of what happened, packed, without its measure."""
    event = _unmeasured(what)
    if event.kind is not EventKind.FRAME:
        return _LOCAL.get(event.kind, "W")
    received = event.direction is Direction.RECEIVED
    if event.role is Role.HEARTBEAT:
        return "B" if received else "A"
    if event.role is Role.HEARTBEAT_ANSWER:
        return "C" if received else "D"
    if event.role in SESSION:
        return "L" if received else "K"
    pairs = {Opcode.PING: "EF", Opcode.PONG: "HG", Opcode.CLOSE: "MN"}
    return pairs.get(event.opcode, "IJ")[received]


def _unmeasured(what: bytes) -> Event:
    return event_of((0.0, bytes(UNMEASURED.start) + what))


def round_trips(records: Iterable[Packed], timeline: Timeline) -> list[tuple[float, float]]:
    """
    Round trips of the heartbeats among the events, as ``(at, seconds)``; none where they cannot be told.

    What was not answered has none, nor have heartbeats of the other end where both send some. Answers come in
    the order of their heartbeats, and a pong frame is to all that wait (see `RoundTrips`).

    """
    trips = timeline.heartbeats
    if not trips.are_told:
        return []
    found = []
    asked: list[float] = []
    beat, answer = "BD" if timeline.heartbeat_sender is Direction.RECEIVED else "AC"
    unanswered = set(trips.open)
    for at, what in records:
        letter = _letter(what[UNMEASURED])
        if letter == beat and at not in unanswered:
            asked.append(at)
        elif asked and letter == answer:
            done = len(asked) if _is_pong(what[UNMEASURED]) else 1
            found += [(since, at - since) for since in asked[:done]]
            del asked[:done]
    return found
