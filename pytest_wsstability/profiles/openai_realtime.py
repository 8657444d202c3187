"""
OpenAI's Realtime API: a session that the server names, for an hour.

Server: ``session.created`` with the session's id. Client: ``session.update``. Server:
``session.updated``. There are no heartbeats but ping frames. After an hour the server says
``session_expired`` and ends the connection; nothing is resumed.

Speech goes up as ``input_audio_buffer.append`` (16 bit, 24 kHz, base64); transcripts and
``response.output_audio.delta`` come back until ``response.done``. The server hears when speech begins and
ends, unless ``turn_detection`` is null: then ``commit`` and ``response.create`` say that it has ended.

"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from ..core.voice.audio import AudioFormat, Encoding
from .audio import Audio
from .messages import Codec
from .placeholders import ANY, AUDIO, SESSION_ID, TEXT
from .profile import Profile
from .templates import Free
from .wording import json_of

# All that the server says has it, and clients that check what they read insist on it (pipecat).
_EVENT = {"event_id": Free("event_1", optional=True)}
_SAID = {"item_id": Free("item_1", "said", optional=True), **_EVENT}
_USAGE = {"usage": Free({"type": "duration", "seconds": 1.0}, optional=True)}
_CONTENT = {"content_index": Free(0, optional=True)}
_RESPONSE_ID = Free("turn-1", "id", optional=True)
_ANSWER = Free("item_2", "answer", optional=True)
_OUTPUT = {"response_id": _RESPONSE_ID, "output_index": Free(0, optional=True), **_EVENT}
_RESPONSE = {**_OUTPUT, "item_id": _ANSWER, **_CONTENT}
_MESSAGE = {"id": _ANSWER, "type": "message", "role": "assistant", "content": Free([], optional=True)}
# The model wants a tool, whatever it has said before: the answer goes on in the response to what comes of it.
_CALLS = tuple(
    {
        "type": "response.done",
        "response": {"status": "completed", "output": [*before, {"type": "function_call"}]},
    }
    for before in ((), (ANY,), (ANY, ANY))
)
# Where the server listens too, it ends and answers a turn that was committed once more.
_MANUAL = {"audio": {"input": {"turn_detection": None}}}
_SESSION = {"type": "realtime", **_MANUAL}
# As the Agents SDK insists on it.
_NAMED = {"id": SESSION_ID, "type": Free("realtime", optional=True)}
_ERROR = {"type": "server_error", "code": None, "message": "an error", "param": None, "event_id": None}
_EXPIRED = "Your session hit the maximum duration of 60 minutes."
# Not an error of either end: a client said "cancel" while the end of the response was on its way to it.
_TOO_LATE = "response_cancel_not_active"


def _read_error(message: str | bytes) -> Mapping[str, str] | bool:
    """Whether the server says that something is wrong; in its words, where a response failed."""
    # Audio is not parsed here.
    found = json_of(message) if isinstance(message, str) and '"error"' in message else None
    if not isinstance(found, dict):
        return False
    if found.get("type") == "response.done":
        return _failure(found.get("response"))
    error = found.get("error")
    return found.get("type") == "error" and not (isinstance(error, dict) and error.get("code") == _TOO_LATE)


def _failure(response: object) -> Mapping[str, str] | bool:
    """Why a response failed: ``rate_limit_exceeded: Rate limit reached``; False where it did not."""
    if not isinstance(response, dict) or response.get("status") != "failed":
        return False
    details = response.get("status_details")
    error = details.get("error") if isinstance(details, dict) else None
    said = [error.get(name) for name in ("code", "message")] if isinstance(error, dict) else []
    return {"said": ": ".join(str(each) for each in said if each) or "the response failed"}


_HEARD = "conversation.item.input_audio_transcription"

OPENAI_REALTIME = Profile(
    name="openai-realtime",
    title="OpenAI Realtime",
    specification="https://platform.openai.com/docs/guides/realtime-websocket",
    greeting={"type": "session.created", "session": _NAMED, **_EVENT},
    session_info={"type": "session.update", "session": Free(_SESSION)},
    session_confirmed=(
        {"type": "session.updated", "session": _NAMED, **_EVENT},
        {"type": "session.updated"},
    ),
    error=Codec(_read_error, json.dumps({"type": "error", "event_id": "event_1", "error": _ERROR})),
    notice={
        "type": "error",
        "error": {
            "code": "session_expired",
            "type": Free("invalid_request_error", optional=True),
            "message": Free(_EXPIRED, optional=True),
        },
        **_EVENT,
    },
    audio=Audio(
        format=AudioFormat(Encoding.PCM16, 24_000),
        speech={"type": "input_audio_buffer.append", "audio": AUDIO},
        speech_end={"type": "input_audio_buffer.commit"},
        ask={"type": "response.create"},
        interrupt={"type": "response.cancel"},
        endpointing=True,
        # The second is the beta's.
        manual=(
            {"type": "session.update", "session": _MANUAL},
            {"type": "session.update", "session": {"turn_detection": None}},
        ),
        speech_started={
            "type": "input_audio_buffer.speech_started",
            "audio_start_ms": Free(0, optional=True),
            **_SAID,
        },
        partial={"type": f"{_HEARD}.delta", "delta": TEXT, **_SAID, **_CONTENT},
        final={"type": f"{_HEARD}.completed", "transcript": TEXT, **_USAGE, **_SAID, **_CONTENT},
        # What a client has not heard of is no answer to it (livekit-agents).
        answer_started=(
            {"type": "response.created", "response": {"id": _RESPONSE_ID, "status": "in_progress"}, **_EVENT},
            {"type": "response.output_item.added", "item": _MESSAGE, **_OUTPUT},
        ),
        # The second of each is the beta's.
        token=(
            {"type": "response.output_audio_transcript.delta", "delta": TEXT, **_RESPONSE},
            {"type": "response.audio_transcript.delta", "delta": TEXT, **_RESPONSE},
        ),
        tool_call=_CALLS,
        answer=(
            {"type": "response.output_audio.delta", "delta": AUDIO, **_RESPONSE},
            {"type": "response.audio.delta", "delta": AUDIO, **_RESPONSE},
        ),
        answer_sent=(
            {"type": "response.output_audio.done", **_RESPONSE},
            {"type": "response.output_item.done", "item": _MESSAGE, **_OUTPUT},
        ),
        # What failed or is incomplete is over too.
        answer_end=(
            {"type": "response.done", "response": {"id": _RESPONSE_ID, "status": "completed"}, **_EVENT},
            {"type": "response.done"},
        ),
        interrupted={
            "type": "response.done",
            "response": {"id": _RESPONSE_ID, "status": "cancelled"},
            **_EVENT,
        },
    ),
    max_age=3600,
    timers=(
        ProtocolTimer(
            name="OpenAI's limit of 60 minutes a session",
            by=End.SERVER,
            awaits=Awaited.AGE,
            seconds=3600,
            code=1001,
            reason=_EXPIRED,
            # Both come together.
            announced=0.1,
            also=(1000, 1006),
            words=("maximum duration", "session_expired"),
            remedy="open another session before the hour is over, and give it the conversation",
            source="strandsagents and livekit-agents, sources",
        ),
    ),
    proved_with=("openai 3.57 (client)",),
)
