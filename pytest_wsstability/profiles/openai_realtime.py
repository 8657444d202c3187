"""
OpenAI's Realtime API: a session that the server names, for an hour.

Server: ``session.created`` with the session's id. Client: ``session.update``. Server:
``session.updated``. There are no heartbeats but ping frames. After an hour the server ends the
connection; nothing is resumed.

"""

from __future__ import annotations

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from .placeholders import SESSION_ID
from .profile import Profile
from .templates import Free

OPENAI_REALTIME = Profile(
    name="openai-realtime",
    title="OpenAI Realtime",
    specification="https://platform.openai.com/docs/guides/realtime-websocket",
    greeting={"type": "session.created", "session": {"id": SESSION_ID}},
    session_info={"type": "session.update", "session": Free({"type": "realtime"})},
    session_confirmed=(
        {"type": "session.updated", "session": {"id": SESSION_ID}},
        {"type": "session.updated"},
    ),
    error={"type": "error", "error": Free({"message": "an error"}, optional=True)},
    max_age=3600,
    timers=(
        ProtocolTimer(
            name="OpenAI's limit of 60 minutes a session",
            by=End.SERVER,
            awaits=Awaited.AGE,
            seconds=3600,
            code=1001,
            also=(1000, 1006),
            words=("maximum duration", "session_expired"),
            remedy="open another session before the hour is over, and give it the conversation",
            source="strandsagents and livekit-agents, sources",
        ),
    ),
    proved_with=("openai 3.57 (client)",),
)
