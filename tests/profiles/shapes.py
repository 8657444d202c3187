"""Profiles of every shape that a protocol can have, each as short as it can be said."""

from __future__ import annotations

import re

from pytest_wsstability.profiles import (
    ID,
    INTERVAL,
    INTERVAL_MS,
    SEQUENCE,
    SESSION_ID,
    TOKEN,
    Codec,
    Free,
    Profile,
)


def number_behind(letter):
    """Reads a letter and a number."""
    return lambda message: {"id": int(message[1:])} if message[:1] == letter else None


SHAPES = {
    # Heartbeats.
    "an echo": {"ping": {"ping": ID}, "pong": {"ping": ID}},
    "an echo of bytes": {"ping": b"\x00", "pong": b"\x00"},
    "the same one both ways": {"ping": "\n", "heartbeats_from": "both"},
    "one way": {"ping": {"type": "KeepAlive"}},
    "bytes with an id": {"ping": b"\x09{id}", "pong": b"\x0a{id}"},
    "ids in lists": {"ping": {"p": [ID]}, "pong": {"q": [[ID]]}},
    "several words for one": {"ping": "ping", "pong": ("pong", "PONG")},
    "functions": {
        "ping": Codec(number_behind("p"), lambda values: f"p{values['id']}", ("id",)),
        "pong": Codec(number_behind("q"), lambda values: f"q{values['id']}", ("id",)),
    },
    "patterns": {
        "ping": Codec(re.compile(r"p(?P<id>\d+)"), f"p{ID}"),
        "pong": Codec(re.compile(r"q(?P<id>\d+)!*"), f"q{ID}"),
    },
    "several messages in a frame": {
        "records": "\n",
        "session_info": {"t": "i", "s": SESSION_ID},
        "session_confirmed": {"t": "c", "s": SESSION_ID},
        "ping": {"t": "p", "n": ID},
        "pong": {"t": "q", "n": ID},
        "heartbeats_from": "both",
    },
    "the last number": {"ping": {"op": 1, "d": SEQUENCE}, "pong": {"op": 11}, "sequence": "s"},
    "a server that asks": {
        "greeting": f"WELCOME {SESSION_ID} every {INTERVAL}",
        "ping": "PING",
        "pong": "PONG",
        "heartbeats_from": "server",
    },
    # Sessions that the client names.
    "a name in text": {
        "session_info": f"HELLO {SESSION_ID}",
        "session_confirmed": f"WELCOME {SESSION_ID}",
        "ping": "p",
    },
    "a name in bytes": {
        "session_info": b"\x01{session_id}\x00",
        "session_confirmed": b"\x02{session_id}\x00",
        "ping": b"\x09",
    },
    "a name at depth": {
        "session_info": {"type": "join", "d": {"user": {"id": SESSION_ID}}},
        "session_confirmed": {"type": "joined", "d": {"user": {"id": SESSION_ID}}},
        "ping": "p",
    },
    "a name in lists": {
        "session_info": ["join", {"a": [1, {"b": SESSION_ID}]}],
        "session_confirmed": ["ok", [[{"id": SESSION_ID}]]],
        "ping": "p",
    },
    "a name in each heartbeat": {
        "session_info": {"h": SESSION_ID},
        "session_confirmed": {"ok": SESSION_ID},
        "ping": {"p": SESSION_ID},
        "pong": {"q": SESSION_ID},
    },
    "a start that nobody confirms": {
        "session_info": {"event": "start", "streamSid": SESSION_ID},
        "ping": "p",
    },
    # Sessions that the server names.
    "the server's name in lists": {
        "session_info": "go",
        "session_confirmed": {"r": [0, [SESSION_ID, "x"]]},
        "ping": "p",
    },
    "coming back with the last number": {
        "greeting": {"op": 10, "d": {"heartbeat_interval": INTERVAL_MS}},
        "session_info": {"op": 2, "d": Free({})},
        "session_confirmed": {"op": 0, "t": "READY", "d": {"session_id": SESSION_ID}},
        "resume": {"op": 6, "d": {"session_id": SESSION_ID, "seq": SEQUENCE}},
        "resumed": {"op": 0, "t": "RESUMED"},
        "resume_refused": {"op": 9, "d": False},
        "ping": {"op": 1, "d": SEQUENCE},
        "pong": {"op": 11},
        "sequence": "s",
    },
    "coming back with a token": {
        "session_info": {"hi": 1},
        "session_confirmed": {"yo": SESSION_ID, "tok": TOKEN},
        "resume": {"back": TOKEN, "last": SEQUENCE},
        "resumed": {"again": SESSION_ID},
        "resume_refused": {"gone": 1},
        "ping": "p",
        "sequence": "n",
    },
}


def profile_of(name: str) -> Profile:
    """A profile with a heartbeat every 5 s."""
    return Profile(name=name, interval=5, **SHAPES[name])
