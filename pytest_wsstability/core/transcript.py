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
    The messages of a connection in both directions; of one in fragments that this end sends, the first.

    Attributes:
        messages: those that are kept, in their order.
        left_out: how many there was no room for.

    """

    def __init__(self, most: int = MOST) -> None:
        self.messages: list[TranscriptMessage] = []
        self.left_out = 0
        self._room = most

    def add(self, at: float, payload: str | bytes, *, sent: bool) -> None:
        """Take a message down."""
        if self.left_out or len(payload) > self._room:
            self.left_out += 1
            return
        self._room -= len(payload)
        self.messages.append(
            TranscriptMessage(at, sent, bytes(payload) if not isinstance(payload, str) else payload)
        )
