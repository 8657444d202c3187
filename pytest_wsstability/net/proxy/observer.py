"""What is known between the ends about a connection that passes: frames, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.faults import Fault, Flow
from ...core.faults.fault import FaultLabel
from ...core.timeline.close import CloseEvidence, CloseFrame, LocalReason, TransportEnd
from ...core.timeline.events import FRAME_OPCODES, Direction, End, Opcode, Role
from ...core.timeline.timeline import Timeline
from .. import health
from .channel import TcpFlag

if TYPE_CHECKING:
    from .frame_reader import FrameReader

# A timeline of what lies between is told from the client's side.
_DIRECTIONS = {Flow.UPSTREAM: Direction.SENT, Flow.DOWNSTREAM: Direction.RECEIVED}
_CLOSE = int(Opcode.CLOSE)


class LinkObserver:
    """
    The record of one link. Times are the loop's.

    Args:
        loop: whose clock counts.
        name: how a fault is labelled when it has ended the connection.

    """

    __slots__ = ("_first_close", "_first_end", "_loop", "_name", "ended_by", "timeline")

    def __init__(self, loop: asyncio.AbstractEventLoop, name: Callable[[Fault], FaultLabel]) -> None:
        self._loop = loop
        self._name = name
        # None until the opening handshake has ended.
        self.timeline: Timeline | None = None
        # The fault that ended the connection; None while none has.
        self.ended_by: Fault | None = None
        # Which direction had the first close frame, and the first FIN or RST; None while none had.
        self._first_close: Flow | None = None
        self._first_end: tuple[Flow, TcpFlag] | None = None

    def opened(self) -> None:
        """The opening handshake has ended well."""
        self.timeline = Timeline(End.PROXY, health.tier_of(self._loop), origin=self._loop.time())

    def frame(self, flow: Flow, opcode: int, size: int) -> None:
        """A whole frame has gone by; a timeline holds none with a reserved opcode."""
        if self.timeline is None or opcode not in FRAME_OPCODES:
            return
        if opcode == _CLOSE and self._first_close is None:
            self._first_close = flow
        role = Role.DATA if opcode < _CLOSE else Role.NONE
        self.timeline.frame(self._loop.time(), _DIRECTIONS[flow], opcode, size, role)

    def fault_applied(self, fault: Fault) -> None:
        """A fault was applied."""
        if self.timeline is not None:
            self.timeline.fault_applied(self._loop.time(), fault.name)

    def kept_back(self, flow: Flow, since: float, until: float, *, again: bool) -> None:
        """Faults keep back what came at an instant until another; ``again``: the same that did before."""
        if self.timeline is not None:
            self.timeline.kept_back(_DIRECTIONS[flow], since, until, again=again)

    def direction_ended(self, flow: Flow, flag: TcpFlag) -> None:
        """FIN or RST was delivered in a direction."""
        if self._first_end is None:
            self._first_end = flow, flag

    def ended(self, upstream: FrameReader | None, downstream: FrameReader | None) -> None:
        """Nothing passes any more; the readers know the close frames."""
        if self.timeline is None or self.timeline.close is not None:
            return
        sent, received = _close_frame(upstream), _close_frame(downstream)
        transport, reason, label = self.ending()
        now = self._loop.time()
        evidence = CloseEvidence(
            end=End.PROXY,
            at=now - self.timeline.opened,
            transport=transport,
            received=received,
            sent=sent,
            received_first=self._first_close is Flow.DOWNSTREAM if sent and received else None,
            mid_frame=any(reader is not None and reader.mid_frame for reader in (upstream, downstream)),
            local_reason=reason,
            local_detail=label.text if label is not None else None,
            advice=label.advice if label is not None else None,
            planned=self.ended_by is None and self._first_end is None,
        )
        self.timeline.over(now, evidence)

    def ending(self) -> tuple[TransportEnd, LocalReason, FaultLabel | None]:
        """How the stream ended, who or what ended it, and the fault that did by its name."""
        if self.ended_by is not None:
            return TransportEnd.ABORTED, LocalReason.FAULT, self._name(self.ended_by)
        if self._first_end is None:
            return TransportEnd.ABORTED, LocalReason.BETWEEN, None
        flow, flag = self._first_end
        first = LocalReason.CLIENT_FIRST if flow is Flow.UPSTREAM else LocalReason.SERVER_FIRST
        return TransportEnd.FIN if flag is TcpFlag.FIN else TransportEnd.RESET, first, None


def _close_frame(reader: FrameReader | None) -> CloseFrame | None:
    body = reader.close_body if reader is not None else None
    if body is None:
        return None
    # RFC 6455, section 7.1.5: a close frame without a code reads as 1005, and half a code is none.
    code = int.from_bytes(body[:2], "big") if len(body) > 1 else 1005
    return CloseFrame(code, body[2:].decode(errors="replace"))
