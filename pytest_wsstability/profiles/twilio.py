"""
Twilio Media Streams: Twilio is the client, and audio is its sign of life.

Client (Twilio): ``connected``, then ``start`` with the ``streamSid``; nobody confirms it. Then ``media``
each 20 ms. The only question is the server's ``mark``, which comes back when the audio before it has been
played.

Speech goes up as ``media`` (G.711 mu-law, 8 kHz, base64), and nobody says when it has ended; ``media`` comes
back, and ``clear`` where the user speaks over it. Marks may stand anywhere in an answer: it is whole when
nothing has been heard for two seconds. There are no transcripts.

"""

from __future__ import annotations

import base64
import json
from typing import Any

from ..core.timeline.events import End
from ..core.voice.audio import AudioFormat, Encoding
from .audio import Audio
from .messages import Codec
from .placeholders import SESSION_ID, TEXT_ID, Values
from .profile import Profile
from .templates import Free
from .wording import json_of
from .words import SessionStep

_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
_SEQUENCE = Free("1", optional=True)
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


def _read_media(message: Any) -> dict[str, Any] | None:
    """A media message; its numbers are text."""
    if isinstance(message, bytes) or '"media"' not in message:
        return None
    found = json_of(message)
    if not isinstance(found, dict) or found.get("event") != "media":
        return None
    media = found["media"] if isinstance(found.get("media"), dict) else {}
    chunk = str(media.get("chunk", ""))
    return {
        "audio": media.get("payload"),
        "session_id": found.get("streamSid"),
        "number": int(chunk) if chunk.isdigit() else None,
    }


def _write_media(values: Values) -> str:
    """What Twilio sends: numbered from 1, the start message being the stream's first one."""
    chunk = values["number"]
    media = {
        "track": "inbound", "chunk": str(chunk), "timestamp": str(20 * (chunk - 1)),
        "payload": base64.b64encode(values["audio"]).decode(),
    }  # fmt: skip
    return json.dumps(
        {
            "event": "media", "sequenceNumber": str(chunk + 1), "media": media,
            "streamSid": values["session_id"],
        }
    )  # fmt: skip


def _write_answer(values: Values) -> str:
    payload = base64.b64encode(values["audio"]).decode()
    return json.dumps({"event": "media", "streamSid": values["session_id"], "media": {"payload": payload}})


TWILIO = Profile(
    name="twilio",
    title="Twilio Media Streams",
    specification="https://www.twilio.com/docs/voice/media-streams/websocket-messages",
    proved_with=("pipecat-ai 1.14 (server, its Twilio serializer)",),
    steps=(SessionStep(End.CLIENT, _CONNECTED),),
    session_info=(
        {
            "event": "start",
            "sequenceNumber": _SEQUENCE,
            "start": {
                "accountSid": Free("accountSid", optional=True),
                # Twilio's own samples read it here.
                "streamSid": SESSION_ID,
                "callSid": Free("callSid", optional=True),
                "tracks": Free(["inbound"], optional=True),
                "mediaFormat": Free(_FORMAT, optional=True),
                "customParameters": Free({}, optional=True),
            },
            "streamSid": SESSION_ID,
        },
        {"event": "start", "sequenceNumber": _SEQUENCE, "streamSid": SESSION_ID},
    ),
    ping=_MARK,
    pong=_MARK,
    heartbeats_from="server",
    sequence=number,
    audio=Audio(
        format=AudioFormat(Encoding.MULAW, 8_000),
        speech=Codec(_read_media, _write_media, names=("session_id", "number", "audio")),
        answer=Codec(_read_media, _write_answer, names=("session_id", "audio")),
        answer_end=_MARK,
        # A mark may stand behind each chunk, as in Twilio's samples, behind the answer, or nowhere: the
        # serializer of pipecat-ai 1.14 sends none (measured).
        answer_quiet="2s",
        interrupted={"event": "clear", "streamSid": SESSION_ID},
        plays_on=True,
    ),
)
