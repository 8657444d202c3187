"""What the servers here speak."""

from __future__ import annotations

from pytest_wsstability.profiles import JSON, Profile

BEATS = JSON.replace(name="beats", greeting=None, session_info=None, session_confirmed=None)
"""Heartbeats in JSON, and no session."""

ENGINE_IO = Profile(name="engine.io", ping="2", pong="3")
"""Engine.IO's heartbeats, protocol version 4: the server asks with ``2``, the client answers with ``3``."""
