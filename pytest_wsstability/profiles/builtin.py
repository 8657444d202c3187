"""The profiles that come with the package."""

from __future__ import annotations

from .profile import SESSION_ID, Profile

JSON = Profile(
    name="json",
    greeting={"type": "connection_established"},
    session_info={"type": "session_info", "session_id": SESSION_ID},
    session_confirmed={"type": "session_confirmed", "session_id": SESSION_ID},
    ping={"type": "ping"},
    pong={"type": "pong"},
    sequence="seq",
)
"""
The protocol of voice agents' pages: JSON text messages, and heartbeats that the client sends.

Server: ``connection_established``. Client: ``session_info`` with its ``session_id``. Server:
``session_confirmed``. Then the client's ``ping`` is answered with ``pong``.

"""

FRAMES = Profile(name="frames")
"""No application messages and no session: the heartbeat is a protocol ping (RFC 6455, section 5.5.2)."""
