"""Servers that ping, and end a connection whose pong stays out."""

from __future__ import annotations

from pytest_wsstability.core.diagnosis import Cause

from ..play import Scenario
from ..traffic import beats, pings, say, stream
from .acts import FREEZE, KILL, TERMINATE

_PINGS = {
    "answers pings": Scenario(),
    "mute": Scenario(client="mute", causes=[Cause.PING_UNANSWERED]),
    "message too big": Scenario(traffic=[say(bytes(20_000), at=1.3)], causes=[Cause.MESSAGE_TOO_BIG]),
    "terminated": Scenario(traffic=[beats(0.4)], act=TERMINATE, causes=[Cause.RESTART], cohort=True),
    "killed": Scenario(traffic=[beats(0.4)], act=KILL, causes=[Cause.RESTART], cohort=True),
    "frozen": Scenario(
        heartbeat="500ms", heartbeat_within="1s", traffic=[pings(0.5)], act=FREEZE, causes=[Cause.PEER_FROZEN]
    ),
}
_MUTE = {"mute with heartbeats": Scenario(client="mute", heartbeat="400ms", causes=[Cause.PING_UNANSWERED])}
_RAISES = {
    "handler raises": Scenario(
        path="/raises", traffic=[say("planned", at=1.3)], causes=[Cause.HANDLER_ERROR]
    ),
}  # fmt: skip
# Measured: a handler that awaits without receiving keeps the pong unread, and its own server kills it.
_AWAITS = {
    "handler awaits, client streams": Scenario(
        path="/awaits", traffic=[stream()], causes=[Cause.PEER_NOT_READING]
    ),
}  # fmt: skip

UVICORN = _PINGS | _MUTE | _RAISES | _AWAITS
# Any message counts as a sign of life there; and its reading goes on while the handler awaits.
AIOHTTP = (
    _PINGS
    | _RAISES
    | {
        "mute with heartbeats": Scenario(client="mute", heartbeat="400ms"),
        "handler awaits, client streams": Scenario(path="/awaits", traffic=[stream()]),
        "zombie": Scenario(
            path="/zombie",
            heartbeat="500ms",
            heartbeat_within="1s",
            traffic=[pings(0.5)],
            causes=[Cause.ZOMBIE],
        ),
    }
)
NODE_WS = _PINGS | _MUTE
WEBSOCKETS = (
    _PINGS
    | _MUTE
    | _RAISES
    | _AWAITS
    | {
        "token expires": Scenario(path="/expires", causes=[Cause.AUTH_EXPIRED]),
        "unwelcome": Scenario(path="/unwelcome", causes=[Cause.AUTH_EXPIRED]),
    }
)
