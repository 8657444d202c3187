"""One WebSocket connection, either role: messages and pings over a `Stream` of frames."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import State

from ..core.judge.numbering import Numbers
from ..core.timeline.close import LocalReason
from ..core.timeline.events import Direction, Opcode, Role
from . import short_frames
from .inbox import Assembly, Inbox
from .stream import Stream
from .waiters import Wait

if TYPE_CHECKING:
    from websockets.server import ServerProtocol

    from ..profiles import Profile
    from .endpoint import Endpoint

# Pings of the plugin: 8 bytes, because a server was seen to cut longer payloads in its pongs.
HEARTBEAT_PREFIX = b"h"
KEEPALIVE_PREFIX = b"k"

# Looked up once and not for each frame.
_CLOSE, _PING, _PONG = int(Opcode.CLOSE), int(Opcode.PING), int(Opcode.PONG)
_CONT = int(Opcode.CONT)
_TEXT, _BINARY = int(Opcode.TEXT), int(Opcode.BINARY)
_SENT, _RECEIVED, _NONE, _DATA = Direction.SENT, Direction.RECEIVED, Role.NONE, Role.DATA
_CONFIRMED, _HEARTBEAT, _OPEN = Role.SESSION_CONFIRMED, Role.HEARTBEAT, State.OPEN

# What the sans-I/O layer gives as the payload of a frame.
Payload: TypeAlias = bytes | bytearray | memoryview


class WebSocket(Stream):
    """
    Frames in, frames out, each one on the timeline.

    Made by `connect` and by the `Orchestrator`; `Connection` is what users see of it.

    """

    __slots__ = ("_assembly", "_behind", "_client", "_pings", "_unread", "endpoint", "inbox", "numbers")

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        endpoint: Endpoint,
        profile: Profile,
        *,
        loop: asyncio.AbstractEventLoop,
        inbox: int,
    ) -> None:
        super().__init__(protocol, profile, loop)
        self.endpoint = endpoint
        self.inbox = Inbox(inbox)
        # A message whose first fragments are there; None between messages.
        self._assembly: Assembly | None = None
        # Messages that wait for the last fragment of one that is being sent; None while there is none.
        self._behind: list[tuple[str | bytes, Role]] | None = None
        self._pings = 0
        self._client = isinstance(protocol, ClientProtocol)
        # Bytes that the sans-I/O layer has of a frame that is not whole, 0 between frames; None where it
        # reads and writes every frame, short ones too.
        self._unread: int | None = None
        # The numbers that messages received carry; None until the first.
        self.numbers: Numbers | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.endpoint.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.inbox.release()
        self.endpoint.ended(self)

    # Receiving.

    def data_received(self, data: bytes) -> None:
        if self._unread == 0 and self._assembly is None and self.protocol.state is _OPEN:
            short = short_frames.read(data, masked=not self._client)
            if short is not None:
                self._short_frame(*short)
                return
        was_open = self.timeline is not None
        self.protocol.receive_data(data)
        read = self._process()
        if self._unread is not None:
            self._unread += len(data) - read
        elif not was_open and self.timeline is not None and short_frames.are_possible(self.protocol):
            behind = short_frames.behind_head(data)
            self._unread = None if behind is None else behind - read

    def _short_frame(self, opcode: int, data: bytes) -> None:
        """What `_process` does, without the sans-I/O layer."""
        now = self._loop.time()
        try:
            self._frame(now, opcode, data, fin=True)
        except UnicodeDecodeError as exc:
            self._refuse_text(exc)
        if opcode == _PING and _PONG not in self.withheld and self.is_open:
            # RFC 6455, section 5.5.2: a pong in answer, with the ping's payload.
            self._record_control(now, _PONG, len(data), _NONE, None)
            assert self.transport is not None
            self.transport.write(short_frames.write(_PONG, data, masked=self._client))

    def _process(self) -> int:
        now, protocol, read = self._loop.time(), self.protocol, 0
        try:
            for event in protocol.events_received():
                if isinstance(event, Frame):
                    read += short_frames.wire_size(len(event.data), masked=not self._client)
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
        return read

    def _refuse_text(self, exc: UnicodeDecodeError) -> None:
        """RFC 6455, section 8.1: text that is not UTF-8 fails the connection."""
        what = f"invalid UTF-8 in a text message: {exc.reason} at position {exc.start}"
        self.fail(1007, what)

    def _frame(self, now: float, opcode: int, data: Payload, *, fin: bool) -> None:
        assert self.timeline is not None
        if opcode < _CLOSE:
            self._data_frame(now, opcode, data, fin=fin)
            return
        role, key = _NONE, None
        if opcode == _CLOSE:
            self._close_frame(now)
        else:
            key = bytes(data)
            if opcode == _PONG and self._waiters is not None:
                self._waiters.pong(key)
            if self.profile.heartbeat_is_frame:
                role = self._control_role(opcode, key)
        self.timeline.frame(now, _RECEIVED, opcode, len(data), role, key)
        self.endpoint.received(self, now, opcode, role, key)

    def _control_role(self, opcode: int, key: bytes) -> Role:
        """Which pings are heartbeats where the profile has no message for them: the client's."""
        if opcode == _PING:
            return _NONE if self._client else _HEARTBEAT
        return Role.HEARTBEAT_ANSWER if self._client and key.startswith(HEARTBEAT_PREFIX) else _NONE

    def _data_frame(self, now: float, opcode: int, data: Payload, *, fin: bool) -> None:
        assert self.timeline is not None
        try:
            payload = self._assemble(opcode, data, fin=fin)
        except UnicodeDecodeError:
            self.timeline.frame(now, _RECEIVED, opcode, len(data), _DATA)
            raise
        role, session_id = (_DATA, None) if payload is None else self.profile.read(payload)
        self.timeline.frame(now, _RECEIVED, opcode, len(data), role)
        self.endpoint.received(self, now, opcode, role, None)
        if payload is None:
            return
        if role is not _DATA:
            self.endpoint.message(self, role, session_id)
            self._session_step(role)
            return
        if self.timeline.session_info_at is None and self.profile.has_session:
            self.endpoint.stranger(self, payload)
        if self.profile.sequence is not None:
            self._count(payload)
        if (self.inbox.full and self._awaits_close()) or not self.inbox.put(payload):
            # Nobody takes messages here, or they would keep the peer's close frame out.
            self.timeline.dropped_reads += 1
        elif self.inbox.full:
            self.pause_reading()

    def _count(self, payload: str | bytes) -> None:
        number: int | str | None = None
        error: str | None = None
        try:
            number = self.profile.number(payload)
        except Exception as exc:
            # The user's function runs here; what it raises is told when somebody asks for the numbers.
            error = repr(exc)[:200]
        if number is None and error is None:
            return
        if self.numbers is None:
            self.numbers = Numbers()
        if number is not None:
            self.numbers.add(number)
        self.numbers.error = self.numbers.error or error

    def _awaits_close(self) -> bool:
        return self.protocol.close_sent is not None and self.protocol.close_rcvd is None

    def _assemble(self, opcode: int, data: Payload, *, fin: bool) -> str | bytes | None:
        """The message that a data frame completes; None when more fragments follow."""
        if self._assembly is None:
            if fin:
                return str(data, "utf-8") if opcode == _TEXT else bytes(data)
            self._assembly = Assembly(text=opcode == _TEXT)
        payload = self._assembly.add(data, fin=fin)
        if payload is not None:
            self._assembly = None
        return payload

    async def receive(self) -> str | bytes:
        """The next application message; see `Connection.recv`."""
        while not self.inbox:
            if self.transport is None:
                raise self.ended_error()
            await self.inbox.wait(self._loop)
        message = self.inbox.take()
        timeline = self.timeline
        if timeline is not None and timeline.paused and self.inbox.low and not timeline.deliberately_stalled:
            self.resume_reading()
        return message

    # Sending.

    def send_message(self, payload: str | bytes, role: Role = Role.DATA, *, fin: bool = True) -> None:
        """
        Put a message, or the first fragment of one, on the wire, whatever the transport's buffer holds.

        RFC 6455, section 5.4: no other message between the fragments of one. The profile's own then
        wait for its end.

        Raises:
            RuntimeError: if another message is being sent in fragments.

        """
        if self._behind is not None and self.is_open:
            if role is Role.DATA:
                raise RuntimeError("send() is in the middle of a message in fragments in another task")
            self._behind.append((payload, role))
            return
        text = isinstance(payload, str)
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        now, opcode = self._open_now(), _TEXT if text else _BINARY
        if fin and self._unread is not None and len(data) <= short_frames.LONGEST:
            assert self.timeline is not None
            assert self.transport is not None
            self.timeline.frame(now, _SENT, opcode, len(data), role)
            self.transport.write(short_frames.write(opcode, data, masked=self._client))
            return
        (self.protocol.send_text if text else self.protocol.send_binary)(data, fin)
        self._sent(now, opcode, len(data), role)
        if not fin:
            self._behind = []

    def send_fragment(self, payload: str | bytes, *, fin: bool) -> None:
        """Put a further fragment on the wire."""
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        now = self._open_now()
        self.protocol.send_continuation(data, fin)
        self._sent(now, _CONT, len(data), _DATA)
        if fin:
            behind, self._behind = self._behind, None
            for message, role in behind or ():
                self.send_message(message, role)

    def give_message_up(self) -> None:
        """Fail the connection if a message in fragments is under way: nothing else can end one."""
        if self._behind is not None and self.is_open:
            reason = LocalReason.UNFINISHED_MESSAGE
            self.fail(1011, reason.value, reason)

    def _sent(self, now: float, opcode: int, size: int, role: Role) -> None:
        """Record a data frame, and write it: with nothing else, as control frames never wait to be sent."""
        assert self.timeline is not None
        assert self.transport is not None
        self.timeline.frame(now, _SENT, opcode, size, role)
        for data in self.protocol.data_to_send():
            self.transport.write(data)

    def send_profile(self, role: Role, session_id: str | None = None) -> None:
        """Send the profile's message of a role."""
        payload = self.profile.say(role, session_id)
        if payload is not None:
            self.send_message(payload, role)
            self._session_step(role)

    def _session_step(self, role: Role) -> None:
        if role is _CONFIRMED and self._waiters is not None:
            self._waiters.release(Wait.SESSION)

    def send_ping(self, data: bytes | None = None, *, heartbeat: bool = False) -> bytes:
        """Send a ping frame; the payload is made up when none is given, and returned."""
        self._pings += 1
        prefix = HEARTBEAT_PREFIX if heartbeat else KEEPALIVE_PREFIX
        key = data if data is not None else prefix + b"%07d" % (self._pings % 10_000_000)
        _check_control(key, "ping")
        now, role = self._open_now(), _HEARTBEAT if heartbeat else _NONE
        if self._unread is None:
            self.protocol.send_ping(key)
            self.flush(now, sent=role, key=key)
        else:
            assert self.transport is not None
            self._record_control(now, _PING, len(key), role, key)
            self.transport.write(short_frames.write(_PING, key, masked=self._client))
        return key

    def send_pong(self, data: bytes = b"") -> None:
        """Send a pong frame that nobody asked for (RFC 6455, section 5.5.3); never withheld."""
        _check_control(data, "pong")
        now = self._open_now()
        withheld, self.withhold_pongs = self.withhold_pongs, False
        try:
            self.protocol.send_pong(data)
            self.flush(now)
        finally:
            self.withhold_pongs = withheld


def _check_control(data: bytes, name: str) -> None:
    if len(data) > 125:
        raise ValueError(f"{name}: {len(data)} bytes are too many; at most 125 fit (RFC 6455, section 5.5)")
