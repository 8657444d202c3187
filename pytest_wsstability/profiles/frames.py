"""No application messages at all: the heartbeat is a protocol ping."""

from __future__ import annotations

from .profile import Profile

FRAMES = Profile(name="frames", title="WebSocket frames", specification="RFC 6455, section 5.5.2")
