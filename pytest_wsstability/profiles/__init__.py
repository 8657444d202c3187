"""
Application protocols: who greets, who sends heartbeats, what confirms. Data and functions, no I/O.

How to write one
----------------
JSON question and answer take five lines::

    OURS = Profile(
        name="ours",
        ping={"op": "ping", "id": ID},
        pong={"op": "pong", "id": ID},
    )

A message is JSON (a mapping or a list), text or bytes. A received one matches when it has every member of
the template. A placeholder stands for a value, alone (``{"id": ID}``) or inside text (``f"PONG {ID}"``,
``b"\\x01{session_id}"``): `SESSION_ID`, or `SESSION_NUMBER` where JSON has a number for it; `ID` and
`TEXT_ID`, which an answer carries back; `NOW` and `NOW_TEXT`; `SEQUENCE`, the last number received;
`INTERVAL`, `TIMEOUT` and their ``_MS``, which the server names before the session stands, as numbers;
`TOKEN`, which it gives for coming back, and `URL`, where the client has reached it; `ANY`, and `Free` where
`ANY` has to be written. A value that stands twice in a text is the same in both places, and has 256
characters at most.

Three shapes of heartbeat: ``ping`` and ``pong`` are asked and answered (``ping == pong`` is an echo);
``ping`` alone is one-way, and no answer is ever due; neither means protocol pings. ``heartbeats_from`` says
who sends them. ``heartbeat_request`` (server) is answered with one at once.

A session: ``greeting`` (server), ``steps`` (either), ``session_info`` (client), ``session_confirmed``
(server), each where the protocol has it. With ``SESSION_ID`` in ``session_info`` the client names it, with it
in the server's messages alone (its steps too) the server. ``resume`` and ``resumed`` come back to it on the
next connection. ``goodbye`` (client) says that it goes; the orchestrator says ``goodbye_answer`` to it and
ends the connection with ``goodbye_code``. To all else a client asks for, it says what ``reply`` gives; to
what it asks by HTTP before it connects, what ``http`` does.

What data can't say, one function does: ``pong=lambda message: message.startswith("PONG")`` reads, and
``Codec(read, write)`` writes too; ``read`` gives values by the placeholders' names. ``records`` cuts
messages out of frames, ``agree`` makes one of both ends' intervals.

Speech: ``audio`` is an `Audio` with the messages that carry it, its transcripts and its turns.

Last, what is known: ``timers`` and ``codes`` make causes certain that would be guesses. Each protocol has a
file in here; `conversation` has the state of one connection.

"""

from __future__ import annotations

from ..core.timeline.close_reasons import Topic
from ..core.timeline.protocol_facts import Awaited, Intervals, ProtocolCode, ProtocolTimer
from .audio import RAW, Audio, BadAudio, Spoken, VoiceRole
from .conversation import Conversation, Resumption
from .frames import FRAMES
from .json import JSON
from .messages import Codec, Message, Prefixed
from .placeholders import (
    ANY,
    AUDIO,
    ID,
    INTERVAL,
    INTERVAL_MS,
    NOW,
    NOW_TEXT,
    NUMBER,
    SEQUENCE,
    SESSION_ID,
    SESSION_NUMBER,
    TEXT,
    TEXT_ID,
    TIMEOUT,
    TIMEOUT_MS,
    TOKEN,
    TURN,
    URL,
    Unwritable,
)
from .profile import Profile
from .speech import HangUp, Heard, HttpAnswer, Problem, Say
from .templates import Free
from .words import SessionStep

__all__ = [
    "ANY",
    "AUDIO",
    "FRAMES",
    "ID",
    "INTERVAL",
    "INTERVAL_MS",
    "JSON",
    "NOW",
    "NOW_TEXT",
    "NUMBER",
    "RAW",
    "SEQUENCE",
    "SESSION_ID",
    "SESSION_NUMBER",
    "TEXT",
    "TEXT_ID",
    "TIMEOUT",
    "TIMEOUT_MS",
    "TOKEN",
    "TURN",
    "URL",
    "Audio",
    "Awaited",
    "BadAudio",
    "Codec",
    "Conversation",
    "Free",
    "HangUp",
    "Heard",
    "HttpAnswer",
    "Intervals",
    "Message",
    "Prefixed",
    "Problem",
    "Profile",
    "ProtocolCode",
    "ProtocolTimer",
    "Resumption",
    "Say",
    "SessionStep",
    "Spoken",
    "Topic",
    "Unwritable",
    "VoiceRole",
]
