"""
Deepgram: KeepAlive messages that nobody answers.

No handshake: what is wanted stands in the query. Audio goes in binary frames. Where there is none, the
client sends ``{"type":"KeepAlive"}``, to which no answer comes, or the server ends the connection after
10 s (NET-0001). To ``CloseStream`` it says what it has still heard, then ``Metadata``, and closes with 1000.

Server: ``Welcome``. Client: ``Settings``. Server: ``SettingsApplied``. ``KeepAlive`` as above, each 8 s;
the server ends every connection after two hours.

"""

from __future__ import annotations

import hashlib
from typing import Any

from ..core.timeline.close_reasons import Topic
from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolCode, ProtocolTimer
from .audio import RAW, Audio
from .placeholders import TEXT
from .profile import Profile
from .templates import Free

_NET_0001 = "NET-0001"
_TIMEOUT = (
    "Deepgram did not receive audio data or a text message within the timeout window. "
    "See https://dpgr.am/net0001"
)


_REQUEST = "00000000-0000-4000-8000-000000000000"


def _results(*, final: bool) -> dict[str, Any]:
    return {
        "type": "Results",
        "is_final": final,
        # At the end of speech, which is the only time that the agent gives a final transcript.
        "speech_final": Free(final, optional=True),
        # Clients read these without looking whether they are there.
        "channel_index": Free([0, 1], optional=True),
        "start": Free(0.0, optional=True),
        "duration": Free(0.0, optional=True),
        "metadata": Free({"request_id": _REQUEST}, optional=True),
        "channel": {
            "alternatives": [
                {
                    "transcript": TEXT,
                    "confidence": Free(0.99, optional=True),
                    "words": Free([], optional=True),
                }
            ]
        },
    }


DEEPGRAM = Profile(
    name="deepgram",
    title="Deepgram streaming transcription",
    specification="https://developers.deepgram.com/docs/audio-keep-alive",
    ping={"type": "KeepAlive"},
    interval=5,
    audio=Audio(
        speech=RAW,
        speech_end={"type": "Finalize"},
        # Its `endpointing`, which is on unless the query says otherwise.
        endpointing=True,
        partial=_results(final=False),
        final=_results(final=True),
    ),
    error={"type": "Error"},
    goodbye={"type": "CloseStream"},
    goodbye_answer={
        "type": "Metadata",
        "transaction_key": Free("deprecated", optional=True),
        "request_id": Free(_REQUEST, optional=True),
        "sha256": Free(hashlib.sha256().hexdigest(), optional=True),
        "created": Free("2026-01-01T00:00:00.000Z", optional=True),
        "duration": Free(0.0, optional=True),
        "channels": Free(1, optional=True),
    },
    timers=(
        ProtocolTimer(
            name="Deepgram's timeout without audio",
            by=End.SERVER,
            awaits=Awaited.MESSAGE,
            seconds=10,
            code=1011,
            reason=_TIMEOUT,
            words=(_NET_0001, "net0001"),
            remedy='send audio, or {"type":"KeepAlive"} as text each 3 to 5 s; ping frames do not count',
            source="developers.deepgram.com, audio-keep-alive",
        ),
    ),
    codes=(
        ProtocolCode(
            code=1008,
            meaning="the audio could not be decoded (DATA-0000)",
            by=End.SERVER,
            topic=Topic.PROTOCOL,
            source="developers.deepgram.com",
        ),
    ),
    proved_with=("deepgram-sdk 7.17 (client)",),
)

DEEPGRAM_AGENT = Profile(
    name="deepgram-agent",
    title="Deepgram Voice Agent",
    specification="https://developers.deepgram.com/docs/agent-keep-alive",
    greeting={"type": "Welcome", "request_id": Free("request", optional=True)},
    session_info={"type": "Settings", "audio": Free({}, optional=True), "agent": Free({}, optional=True)},
    session_confirmed={"type": "SettingsApplied"},
    ping={"type": "KeepAlive"},
    interval=8,
    audio=Audio(
        speech=RAW,
        final={"type": "ConversationText", "role": "user", "content": TEXT},
        token={"type": "ConversationText", "role": "assistant", "content": TEXT},
        tool_call={"type": "FunctionCallRequest"},
        answer=RAW,
        answer_end={"type": "AgentAudioDone"},
        # Said whenever the user begins; a player that plays then throws away what it has.
        interrupted={"type": "UserStartedSpeaking"},
    ),
    error={"type": "Error"},
    max_age=7200,
    proved_with=("deepgram-sdk 7.17 (client)",),
)
