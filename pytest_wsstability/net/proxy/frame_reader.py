"""A passive reader of WebSocket frames (RFC 6455, section 5.2): it looks at bytes and changes none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import frame_header

_CLOSE = 0x8
# The mask of a close frame, and what its body may be (RFC 6455, section 5.5); a peer may send more.
_MOST_OF_CLOSE = 4 + 125


class FramePiece(NamedTuple):
    """A part of a frame in the bytes that were fed."""

    opcode: int
    start: int
    stop: int
    # Payload bytes of the frame when this is its last part; -1 before.
    size: int


class FrameReader:
    """The frames of one direction, fed with bytes as they come, however they are cut."""

    __slots__ = ("_body", "_header", "_left", "_opcode", "_size", "close_body")

    def __init__(self) -> None:
        # A header that is not complete yet; empty within a payload and between frames.
        self._header = b""
        self._opcode = 0
        # Payload bytes of the present frame: in all, and still to come.
        self._size = 0
        self._left = 0
        # The mask and body of a close frame as far as they came; None elsewhere.
        self._body: bytearray | None = None
        # The body of the close frame, unmasked; None until there was one.
        self.close_body: bytes | None = None

    def feed(self, data: bytes) -> Iterator[FramePiece]:
        """The parts of frames in these bytes, in order and without gaps."""
        position, end = 0, len(data)
        while position < end:
            start = position
            if not self._left:
                position = self._read_header(data, position)
                if self._header:
                    yield FramePiece(self._opcode, start, position, -1)
                    return
            step = min(self._left, end - position)
            if self._body is not None:
                room = _MOST_OF_CLOSE - len(self._body)
                self._body += data[position : position + min(step, room)]
            self._left -= step
            position += step
            if self._left:
                yield FramePiece(self._opcode, start, position, -1)
            else:
                self._finish()
                yield FramePiece(self._opcode, start, position, self._size)

    def _read_header(self, data: bytes, position: int) -> int:
        """Read a header, or its part that is there; `_header` is not empty if more of it has to come."""
        before = len(self._header)
        header = self._header + data[position : position + frame_header.LONGEST - before]
        self._opcode = frame_header.opcode_of(header[0])
        found = frame_header.read(header)
        if found is None:
            self._header = header
            return len(data)
        _, masked, start, size = found
        self._header = b""
        self._size = self._left = size
        if self._opcode == _CLOSE:
            self._body = bytearray(header[start - 4 : start] if masked else 4)
        return position + start - before

    def _finish(self) -> None:
        if self._body is not None:
            mask, body = self._body[:4], self._body[4:]
            if self.close_body is None:
                self.close_body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))
            self._body = None

    @property
    def mid_frame(self) -> bool:
        """Whether the bytes so far end within a frame."""
        return bool(self._left or self._header)
