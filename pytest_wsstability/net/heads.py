"""
Where frames begin, wherever the stream is cut, and which of their headers break RFC 6455, section 5.2.

The sans-I/O layer takes a length in more bytes than it needs, and looks at the rest once a frame is whole: an
HTTP response that stands in the stream would be the beginning of a frame for ever.

"""

from __future__ import annotations

from . import frame_header
from .frame_header import flaw_of

_BLANK_LINE = b"\r\n\r\n"


class Heads:
    """The peer's half of the opening handshake, and the headers of its frames, one after the other."""

    __slots__ = ("_begun", "_handshake", "_left")

    def __init__(self) -> None:
        # The last bytes of the handshake as far as it has come; None behind it.
        self._handshake: bytes | None = b""
        # The first bytes of a frame, up to the end of its header; bytes of its payload that are to come.
        self._begun = b""
        self._left = 0

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

    def find_flaw(self, data: bytes, *, extended: bool) -> tuple[int, str] | None:
        """
        What is wrong with the first header that is.

        Args:
            data: what comes behind the handshake, each byte once.
            extended: extensions were agreed on, which give the reserved bits a meaning.

        Returns:
            Where in ``data`` that frame begins, below 0 where it began before, and what is wrong; None as
            long as nothing is.

        """
        at = 0
        while True:
            skipped = min(self._left, len(data) - at)
            at, self._left = at + skipped, self._left - skipped
            before = len(self._begun)
            begun = self._begun + data[at : at + frame_header.LONGEST - before]
            flaw = flaw_of(begun, extended=extended)
            if flaw is not None:
                return at - before, flaw
            header = frame_header.read(begun)
            if header is None:
                self._begun = begun
                return None
            _, _, start, self._left = header
            self._begun, at = b"", at + start - before
