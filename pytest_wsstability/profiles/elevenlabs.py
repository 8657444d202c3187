"""
ElevenLabs' conversational agents: the server asks with a number, the client answers with the same.

Client: ``conversation_initiation_client_data``. Server: ``conversation_initiation_metadata`` with the
conversation's id. Then ``ping`` of the server, with an ``event_id`` that the ``pong`` carries back. Each
connection is a conversation of its own.

Speech goes up as ``user_audio_chunk`` (16 bit, 16 kHz, base64), and nobody says when it has ended; what was
understood, the answer's text and audio come back, and ``interruption`` where the user speaks over it. Nobody
says that an answer is whole.

"""

from __future__ import annotations

from .audio import Audio
from .placeholders import AUDIO, ID, SESSION_ID, TEXT, TURN
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
    audio=Audio(
        speech={"user_audio_chunk": AUDIO},
        final={"type": "user_transcript", "user_transcription_event": {"user_transcript": TEXT}},
        token={"type": "agent_chat_response_part", "text_response_part": {"type": "delta", "text": TEXT}},
        # Said once, with the first audio.
        answer_text={"type": "agent_response", "agent_response_event": {"agent_response": TEXT}},
        tool_call={"type": "client_tool_call"},
        # A client throws away audio with a number that is not above that of the last interruption.
        answer={"type": "audio", "audio_event": {"audio_base_64": AUDIO, "event_id": TURN}},
        answer_quiet="2s",
        interrupted={"type": "interruption", "interruption_event": {"event_id": TURN}},
    ),
    proved_with=("elevenlabs 2.78 (client)",),
)
