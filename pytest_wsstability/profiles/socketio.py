"""
Socket.IO 5 on Engine.IO 4: joins the default namespace.

Server: Engine.IO's packet ``0``. Client: ``40``. Server: ``40{"sid": ...}``, or ``44`` for no; ``41`` ends
the session, and neither the connection nor its heartbeats, so it is an error. Heartbeats are Engine.IO's.
Another namespace, and what a server asks for: ``socketio("/chat", auth={"token": "..."})``.

The same where the server has ``connectionStateRecovery``: a client comes back to its ``sid`` and misses
nothing.

"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from .engineio import CLIENT_TIMEOUT, ENGINEIO, OPEN, PING_TIMEOUT
from .messages import Codec, Prefixed
from .placeholders import ANY, SEQUENCE, SESSION_ID, TOKEN, Values
from .profile import Profile
from .templates import Free
from .wording import json_of

# A client of several namespaces joins each on the same connection; an event with a number wants a packet 43.
_JOINS = re.compile(r"40(/[^,]+)")
_ASKS = re.compile(r"42((?:/[^,]+,)?[0-9]+)\[")


def _reply(message: str | bytes, began: Values) -> str | None:
    """What a server says that has all namespaces, and acknowledges events without a word."""
    if isinstance(message, bytes):
        return None
    joins, asks = _JOINS.match(message), _ASKS.match(message)
    if joins is not None:
        return f'40{joins[1]},{{"sid":"{uuid.uuid4()}"}}'
    return None if asks is None else f"43{asks[1]}[]"


CONNECT_TIMEOUT = ProtocolTimer(
    name="Socket.IO's connect timeout",
    by=End.SERVER,
    awaits=Awaited.SESSION,
    seconds=45,
    code=1005,
    remedy="send a packet 40 once the packet 0 has come",
    source="socket.io 4.8.4, measured; python-socketio has none",
)


def socketio(
    namespace: str = "/", *, auth: Mapping[str, Any] | None = None, name: str = "socketio"
) -> Profile:
    """
    Socket.IO for one namespace.

    Args:
        namespace: to join; as to a server of Socket.IO, "chat" is "/chat".
        auth: what its server is given; None: nothing.
        name: of the profile.

    """
    path = namespace.removeprefix("/")
    room = f"/{path}," if path else ""
    joins = f"40{room}"
    # A client of several namespaces joins others on the same connection: 40/admin,
    joined = re.compile(rf"{re.escape(joins)}(?:\{{.*)?", re.DOTALL)
    leaves = Codec(re.compile(rf"41{re.escape(room)}(?:\{{.*)?", re.DOTALL), f"41{room}")
    return ENGINEIO.replace(
        name=name,
        title="Socket.IO 5",
        looks_like="Engine.IO 4",
        specification="https://github.com/socketio/socket.io-protocol",
        greeting=Prefixed("0", {**OPEN, "sid": Free("engine")}),
        session_info=(joins if auth is None else Prefixed(joins, auth), joined),
        session_confirmed=Prefixed(joins, {"sid": SESSION_ID}),
        # python-socketio says of a namespace that it does not serve: 44"Unable to connect".
        session_refused=(Prefixed(f"44{room}", {"message": Free("refused")}), f'44{room}"{ANY}"'),
        # The connection stays, and clients do not come back by themselves.
        error=leaves,
        goodbye=leaves,
        # Its client closes; of a server the connection stays (python-socketio, measured).
        goodbye_code=None,
        reply=_reply,
        foreign={"an Engine.IO 3 server, which joins by itself and waits for the client's pings": "40"},
        timers=(PING_TIMEOUT, CONNECT_TIMEOUT, CLIENT_TIMEOUT),
        proved_with=("python-socketio 5.18 (server and client)", "socket.io 4.8 (server and client)"),
    )


SOCKETIO = socketio()


def offset(message: str | bytes) -> str | None:
    """The offset of an event: the last argument of what a server with recovery sends."""
    if isinstance(message, bytes) or not message.startswith("42"):
        return None
    arguments = json_of(message[2:].lstrip("0123456789"))
    last = arguments[-1] if isinstance(arguments, list) and len(arguments) > 1 else None
    return last if isinstance(last, str) else None


SOCKETIO_RECOVERY = SOCKETIO.replace(
    name="socketio-recovery",
    title="Socket.IO 5 with connection state recovery",
    session_confirmed=Prefixed("40", {"sid": SESSION_ID, "pid": TOKEN}),
    resume=Prefixed("40", {"pid": TOKEN, "offset": SEQUENCE}),
    sequence=offset,
    proved_with=("socket.io 4.8 (server and client)",),
)
