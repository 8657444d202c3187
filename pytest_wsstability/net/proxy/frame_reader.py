"""A passive reader of WebSocket frames (RFC 6455, section 5.2): it looks at bytes and changes none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_CLOSE = 0x8
# The mask of a close frame, and what its body may be (RFC 6455, section 5.5); a peer may send more.
_MOST_OF_CLOSE = 4 + 125
# A frame's header: two bytes, up to eight of length, four of the mask.
_LENGTH_BYTES = {126: 2, 127: 8}


class Piece(NamedTuple):
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

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The parts of frames in these bytes, in order and without gaps."""
        position, end = 0, len(data)
        while position < end:
            start = position
            if not self._left:
                position = self._read_header(data, position)
                if self._header:
                    yield Piece(self._opcode, start, position, -1)
                    return
            step = min(self._left, end - position)
            if self._body is not None:
                room = _MOST_OF_CLOSE - len(self._body)
                self._body += data[position : position + min(step, room)]
            self._left -= step
            position += step
            if self._left:
                yield Piece(self._opcode, start, position, -1)
            else:
                self._finish()
                yield Piece(self._opcode, start, position, self._size)

    def _read_header(self, data: bytes, position: int) -> int:
        """Read a header, or its part that is there; `_header` is not empty if more of it has to come."""
        before = len(self._header)
        header = self._header + data[position : position + 14 - before]
        self._opcode = header[0] & 0x0F
        length = header[1] & 0x7F if len(header) > 1 else 0
        masked = len(header) > 1 and header[1] & 0x80
        extended = _LENGTH_BYTES.get(length, 0)
        needed = 2 + extended + (4 if masked else 0)
        if len(header) < needed:
            self._header = header
            return len(data)
        self._header = b""
        self._size = self._left = int.from_bytes(header[2 : 2 + extended], "big") if extended else length
        if self._opcode == _CLOSE:
            self._body = bytearray(header[2 + extended : needed] if masked else 4)
        return position + needed - before

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
