"""A server of the measure's own: frames by hand, timers by the loop, and whatever misbehaviour is drawn."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import re
import socket
import struct
from collections.abc import Callable

from .systems import Ending, Server

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x1, 0x2, 0x8, 0x9, 0xA
# Seconds over which messages are counted for a rate.
_RATE = 10.0


def frame(opcode: int, payload: bytes) -> bytes:
    """A server's frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    head = (
        struct.pack("!BBH", 0x80 | opcode, 126, size)
        if size < 65536
        else struct.pack("!BBQ", 0x80 | opcode, 127, size)
    )
    return head + payload


class Host:
    """The server's process: what all its connections share."""

    def __init__(self, plan: Server, seed: int) -> None:
        self.plan = plan
        self.rng = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        # By the number of the connection.
        self.peers: dict[int, Peer] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; gives the port."""
        self._server = await self.loop.create_server(lambda: Peer(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        event = self.plan.event
        if event is not None:
            self.loop.call_at(self.began + event.at, self._strike_all)
        return port

    async def stop(self) -> None:
        """Listen no more, and end what is left."""
        assert self._server is not None
        self._server.close()
        for peer in self.peers.values():
            peer.stop()

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return self.loop.time() - self.began

    def free_at(self) -> float:
        """The clock's reading from which on the loop runs: later than now while it stands still."""
        now = self.now
        for start, lasts in self.plan.blocks:
            if start <= now < start + lasts:
                return self.began + start + lasts
        return self.loop.time()

    def at(self, when: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Call at a reading of the clock, or as soon as the loop runs again."""

        def run() -> None:
            free = self.free_at()
            if free > self.loop.time():
                self.loop.call_at(free, run)
            else:
                call()

        late = self.rng.uniform(0, self.plan.load) if self.plan.load else 0.0
        return self.loop.call_at(when + late, run)

    def _strike_all(self) -> None:
        event = self.plan.event
        assert event is not None
        for peer in list(self.peers.values()):
            if self.rng.random() < event.share:
                after = self.rng.uniform(0, event.lasts)
                self.loop.call_later(after, peer.end, event.ending, event.tag)


class Peer(asyncio.Protocol):
    """One connection of the server."""

    def __init__(self, host: Host) -> None:
        self.host, self.plan, self.loop = host, host.plan, host.loop
        self.number = -1
        # Why it ended the connection: a tag of the oracle; empty while it has not, or did not itself.
        self.tag = ""
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._open = False
        self._over = False
        self._reading = True
        self._handles: list[asyncio.TimerHandle] = []
        self._opened = 0.0
        # Readings of the clock: whatever arrived, data, pongs; and the pings that are not answered.
        self._heard = self._data = self._ponged = 0.0
        self._asked: dict[bytes, float] = {}
        self._pings = 0
        self._beat_at: float | None = None
        self._messages: list[float] = []
        self._count = 0

    # The transport's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop()

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._when_free(self._read)

    def _when_free(self, call: Callable[[], None]) -> None:
        free, late = self.host.free_at(), self.plan.load
        if free > self.loop.time():
            self.loop.call_at(free, call)
        elif late and self._open:
            self.loop.call_later(self.host.rng.uniform(0, late), call)
        else:
            call()

    def stop(self) -> None:
        """Forget the connection."""
        self._over = True
        for handle in self._handles:
            handle.cancel()
        if self._transport is not None:
            self._transport.abort()

    # Reading.

    def _read(self) -> None:
        if self._over or self.host.now >= self.plan.deaf_from:
            return
        if not self._open:
            if b"\r\n\r\n" not in self._buffer:
                return
            head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            self._buffer[:] = rest
            self._accept(head.decode("latin-1"))
        while (found := self._frame()) is not None and not self._over:
            self._take(*found)

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 6:
            return None
        size, at = buffer[1] & 0x7F, 2
        if size == 126:
            size, at = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < at + 4 + size:
            return None
        opcode, mask = buffer[0] & 0x0F, bytes(buffer[at : at + 4])
        masked = bytes(buffer[at + 4 : at + 4 + size])
        del buffer[: at + 4 + size]
        long = int.from_bytes(masked, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return opcode, long.to_bytes(size, "big")

    def _accept(self, head: str) -> None:
        key = re.search(r"(?i)sec-websocket-key: *(\S+)", head)
        path = re.search(r"GET /(\d+)", head)
        assert key is not None
        assert path is not None
        self.number = int(path[1])
        self.host.peers[self.number] = self
        accept = base64.b64encode(hashlib.sha1((key[1] + _GUID).encode()).digest()).decode()
        self._write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        self._open, self._opened = True, self.loop.time()
        self._heard = self._data = self._ponged = self._opened
        self._say({"type": "connection_established"}, greeting=True)
        self._start()

    def _start(self) -> None:
        plan = self.plan
        for every, call in (
            (plan.ping_every, self._ping),
            (plan.push_every, self._push),
            (plan.beat_every, self._beat),
        ):
            if every is not None:
                self._every(every, call)
        if plan.deadline is not None:
            self._watch()
        for age, call in (
            (self._ticked(plan.closes_at), lambda: self.end(plan.ending, plan.close_tag)),
            (plan.returns_at, lambda: self.end(plan.ending, plan.close_tag)),
            (plan.garbage_at, self._garbage),
            (plan.half_frame_at, lambda: self._write(b"\x82\x7e\x10\x00half")),
            (plan.notice_at, lambda: self._say({"type": "go_away"})),
        ):
            if age is not None:
                self._at(self._opened + age, call)

    def _ticked(self, age: float | None) -> float | None:
        """The age at which it looks at this one."""
        return age if age is None else self._tick(self._opened + age) - self._opened

    def _at(self, when: float, call: Callable[[], None]) -> None:
        def run() -> None:
            if not self._over:
                call()

        self._handles.append(self.host.at(when, run))

    def _every(self, every: float, call: Callable[[], None], since: float | None = None) -> None:
        when = (self._opened if since is None else since) + every

        def run() -> None:
            call()
            self._every(every, call, when)

        self._at(when, run)

    def _take(self, opcode: int, payload: bytes) -> None:
        now = self.loop.time()
        self._heard = now
        if self.plan.any_is_pong:
            self._asked.clear()
        if opcode == _CLOSE:
            self._write(frame(_CLOSE, payload[:2]))
            self._shut()
        elif opcode == _PING:
            if self.host.now < self.plan.pongless_from:
                self._write(frame(_PONG, payload))
        elif opcode == _PONG:
            self._ponged = now
            if not self.plan.misses_pongs and payload in self._asked:
                self._asked.clear()
        else:
            self._data = now
            self._message(payload)

    def _message(self, payload: bytes) -> None:
        plan, now = self.plan, self.loop.time()
        told = payload[:200]
        if b'"session_info"' in told:
            if plan.confirms:
                self._say({"type": "session_confirmed", "session_id": json.loads(payload)["session_id"]})
            return
        if payload == b"3":
            self._beat_at = None
            return
        if plan.size_limit is not None and len(payload) > plan.size_limit:
            self.end(plan.ending, plan.close_tag)
            return
        self._count += 1
        if plan.fails_on is not None and self._count >= plan.fails_on:
            self.end(plan.ending, plan.close_tag)
            return
        if plan.rate_limit is not None:
            self._messages = [at for at in self._messages if now - at < _RATE] + [now]
            if len(self._messages) > plan.rate_limit:
                self.end(plan.ending, plan.close_tag)
                return
        if self.host.now >= plan.zombie_from:
            return
        if b'"ping"' in told and plan.answers:
            self._say({"type": "pong"})

    # Speaking.

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._over:
            self._transport.write(data)
            limit = self.plan.queue_limit
            if limit is not None and self._transport.get_write_buffer_size() > limit:
                self.end(self.plan.ending, self.plan.close_tag)

    def _say(self, message: dict[str, str], *, greeting: bool = False) -> None:
        self._write(frame(_TEXT, json.dumps(message).encode()))

    def _push(self) -> None:
        if self.loop.time() - self._opened <= self.plan.push_until and self.host.now < self.plan.zombie_from:
            self._write(frame(_BINARY, b"x" * self.plan.push_size))

    def _ping(self) -> None:
        self._pings += 1
        payload = b"%d" % self._pings
        timeout = self.plan.ping_timeout
        self._write(frame(_PING, payload))
        if timeout is not None:
            self._asked[payload] = self.loop.time()
            self._at(self._tick(self.loop.time() + timeout), lambda: self._missing(payload))

    def _missing(self, payload: bytes) -> None:
        if payload in self._asked:
            self.end(self.plan.timer_ending, self.plan.timer_tag)

    def _tick(self, when: float) -> float:
        """The next instant at which it looks, for all connections."""
        tick = self.plan.tick
        return when if not tick else self.host.began - (-(when - self.host.began) // tick) * tick

    def _beat(self) -> None:
        self._write(frame(_TEXT, b"2"))
        if self._beat_at is None:
            self._beat_at = self.loop.time()
        asked = self._beat_at

        def missing() -> None:
            if self._beat_at == asked:
                self.end(self.plan.timer_ending, self.plan.timer_tag)

        self._at(self.loop.time() + self.plan.beat_timeout, missing)

    def _watch(self) -> None:
        assert self.plan.deadline is not None
        last = {"any": self._heard, "data": self._data, "pong": self._ponged}[self.plan.deadline_counts]
        due = last + self.plan.deadline
        if self.loop.time() >= due - 1e-9:
            self.end(self.plan.timer_ending, self.plan.timer_tag)
        else:
            self._at(self._tick(due), self._watch)

    def _garbage(self) -> None:
        self.tag = self.plan.close_tag
        self._write(self.plan.garbage)
        self._at(self.loop.time() + 0.2, self._shut)

    # Ending.

    def end(self, ending: Ending, tag: str) -> None:
        """End the connection."""
        if self._over or not self._open or self.tag:
            return
        self.tag = tag
        assert self._transport is not None
        if ending.style == "close":
            body = b"" if ending.code is None else struct.pack("!H", ending.code) + ending.words.encode()
            self._write(frame(_CLOSE, body))
            self.loop.call_later(0.5, self._shut)
        elif ending.style == "fin":
            self._shut()
        else:
            # A socket that lingers for no time is closed with RST: socket(7).
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self._shut()

    def _shut(self) -> None:
        if self._transport is not None and not self._over:
            self._over = True
            self._transport.close()
