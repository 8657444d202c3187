"""Application protocols: who greets, who pings, what confirms. Data and functions, no I/O."""

from __future__ import annotations

from .builtin import FRAMES, JSON
from .profile import SESSION_ID, Message, Profile

BUILTIN = {profile.name: profile for profile in (JSON, FRAMES)}

__all__ = ["BUILTIN", "FRAMES", "JSON", "SESSION_ID", "Message", "Profile"]
