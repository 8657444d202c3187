"""What an end found wrong with a message of the session's handshake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Flaw(Enum):
    """What is wrong with a message of the session's handshake."""

    # Of the client.
    EARLY = "session_info before the greeting"
    REPEATED = "session_info twice"
    CHANGED = "session_info with another session id"
    MALFORMED = "session_info without a session id"
    UNEXPECTED = "something else before session_info"
    # Of the server.
    WRONG_SESSION = "another session confirmed"
    CONFIRMED_AGAIN = "session confirmed twice"
    UNASKED = "session confirmed before session_info"


@dataclass(frozen=True, slots=True)
class Irregularity:
    """One of them, as an end saw it."""

    # Seconds since the opening handshake ended.
    at: float
    flaw: Flaw
    detail: str
