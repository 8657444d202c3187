"""
Gemini Live: a connection of about ten minutes, whose end is announced, and a handle to come back with.

Client: ``setup``. Server: ``setupComplete``, and now and then ``sessionResumptionUpdate`` with a new handle.
``goAway`` comes before the end; ``setup`` with the last handle goes on with the session. The server's JSON
comes in binary frames. There are no heartbeats but ping frames.

Speech goes up as ``realtimeInput`` (16 bit, 16 kHz, base64), and nobody says when it has ended; transcripts
and the answer's audio (24 kHz) come back as ``serverContent`` until ``turnComplete``, which may come when it
has been played, and ``interrupted`` where the user speaks over it.

"""

from __future__ import annotations

import base64
import json
from typing import Any

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from ..core.voice.audio import AudioFormat
from .audio import Audio
from .messages import Codec
from .placeholders import AUDIO, SESSION_ID, TEXT, TOKEN, Values
from .profile import Profile
from .templates import Free
from .wording import json_of

_EXPIRED = (
    "Connection aborted because the client failed to close the connection after receiving a GoAway signal"
)
# The other alphabet of base64, which protobuf's JSON may have as well, and google-genai writes.
_URL_SAFE = str.maketrans("-_", "+/")


def _read_speech(message: Any) -> dict[str, Any] | None:
    """A frame of speech; of names in the way of Python too, as google-genai has them."""
    found = json_of(message) if isinstance(message, str) and '"audio"' in message else None
    if not isinstance(found, dict):
        return None
    said = found.get("realtimeInput", found.get("realtime_input"))
    audio = said.get("audio") if isinstance(said, dict) else None
    data = audio.get("data") if isinstance(audio, dict) else None
    return {"audio": data.translate(_URL_SAFE)} if isinstance(data, str) else None


def _write_speech(values: Values) -> str:
    data = base64.b64encode(values["audio"]).decode()
    return json.dumps({"realtimeInput": {"audio": {"mimeType": "audio/pcm;rate=16000", "data": data}}})


def _content(**content: Any) -> dict[str, Any]:
    return {"serverContent": content}


_SOUND = {"mimeType": Free("audio/pcm;rate=24000", optional=True), "data": AUDIO}
_LIVE_AUDIO = Audio(
    format=AudioFormat(rate=16_000),
    answer_format=AudioFormat(rate=24_000),
    speech=Codec(_read_speech, _write_speech, names=("audio",)),
    # In pieces, of which none says that it is the last.
    final=_content(inputTranscription={"text": TEXT}),
    token=_content(outputTranscription={"text": TEXT}),
    tool_call={"toolCall": Free({})},
    answer=_content(modelTurn={"parts": [{"inlineData": _SOUND}]}),
    answer_end=_content(turnComplete=True),
    interrupted=_content(interrupted=True),
)


def gemini_live(model: str = "models/gemini-live", *, name: str = "gemini-live") -> Profile:
    """
    Gemini Live for one model.

    Args:
        model: its full name.
        name: of the profile.

    """
    heard = {f"{each}AudioTranscription": Free({}, optional=True) for each in ("input", "output")}
    setup: dict[str, Any] = {"model": Free(model), **heard}
    return Profile(
        name=name,
        title="Gemini Live",
        specification="https://ai.google.dev/api/live",
        session_info={"setup": {**setup, "sessionResumption": Free({}, optional=True)}},
        session_confirmed=({"setupComplete": {"sessionId": SESSION_ID}}, {"setupComplete": Free({})}),
        resume={"setup": {**setup, "sessionResumption": {"handle": TOKEN}}},
        token={"sessionResumptionUpdate": {"newHandle": TOKEN, "resumable": True}},
        notice={"goAway": {"timeLeft": Free("50s", optional=True)}},
        binary_json=True,
        audio=_LIVE_AUDIO,
        max_age=600,
        timers=(
            ProtocolTimer(
                name="Gemini Live's limit of about ten minutes a connection",
                by=End.SERVER,
                awaits=Awaited.AGE,
                seconds=600,
                announced=50,
                code=1008,
                reason=_EXPIRED,
                words=("goaway", "session duration expired"),
                remedy="at goAway, close and come back with the last handle (sessionResumption)",
                source="reachy_mini_conversation_app 357, report",
            ),
        ),
        proved_with=("google-genai 3.6 (client)",),
    )


GEMINI_LIVE = gemini_live()
