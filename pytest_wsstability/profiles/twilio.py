"""
Twilio Media Streams: Twilio is the client, and audio is its sign of life.

Client (Twilio): ``connected``, then ``start`` with the ``streamSid``; nobody confirms it. Then ``media``
each 20 ms. The only question is the server's ``mark``, which comes back when the audio before it has been
played.

"""

from __future__ import annotations

import json

from ..core.timeline.events import End
from .placeholders import SESSION_ID, TEXT_ID
from .profile import Profile
from .templates import Free
from .words import Step

_START = {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}
_CONNECTED = {
    "event": "connected",
    "protocol": Free("Call", optional=True),
    "version": Free("1.0.0", optional=True),
}
_MARK = {"event": "mark", "streamSid": SESSION_ID, "mark": {"name": TEXT_ID}}


def number(message: str | bytes) -> int | None:
    """The sequence number of a message, which Twilio writes as text."""
    if isinstance(message, bytes) or '"sequenceNumber"' not in message:
        return None
    found = json.loads(message).get("sequenceNumber")
    return int(found) if str(found).isdigit() else None


TWILIO = Profile(
    name="twilio",
    title="Twilio Media Streams",
    specification="https://www.twilio.com/docs/voice/media-streams/websocket-messages",
    steps=(
        Step(
            End.CLIENT,
            {
                "event": "connected",
                "protocol": Free("Call", optional=True),
                "version": Free("1.0.0", optional=True),
            },
        ),
    ),
    session_info={
        "event": "start",
        "sequenceNumber": Free("1", optional=True),
        "streamSid": SESSION_ID,
        "start": Free(_START, optional=True),
    },
    ping=_MARK,
    pong=_MARK,
    heartbeats_from="server",
    sequence=number,
)
