"""One WebSocket connection, either role: frames in, frames out, each one on the timeline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from websockets.frames import Frame
from websockets.protocol import CLIENT, SEND_EOF, SERVER, State
from websockets.protocol import Protocol as FrameProtocol

from ..core.redact import redact_text
from ..core.timeline.close import CloseEvidence, CloseFrame, LocalReason, TransportEnd, check_close
from ..core.timeline.events import Direction, End, EventKind, Opcode, Role
from ..core.timeline.timeline import Timeline
from ..core.url import port_of
from . import health, short_frames
from .ending import KnownEnd, Phase, Sign, close_frame, seen_by, transport_end
from .errors import ConnectionEnded
from .frame_parser import FrameParser
from .heads import Heads
from .messages import MessageEndpoint, MessageLayer
from .waiters import Wait, Waiters
from .wire import head

if TYPE_CHECKING:
    from websockets.http11 import Request, Response

    from ..profiles import Conversation, Profile

# The sans-I/O layer says "connection open" and "closed" on its logger; the timeline says it better.
LOGGER = logging.getLogger("pytest_wsstability.wire")


def _redacted(record: logging.LogRecord) -> bool:
    """It says each header field and each frame as it is, and a program may write that anywhere."""
    record.msg, record.args = redact_text(record.getMessage()), ()
    return True


LOGGER.addFilter(_redacted)

# RFC 6455, section 7.1.1: the server closes the TCP connection; a client must not wait for it for ever.
CLOSE_TIMEOUT = 10.0

# What comes is taken in bites, because a bite inflates to a thousand times its bytes at most (RFC 1951), and
# is a frame for each two of its bytes at most. Without compression they are four times as large.
BITE = 1024
# So many frames are taken at once; then whatever else the loop has to do comes first.
FRAMES_AT_ONCE = 1024
# Bytes of answers that wait for a peer which reads nothing, before nothing more is read of it either.
MOST_ANSWERS = 2**19

# So long a peer may leave TCP open after the connection is over; what is told later is told too late.
LINGER = 0.1

# Pings of the plugin: 8 bytes, because a server was seen to cut longer payloads in its pongs.
HEARTBEAT_PREFIX = b"h"
KEEPALIVE_PREFIX = b"k"
PROOF_PREFIX = b"p"

# Plain integers for the way that each frame takes.
_CLOSE, _PING, _PONG = int(Opcode.CLOSE), int(Opcode.PING), int(Opcode.PONG)
_CONT, _TEXT, _BINARY = int(Opcode.CONT), int(Opcode.TEXT), int(Opcode.BINARY)
# Members of an enum, looked up once: before Python 3.12 that takes ten times as long as a name.
_SENT, _RECEIVED, _NONE, _DATA = Direction.SENT, Direction.RECEIVED, Role.NONE, Role.DATA
_HEARTBEAT, _HEARTBEAT_ANSWER = Role.HEARTBEAT, Role.HEARTBEAT_ANSWER
_OPEN, _BYTES = State.OPEN, Wait.BYTES
# What the payloads of our pings begin with, and how long they are.
_PREFIXES = {Role.HEARTBEAT: HEARTBEAT_PREFIX, Role.PROOF_OF_LIFE: PROOF_PREFIX}
_KEY = 8
_IS_OPENING, _IS_OPEN = Phase.OPENING, Phase.OPEN
# Stands among withheld opcodes for the end of the stream.
FIN = -1
_NOTHING: frozenset[int] = frozenset()

# What the sans-I/O layer gives as the payload of a frame.
Payload: TypeAlias = bytes | bytearray | memoryview


class Endpoint(MessageEndpoint["WebSocket"], Protocol):
    """One role's half of a connection: the `WebSocket` calls it, it has no I/O of its own."""

    def connected(self, websocket: WebSocket) -> None:
        """The transport is there."""

    def takes(self, websocket: WebSocket, size: int) -> bool:
        """So many bytes came before the opening handshake has ended; False drops them."""

    def handshake(self, websocket: WebSocket, event: Request | Response | None) -> None:
        """The peer's half of the opening handshake came; None when it can't come any more."""

    def ended(self, websocket: WebSocket) -> None:
        """The transport is gone; the evidence is in the timeline, if the connection was open at all."""


class WebSocket(asyncio.Protocol):
    """
    Frames in, frames out, over the sans-I/O layer of `websockets`.

    Made by `connect` and by the `Orchestrator`; `Connection` is what users see of it. No task of its own:
    the transport calls it, and it calls its endpoint.

    Attributes:
        subprotocol: what the server chose; None if nothing, or not yet.
        endpoint: what the role does.
        messages: the messages that its frames carry.
        timeline: the record; None until the opening handshake has ended well.
        transport: None before it is connected and after it is gone.
        phase: how far the connection is.
        withheld: control frames that RFC 6455 demands and that this end keeps back, by opcode; `FIN` stands
            for the end of the stream after the closing handshake.
        end_hidden_since: since when an end could not have been seen; None when it would be seen at once.
        on_over: called when the connection comes to its end; None where nobody asks. (A coroutine that waits
            costs a connection of a fleet 2 KiB.)

    """

    __slots__ = (
        "_answers", "_beats_with_frames", "_behind", "_client", "_corked", "_has_short_frames", "_known_end",
        "_loop", "_max_size", "_parser", "_pings", "_pong", "_taken", "_timer", "_waiters", "_writable",
        "end_hidden_since", "endpoint", "messages", "on_over", "phase", "subprotocol", "timeline",
        "transport", "withheld",
    )  # fmt: skip

    def __init__(
        self,
        protocol: FrameProtocol,
        endpoint: Endpoint,
        conversation: Conversation,
        *,
        loop: asyncio.AbstractEventLoop,
        inbox: int,
    ) -> None:
        # Reads all but short frames; None while there is nothing to keep in it (see `protocol`).
        self._parser: FrameParser | None = FrameParser(protocol)
        self._max_size = short_frames.limit_of(protocol)
        self.subprotocol: str | None = None
        self.endpoint = endpoint
        self._loop, self._client = loop, protocol.side is CLIENT
        self.messages = MessageLayer(self, endpoint, conversation, loop=loop, inbox=inbox)
        self._beats_with_frames = conversation.profile.heartbeat_is_frame
        self.timeline: Timeline | None = None
        self.transport: asyncio.Transport | None = None
        self.phase = Phase.OPENING
        # What is known about the end; None until the first sign of it.
        self._known_end: KnownEnd | None = None
        # Gives up on a peer that does not finish the closing handshake.
        self._timer: asyncio.TimerHandle | None = None
        self.withheld: frozenset[int] = _NOTHING
        self.end_hidden_since: float | None = None
        self._waiters: Waiters | None = None
        self.on_over: Callable[[], object] | None = None
        self._start_frames()

    def _start_frames(self) -> None:
        """What is written, and read in part: nothing yet."""
        self._writable, self._pings = True, 0
        # The pong that waits for room in the transport's buffer; None while none does.
        self._pong: bytes | None = None
        # Bytes of answers that were written where there was no room.
        self._answers = 0
        # What is written while a bite is looked at, and goes out as one; None elsewhere.
        self._corked: list[bytes] | None = None
        # What the transport gave and nobody has looked at; None while there is nothing.
        self._taken: bytearray | None = None
        # Messages that wait for the last fragment of one that is being sent; None while there is none.
        self._behind: list[tuple[str | bytes, Role, bytes | None]] | None = None
        # Whether short frames go without the sans-I/O layer; not before the opening handshake has ended.
        self._has_short_frames = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that carries the connection."""
        return self._loop

    @property
    def protocol(self) -> FrameProtocol:
        """
        The sans-I/O layer: that of the opening handshake, then one for what is no short frame.

        Most connections need the second only when they end, and it is a quarter of what one costs.

        """
        parser = self._parser or self._make_parser()
        return parser.protocol

    def _make_parser(self) -> FrameParser:
        side = CLIENT if self._client else SERVER
        protocol = FrameProtocol(side, state=_OPEN, max_size=self._max_size, logger=LOGGER)
        self._parser = FrameParser(protocol)
        return self._parser

    @property
    def conversation(self) -> Conversation:
        """What this end says in the application's protocol."""
        return self.messages.conversation

    @property
    def profile(self) -> Profile:
        """The application's protocol."""
        return self.messages.conversation.profile

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent: open, and no closing handshake begun."""
        # The sans-I/O layer knows of a close frame before its turn on the timeline has come.
        parser = self._parser
        return self.phase is _IS_OPEN and (parser is None or parser.protocol.state is _OPEN)

    @property
    def is_over(self) -> bool:
        """Whether the connection has come to its end; its transport may still be there."""
        return self.phase is not _IS_OPEN and self.phase is not _IS_OPENING

    @property
    def is_closing(self) -> bool:
        """Whether the connection is over and its transport still there."""
        return self.phase in (Phase.CLOSING, Phase.HALF_CLOSED)

    @property
    def is_writable(self) -> bool:
        """Whether the transport takes more bytes without keeping them."""
        return self._writable

    @property
    def withhold_pongs(self) -> bool:
        """Whether pings are not answered (client="mute")."""
        return _PONG in self.withheld

    @withhold_pongs.setter
    def withhold_pongs(self, withhold: bool) -> None:
        # Each difference of sets is a new set, which costs a connection more than anything else here.
        if withhold != self.withhold_pongs:
            self.withheld = self.withheld ^ {_PONG}

    # The transport's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because uvloop's transports are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)
        self.endpoint.connected(self)

    def data_received(self, data: bytes) -> None:
        if self._waiters is not None:
            self._waiters.release(_BYTES)
        if self._taken is None and (self._parser is None or self._is_between):
            short = short_frames.read(data, masked=not self._client)
            if short is not None:
                opcode, payload = short
                self._short_frame(opcode, payload)
                return
        if self.timeline is None and not self.endpoint.takes(self, len(data)):
            return
        if self._taken is not None:
            # A transport may give more after it was told to pause.
            self._taken += data
        elif len(data) <= self._bite_size:
            self._bite(data)
        else:
            self._taken = bytearray(data)
            self._take_bites()

    @property
    def _is_between(self) -> bool:
        """Whether a short frame may come though the parser is there: nothing is in that."""
        return self._has_short_frames and self._parser is not None and self._parser.is_between

    def _take_bites(self, *, last: bool = False) -> None:
        """
        Look at what was taken, as long as somebody wants more.

        Args:
            last: nothing more will come, so that nobody is waited for.

        """
        if self._taken is None:
            return
        before, size = self.timeline.total if self.timeline is not None else 0, self._bite_size
        while self._taken:
            if not last and self.timeline is not None:
                if self.timeline.paused:
                    return
                if self.timeline.total - before > FRAMES_AT_ONCE:
                    # So a flood of small frames is no lag of this loop.
                    self._set_reading()
                    self._loop.call_soon(self._take_bites)
                    return
            bite = bytes(self._taken[:size])
            del self._taken[:size]
            self._bite(bite)
        self._taken = None
        self._set_reading()

    @property
    def _bite_size(self) -> int:
        # Where there are extensions, the sans-I/O layer of the handshake is the only one.
        return BITE if self._parser is not None and self._parser.protocol.extensions else 4 * BITE

    def _bite(self, data: bytes) -> None:
        if self.timeline is not None:
            self._take_frames(data)
            return
        behind = self._take_handshake(data)
        if behind:
            self._take_frames(behind)
        self._let_parser_go()

    def _take_handshake(self, data: bytes) -> bytes:
        """Take the peer's half of the opening handshake; gives the frames that came behind it."""
        parser, behind = self._parser, data
        assert parser is not None
        while behind:
            data, behind = behind, parser.heads.behind_handshake(behind)
            self._receive(parser, data[: len(data) - len(behind)])
            if not parser.is_between_answers:
                break
            parser.heads = Heads()
        if self.timeline is None:
            # Refused, and this is of the answer's body.
            self._receive(parser, behind)
            return b""
        self._has_short_frames = short_frames.are_possible(parser.protocol)
        return behind

    def _let_parser_go(self) -> None:
        """After the opening handshake: short frames go without the parser, if nothing is in it."""
        if self._is_between and self.is_open:
            self._parser = None

    def _take_frames(self, data: bytes) -> None:
        parser = self._parser or self._make_parser()
        flaw = self._find_flaw(parser, data)
        # A thousand answers are one write: asyncio adds up what waits with each (get_write_buffer_size).
        self._corked = []
        try:
            self._receive(parser, data if flaw is None else data[: max(0, flaw[0])])
        finally:
            self._uncork()
        if flaw is not None:
            self._take_flaw(parser, flaw[1], data[max(0, flaw[0]) :])
        elif self._has_refused and (parser.heads.is_flawed or parser.is_wrong_inside):
            # A response may come in pieces, and its first bytes alone do not tell it.
            self.explain(stray=parser.stray())
        assert self.timeline is not None
        there = parser.heads.there
        self.timeline.half_frame(
            self._loop.time(), there > 0 and not self._has_refused, began=there <= len(data)
        )

    def _take_flaw(self, parser: FrameParser, what: str, data: bytes) -> None:
        """A frame that breaks the protocol came; ``data`` is what there is of it, and what is behind it."""
        if self.is_open:
            self.explain(stray=parser.stray())
            self.fail(1002, what)
        else:
            # Whether it reads anything behind a close frame the sans-I/O layer knows.
            self._receive(parser, data)
            if parser.protocol.parser_exc is not None:
                self.explain(stray=parser.stray())

    def _find_flaw(self, parser: FrameParser, data: bytes) -> tuple[int, str] | None:
        # Behind what was refused nothing more is read.
        is_read = not self._has_refused or parser.heads.is_flawed
        return parser.find_flaw(data) if is_read else None

    @property
    def _has_refused(self) -> bool:
        """Whether something that the peer sent could not be taken."""
        return self._known_end is not None and self._known_end.has_refused

    def _receive(self, parser: FrameParser, data: bytes) -> None:
        """Give bytes to the sans-I/O layer, and take what it makes of them."""
        if data:
            parser.receive(data, answers=not self.is_over)
            self._process()

    def _set_reading(self) -> None:
        """Let the transport read, or not: while somebody wants more, and takes our answers."""
        if self.transport is None or self.transport.is_closing():
            return
        paused = self.timeline is not None and self.timeline.paused
        if paused or self._taken is not None or self._answers > MOST_ANSWERS:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def eof_received(self) -> bool:
        self._take_bites(last=True)
        self.protocol.receive_eof()
        transport = TransportEnd.ABORTED if self._is_cut else TransportEnd.FIN
        self._sign(Sign.FIN, transport=transport, tcp_state=self.ask_kernel())
        self._process()
        # False: the transport closes itself. Half-open WebSockets do not exist (RFC 6455, section 7.1.1).
        return False

    def pause_writing(self) -> None:
        self._writable = False
        self._look_at_queue(self._loop.time())

    def resume_writing(self) -> None:
        self._writable = True
        self._look_at_queue(self._loop.time())
        if self._answers:
            self._answers = 0
            self._set_reading()
        pong, self._pong = self._pong, None
        # RFC 6455, section 5.5.1: nothing follows our close frame.
        if pong is not None and self.protocol.close_sent is None:
            self._write_pong(self._loop.time(), pong, head(pong)[1])
        self.wake(Wait.WRITABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        state = None
        self._take_bites(last=True)
        if self.phase is not Phase.HALF_CLOSED:
            state = self.ask_kernel()
            self.protocol.receive_eof()
            self.protocol.data_to_send()
        if self._timer is not None:
            self._timer.cancel()
        self.messages.ended()
        error = str(exc) if exc is not None else None
        self._sign(Sign.LOST, transport=self._transport_end(exc), error=error, tcp_state=state)
        self.transport = None
        self._writable = True
        self.wake(Wait.GONE)
        self.endpoint.ended(self)

    def _transport_end(self, exc: Exception | None) -> TransportEnd:
        half_closed = self.phase is Phase.HALF_CLOSED
        if self._is_cut:
            return TransportEnd.ABORTED
        if exc is not None and not half_closed:
            return transport_end(exc)
        return TransportEnd.FIN if half_closed else TransportEnd.CLOSED

    @property
    def _is_cut(self) -> bool:
        """Whether this end cut the stream."""
        return self._known_end is not None and self._known_end.is_cut

    def _look_at_queue(self, now: float) -> None:
        """Record how many bytes have not left this end: what is written behind them comes late."""
        if self.timeline is None or self.transport is None:
            return
        size = self.transport.get_write_buffer_size()
        if self.timeline.tcp_unseen is None:
            size += health.unsent(self.transport.get_extra_info("socket"))
        if size or self.timeline.unsent:
            self.timeline.queued(now, size)

    def ask_kernel(self) -> str | None:
        """Record what the kernel says while there is a socket to ask, and give the state of it."""
        if self.transport is None:
            return None
        sock = self.transport.get_extra_info("socket")
        if self.timeline is not None and self.timeline.tcp_unseen is None:
            health.sample(self.timeline, sock, self._loop.time())
        self._look_at_queue(self._loop.time())
        return health.tcp_state(sock)

    # The end.

    def _sign(self, sign: Sign, **facts: Any) -> None:
        """Something brings the connection to its end: the first sign is the instant of it."""
        before = self.phase
        self.phase = before.after(sign)
        ends = before is _IS_OPEN and self.phase is not before
        if ends:
            assert self.timeline is not None
            health.forget(self._loop, self.timeline)
            facts["at"] = self._age()
            if "tcp_state" not in facts:
                facts["tcp_state"] = self.ask_kernel()
        self.explain(**facts)
        if ends and self._waiters is not None:
            # Nothing of what they wait for can come any more.
            self._waiters.over()
        # With each sign: whoever takes messages may wait for the peer's answer to our close frame.
        self.messages.inbox.release()
        if ends and self.on_over is not None:
            self.on_over()

    def explain(
        self, *, local_reason: LocalReason | None = None, local_detail: str | None = None, **facts: Any
    ) -> None:
        """
        Take down what is known about the end.

        Args:
            local_reason, local_detail: why this end ends the connection; the first reason counts.
            facts: other fields of `CloseEvidence`, where they say something.

        """
        if self.timeline is None:
            return
        if self._known_end is None:
            self._known_end = KnownEnd()
        facts |= {"local_reason": local_reason, "local_detail": local_detail}
        parser = self._parser or self._make_parser()
        facts |= seen_by(parser.protocol, parser.stray())
        is_news = self._known_end.learn(facts, hidden_since=self.end_hidden_since)
        if self.is_over and (is_news or self.timeline.close is None):
            self.timeline.over(self._loop.time(), self._evidence())

    def _evidence(self) -> CloseEvidence:
        """All that is known about the end."""
        assert self.timeline is not None
        assert self._known_end is not None
        return self._known_end.evidence(self.timeline.end, self._age())

    def _age(self) -> float:
        return self._loop.time() - self.timeline.opened if self.timeline is not None else 0.0

    def ended_error(self) -> Exception:
        """What to raise when somebody uses a connection that has ended or is about to."""
        if self.timeline is None:
            return ConnectionError("the connection is not open yet")
        if self.timeline.close is None:
            self.explain()
        return ConnectionEnded(self.timeline.close or self._evidence())

    # Opening.

    def opened(self, end: End) -> None:
        """The opening handshake has ended well."""
        now = self._loop.time()
        facts = self.profile.facts
        self.timeline = Timeline(end, health.tier_of(self._loop), origin=now, protocol=facts)
        self.phase = Phase.OPEN
        self.subprotocol = self.protocol.subprotocol
        assert self.transport is not None
        self.timeline.port = port_of(self.transport.get_extra_info("sockname"))
        health.watch(self._loop, self.timeline, self.transport.get_extra_info("socket"))

    def send_handshake(self) -> None:
        """Send what the sans-I/O layer has ready before the connection is open."""
        assert self.transport is not None
        for data in self.protocol.data_to_send():
            if data == SEND_EOF:
                self._write_eof()
            else:
                self._write(data)

    # Receiving.

    def _short_frame(self, opcode: int, data: bytes) -> None:
        """What `_process` does, without the sans-I/O layer."""
        now = self._loop.time()
        if opcode >= _CLOSE:
            self._control_frame(now, opcode, data)
        elif opcode == _TEXT:
            try:
                text = str(data, "utf-8")
            except UnicodeDecodeError as exc:
                self._record_broken(now, opcode, len(data))
                self._refuse_text(exc)
            else:
                self.messages.message(now, opcode, len(data), text)
        else:
            self.messages.message(now, opcode, len(data), data)
        if opcode == _PING and _PONG not in self.withheld and self.phase is _IS_OPEN:
            # RFC 6455, section 5.5.2: a pong in answer, with the ping's payload.
            self._answer_ping(now, short_frames.write(_PONG, data, masked=self._client), len(data))

    def _process(self) -> None:
        """Take what the sans-I/O layer made of the bytes received."""
        now, protocol = self._loop.time(), self.protocol
        try:
            for event in protocol.events_received():
                if isinstance(event, Frame):
                    # Without a timeline the connection did not open.
                    if self.timeline is not None:
                        self._frame(now, int(event.opcode), event.data, fin=event.fin)
                else:
                    self.endpoint.handshake(self, event)
                    # The timeline starts now, and what came with the handshake came after it.
                    now = self._loop.time()
        except UnicodeDecodeError as exc:
            # What came behind it is nobody's (RFC 6455, section 7.1.7).
            self._refuse_text(exc)
        if self.timeline is None and protocol.handshake_exc is not None:
            self.endpoint.handshake(self, None)
        self.flush(now)

    def _refuse_text(self, exc: UnicodeDecodeError) -> None:
        """RFC 6455, section 8.1: text that is not UTF-8 fails the connection."""
        what = f"invalid UTF-8 in a text message: {exc.reason} at position {exc.start}"
        self.fail(1007, what)

    def _frame(self, now: float, opcode: int, data: Payload, *, fin: bool) -> None:
        assert self.timeline is not None
        if opcode < _CLOSE:
            self._data_frame(now, opcode, data, fin=fin)
        else:
            self._control_frame(now, opcode, data)

    def _control_frame(self, now: float, opcode: int, data: Payload) -> None:
        assert self.timeline is not None
        role, key = _NONE, None
        if opcode == _CLOSE:
            self._sign(Sign.CLOSE_RECEIVED)
        else:
            key = bytes(data)
            if opcode == _PONG and self._waiters is not None:
                self._waiters.pong(key)
            if self._beats_with_frames:
                role = self._control_role(opcode, key)
        self.timeline.frame(now, _RECEIVED, opcode, len(data), role, key)
        self.endpoint.received(self, now, opcode, role, key)
        if role is _HEARTBEAT_ANSWER and self.messages.listener is not None:
            self.messages.listener(now, b"", role)

    def _control_role(self, opcode: int, key: bytes) -> Role:
        """Which pings are heartbeats where the profile has no message for them: the client's."""
        if opcode == _PING:
            proof = len(key) == _KEY and key.startswith(PROOF_PREFIX)
            return _NONE if self._client or proof else _HEARTBEAT
        return _HEARTBEAT_ANSWER if self._client and key.startswith(HEARTBEAT_PREFIX) else _NONE

    def _data_frame(self, now: float, opcode: int, data: Payload, *, fin: bool) -> None:
        assert self.timeline is not None
        try:
            assert self._parser is not None
            payload = self._parser.assemble(opcode, data, fin=fin)
        except UnicodeDecodeError:
            self._record_broken(now, opcode, len(data))
            raise
        if payload is None:
            self.timeline.frame(now, _RECEIVED, opcode, len(data), _DATA)
            self.endpoint.received(self, now, opcode, _DATA, None)
        else:
            self.messages.message(now, opcode, len(data), payload)

    def _record_broken(self, now: float, opcode: int, size: int) -> None:
        """A data frame came whose text is none."""
        assert self.timeline is not None
        self.timeline.frame(now, _RECEIVED, opcode, size, _DATA)

    @property
    def awaits_close(self) -> bool:
        """Whether a close frame of this end is not answered yet."""
        return self.protocol.close_sent is not None and self.protocol.close_rcvd is None

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
            if self._taken is not None:
                self._take_bites()
            else:
                self._set_reading()

    async def drain(self) -> None:
        """Wait until the transport takes more bytes."""
        while not self._writable and not self.is_over:
            await self.waiters.wait(Wait.WRITABLE)
        if self.is_over:
            raise self.ended_error()

    # Sending.

    def send_message(
        self,
        payload: str | bytes,
        role: Role = Role.DATA,
        *,
        key: bytes | None = None,
        fin: bool = True,
    ) -> None:
        """
        Put a message, or the first fragment of one, on the wire, whatever the transport's buffer holds.

        RFC 6455, section 5.4: no other message between the fragments of one. The protocol's own then
        wait for its end.

        Args:
            payload: text or bytes.
            role: what it is for.
            key: what tells a heartbeat from its neighbours.
            fin: it is whole.

        Raises:
            RuntimeError: if another message is being sent in fragments.

        """
        self.write_message(self._open_now(), payload, role, key, fin=fin)

    def write_message(
        self, now: float, payload: str | bytes, role: Role, key: bytes | None, *, fin: bool = True
    ) -> None:
        """Do so at an instant of the loop's clock, without a look at whether the connection is open."""
        if self._behind is not None:
            if role is _DATA:
                raise RuntimeError("send() is in the middle of a message in fragments in another task")
            self._behind.append((payload, role, key))
            return
        if isinstance(payload, str):
            opcode, data = _TEXT, payload.encode()
        else:
            opcode, data = _BINARY, bytes(payload)
        transcript = self.messages.transcript
        if transcript is not None and self.timeline is not None:
            if fin:
                transcript.add(now - self.timeline.opened, payload, sent=True)
            else:
                transcript.add_fragment(now - self.timeline.opened, payload, fin=False)
        if fin and self._has_short_frames and len(data) <= short_frames.LONGEST:
            assert self.timeline is not None
            self.timeline.frame(now, _SENT, opcode, len(data), role, key)
            if not self._writable:
                self._count_answers(len(data), role)
            self._write(short_frames.write(opcode, data, masked=self._client))
            return
        (self.protocol.send_text if opcode == _TEXT else self.protocol.send_binary)(data, fin)
        self._sent(now, opcode, len(data), role, key)
        if not fin:
            self._behind = []

    def send_fragment(self, payload: str | bytes, *, fin: bool) -> None:
        """Put a further fragment on the wire."""
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        now = self._open_now()
        transcript = self.messages.transcript
        if transcript is not None and self.timeline is not None:
            transcript.add_fragment(now - self.timeline.opened, payload, fin=fin)
        self.protocol.send_continuation(data, fin)
        self._sent(now, _CONT, len(data), _DATA)
        if fin:
            behind, self._behind = self._behind, None
            for message, role, key in behind or ():
                self.send_message(message, role, key=key)

    def give_message_up(self) -> None:
        """Fail the connection if a message in fragments is under way: nothing else can end one."""
        if self._behind is not None and self.is_open:
            reason = LocalReason.UNFINISHED_MESSAGE
            self.fail(1011, reason.value, reason)

    def _sent(self, now: float, opcode: int, size: int, role: Role, key: bytes | None = None) -> None:
        """Record a data frame, and write it: with nothing else, as control frames never wait to be sent."""
        assert self.timeline is not None
        self.timeline.frame(now, _SENT, opcode, size, role, key)
        self._count_answers(size, role)
        for data in self.protocol.data_to_send():
            self._write(data)

    def _count_answers(self, size: int, role: Role) -> None:
        """Stop reading of a peer that asks and asks, and reads no answer."""
        if not self._writable and role is not _DATA:
            self._answers += size
            if self._answers > MOST_ANSWERS:
                self._set_reading()

    def _write(self, data: bytes) -> None:
        """Give bytes to the transport, unless it is lost: each write would be a warning in the log then."""
        if self._corked is not None:
            self._corked.append(data)
        elif self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)
            if self.timeline is not None and self.timeline.tcp_unseen is None:
                health.wrote(self._loop, self.timeline)

    def _uncork(self) -> None:
        corked, self._corked = self._corked, None
        if corked:
            self._write(b"".join(corked))

    def _answer_ping(self, now: float, pong: bytes, size: int) -> None:
        """
        Write the pong, or keep it while there is no room.

        RFC 6455, section 5.5.3: an endpoint that has not answered earlier pings yet "MAY elect to send a Pong
        frame for only the most recently processed Ping frame".

        """
        if self._writable:
            self._write_pong(now, pong, size)
        else:
            self._pong = pong

    def _write_pong(self, now: float, pong: bytes, size: int) -> None:
        assert self.timeline is not None
        answers = not self._client and self._beats_with_frames
        self._look_at_queue(now)
        self.timeline.frame(now, _SENT, _PONG, size, _HEARTBEAT_ANSWER if answers else _NONE)
        self._write(pong)

    def send_proof(self) -> None:
        """Send the ping at the end of a hold that sees whether the peer is still there."""
        assert self.timeline is not None
        self.send_ping(role=Role.PROOF_OF_LIFE)
        self.timeline.ask_proof(self._loop.time())

    def send_ping(self, data: bytes | None = None, *, role: Role = _NONE) -> bytes:
        """Send a ping frame; the payload is made up when none is given, and returned."""
        self._pings += 1
        if data is None:
            key = _PREFIXES.get(role, KEEPALIVE_PREFIX) + b"%07d" % (self._pings % 10_000_000)
        else:
            key = _control_payload(data, "ping")
        now = self._open_now()
        if not self._has_short_frames:
            self.protocol.send_ping(key)
            self.flush(now, sent=role, key=key)
        else:
            assert self.timeline is not None
            self.timeline.frame(now, _SENT, _PING, len(key), role, key)
            self._write(short_frames.write(_PING, key, masked=self._client))
        return key

    def send_pong(self, data: bytes = b"") -> None:
        """Send a pong frame that nobody asked for (RFC 6455, section 5.5.3); never withheld."""
        data = _control_payload(data, "pong")
        now = self._open_now()
        assert self.timeline is not None
        answers = self._beats_with_frames and self.timeline.end is End.SERVER
        role = _HEARTBEAT_ANSWER if answers else _NONE
        self.timeline.frame(now, _SENT, _PONG, len(data), role, data)
        if self._has_short_frames:
            self._write(short_frames.write(_PONG, data, masked=self._client))
            return
        self.protocol.send_pong(data)
        for chunk in self.protocol.data_to_send():
            self._write(chunk)

    def send_raw(
        self, data: bytes, opcode: Opcode | None, size: int, *, close: CloseFrame | None = None
    ) -> None:
        """
        Write a frame that the sans-I/O layer would refuse, past it.

        Args:
            data: the bytes.
            opcode: for the record; None where the frame has none of RFC 6455.
            size: of the payload.
            close: what it says to the peer if it is a close frame: no second one follows (section 5.5.1).

        """
        assert self.timeline is not None
        if opcode is not None:
            self.timeline.frame(self._loop.time(), _SENT, opcode, size, _NONE)
        self._write(data)
        if close is not None:
            self._sign(Sign.CLOSE_SENT, sent=close)
            self.withheld |= {_CLOSE}

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
                    continue
                if opcode == _PONG:
                    self._answer_ping(now, data, size)
                    continue
                if opcode >= _CLOSE:
                    self._record_control(now, opcode, size, sent, key)
            self._write(data)
        if self._known_end is not None and self._timer is None and self._waits_for_the_end():
            self._timer = self._loop.call_later(CLOSE_TIMEOUT, self._give_up)

    def _keeps_back(self, opcode: int) -> bool:
        """Whether a frame (or FIN) is withheld; of a closing handshake, answers are, and second closes."""
        if opcode not in self.withheld or opcode == _PONG:
            return opcode in self.withheld
        second = opcode == _CLOSE and self._known_end is not None and self._known_end.has_sent_close
        return self.protocol.close_rcvd_then_sent is True or second

    def _waits_for_the_end(self) -> bool:
        return not self._keeps_back(FIN) and self.transport is not None and self.protocol.close_expected()

    def _record_control(self, now: float, opcode: int, size: int, sent: Role, key: bytes | None) -> None:
        assert self.timeline is not None
        if opcode == _CLOSE:
            self._sign(Sign.CLOSE_SENT, sent=close_frame(self.protocol.close_sent))
        self.timeline.frame(now, _SENT, opcode, size, sent, key)

    def _open_now(self) -> float:
        if not self.is_open:
            raise self.ended_error()
        return self._loop.time()

    def _write_eof(self) -> None:
        self._uncork()
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            # A peer that sent FIN may have reset the stream since: ENOTCONN is no news then.
            with suppress(OSError):
                self.transport.write_eof()
        else:
            # TLS has no half-close.
            self.transport.close()

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
            ValueError: for a code that may not stand on the wire, or a reason that is no text or longer than
                123 bytes.

        """
        check_close(code, reason)
        if self.is_open:
            self.explain(local_reason=local_reason, local_detail=local_detail, planned=planned)
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
            self._sign(Sign.FAILED, parser_error=reason)
        else:
            self._sign(Sign.FAILED, local_reason=local_reason)
        self.protocol.fail(code, reason.encode()[:123].decode(errors="ignore"))
        self.resume_reading()
        self.flush(self._loop.time())

    def abort(self, local_reason: LocalReason, local_detail: str | None = None) -> None:
        """Cut the stream without a close frame."""
        if self.transport is not None:
            facts = {"local_reason": local_reason, "local_detail": local_detail}
            self._sign(Sign.CUT, transport=TransportEnd.ABORTED, **facts)
            self.transport.abort()

    def drop(
        self, local_reason: LocalReason, local_detail: str | None = None, *, planned: bool = False
    ) -> None:
        """Close the stream (FIN) without a close frame, as a server does whose read deadline ran out."""
        if self.transport is not None:
            facts = {"local_reason": local_reason, "local_detail": local_detail, "planned": planned or None}
            self._sign(Sign.CUT, transport=TransportEnd.ABORTED, **facts)
            self._uncork()
            self.transport.close()

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """
        Close as planned, and wait for the end of the transport.

        Not long if the connection is over, unless by an earlier call: the peer has its time then.

        """
        timeline, until = self.timeline, None
        if timeline is not None and timeline.close is not None and not self._closes_as_planned():
            until = timeline.opened + timeline.close.at + LINGER
        self.start_close(code, reason, planned=True)
        if not await self.wait_ended(until):
            self.let_go()
            await self.wait_ended()

    def _closes_as_planned(self) -> bool:
        """Whether a closing handshake is under way that this end has planned, and gives up in the end."""
        evidence = self.timeline.close if self.timeline is not None else None
        return evidence is not None and evidence.planned and self._timer is not None

    def let_go(self) -> None:
        """Cut the transport of a connection that is over: whoever leaves TCP open is not waited for."""
        if self.transport is not None:
            self.transport.abort()

    def _give_up(self) -> None:
        if self.transport is not None:
            words = f"the peer did not close within {CLOSE_TIMEOUT:g} s"
            self.explain(local_reason=LocalReason.CLOSE_TIMEOUT, local_detail=words)
            self.transport.abort()

    # Waiting.

    @property
    def waiters(self) -> Waiters:
        """Those who wait for something on this connection."""
        if self._waiters is None:
            self._waiters = Waiters(self._loop)
        return self._waiters

    def wake(self, what: Wait) -> None:
        """It has come, for those who wait for it."""
        if self._waiters is not None:
            self._waiters.release(what)

    async def wait_pong(self, key: bytes, until: float | None = None) -> bool:
        """Wait for the pong with this payload; False when the end or ``until`` comes first."""
        return not self.is_over and await self.waiters.wait_pong(key, until)

    async def wait_session(self, until: float) -> None:
        """Wait for the session's confirmation, the end, or the instant ``until`` of the loop's clock."""
        timeline = self.timeline
        if timeline is not None and timeline.session_confirmed_at is None and not self.is_over:
            await self.waiters.wait(Wait.SESSION, until)

    async def wait_bytes(self, until: float) -> bool:
        """Wait for bytes of the peer; False when the end, or ``until`` of the loop's clock, comes first."""
        return not self.is_over and await self.waiters.wait(Wait.BYTES, until)

    async def wait_over(self, until: float | None = None) -> None:
        """Wait for the end of the connection, or the instant ``until`` of the loop's clock."""
        if not self.is_over:
            await self.waiters.wait(Wait.OVER, until)

    async def wait_flaw(self, until: float | None = None) -> bool:
        """Wait for an error message, or a flaw of the session or the protocol; whether one has come."""
        return not self.is_over and await self.waiters.wait(Wait.FLAW, until)

    async def wait_ended(self, until: float | None = None) -> bool:
        """
        Wait for the end of the transport, which may come long after that of the connection.

        Args:
            until: the reading of the loop's clock at which to stop waiting; None waits for ever.

        Returns:
            Whether the transport has ended.

        """
        if self.transport is not None:
            await self.waiters.wait(Wait.GONE, until)
        return self.transport is None


def _control_payload(data: Payload, name: str) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"{name}: {data!r} is no payload; give at most 125 bytes (RFC 6455, section 5.5)")
    data = bytes(data)
    if len(data) > 125:
        raise ValueError(f"{name}: {len(data)} bytes are too many; at most 125 fit (RFC 6455, section 5.5)")
    return data
