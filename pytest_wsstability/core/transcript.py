"""What was said on a connection, with payloads: kept only where somebody asks for it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Bytes of payload that are kept of a connection; what comes after is left out.
MOST = 16 * 2**20


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """One message."""

    # Seconds since the opening handshake ended.
    at: float
    sent: bool
    payload: str | bytes

    def as_list(self) -> list[Any]:
        """In builtin types that JSON has: ``[at, sent, text, None]`` or ``[at, sent, None, base64]``."""
        if isinstance(self.payload, str):
            return [self.at, self.sent, self.payload, None]
        return [self.at, self.sent, None, base64.b64encode(self.payload).decode()]

    @classmethod
    def from_list(cls, data: Sequence[Any]) -> TranscriptMessage:
        """What `as_list` made this of."""
        at, sent, text, binary = data
        return cls(float(at), bool(sent), text if binary is None else base64.b64decode(binary))


class Transcript:
    """
    The messages of a connection in both directions; those in fragments once they are whole.

    Attributes:
        messages: those that are kept, in their order.
        left_out: how many there was no room for.

    """

    def __init__(self, most: int = MOST) -> None:
        self.messages: list[TranscriptMessage] = []
        self.left_out = 0
        self._room = most
        # Of a message whose first fragments this end has sent: they, and how long they are together.
        self._begun: list[str | bytes] = []
        self._begun_size = 0

    def add(self, at: float, payload: str | bytes, *, sent: bool) -> None:
        """Take a message down."""
        if self.left_out or len(payload) > self._room:
            self.left_out += 1
            return
        self._room -= len(payload)
        self.messages.append(
            TranscriptMessage(at, sent, bytes(payload) if not isinstance(payload, str) else payload)
        )

    def add_fragment(self, at: float, payload: str | bytes, *, fin: bool) -> None:
        """Take a fragment down that this end sends; its message is one when it is whole."""
        self._begun_size += len(payload)
        if self._begun_size <= self._room:
            self._begun.append(payload if isinstance(payload, str) else bytes(payload))
        else:
            # A message may be a stream for hours.
            self._begun.clear()
        if not fin:
            return
        begun, size = self._begun, self._begun_size
        self._begun, self._begun_size = [], 0
        if size > self._room:
            self.left_out += 1
        else:
            self.add(at, _joined(begun), sent=True)


def _joined(fragments: list[str | bytes]) -> str | bytes:
    """A message of its fragments, all of which are text or all bytes."""
    texts = [each for each in fragments if isinstance(each, str)]
    return "".join(texts) if texts else b"".join(each for each in fragments if isinstance(each, bytes))
