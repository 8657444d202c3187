"""
Engine.IO 4, the transport below Socket.IO: the server asks, and names how often.

Server: packet ``0`` with the session's ``sid``, ``pingInterval`` and ``pingTimeout``. From then on it
sends ``2`` at that interval, and the client answers ``3``. Each connection is a session of its own.

"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from ..core.timeline.close_reasons import Topic
from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolCode, ProtocolTimer
from .messages import Prefixed
from .placeholders import INTERVAL_MS, SESSION_ID, TIMEOUT_MS
from .profile import Profile
from .speech import HttpAnswer
from .templates import Free

INTERVAL, TIMEOUT = 25.0, 20.0

PING_TIMEOUT = ProtocolTimer(
    name="Engine.IO's ping timeout",
    by=End.SERVER,
    awaits=Awaited.ANSWER,
    seconds=TIMEOUT,
    code=1005,
    # python-engineio sends 1000, with an empty reason.
    also=(1000,),
    remedy="answer each packet 2 with a packet 3, or raise pingTimeout",
    source="engine.io 6.6.13 and python-engineio 4.15.1, measured",
)
CLIENT_TIMEOUT = ProtocolTimer(
    name="the client's heartbeat timeout of Engine.IO",
    by=End.CLIENT,
    awaits=Awaited.HEARTBEAT,
    intervals=1.0,
    and_timeout=True,
    code=1005,
    # python-socketio's client closes the stream without a close frame.
    also=(1006,),
    remedy="send a packet 2 each pingInterval, or raise pingTimeout in the packet 0",
    source="engine.io-client 6.6.8 and python-engineio 4.15.1, measured",
)
_CODES = (
    ProtocolCode(
        code=1005,
        meaning="the server ended the Engine.IO session: ping timeout, io.close(), or a packet it refused",
        by=End.SERVER,
        returns=True,
        source="engine.io 6.6.13, measured",
    ),
    ProtocolCode(
        code=1009,
        meaning="a message above maxPayload",
        by=End.SERVER,
        topic=Topic.SIZE,
        returns=True,
        source="engine.io 6.6.13, measured (python-engineio: 1000)",
    ),
)
# What stands behind the 0 of the first packet.
OPEN = {
    "sid": SESSION_ID,
    "upgrades": Free([], optional=True),
    "pingInterval": INTERVAL_MS,
    "pingTimeout": TIMEOUT_MS,
    "maxPayload": Free(1_000_000, optional=True),
}

# Code 0 of Engine.IO's errors, with what helps.
_NO_POLLING = {
    "code": 0,
    "message": "Transport unknown: WebSocket alone is spoken here, give the client transports: ['websocket']",
}


def _refuse_polling(method: str, target: str) -> HttpAnswer | None:
    """What a server of Engine.IO with WebSocket alone says to a client that begins with HTTP polling."""
    asked = parse_qs(target.partition("?")[2]).get("transport")
    return HttpAnswer(400, json.dumps(_NO_POLLING)) if asked == ["polling"] else None


ENGINEIO = Profile(
    name="engineio",
    title="Engine.IO 4",
    specification="https://github.com/socketio/engine.io-protocol",
    session_confirmed=Prefixed("0", OPEN),
    ping="2",
    pong="3",
    heartbeats_from="server",
    interval=INTERVAL,
    timeout=TIMEOUT,
    query={"EIO": "4", "transport": "websocket"},
    http=_refuse_polling,
    timers=(PING_TIMEOUT, CLIENT_TIMEOUT),
    codes=_CODES,
    proved_with=("python-socketio 5.18 (server)",),
)
