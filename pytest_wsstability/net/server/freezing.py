"""A server that does nothing for a while, as one whose event loop is blocked, though the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..websocket import WebSocket


class Freeze:
    """
    Holds back everything that one server reads, writes and does by itself, and then does it all at once.

    A blocked loop would stop the client of the same test too, which could then notice nothing. So the loop
    goes on, and from outside this server looks blocked: the kernel takes bytes and connections for it, and
    nobody answers.

    """

    def __init__(self) -> None:
        self._frozen: dict[WebSocket, HeldTransport] = {}
        # What was due meanwhile, by what it belongs to; a dict, because a set would have an order of its own.
        self._due: dict[Hashable, Callable[[], object]] = {}
        # Thaws; None while nothing is frozen.
        self._timer: asyncio.TimerHandle | None = None

    def start(self, websockets: Iterable[WebSocket], seconds: float) -> None:
        """Freeze for so long from now on, or longer if that is under way already."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() >= until:
                return
            self._timer.cancel()
        self._timer = loop.call_at(until, self.thaw)
        for websocket in websockets:
            self.add(websocket)

    def add(self, websocket: WebSocket) -> None:
        """Freeze a connection too, if the server is frozen."""
        if self._timer is not None and websocket.transport is not None and websocket not in self._frozen:
            self._frozen[websocket] = websocket.transport = HeldTransport(websocket.transport)
            _mark(websocket, frozen=True)

    def holds(self, owner: Hashable, action: Callable[[], object]) -> bool:
        """Whether the server is frozen; then the action is done after, once for each owner."""
        if self._timer is None:
            return False
        self._due[owner] = action
        return True

    def thaw(self) -> None:
        """Go on: write what was written, read what came, then do what was due, as a loop does."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        frozen, self._frozen = self._frozen, {}
        for websocket, held in frozen.items():
            _mark(websocket, frozen=False)
            if websocket.transport is held:
                websocket.transport = held.inner
            held.release()
        due, self._due = self._due, {}
        loop = asyncio.get_running_loop()
        for action in due.values():
            # Two turns later, when the transports have read.
            loop.call_soon(loop.call_soon, action)


def _mark(websocket: WebSocket, *, frozen: bool) -> None:
    """Note it in the record; one whose handshake is not over has none yet."""
    if websocket.timeline is not None:
        websocket.timeline.frozen = frozen


class HeldTransport(asyncio.Transport):
    """Stands for a transport: keeps what is asked of it until it is released."""

    def __init__(self, inner: asyncio.Transport) -> None:
        super().__init__()
        self.inner = inner
        self._reads = inner.is_reading()
        self._asked: list[Callable[[], object]] = []
        if self._reads:
            inner.pause_reading()

    def release(self) -> None:
        """Do what was asked, in the same order."""
        for ask in self._asked:
            ask()
        if self._reads and not self.inner.is_closing():
            self.inner.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.inner.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self.inner.is_closing()

    def is_reading(self) -> bool:
        return self._reads

    def pause_reading(self) -> None:
        self._reads = False

    def resume_reading(self) -> None:
        self._reads = True

    def write(self, data: Any) -> None:
        self._asked.append(lambda: self.inner.write(data))

    def get_write_buffer_size(self) -> int:
        return self.inner.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        return self.inner.can_write_eof()

    def write_eof(self) -> None:
        self._asked.append(self.inner.write_eof)

    def close(self) -> None:
        self._asked.append(self.inner.close)

    def abort(self) -> None:
        self._asked.append(self.inner.abort)
