"""Where the opening handshake ends in a stream of bytes, and how it went; nothing else of HTTP."""

from __future__ import annotations

_END = b"\r\n\r\n"
# "HTTP/1.1 101" and the space behind it.
_STATUS_LINE = 13


class HandshakeReader:
    """Finds the end of an HTTP head (RFC 9112, section 2.1), fed with bytes however they are cut."""

    __slots__ = ("_is_response", "_start", "_tail", "done", "status")

    def __init__(self, *, is_response: bool) -> None:
        self._is_response = is_response
        # The first bytes of a response, and the last three of what was fed.
        self._start = b""
        self._tail = b""
        # The end has been seen.
        self.done = False
        # The status of a response; None in a request, or if it is no HTTP.
        self.status: int | None = None

    def feed(self, data: bytes) -> int:
        """
        Look at further bytes.

        Returns:
            How many of them belong to the handshake.

        """
        position = 0
        while not self.done:
            rest = data[position:]
            if len(self._start) < _STATUS_LINE:
                self._start += rest[: _STATUS_LINE - len(self._start)]
            window = self._tail + rest
            end = window.find(_END)
            if end < 0:
                self._tail = window[-3:]
                return len(data)
            position += end + len(_END) - len(self._tail)
            self._head_ended()
        return position

    def _head_ended(self) -> None:
        if self._is_response:
            code = self._start[9:12]
            self.status = int(code) if self._start.startswith(b"HTTP/1.") and code.isdigit() else None
        # RFC 9110, section 15.2: interim responses come before the real one, and 101 is none of them.
        interim = self.status is not None and 100 <= self.status < 200 and self.status != 101
        self.done = not interim
        self._start = self._tail = b""
