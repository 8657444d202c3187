"""Application protocols: who greets, who pings, what confirms. Data and functions, no I/O."""

from __future__ import annotations

from .profile import Message, Profile
from .builtin import FRAMES, JSON

BUILTIN = {profile.name: profile for profile in (JSON, FRAMES)}

__all__ = ["BUILTIN", "FRAMES", "JSON", "Message", "Profile"]
