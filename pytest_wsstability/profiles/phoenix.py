"""
Phoenix channels, serializer 2: joins one topic.

Client: ``phx_join`` of a topic, ``phx_leave``, and each 30 s a ``heartbeat`` on the topic ``phoenix``. The
server answers each with a ``phx_reply`` that has its ref. ``phx_error`` and ``phx_close`` end a channel
alone, so those of the profile's topic are errors. There is no session id: after a reconnect the client joins
again. Other topics: ``phoenix("room:42", {"token": ...})``.

"""

from __future__ import annotations

import json
from typing import Any

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolCode, ProtocolTimer
from .placeholders import ANY, TEXT_ID, Values
from .profile import Profile
from .templates import Free
from .wording import json_of

_TIMERS = (
    ProtocolTimer(
        name="Phoenix' heartbeat timeout",
        by=End.CLIENT,
        awaits=Awaited.ANSWER,
        seconds=30,
        code=1000,
        reason="heartbeat timeout",
        words=("heartbeat timeout",),
        remedy="answer each heartbeat with a phx_reply that has its ref",
        source="phoenix 1.8.16 (npm), measured",
    ),
    ProtocolTimer(
        name="the timeout of Phoenix' socket transport",
        by=End.SERVER,
        awaits=Awaited.MESSAGE,
        seconds=60,
        code=1000,
        remedy="send a heartbeat each 30 s, or raise timeout: in the endpoint's socket",
        source="Phoenix.Endpoint, option timeout of a socket's websocket; cowboy_websocket",
    ),
)


def _reply(message: str | bytes, began: Values) -> str | None:
    """What a channel says that takes all events, and lets its clients leave."""
    found = json_of(message)
    if not isinstance(found, list) or len(found) != 5 or found[1] is None:
        return None
    return json.dumps([*found[:3], "phx_reply", {"status": "ok", "response": {}}])


def phoenix(topic: str, payload: Any = None, *, name: str = "phoenix") -> Profile:
    """
    Phoenix channels for one topic.

    Args:
        topic: to join: "room:lobby".
        payload: what the channel's ``join`` is given.
        name: of the profile.

    """
    joined = Free(topic, "topic")
    response = Free({}, optional=True)
    reply = [TEXT_ID, TEXT_ID, joined, "phx_reply"]
    return Profile(
        name=name,
        title="Phoenix channels",
        specification="https://hexdocs.pm/phoenix/writing_a_channels_client.html",
        session_of=f'the topic "{topic}", and phoenix("your:topic") for another',
        session_info=[TEXT_ID, TEXT_ID, joined, "phx_join", Free(payload if payload is not None else {})],
        session_confirmed=[*reply, {"status": "ok", "response": response}],
        session_refused=[*reply, {"status": "error", "response": Free({"reason": "unauthorized"})}],
        ping=[None, TEXT_ID, "phoenix", "heartbeat", Free({})],
        pong=[
            None,
            TEXT_ID,
            "phoenix",
            "phx_reply",
            {"status": Free("ok"), "response": Free({}, optional=True)},
        ],
        # The channel crashed, or was closed, and the connection lives on. Others are a workload's own: the
        # server says so too when a client leaves one.
        error=([ANY, ANY, topic, "phx_error", Free({})], [ANY, ANY, topic, "phx_close", Free({})]),
        reply=_reply,
        # Of its channel; another is to be joined on the same connection, or the same one again.
        goodbye=[ANY, ANY, joined, "phx_leave", Free({})],
        goodbye_code=None,
        match_ids=True,
        interval=30,
        timeout=30,
        query={"vsn": "2.0.0"},
        timers=_TIMERS,
        codes=(
            ProtocolCode(
                code=1000,
                meaning="heartbeat timeout: the server did not answer in time",
                by=End.CLIENT,
                returns=True,
                source="phoenix 1.8.16 (npm), measured",
            ),
        ),
        proved_with=("phoenix 1.8 (client)",),
    )


PHOENIX = phoenix("room:lobby")
