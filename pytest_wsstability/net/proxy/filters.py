"""What looks at bytes before they enter a channel of a link: it reads frames, and drops what a fault says."""

from __future__ import annotations

from typing import Protocol

from ...core.faults import ControlKind, CutAfter, Flow
from ...core.timeline.events import Opcode
from .channel import Channel
from .frame_reader import FrameReader
from .http_head import HandshakeReader
from .idle import IdleTimer

_CLOSE = int(Opcode.CLOSE)
# One for all: each empty set has 216 bytes.
_NOTHING: frozenset[int] = frozenset()
_OPCODES = {
    ControlKind.PING: int(Opcode.PING),
    ControlKind.PONG: int(Opcode.PONG),
    ControlKind.CLOSE: int(Opcode.CLOSE),
}


class ByteBudget:
    """Bytes that may still pass before the connection is cut; two directions may share one."""

    __slots__ = ("fault", "left")

    def __init__(self, fault: CutAfter) -> None:
        self.fault = fault
        self.left = fault.bytes


class FrameListener(Protocol):
    """Who is told what passes: the link."""

    # Middleboxes that wait for silence; None while there is none.
    idle: list[IdleTimer] | None

    def answered(self, status: int | None) -> None:
        """The server has answered the opening handshake."""

    def passed(self, flow: Flow, opcode: int, size: int) -> None:
        """A whole frame has gone by."""

    def touched(self, flow: Flow, *, message: bool) -> None:
        """Bytes have gone by."""

    def cut(self, fault: CutAfter) -> None:
        """So many bytes have passed."""


class FrameFilter:
    """The filter of one direction. Over TLS it sees bytes and no frames."""

    __slots__ = ("_dropped", "_flow", "_link", "budget", "frames", "handshake")

    def __init__(self, link: FrameListener, flow: Flow, *, reads: bool) -> None:
        self._link = link
        self._flow = flow
        # None over TLS, and once the handshake has ended, or has ended badly.
        self.handshake = HandshakeReader(is_response=flow is Flow.DOWNSTREAM) if reads else None
        # None over TLS, and where no WebSocket was opened.
        self.frames = FrameReader() if reads else None
        # Opcodes of the frames that don't pass.
        self._dropped = _NOTHING
        # None: the connection is not cut after so many bytes.
        self.budget: ByteBudget | None = None

    def drop(self, kinds: frozenset[ControlKind]) -> None:
        """Let control frames vanish; an empty set lets all pass again."""
        self._dropped = self._dropped | {_OPCODES[kind] for kind in kinds} if kinds else _NOTHING

    def data(self, channel: Channel, data: bytes) -> None:
        """Put what may pass into the channel (see `Filter`)."""
        opening = self._read_handshake(data)
        budget = self.budget
        ends = budget is not None and len(data) - opening >= budget.left
        if budget is not None:
            data = data[: opening + budget.left]
            budget.left -= len(data) - opening
        if self.frames is not None and opening < len(data):
            data = data[:opening] + self._read_frames(data[opening:])
        elif self._link.idle:
            self._link.touched(self._flow, message=bool(opening))
        channel.put(data)
        if ends and budget is not None:
            self._link.cut(budget.fault)

    def _read_handshake(self, data: bytes) -> int:
        """How many of the bytes belong to the opening handshake."""
        handshake = self.handshake
        if handshake is None:
            return 0
        read = handshake.feed(data)
        if handshake.done:
            self.handshake = None
            if self._flow is Flow.DOWNSTREAM:
                self._link.answered(handshake.status)
        return read

    def _read_frames(self, data: bytes) -> bytes:
        assert self.frames is not None
        link, flow, dropped = self._link, self._flow, self._dropped
        passing = []
        message = False
        for opcode, start, stop, size in self.frames.feed(data):
            message = message or opcode < _CLOSE
            if opcode in dropped:
                continue
            if dropped:
                passing.append(data[start:stop])
            if size >= 0:
                link.passed(flow, opcode, size)
        if link.idle:
            link.touched(flow, message=message)
        return b"".join(passing) if dropped else data


class ResetFilter:
    """The filter of a middlebox that has forgotten the connection: it answers with RST."""

    __slots__ = ("_back",)

    def __init__(self, back: Channel) -> None:
        # The channel that leads back to the sender.
        self._back = back

    def data(self, channel: Channel, data: bytes) -> None:
        """Refuse (see `Filter`)."""
        self._back.refuse()
