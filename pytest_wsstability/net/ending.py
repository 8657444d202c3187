"""What a connection remembers about its own end, and the evidence made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.timeline.close import CloseEvidence, CloseFrame, LocalReason, TransportEnd

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.frames import Close
    from websockets.server import ServerProtocol

    from ..core.timeline.events import DeadlineTraffic
    from ..core.timeline.timeline import Timeline


class Ending:
    """Collected from the first sign of the end until the transport is gone."""

    __slots__ = (
        "aborted", "closing_at", "deadline", "eof", "local_detail", "local_reason", "past", "planned",
        "refused", "reset_by", "tcp_state", "unsent",
    )  # fmt: skip

    def __init__(self) -> None:
        # The clock's reading at the first close frame; None while there was none.
        self.closing_at: float | None = None
        # The peer's FIN came.
        self.eof = False
        # This end cut the stream without a closing handshake.
        self.aborted = False
        # This end's user asked for it.
        self.planned = False
        # Why this end ended it, and more of it in words; None when it did not.
        self.local_reason: LocalReason | None = None
        self.local_detail: str | None = None
        # The read deadline that ran out, in seconds, and what would have reset it.
        self.deadline: float | None = None
        self.reset_by: tuple[DeadlineTraffic, ...] = ()
        # What this end refused though the sans-I/O layer took it; None when it refused nothing.
        self.refused: str | None = None
        # A close frame that was written past the sans-I/O layer; None where it wrote its own or none.
        self.past: CloseFrame | None = None
        # The close frame of the sans-I/O layer was kept back.
        self.unsent = False
        # The kernel's state just before the end.
        self.tcp_state: str | None = None

    def because(self, reason: LocalReason | None, detail: str | None = None) -> None:
        """This end has a reason to end the connection: the first one counts."""
        if self.local_reason is None:
            self.local_reason, self.local_detail = reason, detail

    def evidence(
        self,
        protocol: ClientProtocol | ServerProtocol,
        timeline: Timeline,
        now: float,
        exc: Exception | None,
        *,
        hidden_since: float | None,
    ) -> CloseEvidence:
        """
        All that this end knows.

        Args:
            protocol: the sans-I/O layer, which knows the close frames and what its parser refused.
            timeline: the record of the connection.
            now: the clock's reading.
            exc: what the transport said at its end.
            hidden_since: see `CloseEvidence`.

        """
        parser = protocol.parser_exc
        clean_eof = parser is None or isinstance(parser, EOFError)
        return CloseEvidence(
            end=timeline.end,
            at=(self.closing_at if self.closing_at is not None else now) - timeline.opened,
            transport=self._transport(exc),
            received=_frame(protocol.close_rcvd),
            sent=self.past or (None if self.unsent else _frame(protocol.close_sent)),
            received_first=self._received_first(protocol),
            parser_error=self.refused if clean_eof else str(parser) or repr(parser),
            # Between two frames the parser says "unexpected end of stream", within one what it misses.
            mid_frame=isinstance(parser, EOFError) and "unexpected end of stream" not in str(parser),
            error=str(exc) if exc is not None else None,
            local_reason=self.local_reason,
            local_detail=self.local_detail,
            deadline=self.deadline,
            reset_by=self.reset_by,
            planned=self.planned,
            hidden_since=hidden_since,
            tcp_state=self.tcp_state,
        )

    def _received_first(self, protocol: ClientProtocol | ServerProtocol) -> bool | None:
        if self.past is not None:
            return False if protocol.close_rcvd is not None else None
        return None if self.unsent else protocol.close_rcvd_then_sent

    def _transport(self, exc: Exception | None) -> TransportEnd:
        if self.aborted:
            return TransportEnd.ABORTED
        if isinstance(exc, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
            return TransportEnd.RESET
        if isinstance(exc, TimeoutError):
            return TransportEnd.TIMED_OUT
        if exc is not None:
            return TransportEnd.FAILED
        return TransportEnd.FIN if self.eof else TransportEnd.CLOSED


def _frame(close: Close | None) -> CloseFrame | None:
    # Exact builtin types: an IntEnum in a report ends a whole pytest-xdist session (measured).
    return CloseFrame(int(close.code), str(close.reason)) if close is not None else None
