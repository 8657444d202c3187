"""How and when a connection of a client ended: what lines of a server are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..judge.handshake import refusal
from ..timeline.close import CloseEvidence
from ..timeline.close_reasons import names_whole
from ..timeline.events import Direction, FrameKind, Opcode, Role
from ..timeline.timeline import Timeline
from .lines import ServerLine

# Seconds around an end within which a line is about it: loops that stop take moments, logs of other
# processes are read late.
AT_THE_END = 1.0
# The same for an error that names nobody, so that it is surely of the handler of this connection: a handler
# that raises has its connection closed within milliseconds, a task beside it has not.
AT_THE_INSTANT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEnd:
    """
    What lines of a server are compared with: whose connection it was, and when it ended.

    Attributes:
        opened: when it opened, by the clock that the lines have too.
        age: seconds until it ended, or was judged while it was open.
        is_open: whether it was open then, or its user closed it.
        is_direct: whether nothing lies between its two ends that loses or delays frames.
        was_closed: whether the server had sent a close frame.
        reason: the reason in it; empty without one.
        asked: the age at which a heartbeat was sent that a handler has to answer, and none has; None without.
        was_answered: whether a heartbeat was answered before.
        began: the age at which it asked for a session that the server has neither confirmed nor refused; None
            without.
        heard: the age at which the server's last message came; 0 without one.
        ports: those of the client, and of proxies before the server.
        session: the id of its session; None without one.
        codes: those of the close frames that went over it, either way.

    """

    opened: float
    age: float
    is_open: bool
    is_direct: bool = False
    was_closed: bool = False
    reason: str = ""
    asked: float | None = None
    was_answered: bool = False
    began: float | None = None
    heard: float = 0.0
    ports: tuple[int, ...] = ()
    session: str | None = None
    codes: frozenset[int] = frozenset()

    @classmethod
    def of(cls, timelines: Sequence[Timeline]) -> ClientEnd:
        """The end of the first of these records, with the ports of other ends of the same connection."""
        first, close = timelines[0], timelines[0].close
        return cls(
            opened=first.opened,
            age=first.duration,
            is_open=close is None or close.planned,
            is_direct=first.direct,
            was_closed=close is not None and close.received is not None,
            reason="" if close is None else close.reason,
            asked=_asked(first),
            was_answered=first.heartbeats.answered > 0,
            began=_began(first),
            heard=first.duration - first.silent_for(Direction.RECEIVED, FrameKind.DATA),
            ports=tuple({each.port for each in timelines if each.port is not None}),
            session=first.session_id,
            codes=_codes(close),
        )

    @property
    def at(self) -> float:
        """When it ended or was judged, by the clock."""
        return self.opened + self.age

    @property
    def names(self) -> set[str]:
        """What lines call it."""
        return {str(port) for port in self.ports} | ({self.session} if self.session else set())

    def is_named_by(self, line: ServerLine) -> bool:
        """Whether a line says whom it is about, and that is this client: by its port, or its session's id."""
        return line.port in self.ports or names_whole(line.text, self.names)

    def is_before(self, line: ServerLine) -> bool:
        """Whether it came before a line, by more than a loop is late."""
        return line.at > self.at + AT_THE_INSTANT

    def is_apart_from(self, error: ServerLine) -> bool:
        """
        Whether it did not come of an error: it was there before it, or messages came after it.

        Lines of other processes, which have no port of their own, are read late.

        """
        went_on = self.opened + self.heard > error.at + AT_THE_INSTANT
        return error.port is not None and (went_on or self.is_before(error))


def _asked(timeline: Timeline) -> float | None:
    """The age at which a heartbeat was sent that no handler has answered; pings are answered without one."""
    sent = Direction.SENT
    may_be_ping = timeline.last(direction=sent, role=Role.HEARTBEAT) == timeline.last(
        direction=sent, opcode=Opcode.PING
    )
    is_ours = timeline.heartbeat_sender is sent and not may_be_ping
    return timeline.heartbeats.oldest_pending if is_ours else None


def _began(timeline: Timeline) -> float | None:
    """The age at which a session was asked for that is neither confirmed nor refused."""
    is_told = timeline.session_confirmed_at is not None or refusal(timeline) is not None
    return None if is_told else timeline.session_info_at


def _codes(close: CloseEvidence | None) -> frozenset[int]:
    frames = () if close is None else (close.sent, close.received)
    return frozenset(frame.code for frame in frames if frame is not None and frame.code is not None)
