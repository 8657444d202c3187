"""A timeline as JSON has it, and back: the same counters, instants and last events."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..plain import plain, restore, word
from ..redact import redact_text
from .close import CloseEvidence, CloseFrame
from .events import Direction, End, Event, EventKind, FaultName, FrameKind, Opcode, Role, Tier
from .flaws import Flaw
from .recorder import Recorder, measure_of
from .round_trips import RoundTrips
from .tcp import TcpSample, packed
from .timeline import Timeline

_WAYS = (Direction.SENT, Direction.RECEIVED)
_FRAMES = tuple(opcode for opcode in Opcode if opcode is not Opcode.NONE)
# What a name stands for in a row of an event.
_FLAW = {word(flaw): flaw for flaw in Flaw}
_KIND = {word(kind): kind for kind in EventKind}
_DIRECTION = {word(direction): direction for direction in Direction}
_OPCODE = {word(opcode): opcode for opcode in Opcode}
_ROLE = {word(role): role for role in Role}
_TRAFFIC = {word(sort): sort for sort in FrameKind}
# And back: rows are written by the thousands.
_WAY_WORD, _OPCODE_WORD, _ROLE_WORD = (
    {int(member): name for name, member in words.items()} for words in (_DIRECTION, _OPCODE, _ROLE)
)
# Plain attributes of a timeline that are its own in a report too.
_SAME = (
    "session_info_at", "session_confirmed_at", "longest_silence", "max_lag", "max_lag_at", "suspended",
    "paused_total", "deliberately_stalled", "dropped_reads", "observed_until", "tcp_unseen",
    "ping_answered_at", "unsent", "unsent_since", "half_frame_since",
)  # fmt: skip


def timeline_as_dict(timeline: Timeline, events: Iterable[Event] | None = None) -> dict[str, Any]:
    """
    A timeline in exact builtin types.

    Args:
        timeline: the record.
        events: the events to put in; None takes those that the record still holds.

    """
    sender = timeline.heartbeat_sender
    return {
        "end": timeline.end.value,
        "tier": timeline.tier.value,
        "duration": _rounded(timeline.duration),
        **{name: _rounded(getattr(timeline, name)) for name in _SAME},
        "paused_since": _rounded(timeline.paused_since),
        "last_frame_at": _rounded(timeline.duration - timeline.silence),
        "heartbeat_sender": None if sender is None else word(sender),
        "heartbeats": timeline.heartbeats.as_dict(),
        "pings": timeline.pings.as_dict(),
        "frames": {word(way): dict(_counts(timeline, way)) for way in _WAYS},
        "last": {word(way): dict(_last(timeline, way)) for way in _WAYS},
        "silences": {word(way): _silences(timeline, way) for way in _WAYS},
        "hints": [[name, redact_text(value)] for name, value in timeline.hints or ()],
        "tcp": [plain(look) for look in timeline.tcp],
        "irregular": [
            [_rounded(each.at), word(each.flaw), redact_text(each.detail)] for each in timeline.irregular
        ],
        "close": None if timeline.close is None else plain(masked(timeline.close)),
        "total": timeline.total,
        "events": [row(event) for event in (timeline if events is None else events)],
    }


def timeline_from_dict(data: Mapping[str, Any], where: str = "timeline") -> Timeline:
    """
    The timeline that `timeline_as_dict` made this of.

    Raises:
        KeyError: for something missing.
        TypeError, ValueError: for something wrong.

    """
    timeline = Timeline(
        restore(End, data["end"], f"{where}.end"), restore(Tier, data["tier"], f"{where}.tier")
    )
    events = [event_of(each, f"{where}.events[{index}]") for index, each in enumerate(data["events"])]
    _replay(timeline, events, int(data["total"]))
    for name in _SAME:
        setattr(timeline, name, data[name])
    timeline._paused_at = data["paused_since"]
    timeline._last_any = float(data["last_frame_at"])
    sender = data["heartbeat_sender"]
    timeline.heartbeat_sender = None if sender is None else _DIRECTION[sender]
    timeline._tcp = packed(restore(tuple[TcpSample, ...], data["tcp"], f"{where}.tcp"))
    timeline._heartbeats = RoundTrips.from_dict(data["heartbeats"])
    timeline._pings = RoundTrips.from_dict(data["pings"])
    _restore_counts(timeline, data["frames"], data["last"])
    for way in _WAYS:
        for name, (at, longest) in data.get("silences", {}).get(word(way), {}).items():
            timeline.set_silence(way, _TRAFFIC[name], float(at), float(longest))
    timeline.hints = tuple((str(name), str(value)) for name, value in data.get("hints", ())) or None
    for at, flaw, detail in data.get("irregular", ()):
        timeline.irregularity(float(at), _FLAW[flaw], str(detail))
    close = data["close"]
    timeline.close = None if close is None else restore(CloseEvidence, close, f"{where}.close")
    return timeline


def row(event: Event) -> list[Any]:
    """A row: ``[25.0, "frame", "sent", "text", 15, "heartbeat"]``, ``[3.0, "loop_lag", 1.2]``."""
    at = round(event.at, 6)
    if event.kind is EventKind.FAULT:
        return [at, "fault", None if event.fault is None else event.fault.value]
    if event.kind is not EventKind.FRAME:
        return [at, word(event.kind), event.seconds]
    words = _WAY_WORD[event.direction], _OPCODE_WORD[event.opcode], event.size, _ROLE_WORD[event.role]
    return [at, "frame", *words]


def event_of(each: Any, where: str = "event") -> Event:
    """
    The event that `row` made this of.

    Raises:
        ValueError: if it is no such row; for a fault that is unknown, naming the valid ones.

    """
    if isinstance(each, list) and len(each) == 3 and each[1] == "fault":
        at, _, name = each
        return Event(
            restore(float, at, where), EventKind.FAULT, fault=restore(FaultName, name, f"{where}, fault")
        )
    try:
        at, kind, *rest = each
        if kind != "frame":
            (seconds,) = rest
            return Event(float(at), _KIND[kind], seconds=float(seconds))
        direction, opcode, size, role = rest
        return Event(
            float(at), EventKind.FRAME, _DIRECTION[direction], _OPCODE[opcode], int(size), _ROLE[role]
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{where}: {each!r} is no event") from None


def is_data(event: Event) -> bool:
    """Whether an event is a data frame without a role in heartbeats or the session."""
    return event.kind is EventKind.FRAME and event.opcode < Opcode.CLOSE and event.role <= Role.DATA


def _rounded(value: Any) -> Any:
    return round(value, 6) if type(value) is float else value


def masked(close: CloseEvidence) -> CloseEvidence:
    """The evidence with the secrets masked that texts of the peer and of the system may hold."""
    return dataclasses.replace(
        close,
        received=_masked_frame(close.received),
        sent=_masked_frame(close.sent),
        parser_error=_masked_text(close.parser_error),
        stray=_masked_text(close.stray),
        error=_masked_text(close.error),
        local_detail=_masked_text(close.local_detail),
    )


def _masked_frame(frame: CloseFrame | None) -> CloseFrame | None:
    return None if frame is None else CloseFrame(frame.code, redact_text(frame.reason))


def _masked_text(text: str | None) -> str | None:
    return None if text is None else redact_text(text)


def _counts(timeline: Timeline, way: Direction) -> Iterator[tuple[str, list[int]]]:
    for opcode in _FRAMES:
        if count := timeline.count(way, opcode):
            yield word(opcode), [int(count), int(timeline.bytes(way, opcode))]


def _last(timeline: Timeline, way: Direction) -> Iterator[tuple[str, float]]:
    for opcode in _FRAMES:
        if (at := timeline.last(direction=way, opcode=opcode)) is not None:
            yield word(opcode), round(at, 6)
    for role in Role:
        if role is not Role.NONE and (at := timeline.last(direction=way, role=role)) is not None:
            yield f"role {word(role)}", round(at, 6)


def _silences(timeline: Timeline, way: Direction) -> dict[str, list[float]]:
    """When each sort of traffic was last seen, and the longest time without it before."""
    now = timeline.duration
    return {
        word(sort): [
            round(now - timeline.silent_for(way, sort), 6), round(timeline.longest_gap(way, sort), 6)
        ]
        for sort in FrameKind
    }  # fmt: skip


def _replay(timeline: Timeline, events: list[Event], total: int) -> None:
    """Fill the rings: as large as what there is, since nothing will be added."""
    frames = sum(map(is_data, events))
    timeline.total = max(len(events), total)
    timeline._signals = signals = Recorder(max(1, len(events) - frames))
    timeline._data = data = Recorder(frames) if frames else None
    for number, event in enumerate(events, timeline.total - len(events)):
        ring = data if data is not None and is_data(event) else signals
        ring.append(
            event.at, event.kind, event.direction, event.opcode, measure_of(event), event.role, number
        )
    # Which ring the lost ones fell out of is not known.
    signals.overflowed = total > len(events)


def _restore_counts(timeline: Timeline, frames: Mapping[str, Any], last: Mapping[str, Any]) -> None:
    for way in _WAYS:
        for name, (count, size) in frames[word(way)].items():
            timeline.set_count(way, _OPCODE[name], int(count), int(size))
        for name, at in last[word(way)].items():
            opcode, role = _OPCODE.get(name), _ROLE.get(name.removeprefix("role "))
            timeline.set_last(way, float(at), opcode=opcode, role=None if opcode is not None else role)
