"""Frames on a transport, either role: what goes out, what flow control says, how it ends."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from websockets.protocol import SEND_EOF, State

from ..core.timeline.close import VALID_CLOSE_CODES, LocalReason, may_be_sent
from ..core.timeline.events import Direction, End, EventKind, Opcode, Role
from ..core.timeline.timeline import Timeline
from . import health
from .ending import Ending
from .errors import ConnectionEnded
from .waiters import Wait, Waiters
from .wire import head

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.server import ServerProtocol

    from ..profiles import Profile

# The sans-I/O layer says "connection open" and "closed" on its logger; the timeline says it better.
LOGGER = logging.getLogger("pytest_wsstability.wire")

# RFC 6455, section 7.1.1: the server closes the TCP connection; a client must not wait for it for ever.
CLOSE_TIMEOUT = 10.0

# Plain integers for the way that each frame takes.
_CLOSE, _PONG = int(Opcode.CLOSE), int(Opcode.PONG)
# Members of an enum, looked up once: before Python 3.12 that takes ten times as long as a name.
_SENT, _NONE, _HEARTBEAT_ANSWER = Direction.SENT, Role.NONE, Role.HEARTBEAT_ANSWER
_OPEN = State.OPEN
# Stands among withheld opcodes for the end of the stream.
FIN = -1
_NOTHING: frozenset[int] = frozenset()


class Stream(asyncio.Protocol):
    """
    The half of a `WebSocket` that knows no messages.

    No task of its own: the transport calls it, and it calls its endpoint.

    """

    __slots__ = (
        "_ending", "_loop", "_timer", "_waiters", "_writable", "end_hidden_since", "profile",
        "protocol", "timeline", "transport", "withheld",
    )  # fmt: skip

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        profile: Profile,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.protocol = protocol
        self.profile = profile
        self._loop = loop
        # The timeline starts when the opening handshake ends; None before.
        self.timeline: Timeline | None = None
        self.transport: asyncio.Transport | None = None
        # Control frames that RFC 6455 demands and that this end keeps back, by opcode; FIN stands for the
        # end of the stream after the closing handshake.
        self.withheld: frozenset[int] = _NOTHING
        # Flow control of the transport.
        self._writable = True
        # Those who wait for something; None until the first one does.
        self._waiters: Waiters | None = None
        # Gives up on a peer that does not finish the closing handshake.
        self._timer: asyncio.TimerHandle | None = None
        # None until the first sign of the end.
        self._ending: Ending | None = None
        # Since when an end could not have been seen; None when it would be seen at once.
        self.end_hidden_since: float | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that carries the connection."""
        return self._loop

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent: open, and no closing handshake begun."""
        return self.transport is not None and self.protocol.state is _OPEN

    @property
    def is_closing(self) -> bool:
        """Whether the end has begun and is not there yet."""
        return self.transport is not None and (self.transport.is_closing() or self._is_closing())

    @property
    def withhold_pongs(self) -> bool:
        """Whether pings are not answered (client="mute")."""
        return _PONG in self.withheld

    @withhold_pongs.setter
    def withhold_pongs(self, withhold: bool) -> None:
        self.withheld = self.withheld | {_PONG} if withhold else self.withheld - {_PONG}

    @property
    def is_writable(self) -> bool:
        """Whether the transport takes more bytes without keeping them."""
        return self._writable

    # The transport's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because uvloop's transports are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)

    def _process(self) -> int:
        """Take what the sans-I/O layer made of the bytes received; gives how many of them were frames."""
        raise NotImplementedError

    def eof_received(self) -> bool:
        self.ending.eof = True
        self.ending.tcp_state = self.ask_kernel()
        self.protocol.receive_eof()
        self._process()
        # False: the transport closes itself. Half-open WebSockets do not exist (RFC 6455, section 7.1.1).
        return False

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self._waiters is not None:
            self._waiters.release(Wait.WRITABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        now, ending = self._loop.time(), self.ending
        if not ending.eof:
            ending.tcp_state = ending.tcp_state or self.ask_kernel()
            self.protocol.receive_eof()
            self.protocol.data_to_send()
        if self._timer is not None:
            self._timer.cancel()
        if self.timeline is not None:
            health.forget(self._loop, self.timeline)
            hidden = self.end_hidden_since
            evidence = ending.evidence(self.protocol, self.timeline, now, exc, hidden_since=hidden)
            self.timeline.over(now, evidence)
        self.transport = None
        self._writable = True
        if self._waiters is not None:
            self._waiters.release_all()

    @property
    def ending(self) -> Ending:
        """What is known about the end so far."""
        if self._ending is None:
            self._ending = Ending()
        return self._ending

    def ask_kernel(self) -> str | None:
        """Record what the kernel says while there is a socket to ask, and give the state of it."""
        if self.transport is None:
            return None
        sock = self.transport.get_extra_info("socket")
        if self.timeline is not None and self.timeline.tcp_unseen is None:
            health.sample(self.timeline, sock, self._loop.time())
        return health.tcp_state(sock)

    # Opening.

    def opened(self, end: End) -> None:
        """The opening handshake has ended well."""
        now = self._loop.time()
        self.timeline = Timeline(end, health.tier_of(self._loop), origin=now)
        assert self.transport is not None
        health.watch(self._loop, self.timeline, self.transport.get_extra_info("socket"))

    def send_handshake(self) -> None:
        """Send what the sans-I/O layer has ready before the connection is open."""
        assert self.transport is not None
        for data in self.protocol.data_to_send():
            if data == SEND_EOF:
                self._write_eof()
            else:
                self.transport.write(data)

    # Flow control.

    def pause_reading(self) -> None:
        """Take no bytes from the transport any more; an end that closes reads on to the peer's answer."""
        if self.timeline is not None and not self.timeline.paused and self.is_open:
            assert self.transport is not None
            self.transport.pause_reading()
            self.timeline.mark(self._loop.time(), EventKind.READING_PAUSED)

    def resume_reading(self) -> None:
        """Take bytes from the transport again."""
        if self.timeline is not None and self.timeline.paused:
            self.timeline.mark(self._loop.time(), EventKind.READING_RESUMED)
            if self.transport is not None and not self.transport.is_closing():
                self.transport.resume_reading()

    async def drain(self) -> None:
        """Wait until the transport takes more bytes."""
        while not self._writable:
            await self.waiters.wait(Wait.WRITABLE)
        if self.transport is None:
            raise self.ended_error()

    def flush(self, now: float, *, sent: Role = Role.NONE, key: bytes | None = None) -> None:
        """Write what the sans-I/O layer has ready, and record the control frames in it."""
        for data in self.protocol.data_to_send():
            if data == SEND_EOF:
                if not self._keeps_back(FIN):
                    self._write_eof()
                continue
            if self.timeline is not None:
                opcode, size = head(data)
                if opcode in self.withheld and self._keeps_back(opcode):
                    self.ending.unsent |= opcode == _CLOSE
                    continue
                if opcode >= _CLOSE:
                    self._record_control(now, opcode, size, sent, key)
            if self.transport is not None:
                self.transport.write(data)
        if self._ending is not None and self._timer is None and self._is_closing():
            self._timer = self._loop.call_later(CLOSE_TIMEOUT, self._give_up)

    def _keeps_back(self, opcode: int) -> bool:
        """Whether a frame (or FIN) is withheld; of a closing handshake, answers are, and second closes."""
        if opcode not in self.withheld or opcode == _PONG:
            return opcode in self.withheld
        answers = self.protocol.close_rcvd_then_sent is True
        return answers or (opcode == _CLOSE and self.ending.past is not None)

    def _is_closing(self) -> bool:
        return not self._keeps_back(FIN) and self.transport is not None and self.protocol.close_expected()

    def _record_control(self, now: float, opcode: int, size: int, sent: Role, key: bytes | None) -> None:
        assert self.timeline is not None
        if opcode == _CLOSE:
            self._close_frame(now)
        if opcode == _PONG:
            answers = self.profile.heartbeat_is_frame and self.timeline.end is End.SERVER
            self.timeline.frame(now, _SENT, opcode, size, _HEARTBEAT_ANSWER if answers else _NONE)
        else:
            self.timeline.frame(now, _SENT, opcode, size, sent, key)

    def _close_frame(self, now: float) -> None:
        if self.ending.closing_at is None:
            self.ending.closing_at = now

    def _open_now(self) -> float:
        if self.transport is None or self.protocol.state is not _OPEN:
            raise self.ended_error()
        return self._loop.time()

    # Closing.

    def start_close(
        self,
        code: int | None = 1000,
        reason: str = "",
        *,
        local_reason: LocalReason | None = None,
        local_detail: str | None = None,
        planned: bool = False,
    ) -> None:
        """
        Start the closing handshake, unless it has begun.

        Args:
            code: the close code; None sends an empty close frame.
            reason: the close reason.
            local_reason, local_detail: why this end ends the connection, for the evidence.
            planned: what follows is wanted by the user, and no instability.

        Raises:
            ValueError: for a code that may not stand on the wire, or a reason of more than 123 bytes.

        """
        if code is not None and not may_be_sent(code):
            raise ValueError(f"close code: {code!r} may not be sent; valid ones: {VALID_CLOSE_CODES}")
        if len(reason.encode()) > 123 or (code is None and reason):
            raise ValueError(
                "close reason: at most 123 bytes of UTF-8, and only with a code (RFC 6455, section 5.5)"
            )
        if self.is_open:
            self.ending.because(local_reason, local_detail)
            self.ending.planned = planned
            self.protocol.send_close(code, reason)
            self.resume_reading()
            self.flush(self._loop.time())

    def fail(self, code: int, reason: str, local_reason: LocalReason | None = None) -> None:
        """
        Fail the connection as RFC 6455, section 7.1.7, says, and remember why.

        Args:
            code: the close code, unless the closing handshake has begun.
            reason: the close reason.
            local_reason: why this end cannot go on; None: what the peer sent cannot be taken.

        """
        if local_reason is None:
            self.ending.refused = reason
        else:
            self.ending.because(local_reason)
        self.ask_kernel()
        self.protocol.fail(code, reason.encode()[:123].decode(errors="ignore"))
        self.resume_reading()
        self.flush(self._loop.time())

    def abort(self, local_reason: LocalReason, local_detail: str | None = None) -> None:
        """Cut the stream without a close frame."""
        if self.transport is not None:
            self.ask_kernel()
            self.ending.aborted = True
            self.ending.because(local_reason, local_detail)
            self.transport.abort()

    def drop(self, local_reason: LocalReason, local_detail: str | None = None) -> None:
        """Close the stream (FIN) without a close frame, as a server does whose read deadline ran out."""
        if self.transport is not None:
            self.ask_kernel()
            self.ending.aborted = True
            self.ending.because(local_reason, local_detail)
            self.transport.close()

    def _give_up(self) -> None:
        if self.transport is not None:
            self.ask_kernel()
            words = f"the peer did not close within {CLOSE_TIMEOUT:g} s"
            self.ending.because(LocalReason.CLOSE_TIMEOUT, words)
            self.transport.abort()

    def _write_eof(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            # A peer that sent FIN may have reset the stream since: ENOTCONN is no news then.
            with suppress(OSError):
                self.transport.write_eof()
        else:
            # TLS has no half-close.
            self.transport.close()

    # Waiting.

    @property
    def waiters(self) -> Waiters:
        """Those who wait for something on this connection."""
        if self._waiters is None:
            self._waiters = Waiters(self._loop)
        return self._waiters

    async def wait_pong(self, key: bytes, until: float | None = None) -> bool:
        """Wait for the pong with this payload; False when the end or ``until`` comes first."""
        return self.transport is not None and await self.waiters.wait_pong(key, until)

    async def wait_session(self, until: float) -> None:
        """Wait for the session's confirmation, the end, or the instant ``until`` of the loop's clock."""
        timeline = self.timeline
        if timeline is not None and timeline.session_confirmed_at is None and self.transport is not None:
            await self.waiters.wait(Wait.SESSION, until)

    async def wait_ended(self, until: float | None = None) -> bool:
        """
        Wait for the end of the transport.

        Args:
            until: the reading of the loop's clock at which to stop waiting; None waits for ever.

        Returns:
            Whether the transport has ended.

        """
        if self.transport is not None:
            await self.waiters.wait(Wait.END, until)
        return self.transport is None

    def ended_error(self) -> Exception:
        """What to raise when somebody uses a connection that has ended or is about to."""
        if self.timeline is None:
            return ConnectionError("the connection is not open yet")
        evidence = self.timeline.close or self.ending.evidence(
            self.protocol, self.timeline, self._loop.time(), None, hidden_since=self.end_hidden_since
        )
        return ConnectionEnded(evidence)
