"""How a connection ended: the close codes of RFC 6455, and the evidence an end holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from ..duration import show_duration
from ..plain import instant, restore
from ..redact import show_text
from .events import DeadlineTraffic, End
from .protocol_facts import Awaited


@dataclass(frozen=True, slots=True)
class CloseCode:
    """A close code of RFC 6455, section 7.4, or of IANA's registry after it."""

    code: int
    name: str
    meaning: str
    # Whether an endpoint may put it into a close frame.
    on_the_wire: bool
    # Who usually sends it, as measured on servers and libraries; what nobody sends is made up at this end.
    sender: str
    # Whether it says that somebody ended the connection on purpose, with nothing wrong.
    normal: bool = False


CLOSE_CODES = {
    entry.code: entry
    for entry in (
        CloseCode(1000, "normal closure", "the purpose is fulfilled", True, "the application", normal=True),
        CloseCode(1001, "going away", "shutdown, or a page left", True, "a shutdown, a browser", normal=True),
        CloseCode(1002, "protocol error", "the peer broke the protocol", True, "a parser"),
        CloseCode(1003, "unsupported data", "text or binary not accepted", True, "an endpoint of one type"),
        CloseCode(1004, "reserved", "has no meaning yet", False, "nobody"),
        CloseCode(1005, "no status received", "an empty close frame", False, "nobody", normal=True),
        CloseCode(1006, "abnormal closure", "no close frame arrived", False, "nobody"),
        CloseCode(1007, "invalid payload", "such as text that is not UTF-8", True, "a parser"),
        CloseCode(1008, "policy violation", "authentication, rate or rules", True, "the application"),
        CloseCode(1009, "message too big", "over the receiver's limit", True, "a parser with a size limit"),
        CloseCode(1010, "mandatory extension", "the server did not negotiate it", True, "a client"),
        CloseCode(1011, "internal error", "a failure, a keepalive timeout", True, "a handler, a keepalive"),
        CloseCode(1012, "service restart", "reconnect after a moment", True, "a server at shutdown"),
        CloseCode(1013, "try again later", "overload", True, "a server that sheds load"),
        CloseCode(1014, "bad gateway", "the upstream failed", True, "a gateway"),
        CloseCode(1015, "TLS handshake failed", "no TLS, no WebSocket", False, "nobody"),
    )
}  # fmt: skip

# Codes that say that nothing is wrong: by RFC 6455, and those of libraries and applications (section 7.4.2).
NORMAL = frozenset(code for code, known in CLOSE_CODES.items() if known.normal)
OF_APPLICATIONS = range(3000, 5000)
# Codes with which servers were seen to end a connection whose pings stayed unanswered.
PING_TIMEOUT_CODES = frozenset({1000, 1001, 1005, 1008, 1011, 3008})
# Codes that mean one thing each, by RFC 6455 and IANA: 1008, 1011 and 1013 are sent for many.
MEAN_ONE_THING = frozenset({1002, 1003, 1007, 1009, 1010, 1012, 1014})
# Codes with which an end refuses what the peer sent (RFC 6455, section 7.4.1).
REFUSALS = frozenset({1002, 1003, 1007, 1009})

VALID_CLOSE_CODES = "1000-1003, 1007-1014 and 3000-4999"


def is_normal(code: int | None) -> bool:
    """Whether a code says that nothing is wrong, or is one of an application's own."""
    return code in NORMAL or code in OF_APPLICATIONS


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry the code: RFC 6455, section 7.4.2, and IANA's 1012 to 1014."""
    return (code in CLOSE_CODES and CLOSE_CODES[code].on_the_wire) or code in OF_APPLICATIONS


def check_close(code: int | None, reason: str) -> None:
    """
    See whether a close frame can say this (RFC 6455, section 5.5.1).

    Args:
        code: None for an empty close frame.
        reason: empty for none.

    Raises:
        ValueError: for a code that may not stand on the wire, or a reason that is no text or longer than
            123 bytes.

    """
    # 1000.0 is equal to 1000, and cannot be written.
    if code is not None and not (isinstance(code, int) and may_be_sent(code)):
        raise ValueError(f"close code: {code!r} may not be sent; valid ones: {VALID_CLOSE_CODES}")
    if not isinstance(reason, str):
        raise ValueError(f"close reason: {reason!r} is no text; give str of at most 123 bytes of UTF-8")
    if len(reason.encode()) > 123 or (code is None and reason):
        raise ValueError(
            "close reason: at most 123 bytes of UTF-8, and only with a code (RFC 6455, section 5.5)"
        )


def describe_code(code: int) -> str:
    """The code with its name: ``1011 (internal error)``, ``4408 (private use)``."""
    if code in CLOSE_CODES:
        return f"{code} ({CLOSE_CODES[code].name})"
    if 3000 <= code <= 3999:
        return f"{code} (registered by a library)"
    return f"{code} (private use)" if 4000 <= code <= 4999 else f"{code} (not a valid code)"


@dataclass(frozen=True, slots=True)
class CloseFrame:
    """A close frame; an empty one has code 1005, as RFC 6455, section 7.1.5, says."""

    code: int
    reason: str = ""

    def __str__(self) -> str:
        named = CLOSE_CODES.get(self.code)
        if named is not None and self.reason.lower() == named.name:
            # A reason that is the code's own name says nothing more.
            return describe_code(self.code)
        return f"{describe_code(self.code)} {show_text(self.reason)}".rstrip()


class TransportEnd(Enum):
    """
    How the byte stream ended, seen from one end.

    FIN or RST says only what the first hop did: proxies turn one into the other (measured).

    """

    # It has not ended: what is over is the WebSocket connection, by a close frame or a failure.
    OPEN = "TCP still open"
    FIN = "FIN"
    RESET = "RST"
    # This end cut the stream without a closing handshake.
    ABORTED = "aborted by this end"
    # This end closed the stream after the closing handshake.
    CLOSED = "closed by this end"
    # The kernel gave up on a peer that acknowledged nothing.
    TIMED_OUT = "no acknowledgement from the peer (ETIMEDOUT)"
    # TLS could not take what came, or the peer's has said so.
    TLS_FAILED = "TLS failed"
    FAILED = "failed"


class LocalReason(Enum):
    """Why an end ended the connection itself; the value is the reason in words."""

    READ_DEADLINE = "its read deadline ran out"
    # The words of the `websockets` library, which people search for.
    PING_TIMEOUT = "keepalive ping timeout"
    PROTOCOL_TIMER = "a timer of its protocol ran out"
    CLOSE_TIMEOUT = "the peer did not answer the close frame"
    NO_ANSWER = "the peer does not answer"
    SESSION_ID = "the peer named its session by what is no id"
    UNFINISHED_MESSAGE = "a message in fragments was not finished"
    # Of a server.
    HANDLER_RAISED = "the handler raised"
    HANDLER_RETURNED = "the handler returned"
    GOODBYE = "the client said goodbye"
    RESTART = "the server restarts"
    # Of the test.
    FAULT = "a fault was applied"
    INTERRUPTED = "it was interrupted"
    # Of what stands between the ends: who ended the stream first.
    CLIENT_FIRST = "the client ended the stream first"
    SERVER_FIRST = "the server ended the stream first"
    BETWEEN = "it was closed between the ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseEvidence:
    """Everything one end knows about the end of a connection."""

    # Which end recorded this.
    end: End
    # Seconds since the opening handshake ended, at the first sign of the end: a close frame either way, this
    # end's own failure (1002, 1007, 1009), or the end of the transport.
    at: float
    transport: TransportEnd
    # Close frames; None where there was none.
    received: CloseFrame | None = None
    sent: CloseFrame | None = None
    # True when the received frame came first; None unless both exist.
    received_first: bool | None = None
    # What the parser refused, in its own words; None when it refused nothing.
    parser_error: str | None = None
    # The first bytes of what stood where a frame should, when that was refused or not finished, a character
    # a byte (ISO 8859-1); None when there was none.
    stray: str | None = None
    # The stream ended inside a frame.
    mid_frame: bool = False
    # The operating system's words about the transport; None when it had none.
    error: str | None = None
    # Why this end ended it, and more of it in words ("read deadline of 60 s ran out"); None when it did not.
    local_reason: LocalReason | None = None
    local_detail: str | None = None
    # What would have kept it open, where who ended it knows; None where nobody does.
    advice: str | None = None
    # The read deadline of this end that ran out, in seconds, and the traffic that would have reset it;
    # None and empty when none did.
    deadline: float | None = None
    reset_by: tuple[DeadlineTraffic, ...] = ()
    # What the timer of its protocol waited for that this end let run out; None when none did.
    awaited: Awaited | None = None
    # This end ended the connection because its user asked for it.
    planned: bool = False
    # Reading was paused since then, so that the end may be as old as this; None when it was seen at once.
    hidden_since: float | None = None
    # The kernel's TCP state just before the end ("ESTABLISHED", "CLOSE_WAIT"); None where it cannot be read.
    tcp_state: str | None = None

    @classmethod
    def from_dict(cls, data: Any, where: str) -> Self:
        """Make the evidence that `plain` wrote; ValueError, with the place, for an end at no instant."""
        evidence: Self = restore(cls, data, where)
        instant(evidence.at, f"{where}.at")
        return evidence

    @property
    def code(self) -> int:
        """What an API of this end reports: the received code, 1005 or 1006 (RFC 6455, section 7.1.5)."""
        return self.received.code if self.received else 1006

    @property
    def reason(self) -> str:
        """The received close reason, which the peer chose: may be empty or hostile."""
        return self.received.reason if self.received else ""

    @property
    def local_text(self) -> str | None:
        """Why this end ended it, in words as full as there are; None when it did not."""
        return self.local_detail or (self.local_reason.value if self.local_reason is not None else None)

    @property
    def by(self) -> End:
        """The end that ended the connection, as far as this end can know."""
        if self.received is not None and (self.sent is None or self.received_first):
            return self.end.peer
        cut_here = self.transport in (TransportEnd.ABORTED, TransportEnd.CLOSED)
        return self.end if self.sent is not None or cut_here else self.end.peer

    @property
    def is_bare_fin(self) -> bool:
        """Whether the peer ended the stream between two frames, and nobody sent a close frame."""
        frames = self.received is not None or self.sent is not None
        return self.transport is TransportEnd.FIN and not frames and not self.mid_frame

    @property
    def is_goodbye(self) -> bool:
        """Whether the peer closed with 1000 or 1001, without a reason."""
        by_peer = self.received is not None and self.by is self.end.peer
        return by_peer and self.code in (1000, 1001) and not self.reason

    @property
    def abnormal(self) -> bool:
        """
        Whether something went wrong, behind whatever code.

        Normal is a closing handshake with 1000, 1001, an empty close frame or a code of the
        application's own (3000 to 4999). An end that saw no close frame is abnormal, and so is one
        that had to send 1002, 1007, 1009 or 1011 itself.

        """
        frames = [frame for frame in (self.received, self.sent) if frame]
        if self.received is None or not all(is_normal(frame.code) for frame in frames):
            return True
        return self.parser_error is not None

    def __str__(self) -> str:
        parts = [self._frames(), self._transport()]
        if self.parser_error:
            parts.append(f"parser: {show_text(self.parser_error)}")
        if self.hidden_since is not None:
            parts.append(f"seen late, nothing was read since {show_duration(self.hidden_since)}")
        if self.local_text is not None:
            parts.append(f"{self.end.value}: {show_text(self.local_text)}")
        return "; ".join(part for part in parts if part)

    def _frames(self) -> str:
        if self.received and self.sent:
            received, sent = f"received {self.received}", f"sent {self.sent}"
            return f"{received}; then {sent}" if self.received_first else f"{sent}; then {received}"
        if self.received:
            return f"received {self.received}; no close frame sent"
        if self.sent:
            return f"sent {self.sent}; no close frame received"
        return "no close frame received or sent"

    def _transport(self) -> str:
        words = self.transport.value
        if self.mid_frame:
            words += " in the middle of a frame"
        failed = self.transport in (TransportEnd.TLS_FAILED, TransportEnd.FAILED)
        return f"{words} ({show_text(self.error)})" if self.error and failed else words

    def headline(self) -> str:
        """Code and age in one line: ``1006 at 60 s``."""
        return f"{self.code} at {show_duration(self.at)}"
