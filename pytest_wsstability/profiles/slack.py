"""
Slack's Socket Mode: the server says hello, and announces each of its rotations.

The URL comes from ``apps.connections.open``. Server: ``hello``; nothing is said back. Heartbeats are ping
frames, of the SDK each 5 or 10 s. ``disconnect`` announces the end, and the client opens another connection
before it closes this one.

"""

from __future__ import annotations

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from .profile import Profile
from .templates import Free

SLACK = Profile(
    name="slack",
    title="Slack Socket Mode",
    specification="https://docs.slack.dev/apis/events-api/using-socket-mode",
    session_confirmed={
        "type": "hello",
        "num_connections": Free(1, optional=True),
        "connection_info": Free({"app_id": "A1"}, optional=True),
        "debug_info": Free({"approximate_connection_time": 18060}, optional=True),
    },
    notice={"type": "disconnect", "reason": Free("refresh_requested")},
    timers=(
        ProtocolTimer(
            name="the ping timeout of slack_sdk's aiohttp client",
            by=End.CLIENT,
            awaits=Awaited.PONG,
            seconds=10,
            code=1006,
            remedy="answer ping frames with pong frames",
            source="slack_sdk 3.48.0, measured",
        ),
        ProtocolTimer(
            name="the ping timeout of slack_sdk's websockets client",
            by=End.CLIENT,
            awaits=Awaited.PONG,
            seconds=20,
            code=1011,
            reason="keepalive ping timeout",
            remedy="answer ping frames with pong frames",
            source="slack_sdk 3.48.0, measured: a ping each 10 s",
        ),
    ),
    proved_with=("slack_sdk 3.48 (aiohttp and websockets clients)",),
)
