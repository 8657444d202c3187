"""Messages that do not come one a frame: behind a separator, or in a stream of bytes."""

from __future__ import annotations

from collections.abc import Callable

from .wording import json_of

# What a peer may leave unfinished.
LONGEST = 1024 * 1024
# Makes messages of the bytes that have arrived: gives them, and the rest, which waits for more.
Split = Callable[[bytes], tuple[list[bytes], bytes]]


class TooLong(ValueError):
    """The end of a message does not come."""


class Records:
    """
    The messages in what one end of a connection sends.

    Args:
        split: the text that ends each, or a function for a stream of bytes.

    """

    __slots__ = ("_rest", "_split")

    def __init__(self, split: str | Split) -> None:
        self._split = split
        self._rest: str | bytes = b""

    def take(self, payload: str | bytes) -> list[str] | list[bytes]:
        """
        The messages that a frame completes; text comes as text.

        Raises:
            TooLong: if more than `LONGEST` bytes have no end; they are forgotten.
            Exception: what a function of the user's raises.

        """
        if isinstance(self._split, str):
            return self._separated(payload, self._split)
        rest = self._rest if isinstance(self._rest, bytes) else b""
        self._rest = b""
        data = payload.encode() if isinstance(payload, str) else payload
        found, self._rest = self._split(rest + data)
        self._check()
        return [each.decode("utf-8", "replace") for each in found] if isinstance(payload, str) else found

    def _separated(self, payload: str | bytes, separator: str) -> list[str] | list[bytes]:
        if isinstance(payload, bytes):
            return [payload]
        rest = self._rest if isinstance(self._rest, str) else ""
        *found, rest = (rest + payload).split(separator)
        if not separator.strip("\r\n") and rest.endswith(("}", "]")) and json_of(rest) is not None:
            # Line ends may stand between messages of JSON alone (Centrifugo); half of one is no JSON.
            found.append(rest)
            rest = ""
        self._rest = rest
        self._check()
        return found

    def _check(self) -> None:
        size = len(self._rest)
        if size > LONGEST:
            self._rest = b""
            raise TooLong(f"{size} bytes came without the end of a message")
