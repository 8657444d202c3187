"""What an end found wrong with a message of the session's handshake, or of the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Flaw(Enum):
    """What is wrong with a message of the session's handshake, or of the protocol."""

    # Of the client.
    EARLY = "session_info before the greeting"
    REPEATED = "session_info twice"
    CHANGED = "session_info with another session id"
    MALFORMED = "session_info without a session id"
    UNEXPECTED = "something else before session_info"
    # Of the server.
    WRONG_SESSION = "another session confirmed"
    UNNAMED = "session confirmed without its id"
    CONFIRMED_AGAIN = "session confirmed twice"
    UNASKED = "session confirmed before session_info"
    # Of the peer, against its protocol.
    INTERVAL = "an interval that makes no sense"
    SEQUENCE = "a sequence number that goes back"
    SUBPROTOCOL = "a subprotocol that was not chosen"
    VERSION = "another version of the protocol"
    FRAMING = "a message without an end"
    # A function of the profile raised: its author's, and nobody's on the connection.
    FUNCTION = "a function of the profile that raised"


# Those of the protocol itself, whatever was asked of the session.
OF_PROTOCOL = frozenset(
    {Flaw.INTERVAL, Flaw.SEQUENCE, Flaw.SUBPROTOCOL, Flaw.VERSION, Flaw.FRAMING, Flaw.FUNCTION}
)


@dataclass(frozen=True, slots=True)
class Irregularity:
    """One of them, as an end saw it."""

    # Seconds since the opening handshake ended.
    at: float
    flaw: Flaw
    detail: str
