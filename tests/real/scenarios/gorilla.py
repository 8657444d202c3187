"""A Go server with gorilla/websocket and a read deadline of 3 s."""

from __future__ import annotations

from pytest_wsstability.core.diagnosis import Cause

from ..play import Scenario
from ..traffic import beats, pings, pongs, say, stream
from .acts import FREEZE, KILL, TERMINATE

# As in the chat example, the deadline is reset in the pong handler only.
CHAT = "/ws?deadline=3s&reset=pong&ping=2s"
WITHOUT_PINGS = "/ws?deadline=3s&reset=pong"
ANY_MESSAGE = "/ws?deadline=3s&reset=message"
# Set once, and never again: a maximum age.
LIFETIME = "/ws?deadline=3s&reset=never&ping=500ms"

UNANSWERED = (Cause.PING_UNANSWERED,)
# Without a server ping one connection does not tell an age from a deadline that its traffic leaves alone.
BY_AGE = (Cause.PONG_DEADLINE, Cause.MAX_AGE, Cause.READ_DEADLINE)
SILENT = (Cause.IDLE_TIMEOUT, *BY_AGE)

GORILLA = {
    "answers pings": Scenario(path=CHAT),
    "mute": Scenario(path=CHAT, client="mute", causes=UNANSWERED),
    "mute with heartbeats": Scenario(path=CHAT, client="mute", heartbeat="400ms", causes=UNANSWERED),
    "no pings, silent": Scenario(path=WITHOUT_PINGS, causes=SILENT),
    "no pings, heartbeats": Scenario(path=WITHOUT_PINGS, heartbeat="400ms", causes=BY_AGE),
    # Where no message was ever sent, a timer that only messages reset would do the same.
    "no pings, ping frames": Scenario(
        path=WITHOUT_PINGS, traffic=[pings(0.4)], causes=(*BY_AGE, Cause.IDLE_TIMEOUT)
    ),
    "no pings, audio both ways": Scenario(
        path=f"{WITHOUT_PINGS}&stream=100ms", traffic=[stream()], causes=BY_AGE
    ),
    # A server that never spoke may as well have been cut off for its own silence.
    "no pings, audio one way": Scenario(
        path=WITHOUT_PINGS, traffic=[stream()], causes=(*BY_AGE, Cause.IDLE_TIMEOUT)
    ),
    "no pings, server streams": Scenario(path=f"{WITHOUT_PINGS}&stream=500ms", causes=BY_AGE),
    "no pings, unsolicited pongs": Scenario(path=WITHOUT_PINGS, traffic=[pongs(0.4)]),
    "any message, silent": Scenario(path=ANY_MESSAGE, causes=SILENT),
    "any message, heartbeats, then silence": Scenario(
        path=ANY_MESSAGE, traffic=[beats(0.4, until=2)], causes=[Cause.IDLE_TIMEOUT]
    ),
    "any message, heartbeats": Scenario(path=ANY_MESSAGE, heartbeat="400ms"),
    "maximum age": Scenario(path=LIFETIME, heartbeat="400ms", causes=[Cause.MAX_AGE]),
    "message too big": Scenario(
        path="/ws?limit=10000", traffic=[say(bytes(20_000), at=1.3)], causes=[Cause.MESSAGE_TOO_BIG]
    ),
    "terminated": Scenario(traffic=[beats(0.4)], act=TERMINATE, causes=[Cause.RESTART], cohort=True),
    "killed": Scenario(traffic=[beats(0.4)], act=KILL, causes=[Cause.RESTART], cohort=True),
    "frozen": Scenario(
        heartbeat="500ms", heartbeat_within="1s", traffic=[pings(0.5)], act=FREEZE, causes=[Cause.PEER_FROZEN]
    ),
}
