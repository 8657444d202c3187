"""
Unix sockets of the kernel, and whether their other end is on the same loop.

Bytes between two ends of one loop are there as soon as they are sent: the kernel does not delay them. An end
in another thread or process answers in real time, and the clock must not jump past its answer.

"""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from enum import Enum
from typing import Any

# The threads of executors and of anyio, which are counted as jobs; as their makers name them.
_WORKERS = ("asyncio_", "ThreadPoolExecutor-", "AnyIO worker thread")


class _Peer(Enum):
    HERE = "on this loop"
    ELSEWHERE = "in another thread or process"
    # A pair of sockets has no addresses to tell by.
    UNKNOWN = "unknown"


class UnixPeers:
    """The Unix sockets that one loop watches."""

    def __init__(self) -> None:
        # By descriptor; the inode tells a socket from a later one with the same number.
        self._known: dict[int, tuple[int, _Peer]] = {}
        self._watched: set[int] = set()
        # Paths on which this loop listens, and its own connections there that it has not accepted yet.
        self._served: set[Any] = set()
        self._own: Counter[Any] = Counter()
        # Threads that were there before the loop have been given none of its sockets.
        self._bystanders = set(threading.enumerate())

    def connected(self, path: Any) -> None:
        """This loop has connected a socket to a path."""
        self._own[path] += 1

    def pair(self, *sockets: socket.socket) -> None:
        """Both ends of a pair are on this loop."""
        for sock in sockets:
            self._known[sock.fileno()] = (os.fstat(sock.fileno()).st_ino, _Peer.HERE)

    def watch(self, number: int) -> None:
        """The loop waits for bytes on a descriptor."""
        inode = os.fstat(number).st_ino
        known = self._known.get(number)
        if known is None or known[0] != inode:
            peer = self._peer_of(number)
            if peer is None:
                return
            self._known[number] = known = (inode, peer)
        if known[1] is not _Peer.HERE:
            self._watched.add(number)

    def forget(self, number: int) -> None:
        """It does not any more."""
        self._watched.discard(number)

    def _peer_of(self, number: int) -> _Peer | None:
        """Where the other end of a descriptor is; None for what is no Unix socket, or listens."""
        try:
            probe = socket.socket(fileno=number)
        except OSError:
            return None
        try:
            if probe.family != getattr(socket, "AF_UNIX", None):
                return None
            if probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                self._served.add(probe.getsockname())
                return None
            return self._by_addresses(probe)
        finally:
            probe.detach()

    def _by_addresses(self, sock: socket.socket) -> _Peer:
        try:
            far = sock.getpeername()
        except OSError:
            return _Peer.UNKNOWN
        if far:
            return _Peer.HERE if far in self._served else _Peer.ELSEWHERE
        near = sock.getsockname()
        if not near:
            return _Peer.UNKNOWN
        if not self._own[near]:
            return _Peer.ELSEWHERE
        self._own[near] -= 1
        return _Peer.HERE

    def has_threads(self) -> bool:
        """Whether a thread runs that was started since the loop was made, and does no job of an executor."""
        others = set(threading.enumerate()) - self._bystanders - {threading.current_thread()}
        return any(not thread.name.startswith(_WORKERS) for thread in others)

    def leading_out(self) -> list[int]:
        """The descriptors that are watched and have their other end outside, or may have it in a thread."""
        if not self._watched:
            return []
        outside = (_Peer.ELSEWHERE, _Peer.UNKNOWN) if self.has_threads() else (_Peer.ELSEWHERE,)
        return sorted(number for number in self._watched if self._known[number][1] in outside)
