"""
JSON text messages, and heartbeats that the client sends: the protocol of voice agents' pages.

Server: ``connection_established``. Client: ``session_info`` with its ``session_id``. Server:
``session_confirmed``. Then the client's ``ping`` is answered with ``pong``.

"""

from __future__ import annotations

from .placeholders import SESSION_ID
from .profile import Profile

JSON = Profile(
    name="json",
    title="JSON messages",
    greeting={"type": "connection_established"},
    session_info={"type": "session_info", "session_id": SESSION_ID},
    session_confirmed={"type": "session_confirmed", "session_id": SESSION_ID},
    ping={"type": "ping"},
    pong={"type": "pong"},
    sequence="seq",
)
