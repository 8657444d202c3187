"""
RTVI, Pipecat's protocol for voice clients, as JSON in text.

Client: ``client-ready``. Bot: ``bot-ready`` with the same id. There are no heartbeats but ping frames; a
session that is silent for five minutes is over, whatever audio flows.

"""

from __future__ import annotations

from typing import Any

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolCode, ProtocolTimer
from .placeholders import TEXT_ID
from .profile import Profile
from .templates import Free

_LABEL = {"label": "rtvi-ai"}


def rtvi_message(kind: str, **data: Any) -> dict[str, Any]:
    """A message of a kind, with what its ``data`` has to say."""
    return {**_LABEL, "type": kind, **({"data": data} if data else {})}


RTVI = Profile(
    name="rtvi",
    title="RTVI",
    specification="https://docs.pipecat.ai/client/rtvi-standard",
    session_info={
        **_LABEL,
        "type": "client-ready",
        "id": TEXT_ID,
        "data": Free({"version": "1.0.0", "about": {"library": "wsstability"}}, optional=True),
    },
    session_confirmed={
        **_LABEL,
        "type": "bot-ready",
        "id": TEXT_ID,
        "data": Free({"version": "1.0.0"}, optional=True),
    },
    goodbye={**_LABEL, "type": "disconnect-bot"},
    error={**_LABEL, "type": "error", "data": Free({"error": "an error", "fatal": True})},
    timers=(
        ProtocolTimer(
            name="Pipecat's idle timeout",
            by=End.SERVER,
            awaits=Awaited.MESSAGE,
            seconds=300,
            code=1000,
            remedy="speak, or raise idle_timeout_secs of the pipeline's task: silent audio does not count",
            source="pipecat-ai 1.14.0, measured",
            played=False,
        ),
    ),
    codes=(
        ProtocolCode(
            code=1000,
            meaning="the pipeline has ended: the conversation is over, or was idle for too long",
            by=End.SERVER,
            source="pipecat-ai 1.14.0, measured",
        ),
    ),
)
