"""
Action Cable: the server sends a ping each 3 s, which nobody answers.

Server: ``welcome``. Client: ``subscribe`` to a channel, whose identifier is JSON in text. Server:
``confirm_subscription`` with the same text, or ``reject_subscription``; the client leaves with
``unsubscribe``. There is no session id: after a reconnect it subscribes again. Other channels:
``actioncable("RoomChannel", room=42)``.

"""

from __future__ import annotations

import json
from typing import Any

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from .messages import Codec
from .placeholders import Values
from .profile import Profile
from .templates import Free
from .wording import json_of


def _is_ping(message: str | bytes) -> bool:
    if isinstance(message, bytes) or '"ping"' not in message:
        return False
    found = json_of(message)
    return isinstance(found, dict) and found.get("type") == "ping" and "message" in found


def _ping(values: Values) -> str:
    # Seconds since 1970, as Rails sends them.
    return json.dumps({"type": "ping", "message": int(values.get("now", 0))}, separators=(",", ":"))


def actioncable(channel: str, *, name: str = "actioncable", **parameters: Any) -> Profile:
    """
    Action Cable for one channel.

    Args:
        channel: the channel's class: "ChatChannel".
        name: of the profile.
        parameters: what else identifies it: ``room=42``.

    """
    identifier = Free(json.dumps({"channel": channel, **parameters}, separators=(",", ":")), "identifier")
    return Profile(
        name=name,
        title="Action Cable",
        specification="https://docs.anycable.io/misc/action_cable_protocol",
        greeting={"type": "welcome"},
        session_of=f'the channel "{channel}", and actioncable("YourChannel") for another',
        session_info={"command": "subscribe", "identifier": identifier},
        session_confirmed={"type": "confirm_subscription", "identifier": identifier},
        session_refused=(
            {"type": "reject_subscription", "identifier": identifier},
            {"type": "disconnect", "reason": "unauthorized", "reconnect": False},
        ),
        notice={"type": "disconnect", "reason": Free("server_restart"), "reconnect": Free(True)},
        goodbye={"command": "unsubscribe", "identifier": identifier},
        goodbye_code=None,
        # Its clients do not come back: a server ends one for good by `remote_connections`.
        error={"type": "disconnect", "reason": Free("remote"), "reconnect": False},
        # Any server may say the second one, so that it does not tell who speaks.
        ping=(Codec(_is_ping, _ping, ("now",)), {"type": "ping"}),
        heartbeats_from="server",
        interval=3,
        subprotocols=("actioncable-v1-json",),
        timers=(
            ProtocolTimer(
                name="the stale threshold of Action Cable's client",
                by=End.CLIENT,
                awaits=Awaited.MESSAGE,
                seconds=6,
                code=1005,
                remedy="let the server beat each 3 s; anything that buffers messages on the way delays it",
                source="@rails/actioncable 8.1.400, measured: looked at when a poll fires, after 7 to 10 s",
            ),
        ),
        proved_with=("@rails/actioncable 8.1 (client)",),
    )


ACTIONCABLE = actioncable("ChatChannel")
