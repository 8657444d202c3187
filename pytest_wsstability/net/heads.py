"""
Where frames begin, wherever the stream is cut, and which of their headers break RFC 6455.

The sans-I/O layer looks at most of a header once the frame is whole, and takes a length in more bytes than it
needs: an HTTP response that stands in the stream would be the beginning of a frame for ever. Nor does it tell
what the bytes were that it could not read.

"""

from __future__ import annotations

from . import frame_header
from .frame_header import flaw_of, goes_on_after

KEPT = 80
"""Bytes of a frame that is not whole, or that was refused, that are kept for the evidence."""

# RFC 7692, section 6: the bit of a message that is compressed; RFC 6455, section 5.2.
_COMPRESSED, _OPCODE, _CLOSE = 0x40, 0x0F, 0x8
_BLANK_LINE = b"\r\n\r\n"
# Where a frame with a flaw ends nobody knows.
_ENDLESS = 2**64


class Heads:
    """
    The peer's half of the opening handshake, and the headers of its frames, one after the other.

    Attributes:
        begun: the first bytes of the frame that is not whole, or that has a flaw; empty between frames.
        there: how many of its bytes have come; 0 between frames.
        doubtful: the first bytes of the last whole frame that may be refused for what is in it: a compressed
            one, or a close frame; empty before the first.

    """

    __slots__ = ("_handshake", "_size", "begun", "doubtful", "there")

    def __init__(self) -> None:
        # The last bytes of the handshake as far as it has come; None behind it.
        self._handshake: bytes | None = b""
        self.begun, self.there, self.doubtful = b"", 0, b""
        # Bytes of that frame in all; 0 while its header is not whole.
        self._size = 0

    @property
    def is_flawed(self) -> bool:
        """Whether the frame has a flaw: all that comes is taken for its own then."""
        return self._size == _ENDLESS

    def behind_handshake(self, data: bytes) -> bytes:
        """Of what comes, what is no part of the opening handshake: frames, where that ends well."""
        if self._handshake is None:
            return data
        before = len(self._handshake)
        told = self._handshake + data
        end = told.find(_BLANK_LINE)
        if end < 0:
            self._handshake = told[1 - len(_BLANK_LINE) :]
            return b""
        self._handshake = None
        return data[end + len(_BLANK_LINE) - before :]

    def find_flaw(self, data: bytes, *, masked: bool, extended: bool, within: bool) -> tuple[int, str] | None:
        """
        What is wrong with the first header that is.

        Args:
            data: what comes behind the handshake, each byte once.
            masked: whether frames have to be.
            extended: whether messages may be compressed.
            within: whether the present frame comes in the middle of a message.

        Returns:
            Where in ``data`` that frame begins, below 0 where it began before, and what is wrong; None as
            long as nothing is.

        """
        at, size = -self.there, self._size
        while True:
            begun = (self.begun + data[:KEPT])[:KEPT] if at < 0 else data[at : at + KEPT]
            if not size:
                flaw = flaw_of(begun, masked=masked, extended=extended, within=within)
                if flaw is not None:
                    self.begun, self.there, self._size = begun, len(data) - at, _ENDLESS
                    return at, flaw
                header = frame_header.read(begun)
                size = 0 if header is None else header[2] + header[3]
            if not size or at + size > len(data):
                self.begun, self.there, self._size = begun, len(data) - at, size
                return None
            if begun[0] & _COMPRESSED or begun[0] & _OPCODE == _CLOSE:
                self.doubtful = begun[:size]
            within = goes_on_after(begun[0], within=within)
            at, size = at + size, 0
