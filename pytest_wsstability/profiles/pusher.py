"""
Pusher Channels, protocol 7: either end asks after so much silence as the server names.

Server: ``pusher:connection_established`` with the ``socket_id`` and the ``activity_timeout``, as JSON in
JSON. Client: ``pusher:subscribe`` to a channel. Server: ``pusher_internal:subscription_succeeded``. A client
leaves one with ``pusher:unsubscribe``.
``pusher:ping`` of either end is answered with ``pusher:pong``. Other channels: ``pusher("my-channel")``.

"""

from __future__ import annotations

import json
import random
from typing import Any

from ..core.timeline.close_reasons import Topic
from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolCode, ProtocolTimer
from .messages import Codec
from .placeholders import Values, take
from .profile import Profile
from .templates import Free
from .wording import json_of

_SOURCE = "Pusher Channels Protocol; what clients do: pusher-js 8.6.0, measured"
_ESTABLISHED = "pusher:connection_established"


def _data(message: str | bytes, event: str) -> dict[str, Any] | None:
    """The data of an event, which servers send as JSON in text; None for another one."""
    found = json_of(message) if isinstance(message, str) and event in message else None
    if not isinstance(found, dict) or found.get("event") != event:
        return None
    data = found.get("data")
    data = json_of(data) if isinstance(data, str) else data
    return data if isinstance(data, dict) else None


def _read_established(message: str | bytes) -> Values | None:
    data = _data(message, _ESTABLISHED)
    if data is None or not isinstance(data.get("socket_id"), str):
        return None
    values: Values = {"session_id": data["socket_id"]}
    every = data.get("activity_timeout")
    if every is not None:
        take("interval", every, values)
    return values


def _write_established(values: Values) -> str:
    every = values.get("interval") or INTERVAL
    data = {
        "socket_id": values["session_id"],
        "activity_timeout": int(every) if every == int(every) else every,
    }
    return json.dumps({"event": _ESTABLISHED, "data": json.dumps(data)})


def new_socket() -> str:
    """The id of a socket, as servers make one: two numbers."""
    return f"{random.randint(1, 10**6)}.{random.randint(1, 10**9)}"


def _code(code: int, meaning: str, *, returns: bool, topic: Topic | None = None) -> ProtocolCode:
    return ProtocolCode(
        code=code, meaning=meaning, by=End.SERVER, returns=returns, topic=topic, source=_SOURCE
    )


INTERVAL, TIMEOUT = 120.0, 30.0
_CODES = (
    _code(4000, "the application takes TLS connections only", returns=True),
    _code(4001, "the application does not exist", returns=False, topic=Topic.TOKEN),
    _code(4003, "the application is disabled", returns=False),
    _code(4004, "the application is over its connection quota", returns=False, topic=Topic.OVERLOAD),
    _code(4005, "the path was not found", returns=False),
    _code(4006, "the version is malformed", returns=False, topic=Topic.PROTOCOL),
    _code(4007, "the protocol version is not supported", returns=False, topic=Topic.PROTOCOL),
    _code(4008, "no protocol version was given", returns=False, topic=Topic.PROTOCOL),
    _code(4009, "the connection is unauthorized", returns=False, topic=Topic.TOKEN),
    _code(4100, "over capacity: come back after a while", returns=True, topic=Topic.OVERLOAD),
    _code(4200, "come back at once", returns=True, topic=Topic.RESTART),
    _code(4202, "closed after a day of inactivity", returns=True, topic=Topic.IDLE),
    _code(4301, "a client's events come too fast", returns=False, topic=Topic.RATE),
)
_TIMERS = (
    ProtocolTimer(
        name="the pong timeout of Pusher's server",
        by=End.SERVER,
        awaits=Awaited.ANSWER,
        seconds=TIMEOUT,
        code=4201,
        reason="Pong reply not received in time",
        words=("Pong reply not received",),
        remedy="answer pusher:ping with pusher:pong",
        source="Pusher Channels Protocol",
    ),
    ProtocolTimer(
        name="the pong timeout of pusher-js",
        by=End.CLIENT,
        awaits=Awaited.ANSWER,
        seconds=TIMEOUT,
        code=1000,
        remedy="answer pusher:ping with pusher:pong, or send anything within pongTimeout",
        source="pusher-js 8.6.0, measured",
    ),
)


def pusher(channel: str, *, name: str = "pusher") -> Profile:
    """
    Pusher for one public channel.

    Args:
        channel: to subscribe to.
        name: of the profile.

    """
    subscribed = Free(channel, "channel")
    return Profile(
        name=name,
        title="Pusher Channels 7",
        specification="https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol",
        greeting=Codec(_read_established, _write_established, ("session_id", "interval")),
        session_of=f'the channel "{channel}", and pusher("your-channel") for another',
        session_info={
            "event": "pusher:subscribe",
            "data": {"auth": Free("", optional=True), "channel": subscribed},
        },
        session_confirmed={
            "event": "pusher_internal:subscription_succeeded",
            "channel": subscribed,
            "data": Free("{}", optional=True),
        },
        ping={"event": "pusher:ping", "data": Free({}, optional=True)},
        pong={"event": "pusher:pong", "data": Free({}, optional=True)},
        heartbeats_from="both",
        interval=INTERVAL,
        timeout=TIMEOUT,
        error={"event": "pusher:error", "data": Free({"message": "an error", "code": None})},
        goodbye={"event": "pusher:unsubscribe", "data": {"channel": subscribed}},
        goodbye_code=None,
        new_session_id=new_socket,
        query={"protocol": "7", "client": "wsstability", "version": "0.1.0", "flash": "false"},
        timers=_TIMERS,
        codes=_CODES,
        proved_with=("pusher-js 8.6 (client)",),
    )


PUSHER = pusher("my-channel")
