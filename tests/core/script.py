"""Timelines from literal rows: ``(60, ">beat")`` reads "a heartbeat went out at 60 s"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_wsstability.core.timeline.close import CloseEvidence, CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import Direction, End, EventKind, FaultName, Opcode, Role, Tier
from pytest_wsstability.core.timeline.protocol_facts import Intervals, ProtocolFacts
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.core.kernel import info

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED

FRAMES: dict[str, tuple[Opcode, int, Role]] = {
    "hello": (Opcode.TEXT, 33, Role.GREETING),
    "info": (Opcode.TEXT, 42, Role.SESSION_INFO),
    "confirmed": (Opcode.TEXT, 47, Role.SESSION_CONFIRMED),
    "beat": (Opcode.TEXT, 15, Role.HEARTBEAT),
    "beat as ping": (Opcode.PING, 4, Role.HEARTBEAT),
    "answer": (Opcode.TEXT, 15, Role.HEARTBEAT_ANSWER),
    "answer as pong": (Opcode.PONG, 4, Role.HEARTBEAT_ANSWER),
    # Engine.IO's.
    "2": (Opcode.TEXT, 1, Role.HEARTBEAT),
    "text": (Opcode.TEXT, 100, Role.DATA),
    "byte": (Opcode.TEXT, 1, Role.DATA),
    "audio": (Opcode.BINARY, 640, Role.DATA),
    # An application message, which is counted as one too.
    "feed": (Opcode.TEXT, 100, Role.DATA),
    "error": (Opcode.TEXT, 60, Role.ERROR),
    "notice": (Opcode.TEXT, 20, Role.NOTICE),
    "refused": (Opcode.TEXT, 40, Role.SESSION_REFUSED),
    "goodbye": (Opcode.TEXT, 30, Role.GOODBYE),
    "rest": (Opcode.CONT, 5, Role.NONE),
    # A message whose end has not come.
    "half": (Opcode.TEXT, 50, Role.NONE),
    "ping": (Opcode.PING, 4, Role.NONE),
    "pong": (Opcode.PONG, 4, Role.NONE),
    "close": (Opcode.CLOSE, 2, Role.NONE),
}
LOCAL = {
    "paused": EventKind.READING_PAUSED,
    "resumed": EventKind.READING_RESUMED,
    "lag": EventKind.LOOP_LAG,
    "slept": EventKind.SUSPENDED,
    "deadline": EventKind.DEADLINE,
}

# How a connection can end, as the fields of the evidence.
FIN: dict[str, Any] = {"transport": TransportEnd.FIN}
RST: dict[str, Any] = {"transport": TransportEnd.RESET}
GIVEN_UP: dict[str, Any] = {**RST, "local_reason": LocalReason.PING_TIMEOUT}
PLANNED: dict[str, Any] = {
    "transport": TransportEnd.FIN,
    "sent": CloseFrame(1000),
    "received": CloseFrame(1000),
    "received_first": False,
    "planned": True,
}


def closed_by_peer(code: int, reason: str = "", **more: Any) -> dict[str, Any]:
    """A closing handshake that the peer began."""
    frame = CloseFrame(code, reason)
    return {"transport": TransportEnd.FIN, "received": frame, "sent": frame, "received_first": True, **more}


def in_order(*parts: Iterable[Any]) -> list[Any]:
    """The rows of several parts in the order of time."""
    return sorted((row for part in parts for row in part), key=lambda row: row[0])


def timeline(
    *rows: tuple[Any, ...],
    end: End = End.CLIENT,
    until: float | None = None,
    origin: float = 1000.0,
    looks: Sequence[Mapping[str, Any]] = (),
    tier: Tier = Tier.VIRTUAL,
    protocol: ProtocolFacts | None = None,
    intervals: Intervals | None = None,
) -> Timeline:
    """
    Play a script.

    A row is ``(at, what, detail)``: ``">beat"`` was sent, ``"<pong"`` was received (the detail is the
    key, of a feed, error, notice or refusal its text), ``"lag"`` is local (the detail is in seconds),
    ``"queued"`` has bytes, ``"frozen"`` is a fault of the test, a mapping is the end of the connection.
    ``looks`` are fields of `TcpSample`: what the kernel said, everything acknowledged by default.

    """
    line = Timeline(end, tier, origin=origin, protocol=protocol)
    line.intervals = intervals
    for at, what, *detail in rows:
        now = origin + at
        if isinstance(what, dict):
            line.over(now, CloseEvidence(**{"end": end, "at": at, **what}))
        elif what in LOCAL:
            line.mark(now, LOCAL[what], *detail)
        elif what == "queued":
            line.queued(now, *detail)
        elif what in ("frozen", "thawed"):
            line.frozen = what == "frozen"
            if line.frozen:
                line.fault_applied(now, FaultName.FREEZE_LOOP)
        elif what == "<error":
            line.frame(now, RECEIVED, *FRAMES["error"])
            line.error_message(now, *detail)
        elif what == "<notice" and detail:
            line.frame(now, RECEIVED, *FRAMES["notice"])
            line.notice_message(now, *detail)
        elif what == "<refused" and detail:
            line.frame(now, RECEIVED, *FRAMES["refused"])
            line.refusal_message(now, *detail)
        else:
            if what == "<feed":
                line.message(now, *detail)
                detail = []
            line.frame(now, SENT if what[0] == ">" else RECEIVED, *FRAMES[what[1:]], *detail)
    for fields in looks:
        line.kernel(origin + fields["at"], *look(**fields))
    if until is not None:
        line.observe(origin + until)
    return line


def look(at: float, *, send_queue: int = 0, last_ack_recv: float = 0.0, **fields: int) -> tuple[bytes, int]:
    """What the kernel said, as `Timeline.kernel` takes it."""
    return info(last_ack_recv=round(last_ack_recv * 1000), **fields), send_queue
