"""One connection through a proxy: two transports with a link between them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from .channel import Channel
from .link import Link

# A transport takes what it is given, and then asks for a pause; to cut bytes up for it would copy them.
_ROOM = 2**30
# SO_LINGER with a time of 0 makes close() send RST (socket(7)).
_LINGER_0 = struct.pack("ii", 1, 0)


class RelayProtocol(asyncio.Protocol):
    """
    One of the two transports: the sender of the channel that leads away, and the receiver of the other.

    No task of its own. It lives until both directions have ended, or one was reset.

    Args:
        on_connect: called when the transport is there.
        on_lost: called when the transport is gone.

    """

    __slots__ = (
        "_early", "_finished", "_on_connect", "_on_lost", "_received_fin", "_writable",
        "away", "here", "transport",
    )  # fmt: skip

    def __init__(
        self, on_connect: Callable[[RelayProtocol], object], on_lost: Callable[[RelayProtocol], object]
    ) -> None:
        self._on_connect, self._on_lost = on_connect, on_lost
        # None before there is a connection, and once it is gone.
        self.transport: asyncio.Transport | None = None
        # The channels that lead away from here, and to here; None until the other side is there too.
        self.away: Channel | None = None
        self.here: Channel | None = None
        # What came before that; None while nothing did.
        self._early: bytes | None = None
        self._writable = True
        # FIN came from the peer; FIN went to the peer.
        self._received_fin = False
        self._finished = False

    # The transport's callbacks.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, because uvloop's transports are none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)
        # Until the other side is there too, what the peer says waits in the kernel. (uvloop reads on.)
        self.transport.pause_reading()
        self._on_connect(self)

    def data_received(self, data: bytes) -> None:
        if self.away is None:
            # One that gets an answer of ours instead of a server's: nobody reads what it says.
            if not self._finished:
                self._early = (self._early or b"") + data
                self._pause()
            return
        self.away.data(data)
        if not self.away.room():
            self._pause()

    def eof_received(self) -> bool:
        self._received_fin = True
        if self.away is not None:
            self.away.fin()
        # Half-closed, until the other direction ends too.
        return not self._close_if_done()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.away is not None and not self._received_fin:
            (self.away.fin if exc is None else self.away.reset)()
        elif self.away is not None and exc is not None:
            # It had said that it would send no more, and now takes no more either.
            self.away.refuse()
        self._on_lost(self)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self.here is not None:
            self.here.pump()

    def _pause(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.pause_reading()

    def start(self, away: Channel, here: Channel) -> None:
        """The other side is there too: let bytes flow, those that came early first."""
        self.away, self.here = away, here
        early, self._early = self._early, None
        if early:
            away.data(early)
        if self._received_fin:
            away.fin()
        self.more()

    # What the channels do (see `Sender` and `Receiver`).

    def more(self) -> None:
        """There is room again in the channel that leads away."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def room(self) -> int:
        """What the transport takes; one that is gone takes all, and it is lost."""
        return _ROOM if self._writable else 0

    def data(self, data: bytes) -> None:
        """Write."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def fin(self) -> None:
        """Close this direction."""
        self._finished = True
        if self.transport is not None and not self.transport.is_closing():
            # A peer that has reset the connection meanwhile: ENOTCONN is no news then.
            with suppress(OSError):
                self.transport.write_eof()
        self._close_if_done()

    def reset(self) -> None:
        """Cut the connection with RST."""
        if self.transport is None:
            return
        # One that is being closed may have no descriptor any more, and its number another owner (uvloop).
        if not self.transport.is_closing():
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self.transport.abort()

    def _close_if_done(self) -> bool:
        done = self._finished and self._received_fin
        if done and self.transport is not None:
            self.transport.close()
        return done


def join(link: Link, client: RelayProtocol, server: RelayProtocol) -> None:
    """Let bytes flow between two transports over a link made for them."""
    client.start(link.upstream, link.downstream)
    server.start(link.downstream, link.upstream)
