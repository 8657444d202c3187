"""Which protocol a peer speaks, told by its first messages, its subprotocol and its path: no I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Likeness
from .catalogue import SHIPPED, shipped
from .profile import Profile
from .records import Records

# So many messages of a connection are looked at, and no longer ones.
FIRST, LONGEST = 3, 4096
# What a message has to fix to tell a protocol: ``{"type":"ping"}`` has two, ``2`` and a line feed one.
_TELLING = 2
# A ping message is short, and says so in a word by itself: PING, "primus::ping::1690000000000", IRC's
# PING :tmi.twitch.tv, {"op":"ping"}, {"ping":1690000000000}.
_SHORT = 128
_PING = re.compile(
    r'"?(?:primus::)?ping(?:::\d+| :\S+)?"?|[\[{](?!.*"pong").*"ping"\s*[\]},:].*', re.IGNORECASE | re.DOTALL
)
# Parts of a path that say which protocol is spoken there, as the protocol's own software has it by default.
PATHS = {
    "socket.io": "socketio",
    "engine.io": "engineio",
    "graphql": "graphql-transport-ws",
    "cable": "actioncable",
    "mqtt": "mqtt",
    "stomp": "stomp",
    "signalr": "signalr",
}
# Where several protocols have one subprotocol, the one that is spoken most.
SUBPROTOCOLS = {
    "graphql-transport-ws": "graphql-transport-ws",
    "v12.stomp": "stomp",
    "v11.stomp": "stomp",
    "v10.stomp": "stomp",
    "mqtt": "mqtt",
    "actioncable-v1-json": "actioncable",
    "wamp.2.json": "wamp",
    "ocpp1.6": "ocpp",
    "ocpp2.0.1": "ocpp2.0.1",
}
# Subprotocols of the protocol before one, whose messages look like its own.
OLDER = {"graphql-transport-ws": {"graphql-ws"}}


def likeness_of(name: str) -> Likeness:
    """What people call the protocol of a shipped profile."""
    profile = shipped(name)
    return Likeness(name, profile.looks_like or profile.title or name)


def is_variant(profile: Profile, name: str) -> bool:
    """Whether a profile is the shipped one with a name, or another form of it."""
    other = shipped(name)
    same = profile.name == name or profile.specification == other.specification
    return same or bool(set(profile.subprotocols) & set(other.subprotocols))


def sniff_request(path: str, subprotocols: Iterable[str]) -> str | None:
    """
    The shipped profile that a handshake request speaks of; None if it names no protocol.

    Args:
        path: of the URL, with the query.
        subprotocols: that were offered, or the one that was chosen.

    """
    names = list(filter(None, subprotocols))
    for name in names:
        if name in SUBPROTOCOLS:
            return SUBPROTOCOLS[name]
    parts = path.partition("?")[0].lower().split("/")
    found = next((PATHS[part] for part in parts if part in PATHS), None)
    # Another subprotocol than the path's is another protocol: "graphql-ws" at /graphql is the older one.
    return None if found is not None and names and shipped(found).subprotocols else found


def sniff_messages(
    first: Iterable[str | bytes], sender: End, subprotocols: Collection[str] = ()
) -> str | None:
    """
    The shipped profile whose messages these are; None if no one's, or those of several protocols.

    Args:
        first: what an end said first.
        sender: which end.
        subprotocols: that the client offered, or the one that was chosen; empty where none was.

    """
    found = [0] * len(SHIPPED)
    for payload in first:
        if len(payload) <= LONGEST:
            for index, name in enumerate(SHIPPED):
                found[index] += _telling(shipped(name), payload, sender)
    best = max(found)
    names = [name for name, parts in zip(SHIPPED, found, strict=True) if parts == best]
    if best < _TELLING:
        return None
    # Two versions of a protocol are one; the first of them is the one to try.
    titles = {likeness_of(name).title.partition(" ")[0] for name in names}
    older = not set(subprotocols).isdisjoint(OLDER.get(names[0], ())) and names[0] not in subprotocols
    return names[0] if len(titles) == 1 and not older else None


def is_ping(payload: str | bytes) -> bool:
    """Whether a message is a ping as many protocols have one."""
    if not isinstance(payload, str) or len(payload) > _SHORT or "ping" not in payload.lower():
        # Each message is asked: most are told by this.
        return False
    return _PING.fullmatch(payload.strip()) is not None


def _telling(profile: Profile, payload: str | bytes, sender: End) -> int:
    """How much of a message a profile accounts for; 0 if it is none of its."""
    try:
        messages: Sequence[str | bytes] = [payload]
        if profile.records is not None:
            messages = Records(profile.records).take(payload)
        return profile.words.telling(messages[0], sender) if messages else 0
    except Exception:
        # The message is somebody else's, and may be anything.
        return 0
