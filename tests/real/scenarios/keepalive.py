"""Servers that ping, and end a connection whose pong stays out."""

from __future__ import annotations

from pytest_wsstability.core.diagnosis import Cause

from ..play import Scenario
from ..traffic import beats, pings, say, stream
from .acts import FREEZE, KILL, TERMINATE

_ENDS = {
    "message too big": Scenario(traffic=[say(bytes(20_000), at=1.3)], causes=[Cause.MESSAGE_TOO_BIG]),
    "terminated": Scenario(traffic=[beats(0.4)], act=TERMINATE, causes=[Cause.RESTART], cohort=True),
    "killed": Scenario(traffic=[beats(0.4)], act=KILL, causes=[Cause.RESTART], cohort=True),
    # Nothing but ping frames: no idle timeout that only messages reset.
    "killed, ping frames alone": Scenario(
        traffic=[pings(0.4)], act=KILL, causes=[Cause.RESTART], cohort=True
    ),
    "frozen": Scenario(
        heartbeat="500ms", heartbeat_within="1s", traffic=[pings(0.5)], act=FREEZE, causes=[Cause.PEER_FROZEN]
    ),
}
_PINGS = _ENDS | {
    "answers pings": Scenario(),
    "mute": Scenario(client="mute", causes=[Cause.PING_UNANSWERED]),
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
# It pings, and waits for no pong.
HYPERCORN = _ENDS | _RAISES | {"mute": Scenario(client="mute")}
# Whatever comes counts as a sign of life; it looks every two seconds, and knows no limit on a message.
DAPHNE = {
    **{name: each for name, each in (_PINGS | _RAISES).items() if name != "message too big"},
    "mute with heartbeats": Scenario(client="mute", heartbeat="400ms"),
    "mute, 0.7 s apart": Scenario(client="mute", apart=0.7, causes=[Cause.PING_UNANSWERED]),
}
# Its limit on the age, which it looks at every two seconds too: it closes as servers close on purpose.
_AGED = (Cause.MAX_AGE, Cause.CLOSED_BY_PEER, Cause.SESSION_EXPIRED)
DAPHNE_AGED = {
    "silent": Scenario(causes=[*_AGED, Cause.IDLE_TIMEOUT, Cause.IDLE_AS_NORMAL]),
    "heartbeats": Scenario(heartbeat="400ms", causes=_AGED),
    "heartbeats, 0.7 s apart": Scenario(heartbeat="400ms", apart=0.7, causes=_AGED),
}
# An end with 1000, or with an empty close frame, right after the message: some close so on purpose.
_RAISES_POLITELY = {
    "handler raises": Scenario(
        path="/raises",
        traffic=[say("planned", at=1.3)],
        causes=[Cause.HANDLER_ERROR, Cause.CLOSED_BY_PEER],
    ),
}
# No keepalive, and a limit of 64 MiB.
GRANIAN = {
    **{name: each for name, each in _ENDS.items() if name != "message too big"},
    **_RAISES_POLITELY,
    "mute": Scenario(client="mute"),
}
SANIC = _PINGS | _MUTE | _RAISES_POLITELY
# It closes what was silent for 8 s, and looks every four seconds, so that neighbours end at once. It pings in
# time for that, or does not.
_BUN_HOLD = "20s"
BUN = _ENDS | {
    "answers pings": Scenario(alive_for=_BUN_HOLD),
    "mute": Scenario(client="mute", alive_for=_BUN_HOLD, causes=[Cause.PING_UNANSWERED]),
}
BUN_SILENT = {
    "silent": Scenario(alive_for=_BUN_HOLD, causes=[Cause.IDLE_TIMEOUT, Cause.MAX_AGE]),
    "heartbeats, then silence": Scenario(
        traffic=[beats(0.5, until=4)], alive_for=_BUN_HOLD, causes=[Cause.IDLE_TIMEOUT]
    ),
    "silent, 0.7 s apart": Scenario(
        apart=0.7, alive_for=_BUN_HOLD, causes=[Cause.IDLE_TIMEOUT, Cause.MAX_AGE]
    ),
    "heartbeats go on": Scenario(heartbeat="1s", alive_for=_BUN_HOLD),
}
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
