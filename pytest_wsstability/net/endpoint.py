"""What the two roles do differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..core.timeline.events import Role

if TYPE_CHECKING:
    from websockets.http11 import Request, Response

    from .websocket import WebSocket


class Endpoint(Protocol):
    """One role's half of a connection: the `WebSocket` calls it, it has no I/O of its own."""

    def connected(self, websocket: WebSocket) -> None:
        """The transport is there."""

    def handshake(self, websocket: WebSocket, event: Request | Response | None) -> None:
        """The peer's half of the opening handshake came; None when it can't come any more."""

    def received(self, websocket: WebSocket, now: float, opcode: int, role: Role, key: bytes | None) -> None:
        """A frame came; its role is that of the message it completes, its key a ping's or pong's payload."""

    def message(self, websocket: WebSocket, role: Role, session_id: str | None) -> None:
        """A message of the profile came, such as a heartbeat."""

    def stranger(self, websocket: WebSocket, payload: str | bytes) -> None:
        """A message that is not the profile's came before session_info, where there are sessions."""

    def ended(self, websocket: WebSocket) -> None:
        """The transport is gone; the evidence is in the timeline, if the connection was open at all."""
