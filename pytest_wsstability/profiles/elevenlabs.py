"""
ElevenLabs' conversational agents: the server asks with a number, the client answers with the same.

Client: ``conversation_initiation_client_data``. Server: ``conversation_initiation_metadata`` with the
conversation's id. Then ``ping`` of the server, with an ``event_id`` that the ``pong`` carries back. Each
connection is a conversation of its own.

"""

from __future__ import annotations

from .placeholders import ID, SESSION_ID
from .profile import Profile
from .templates import Free

ELEVENLABS = Profile(
    name="elevenlabs",
    title="ElevenLabs Agents",
    specification="https://elevenlabs.io/docs/agents-platform/libraries/web-sockets",
    session_info={
        "type": "conversation_initiation_client_data",
        "conversation_config_override": Free({}, optional=True),
    },
    session_confirmed={
        "type": "conversation_initiation_metadata",
        "conversation_initiation_metadata_event": {
            "conversation_id": SESSION_ID,
            "agent_output_audio_format": Free("pcm_16000", optional=True),
            "user_input_audio_format": Free("pcm_16000", optional=True),
        },
    },
    ping={"type": "ping", "ping_event": {"event_id": ID, "ping_ms": Free(50, optional=True)}},
    pong={"type": "pong", "event_id": ID},
    heartbeats_from="server",
    proved_with=("elevenlabs 2.78 (client)",),
)
