"""The recorded events in words, one in a line."""

from __future__ import annotations

from ..duration import show_duration as show
from ..timeline.events import Direction, Event, EventKind, Opcode, Role
from ..timeline.timeline import Timeline

_SIGN = {Direction.RECEIVED: "<", Direction.SENT: ">", Direction.LOCAL: "="}
_FRAME_NAMES = {
    Opcode.CONT: "continuation",
    Opcode.TEXT: "text",
    Opcode.BINARY: "binary",
    Opcode.CLOSE: "close",
    Opcode.PING: "ping",
    Opcode.PONG: "pong",
}


def record(timeline: Timeline) -> list[str]:
    """Every event on the record of an end, under a title."""
    title = f"  {timeline.end.value} timeline (last {len(timeline)} of {timeline.total} events)"
    return [title, *(f"    {event_line(event)}" for event in timeline)]


def event_line(event: Event) -> str:
    """One event, with the signs of the field: ``+25.000 s > text 15 B (heartbeat)``."""
    at = f"+{event.at:.3f} s"
    if event.kind is EventKind.FRAME:
        words = event.role.name.lower().replace("_", " ")
        role = "" if event.role in (Role.NONE, Role.DATA) else f" ({words})"
        return f"{at:>12} {_SIGN[event.direction]} {_FRAME_NAMES[event.opcode]} {event.size} B{role}"
    local = {
        EventKind.OPENED: "opening handshake ended",
        EventKind.READING_PAUSED: "reading paused",
        EventKind.READING_RESUMED: "reading resumed",
        EventKind.LOOP_LAG: f"own event loop {show(event.seconds)} late",
        EventKind.FLOOD: f"own event loop {show(event.seconds)} late over what the peer sent",
        EventKind.SUSPENDED: f"machine slept {show(event.seconds)}",
        EventKind.DEADLINE: "read deadline ran out",
        EventKind.ENDED: "transport ended",
        EventKind.FAULT: f"fault {event.fault}",
    }
    return f"{at:>12} = {local[event.kind]}"
