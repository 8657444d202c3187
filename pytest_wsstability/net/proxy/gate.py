"""What stands before each lane of a link: it reads what passes, and holds back what a fault says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.faults import ControlKind, CutAfter, Flow
from ...core.timeline.events import Opcode
from .frame_reader import FrameReader
from .http_head import HandshakeReader

if TYPE_CHECKING:
    from .lane import Lane
    from .link import Link

_CLOSE = int(Opcode.CLOSE)
# One for all: each empty set has 216 bytes.
_NOTHING: frozenset[int] = frozenset()
_OPCODES = {
    ControlKind.PING: int(Opcode.PING),
    ControlKind.PONG: int(Opcode.PONG),
    ControlKind.CLOSE: int(Opcode.CLOSE),
}


class Cut:
    """Bytes that may still pass before the connection is cut; two directions may share one."""

    __slots__ = ("fault", "left")

    def __init__(self, fault: CutAfter) -> None:
        self.fault = fault
        self.left = fault.bytes


class Watch:
    """The gate of one direction. Over TLS it sees bytes and no frames."""

    __slots__ = ("_dropped", "_flow", "_link", "cut", "frames", "handshake")

    def __init__(self, link: Link, flow: Flow, *, reads: bool) -> None:
        self._link = link
        self._flow = flow
        # None over TLS, and once the handshake has ended, or has ended badly.
        self.handshake = HandshakeReader(is_response=flow is Flow.DOWNSTREAM) if reads else None
        # None over TLS, and where no WebSocket was opened.
        self.frames = FrameReader() if reads else None
        # Opcodes of the frames that don't pass.
        self._dropped = _NOTHING
        self.cut: Cut | None = None

    def drop(self, kinds: frozenset[ControlKind]) -> None:
        """Let control frames vanish; an empty set lets all pass again."""
        self._dropped = self._dropped | {_OPCODES[kind] for kind in kinds} if kinds else _NOTHING

    def data(self, lane: Lane, data: bytes) -> None:
        """Put what may pass into the lane (see `Gate`)."""
        opening = self._read_handshake(data)
        cut = self.cut
        ends = cut is not None and len(data) - opening >= cut.left
        if cut is not None:
            data = data[: opening + cut.left]
            cut.left -= len(data) - opening
        if self.frames is not None and opening < len(data):
            data = data[:opening] + self._read_frames(data[opening:])
        elif self._link.idle:
            self._link.touched(self._flow, message=bool(opening))
        lane.put(data)
        if ends and cut is not None:
            self._link.cut(cut.fault)

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


class Forgotten:
    """The gate of a middlebox that has forgotten the connection: it answers with RST."""

    __slots__ = ("_back",)

    def __init__(self, back: Lane) -> None:
        # The lane that leads back to the sender.
        self._back = back

    def data(self, lane: Lane, data: bytes) -> None:
        """Refuse (see `Gate`)."""
        self._back.refuse()
