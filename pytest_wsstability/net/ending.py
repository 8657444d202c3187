"""How a connection comes to its end: its phases, the signs that bring it there, what is known about it."""

from __future__ import annotations

import ssl
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..core.timeline.close import CloseEvidence, CloseFrame, TransportEnd

if TYPE_CHECKING:
    from websockets.frames import Close
    from websockets.protocol import Protocol as FrameProtocol

    from ..core.timeline.events import End


class Phase(Enum):
    """How far a connection is, at this end."""

    # By identity, which takes no Python; so it is with `Sign`.
    __hash__ = object.__hash__

    # The opening handshake.
    OPENING = "opening"
    OPEN = "open"
    # A close frame went either way, or this end failed or cut the connection: it is over, TCP may stand.
    CLOSING = "closing"
    # The peer's FIN has come: nothing more will be read.
    HALF_CLOSED = "half-closed"
    # The transport is gone.
    CLOSED = "closed"

    def after(self, sign: Sign) -> Phase:
        """The phase that follows."""
        return _NEXT.get((self, sign), self)


class Sign(Enum):
    """What brings a connection to its end."""

    __hash__ = object.__hash__

    CLOSE_SENT = "close frame sent"
    CLOSE_RECEIVED = "close frame received"
    # RFC 6455, section 7.1.7: this end fails the connection.
    FAILED = "failed"
    # This end cuts the stream without a closing handshake.
    CUT = "cut"
    FIN = "FIN"
    LOST = "transport lost"


# How a connection ends. What is not in here changes nothing: the first sign counts.
_NEXT = {
    (Phase.OPENING, Sign.FIN): Phase.HALF_CLOSED,
    (Phase.OPENING, Sign.LOST): Phase.CLOSED,
    (Phase.OPEN, Sign.CLOSE_SENT): Phase.CLOSING,
    (Phase.OPEN, Sign.CLOSE_RECEIVED): Phase.CLOSING,
    (Phase.OPEN, Sign.FAILED): Phase.CLOSING,
    (Phase.OPEN, Sign.CUT): Phase.CLOSING,
    (Phase.OPEN, Sign.FIN): Phase.HALF_CLOSED,
    (Phase.OPEN, Sign.LOST): Phase.CLOSED,
    (Phase.CLOSING, Sign.FIN): Phase.HALF_CLOSED,
    (Phase.CLOSING, Sign.LOST): Phase.CLOSED,
    (Phase.HALF_CLOSED, Sign.LOST): Phase.CLOSED,
}

# What an exception of the transport says about its end; the first that fits.
_TRANSPORT_ENDS: tuple[tuple[type[Exception], TransportEnd], ...] = (
    (ConnectionResetError, TransportEnd.RESET),
    (BrokenPipeError, TransportEnd.RESET),
    (ConnectionAbortedError, TransportEnd.RESET),
    (TimeoutError, TransportEnd.TIMED_OUT),
    (ssl.SSLError, TransportEnd.TLS_FAILED),
    (Exception, TransportEnd.FAILED),
)


class KnownEnd:
    """What one end knows about the end of its connection, from the first sign of it on."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # By the fields of `CloseEvidence`.
        self._known: dict[str, Any] = {}

    @property
    def is_cut(self) -> bool:
        """Whether this end cut the stream."""
        return self._known.get("transport") is TransportEnd.ABORTED

    @property
    def has_refused(self) -> bool:
        """Whether something that the peer sent could not be taken."""
        return "parser_error" in self._known

    @property
    def has_sent_close(self) -> bool:
        """Whether a close frame of this end has gone out."""
        return "sent" in self._known

    def learn(self, facts: dict[str, Any], *, hidden_since: float | None) -> bool:
        """
        Take facts in, by the fields of `CloseEvidence`; None of them says nothing.

        Args:
            facts: they replace what was known, but for the reason of this end: the first one counts.
            hidden_since: since when an end could not have been seen; None again once the peer has answered.

        Returns:
            Whether anything of it is new.

        """
        known = self._known
        if known.get("local_reason") is not None:
            facts = facts | {"local_reason": None, "local_detail": None}
        new = {name: fact for name, fact in facts.items() if fact is not None and known.get(name) != fact}
        if known.get("hidden_since") != hidden_since:
            new["hidden_since"] = hidden_since
        had_sent = self.has_sent_close
        known |= new
        if "received_first" not in known and "received" in known and "sent" in known:
            known["received_first"] = not had_sent
        return bool(new)

    def evidence(self, end: End, age: float) -> CloseEvidence:
        """
        All that is known.

        Args:
            end: whose it is.
            age: of the connection, in seconds: the instant of the end where no sign has set one.

        """
        return CloseEvidence(end=end, **{"transport": TransportEnd.OPEN, "at": age, **self._known})


def transport_end(error: Exception) -> TransportEnd:
    """How the byte stream ended, by the exception that the transport gives."""
    return next(end for kind, end in _TRANSPORT_ENDS if isinstance(error, kind))


def seen_by(protocol: FrameProtocol, stray: str | None) -> dict[str, Any]:
    """
    What the sans-I/O layer knows about the end, by the fields of `CloseEvidence`.

    Args:
        protocol: the layer.
        stray: the first bytes of the frame that is not whole.

    """
    facts: dict[str, Any] = {"received": close_frame(protocol.close_rcvd)}
    error = protocol.parser_exc
    if isinstance(error, EOFError):
        # Between two frames the parser says "unexpected end of stream", within one what it misses.
        if "unexpected end of stream" not in str(error):
            facts |= {"mid_frame": True, "stray": stray}
    elif error is not None:
        facts["parser_error"] = str(error) or repr(error)
    return facts


def close_frame(close: Close | None) -> CloseFrame | None:
    """A close frame of the sans-I/O layer, for the record."""
    # Exact builtin types: an IntEnum in a report ends a whole pytest-xdist session (measured).
    return CloseFrame(int(close.code), str(close.reason)) if close is not None else None
