"""
GraphQL over WebSocket: connection_init, connection_ack, and pings from either end.

Client: ``connection_init``. Server: ``connection_ack``. Either end may send ``ping``, and the other one
answers ``pong``. There is no session id; a reconnect begins anew.

"""

from __future__ import annotations

from ..core.timeline.close_reasons import Topic
from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolCode, ProtocolTimer
from .profile import Profile
from .templates import Free

_SOURCE = "graphql-ws 6.4.2 and strawberry-graphql 0.341.2, measured"


def _code(
    code: int, meaning: str, by: End = End.SERVER, *, returns: bool, topic: Topic | None = None
) -> ProtocolCode:
    return ProtocolCode(code=code, meaning=meaning, by=by, topic=topic, returns=returns, source=_SOURCE)


GRAPHQL_TRANSPORT_WS = Profile(
    name="graphql-transport-ws",
    title="GraphQL over WebSocket",
    specification="https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md",
    session_info={"type": "connection_init"},
    session_confirmed={"type": "connection_ack"},
    ping={"type": "ping"},
    pong={"type": "pong"},
    # Of the protocol before this one, and Hasura's for a token that expired (graphql-engine 9765).
    error={"type": "connection_error", "payload": Free("an error", optional=True)},
    heartbeats_from="both",
    subprotocols=("graphql-transport-ws",),
    timers=(
        ProtocolTimer(
            name="the connection initialisation timeout",
            by=End.SERVER,
            awaits=Awaited.SESSION,
            seconds=3,
            code=4408,
            reason="Connection initialisation timeout",
            words=("initialisation timeout", "initialization timeout"),
            remedy="send connection_init right after the opening, or raise connectionInitWaitTimeout",
            source="graphql-ws 6.4.2, measured (strawberry-graphql: 60 s)",
        ),
        ProtocolTimer(
            name="the ping of graphql-ws' server",
            by=End.SERVER,
            awaits=Awaited.PONG,
            seconds=12,
            code=1006,
            remedy="answer ping frames with pong frames",
            source="graphql-ws 6.4.2 use/ws, measured",
            played=False,
        ),
        ProtocolTimer(
            name="the connection acknowledgement timeout",
            by=End.CLIENT,
            awaits=Awaited.SESSION,
            seconds=10,
            code=4504,
            reason="Connection acknowledgement timeout",
            words=("acknowledgement timeout",),
            remedy="answer connection_init with connection_ack, or raise connectionAckWaitTimeout",
            # Off by default in graphql-ws.
            source="gql 4.4.0 (10 s, code 1000), measured; graphql-ws 6.4.2 with the option",
        ),
    ),
    codes=(
        _code(4400, "a message that the protocol does not have", returns=False, topic=Topic.PROTOCOL),
        _code(
            4401,
            "unauthorized: a subscription before the connection was acknowledged",
            returns=False,
            topic=Topic.TOKEN,
        ),
        _code(4403, "forbidden: the server refused connection_init", returns=True, topic=Topic.TOKEN),
        _code(4406, "the subprotocol is not acceptable", returns=False, topic=Topic.PROTOCOL),
        _code(4408, "connection_init did not come in time", returns=True),
        _code(
            4408,
            "the server did not answer a ping of the client in time",
            End.CLIENT,
            returns=True,
            topic=Topic.KEEPALIVE,
        ),
        _code(4409, "two subscriptions with one id", returns=False, topic=Topic.DUPLICATE),
        _code(4429, "connection_init twice", returns=False, topic=Topic.PROTOCOL),
        _code(4499, "the client gave the connection up (terminate)", End.CLIENT, returns=True),
        _code(4500, "an internal error of the server", returns=False, topic=Topic.ERROR),
        _code(4504, "connection_ack did not come in time", End.CLIENT, returns=True),
    ),
    proved_with=(
        "strawberry-graphql 0.341 (server)",
        "gql 4.4 (client)",
        "graphql-ws 6.4 (server and client)",
    ),
)
