"""What the reference server says to requests of a client that are no part of a session, or of heartbeats."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...core.timeline.events import Role
from ...core.timeline.flaws import Flaw

if TYPE_CHECKING:
    from ..connection import Connection
    from ..websocket import WebSocket


def reply_to(connection: Connection) -> None:
    """Say from now on what the profile has for the requests of a client."""
    connection.websocket.messages.listener = partial(_reply, connection.websocket)


def _reply(websocket: WebSocket, now: float, payload: str | bytes, role: Role) -> bool:
    profile = websocket.profile
    if role is not Role.DATA or profile.reply is None or not websocket.is_open:
        return False
    try:
        # The user's function runs here, and its text may have half of a surrogate pair, which UTF-8 has not.
        said = profile.reply(payload, websocket.conversation.began)
        if isinstance(said, str | bytes):
            websocket.write_message(now, said, Role.DATA, None)
            return False
        what = None if said is None else f"gave {said!r:.80}, no text or bytes,"
    except Exception as exc:
        what = f"raised {exc!r}"
    if what is not None:
        detail = f"reply of the profile {profile.name!r} {what} for {payload[:80]!r}"
        websocket.messages.flawed(Flaw.FUNCTION, detail)
    return False
