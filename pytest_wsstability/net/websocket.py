"""One WebSocket connection, either role: an asyncio protocol over the sans-I/O layer, with no task of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import SEND_EOF, State

from ..core.close import VALID_CLOSE_CODES, CloseEvidence, CloseFrame, TransportEnd, may_be_sent
from ..core.events import Direction, End, Kind, Opcode, Role
from ..core.timeline import Timeline
from . import health
from .errors import ConnectionEnded
from .inbox import Assembly, Inbox
from .wire import head

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.server import ServerProtocol

    from ..profiles import Profile

# The sans-I/O layer says "connection open" and "closed" on its logger; the timeline says it better.
LOGGER = logging.getLogger("pytest_wsstability.wire")

# RFC 6455, section 7.1.1: the server closes the TCP connection; a client must not wait for it for ever.
CLOSE_TIMEOUT = 10.0

# Pings of the plugin: 8 bytes, because a server was seen to cut longer payloads in its pongs.
HEARTBEAT_PREFIX = b"h"
KEEPALIVE_PREFIX = b"k"


class Endpoint(Protocol):
    """What the two roles do differently; called by their connections."""

    def connected(self, websocket: WebSocket) -> None:
        """The transport is there."""

    def handshake(self, websocket: WebSocket, event: Request | Response | None) -> None:
        """The peer's half of the opening handshake came; None when it can't come any more."""

    def received(self, websocket: WebSocket, now: float, opcode: int, role: Role) -> None:
        """A frame came; its role is that of the message it completes."""

    def message(self, websocket: WebSocket, role: Role, session_id: str | None) -> None:
        """A message of the profile came, such as a heartbeat."""

    def ended(self, websocket: WebSocket) -> None:
        """The transport is gone; the evidence is in the timeline, if the connection was open at all."""


class WebSocket(asyncio.Protocol):
    """
    Frames in, frames out, each one on the timeline.

    Made by `connect` and by the `Orchestrator`; `Connection` is what users see of it.

    """

    __slots__ = (
        "_assembly", "_closing_at", "_end_waiters", "_eof", "_local_reason", "_loop", "_pings", "_planned",
        "_pong_waiters", "_session_waiters", "_tcp_state", "_timer", "_writable", "_write_waiters", "aborted", "end_hidden_since",
        "endpoint", "inbox", "profile", "protocol", "timeline", "transport", "withhold_pongs",
    )  # fmt: skip

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        endpoint: Endpoint,
        profile: Profile,
        *,
        loop: asyncio.AbstractEventLoop,
        inbox: int,
    ) -> None:
        self.protocol = protocol
        self.endpoint = endpoint
        self.profile = profile
        self._loop = loop
        self.inbox = Inbox(inbox)
        # The timeline starts when the opening handshake ends; None before.
        self.timeline: Timeline | None = None
        self.transport: asyncio.Transport | None = None
        # A message whose first fragments are there; None between messages.
        self._assembly: Assembly | None = None
        # Keep back the pongs that RFC 6455 demands (client="mute").
        self.withhold_pongs = False
        self._pings = 0
        # Flow control of the transport, and those who wait for it; None while nobody does.
        self._writable = True
        self._write_waiters: list[asyncio.Future[None]] | None = None
        # Those who wait for a pong with a payload; None while nobody does.
        self._pong_waiters: dict[bytes, asyncio.Future[bool]] | None = None
        # Those who wait for the session's confirmation; None while nobody does.
        self._session_waiters: list[asyncio.Future[None]] | None = None
        # Those who wait for the end; None while nobody does.
        self._end_waiters: list[asyncio.Future[None]] | None = None
        # Gives up on a peer that does not finish the closing handshake.
        self._timer: asyncio.TimerHandle | None = None
        # Evidence, collected until the transport is gone.
        self._closing_at: float | None = None
        self._eof = False
        self.aborted = False
        self._planned = False
        self._local_reason: str | None = None
        self._tcp_state: str | None = None
        # Since when an end could not have been seen; None when it would be seen at once.
        self.end_hidden_since: float | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that carries the connection."""
        return self._loop

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent: open, and no closing handshake begun."""
        return self.transport is not None and self.protocol.state is State.OPEN

    # The transport's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.endpoint.connected(self)

    def data_received(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        self._process()

    def eof_received(self) -> bool:
        self._eof = True
        self._tcp_state = self._read_tcp_state()
        self.protocol.receive_eof()
        self._process()
        # False: the transport closes itself. Half-open WebSockets do not exist (RFC 6455, section 7.1.1).
        return False

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        _release(self._write_waiters)

    def connection_lost(self, exc: Exception | None) -> None:
        now = self._loop.time()
        if not self._eof:
            self._tcp_state = self._tcp_state or self._read_tcp_state()
            self.protocol.receive_eof()
            self.protocol.data_to_send()
        if self._timer is not None:
            self._timer.cancel()
        if self.timeline is not None:
            health.forget(self._loop, self.timeline)
            self.timeline.ended(now, self._evidence(now, exc))
        self.transport = None
        self._writable = True
        for waiters in (self._write_waiters, self._session_waiters, self._end_waiters):
            _release(waiters)
        for pong in (self._pong_waiters or {}).values():
            _settle(pong, False)
        self.inbox.release()
        self.endpoint.ended(self)

    def _evidence(self, now: float, exc: Exception | None) -> CloseEvidence:
        assert self.timeline is not None
        protocol = self.protocol
        parser = protocol.parser_exc
        clean_eof = parser is None or isinstance(parser, EOFError)
        at = self._closing_at if self._closing_at is not None else now
        return CloseEvidence(
            end=self.timeline.end,
            at=at - self.timeline.opened,
            transport=self._transport_end(exc),
            received=_close_frame(protocol.close_rcvd),
            sent=_close_frame(protocol.close_sent),
            received_first=protocol.close_rcvd_then_sent,
            parser_error=None if clean_eof else str(parser) or repr(parser),
            mid_frame=isinstance(parser, EOFError) and "unexpected end of stream" not in str(parser),
            error=str(exc) if exc is not None else None,
            local_reason=self._local_reason,
            planned=self._planned,
            hidden_since=self.end_hidden_since,
            tcp_state=self._tcp_state,
        )

    def _transport_end(self, exc: Exception | None) -> TransportEnd:
        if self.aborted:
            return TransportEnd.ABORTED
        if isinstance(exc, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
            return TransportEnd.RESET
        if isinstance(exc, TimeoutError):
            return TransportEnd.TIMED_OUT
        if exc is not None:
            return TransportEnd.FAILED
        return TransportEnd.FIN if self._eof else TransportEnd.CLOSED

    def _read_tcp_state(self) -> str | None:
        return health.tcp_state(self.transport.get_extra_info("socket")) if self.transport else None

    # Opening.

    def opened(self, end: End) -> None:
        """The opening handshake has ended well."""
        now = self._loop.time()
        self.timeline = Timeline(end, health.tier_of(self._loop), origin=now)
        health.watch(self._loop, self.timeline)

    def send_handshake(self) -> None:
        """Send what the sans-I/O layer has ready before the connection is open."""
        assert self.transport is not None
        for data in self.protocol.data_to_send():
            if data == SEND_EOF:
                self._write_eof()
            else:
                self.transport.write(data)

    # Receiving.

    def _process(self) -> None:
        now = self._loop.time()
        for event in self.protocol.events_received():
            if isinstance(event, Frame):
                # After a failure the rest of what came with it is nobody's (RFC 6455, section 7.1.7).
                if self.protocol.parser_exc is None or isinstance(self.protocol.parser_exc, EOFError):
                    self._frame(now, event)
            else:
                self.endpoint.handshake(self, event)
        if self.timeline is None and self.protocol.handshake_exc is not None:
            self.endpoint.handshake(self, None)
        self.flush(now)

    def _frame(self, now: float, frame: Frame) -> None:
        assert self.timeline is not None
        opcode, data = int(frame.opcode), frame.data
        if opcode < Opcode.CLOSE:
            self._data_frame(now, frame)
            return
        role, key = Role.NONE, None
        if opcode == Opcode.CLOSE:
            self._closing_at = self._closing_at if self._closing_at is not None else now
        else:
            key = bytes(data)
            if opcode == Opcode.PONG and self._pong_waiters and key in self._pong_waiters:
                _settle(self._pong_waiters[key], True)
            if self.profile.heartbeat_is_frame:
                role = self._control_role(opcode, key)
        self.timeline.frame(now, Direction.RECEIVED, opcode, len(data), role, key)
        self.endpoint.received(self, now, opcode, role)

    def _control_role(self, opcode: int, key: bytes) -> Role:
        """Which pings are heartbeats where the profile has no message for them: the client's."""
        client = isinstance(self.protocol, ClientProtocol)
        if opcode == Opcode.PING:
            return Role.NONE if client else Role.HEARTBEAT
        return Role.HEARTBEAT_ANSWER if client and key.startswith(HEARTBEAT_PREFIX) else Role.NONE

    def _data_frame(self, now: float, frame: Frame) -> None:
        assert self.timeline is not None
        if self._assembly is None:
            self._assembly = Assembly(text=int(frame.opcode) == Opcode.TEXT)
        try:
            payload = self._assembly.add(frame.data, fin=frame.fin)
        except UnicodeDecodeError as exc:
            # RFC 6455, section 8.1: text that is not UTF-8 fails the connection.
            self.timeline.frame(now, Direction.RECEIVED, frame.opcode, len(frame.data), Role.DATA)
            self.fail(1007, f"invalid UTF-8 in a text message: {exc.reason} at position {exc.start}")
            return
        if payload is None:
            role, session_id = Role.DATA, None
        else:
            self._assembly = None
            role, session_id = self.profile.read(payload)
        self.timeline.frame(now, Direction.RECEIVED, frame.opcode, len(frame.data), role)
        self.endpoint.received(self, now, int(frame.opcode), role)
        if payload is None:
            return
        if role is not Role.DATA:
            self.endpoint.message(self, role, session_id)
            self._session_step(role)
        elif not self.inbox.put(payload):
            self.timeline.dropped_reads += 1
        elif self.inbox.full:
            self.pause_reading()

    def pause_reading(self) -> None:
        """Take no bytes from the transport any more."""
        if self.timeline is not None and not self.timeline.paused and self.transport is not None:
            self.transport.pause_reading()
            self.timeline.mark(self._loop.time(), Kind.READING_PAUSED)

    def resume_reading(self) -> None:
        """Take bytes from the transport again."""
        if self.timeline is not None and self.timeline.paused:
            self.timeline.mark(self._loop.time(), Kind.READING_RESUMED)
            if self.transport is not None and not self.transport.is_closing():
                self.transport.resume_reading()

    async def receive(self) -> str | bytes:
        """The next application message; see `Connection.recv`."""
        while not self.inbox:
            if self.transport is None:
                raise self.ended_error()
            await self.inbox.wait(self._loop)
        message = self.inbox.take()
        if self.timeline is not None and self.timeline.paused and self.inbox.low:
            if not self.timeline.deliberately_stalled:
                self.resume_reading()
        return message

    # Sending.

    def send_message(self, payload: str | bytes, role: Role = Role.DATA, *, fin: bool = True) -> None:
        """Put a message, or the first fragment of one, on the wire, whatever the transport's buffer holds."""
        text = isinstance(payload, str)
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        now = self._open_now()
        (self.protocol.send_text if text else self.protocol.send_binary)(data, fin)
        opcode = Opcode.TEXT if text else Opcode.BINARY
        assert self.timeline is not None
        self.timeline.frame(now, Direction.SENT, opcode, len(data), role)
        self.flush(now)

    def send_fragment(self, payload: str | bytes, *, fin: bool) -> None:
        """Put a further fragment on the wire."""
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        now = self._open_now()
        self.protocol.send_continuation(data, fin)
        assert self.timeline is not None
        self.timeline.frame(now, Direction.SENT, Opcode.CONT, len(data), Role.DATA)
        self.flush(now)

    def send_profile(self, role: Role, session_id: str | None = None) -> None:
        """Send the profile's message of a role."""
        message = self.profile.message(role)
        if message is not None:
            self.send_message(self.profile.write(message, session_id), role)
            self._session_step(role)

    def _session_step(self, role: Role) -> None:
        if role is Role.SESSION_CONFIRMED:
            _release(self._session_waiters)

    def send_ping(self, data: bytes | None = None, *, heartbeat: bool = False) -> bytes:
        """Send a ping frame; the payload is made up when none is given, and returned."""
        self._pings += 1
        prefix = HEARTBEAT_PREFIX if heartbeat else KEEPALIVE_PREFIX
        key = data if data is not None else prefix + b"%07d" % (self._pings % 10_000_000)
        now = self._open_now()
        self.protocol.send_ping(key)
        self.flush(now, sent=Role.HEARTBEAT if heartbeat else Role.NONE, key=key)
        return key

    def send_pong(self, data: bytes = b"") -> None:
        """Send a pong frame that nobody asked for (RFC 6455, section 5.5.3); never withheld."""
        now = self._open_now()
        withheld, self.withhold_pongs = self.withhold_pongs, False
        try:
            self.protocol.send_pong(data)
            self.flush(now)
        finally:
            self.withhold_pongs = withheld

    async def drain(self) -> None:
        """Wait until the transport takes more bytes."""
        while not self._writable:
            self._write_waiters = self._write_waiters or []
            await self._wait(self._write_waiters, None)
        if self.transport is None:
            raise self.ended_error()

    def flush(self, now: float, *, sent: Role = Role.NONE, key: bytes | None = None) -> None:
        """Write what the sans-I/O layer has ready, and record the control frames in it."""
        for data in self.protocol.data_to_send():
            if data == SEND_EOF:
                self._write_eof()
                continue
            if self.timeline is not None:
                opcode, size = head(data)
                if opcode == Opcode.PONG and self.withhold_pongs:
                    continue
                if opcode >= Opcode.CLOSE:
                    self._record_control(now, opcode, size, sent, key)
            if self.transport is not None:
                self.transport.write(data)
        if self._timer is None and self.transport is not None and self.protocol.close_expected():
            self._timer = self._loop.call_later(CLOSE_TIMEOUT, self._give_up)

    def _record_control(self, now: float, opcode: int, size: int, sent: Role, key: bytes | None) -> None:
        assert self.timeline is not None
        if opcode == Opcode.CLOSE and self._closing_at is None:
            self._closing_at = now
        if opcode == Opcode.PONG:
            answers = self.profile.heartbeat_is_frame and self.timeline.end is End.SERVER
            self.timeline.frame(now, Direction.SENT, opcode, size, Role.HEARTBEAT_ANSWER if answers else Role.NONE)
        else:
            self.timeline.frame(now, Direction.SENT, opcode, size, sent, key)

    def _open_now(self) -> float:
        if not self.is_open:
            raise self.ended_error()
        return self._loop.time()

    # Closing.

    def start_close(self, code: int | None = 1000, reason: str = "", *, local_reason: str | None = None) -> None:
        """
        Start the closing handshake, unless it has begun.

        Raises:
            ValueError: for a code that may not stand on the wire, or a reason of more than 123 bytes.

        """
        if code is not None and not may_be_sent(code):
            raise ValueError(f"close code: {code!r} may not be sent; valid ones: {VALID_CLOSE_CODES}")
        if len(reason.encode()) > 123 or (code is None and reason):
            raise ValueError("close reason: at most 123 bytes of UTF-8, and only with a code (RFC 6455, section 5.5)")
        if self.is_open:
            self._local_reason = self._local_reason or local_reason
            self.protocol.send_close(code, reason)
            self.resume_reading()
            self.flush(self._loop.time())

    def plan_end(self) -> None:
        """Say that what follows is wanted by the user, and no instability."""
        if self.protocol.state is State.OPEN:
            self._planned = True

    def fail(self, code: int, reason: str) -> None:
        """Fail the connection as RFC 6455, section 7.1.7, says, and remember why."""
        self._local_reason = self._local_reason or reason
        self.protocol.fail(code, reason[:120])
        self.flush(self._loop.time())

    def abort(self, local_reason: str) -> None:
        """Cut the stream without a close frame."""
        if self.transport is not None:
            self.aborted = True
            self._local_reason = self._local_reason or local_reason
            self.transport.abort()

    def drop(self, local_reason: str) -> None:
        """Close the stream (FIN) without a close frame, as a server does whose read deadline ran out."""
        if self.transport is not None:
            self.aborted = True
            self._local_reason = self._local_reason or local_reason
            self.transport.close()

    def _give_up(self) -> None:
        if self.transport is not None:
            self._local_reason = self._local_reason or f"the peer did not close within {CLOSE_TIMEOUT:g} s"
            self.transport.abort()

    def _write_eof(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            # TLS has no half-close.
            self.transport.close()

    async def wait_pong(self, key: bytes, until: float | None = None) -> bool:
        """Wait for the pong with this payload; False when the end or ``until`` comes first."""
        waiter: asyncio.Future[bool] = self._loop.create_future()
        if self._pong_waiters is None:
            self._pong_waiters = {}
        self._pong_waiters[key] = waiter
        timer = self._loop.call_at(until, _settle, waiter, False) if until is not None else None
        try:
            return await waiter
        finally:
            if timer is not None:
                timer.cancel()
            del self._pong_waiters[key]

    async def wait_session(self, until: float) -> None:
        """Wait for the session's confirmation, the end, or the instant ``until`` of the loop's clock."""
        timeline = self.timeline
        if timeline is not None and timeline.session_confirmed_at is None and self.transport is not None:
            self._session_waiters = self._session_waiters or []
            await self._wait(self._session_waiters, until)

    async def wait_ended(self, until: float | None = None) -> bool:
        """
        Wait for the end of the transport.

        Args:
            until: the reading of the loop's clock at which to stop waiting; None waits for ever.

        Returns:
            Whether the transport has ended.

        """
        if self.transport is not None:
            self._end_waiters = self._end_waiters or []
            await self._wait(self._end_waiters, until)
        return self.transport is None

    async def _wait(self, waiters: list[asyncio.Future[None]], until: float | None) -> None:
        waiter = self._loop.create_future()
        waiters.append(waiter)
        timer = self._loop.call_at(until, _settle, waiter, None) if until is not None else None
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()
            waiters.remove(waiter)

    def ended_error(self) -> Exception:
        """What to raise when somebody uses a connection that has ended or is about to."""
        if self.timeline is None:
            return ConnectionError("the connection is not open yet")
        if self.timeline.close is not None:
            return ConnectionEnded(self.timeline.close)
        return ConnectionEnded(self._evidence(self._loop.time(), None))


def _close_frame(close: object) -> CloseFrame | None:
    # Exact builtin types: an IntEnum in a report ends a whole pytest-xdist session (measured).
    return CloseFrame(int(close.code), str(close.reason)) if close is not None else None  # type: ignore[attr-defined]


def _settle(waiter: asyncio.Future[Any], result: Any) -> None:
    if not waiter.done():
        waiter.set_result(result)


def _release(waiters: Iterable[asyncio.Future[None]] | None) -> None:
    for waiter in waiters or ():
        _settle(waiter, None)
