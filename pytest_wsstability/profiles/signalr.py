"""
SignalR's JSON hub protocol, version 1.

Each message ends with the byte 0x1E. Client: the handshake request. Server: ``{}``, or an ``error``. From
then on both ends send ``{"type":6}`` each 15 s, which nobody answers. A reconnect is a new connection.
``{"type":7}`` ends it, and for good unless it has ``"allowReconnect":true``.

A client asks by HTTP first, unless it has ``skipNegotiation``: ``POST .../negotiate`` gives it an id and the
transports. The monitored client does not.

"""

from __future__ import annotations

import json
import uuid
from urllib.parse import parse_qs

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from .messages import Codec
from .placeholders import Values
from .profile import Profile
from .speech import HttpAnswer
from .templates import Free
from .wording import json_of


def _read_refusal(message: str | bytes) -> bool:
    """The handshake's answer alone has no type: one with an error may be that of a call."""
    found = json_of(message)
    return isinstance(found, dict) and "error" in found and "type" not in found


def _reply(message: str | bytes, began: Values) -> str | None:
    """The completion of a call that has an id (types 1 and 4), with nothing in it."""
    found = json_of(message)
    if not isinstance(found, dict) or found.get("type") not in (1, 4) or "invocationId" not in found:
        return None
    return json.dumps({"type": 3, "invocationId": found["invocationId"], "result": None}) + "\x1e"


def _negotiate(method: str, target: str) -> HttpAnswer | None:
    """An id for the client, and that it may speak WebSocket here and nothing else (TransportProtocols.md)."""
    path, _, query = target.partition("?")
    if method != "POST" or not path.endswith("/negotiate"):
        return None
    # Clients from before version 1 call the token an id.
    version = int(parse_qs(query).get("negotiateVersion") == ["1"])
    names = ("connectionId", "connectionToken")[: 1 + version]
    said = {"negotiateVersion": version, **{name: str(uuid.uuid4()) for name in names}}
    said["availableTransports"] = [{"transport": "WebSockets", "transferFormats": ["Text"]}]
    return HttpAnswer(200, json.dumps(said))


SIGNALR = Profile(
    name="signalr",
    title="SignalR, JSON hub protocol",
    specification="https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md",
    # Servers take each version up to their own: signalrcore asks for 0, stateful reconnect for 2.
    session_info={"protocol": "json", "version": Free(1)},
    session_confirmed="{}",
    session_refused=Codec(_read_refusal, '{"error":"refused"}'),
    ping={"type": 6},
    heartbeats_from="both",
    interval=15,
    records="\x1e",
    notice={"type": 7, "allowReconnect": True},
    # To whom it does not say so its clients do not come back: the server has ended this one for good.
    error=({"type": 7, "error": Free("an error")}, {"type": 7}),
    reply=_reply,
    http=_negotiate,
    goodbye={"type": 7},
    # Its client closes (measured).
    goodbye_code=None,
    timers=(
        ProtocolTimer(
            name="SignalR's server timeout",
            by=End.CLIENT,
            awaits=Awaited.MESSAGE,
            seconds=30,
            code=1005,
            remedy='send {"type":6} each 15 s (KeepAliveInterval), or raise serverTimeout in the client',
            source="@microsoft/signalr 10.0.11, measured",
        ),
        ProtocolTimer(
            name="SignalR's client timeout",
            by=End.SERVER,
            awaits=Awaited.MESSAGE,
            seconds=30,
            code=1006,
            remedy='send {"type":6} each 15 s, or raise ClientTimeoutInterval',
            source="AspNetCore.Docs, SignalR configuration",
        ),
        ProtocolTimer(
            name="SignalR's handshake timeout",
            by=End.SERVER,
            awaits=Awaited.SESSION,
            seconds=15,
            code=1006,
            remedy="send the handshake request right after the opening",
            source="AspNetCore.Docs, SignalR configuration",
        ),
    ),
    proved_with=("@microsoft/signalr 10.0 (client)",),
)
