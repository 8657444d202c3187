"""
Gemini Live: a connection of about ten minutes, whose end is announced, and a handle to come back with.

Client: ``setup``. Server: ``setupComplete``, and now and then ``sessionResumptionUpdate`` with a new handle.
``goAway`` comes before the end; ``setup`` with the last handle goes on with the session. The server's JSON
comes in binary frames. There are no heartbeats but ping frames.

"""

from __future__ import annotations

from typing import Any

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from .placeholders import SESSION_ID, TOKEN
from .profile import Profile
from .templates import Free

_EXPIRED = (
    "Connection aborted because the client failed to close the connection after receiving a GoAway signal"
)


def gemini_live(model: str = "models/gemini-live", *, name: str = "gemini-live") -> Profile:
    """
    Gemini Live for one model.

    Args:
        model: its full name.
        name: of the profile.

    """
    setup: dict[str, Any] = {"model": Free(model)}
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
