"""
OpenAI's Realtime API: a session that the server names, for an hour.

Server: ``session.created`` with the session's id. Client: ``session.update``. Server:
``session.updated``. There are no heartbeats but ping frames. After an hour the server ends the
connection; nothing is resumed.

Speech goes up as ``input_audio_buffer.append`` (16 bit, 24 kHz, base64) until ``commit`` and
``response.create``; transcripts and ``response.output_audio.delta`` come back until ``response.done``.

"""

from __future__ import annotations

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from ..core.voice.audio import AudioFormat, Encoding
from .audio import Audio
from .placeholders import AUDIO, SESSION_ID, TEXT
from .profile import Profile
from .templates import Free

_ITEM = {"item_id": Free("item_1", optional=True), "content_index": Free(0, optional=True)}
_RESPONSE = {"response_id": Free("resp_1", optional=True), "output_index": Free(0, optional=True), **_ITEM}
_HEARD = "conversation.item.input_audio_transcription"

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
    audio=Audio(
        format=AudioFormat(Encoding.PCM16, 24_000),
        speech={"type": "input_audio_buffer.append", "audio": AUDIO},
        speech_end={"type": "input_audio_buffer.commit"},
        ask={"type": "response.create"},
        interrupt={"type": "response.cancel"},
        partial={"type": f"{_HEARD}.delta", "delta": TEXT, **_ITEM},
        final={"type": f"{_HEARD}.completed", "transcript": TEXT, **_ITEM},
        # The second of each is the beta's.
        token=(
            {"type": "response.output_audio_transcript.delta", "delta": TEXT, **_RESPONSE},
            {"type": "response.audio_transcript.delta", "delta": TEXT, **_RESPONSE},
        ),
        answer=(
            {"type": "response.output_audio.delta", "delta": AUDIO, **_RESPONSE},
            {"type": "response.audio.delta", "delta": AUDIO, **_RESPONSE},
        ),
        # What failed or is incomplete is over too.
        answer_end=(
            {"type": "response.done", "response": {"status": "completed"}},
            {"type": "response.done"},
        ),
        interrupted={"type": "response.done", "response": {"status": "cancelled"}},
    ),
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
