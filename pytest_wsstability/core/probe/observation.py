"""What became of one connection of the ladder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from statistics import median
from typing import Any

from ..timeline.close import TransportEnd
from ..timeline.events import Direction, EventKind, Opcode, Role
from ..timeline.timeline import Timeline
from .rungs import Rung

_MESSAGES = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class RungFate(Enum):
    """How a connection of the ladder went."""

    ALIVE = "alive"
    # Its end was seen: a close frame, FIN or RST.
    ENDED = "ended"
    # Nothing was said, and the next ping found nobody.
    LOST = "lost"
    NOT_OPENED = "not opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One connection of the ladder and its life; instants are seconds since its opening handshake ended."""

    rung: Rung
    fate: RungFate
    # When it ended; when it was last known to live, if it is alive or lost.
    age: float = 0.0
    # The clock's reading at the opening, in seconds: several ages that end at one reading are a restart.
    opened_at: float = 0.0
    # The last frame of either end, of the client's, and the last message of either; 0.0 if there was none.
    last: float = 0.0
    last_sent: float = 0.0
    last_message: float = 0.0
    last_received: float = 0.0
    # Pings of the server: how many, when the first came, and the usual time between two (None if fewer).
    server_pings: int = 0
    first_server_ping: float | None = None
    server_ping_every: float | None = None
    # When heartbeats of the server came that are messages, as far as the record holds them.
    server_heartbeats: tuple[float, ...] = ()
    # Pongs that came, whoever asked for them.
    pongs: int = 0
    # Seconds of silence before the ping that found a lost connection.
    gap: float | None = None
    # Seconds of silence before a ping that was not answered, though the end was told later; None if there was
    # no such ping.
    unanswered: float | None = None
    # How it ended, or why it did not open.
    detail: str = ""
    # The close code that the server sent; None if it sent none.
    code: int | None = None
    # The worst lag of our own event loop meanwhile, in seconds.
    lag: float = 0.0

    @property
    def gone(self) -> bool:
        """Whether it lived and is dead."""
        return self.fate in (RungFate.ENDED, RungFate.LOST)

    @property
    def ended_at(self) -> float:
        """The clock's reading at its end."""
        return self.opened_at + self.age

    @classmethod
    def of(
        cls,
        rung: Rung,
        timeline: Timeline,
        *,
        lost_after: float | None = None,
        unanswered: float | None = None,
    ) -> Observation:
        """
        What a client's timeline says.

        Args:
            rung: what the connection was for.
            timeline: its record.
            lost_after: seconds of silence before a ping that was not answered; None if none was missed.
            unanswered: the same where the end was told later.

        """
        close = timeline.close
        ended = close is not None and not close.planned and close.transport is not TransportEnd.ABORTED
        received = _last(timeline, Direction.RECEIVED, *Opcode)
        sent = _last(timeline, Direction.SENT, *Opcode)
        messages = (_last(timeline, way, *_MESSAGES) for way in (Direction.SENT, Direction.RECEIVED))
        fate = RungFate.LOST if lost_after is not None else RungFate.ENDED if ended else RungFate.ALIVE
        pings = [
            event.at
            for event in timeline
            if event.kind is EventKind.FRAME
            and (event.direction, event.opcode) == (Direction.RECEIVED, Opcode.PING)
        ]
        count = timeline.count(Direction.RECEIVED, Opcode.PING)
        between = [later - earlier for earlier, later in pairwise(pings)]
        return cls(
            rung=rung,
            fate=fate,
            age=received if fate is RungFate.LOST else timeline.duration,
            opened_at=timeline.opened,
            last=max(sent, received),
            last_sent=sent,
            last_message=max(messages),
            last_received=received,
            server_pings=count,
            first_server_ping=pings[0] if pings and len(pings) == count else None,
            server_ping_every=median(between) if between else None,
            server_heartbeats=tuple(
                event.at
                for event in timeline
                if event.direction is Direction.RECEIVED and event.role is Role.HEARTBEAT
            ),
            pongs=timeline.count(Direction.RECEIVED, Opcode.PONG),
            gap=lost_after,
            unanswered=unanswered,
            detail=str(close) if close is not None and ended else "",
            code=close.received.code if close is not None and ended and close.received else None,
            lag=timeline.max_lag,
        )

    def as_dict(self) -> dict[str, Any]:
        """As builtin values."""
        return {
            "traffic": self.rung.traffic.value,
            "every": self.rung.every,
            "answers_pings": self.rung.answers,
            "fate": self.fate.value,
            "age": self.age,
            "detail": self.detail,
            "close_code": self.code,
            "server_pings": self.server_pings,
            "lost_after": self.gap,
        }


def _last(timeline: Timeline, direction: Direction, *opcodes: Opcode) -> float:
    instants = (
        timeline.last(direction=direction, opcode=opcode)
        for opcode in opcodes
        if opcode not in (Opcode.NONE, Opcode.CLOSE)
    )
    return max((at for at in instants if at is not None), default=0.0)
