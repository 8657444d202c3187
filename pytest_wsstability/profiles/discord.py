"""
Discord's gateway, version 10: the server names the interval, the client sends the last number it received.

Server: op 10 with ``heartbeat_interval``. Client: op 2 (identify), or op 6 (resume) with the session's id
and the last number. Server: ``READY`` or ``RESUMED``, or op 9. The client's op 1 is answered with op 11. With
an op 1 of its own the server wants one at once, with op 7 it asks the client to come back.

"""

from __future__ import annotations

from typing import Any

from ..core.timeline.close_reasons import Topic
from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolCode, ProtocolTimer
from .placeholders import INTERVAL_MS, SEQUENCE, SESSION_ID, URL
from .profile import Profile
from .templates import Free

_SOURCE = "discord-api-docs, Opcodes and Status Codes"
_PROPERTIES = {"os": "linux", "browser": "wsstability", "device": "wsstability"}


def _code(code: int, meaning: str, *, returns: bool, topic: Topic | None = None) -> ProtocolCode:
    return ProtocolCode(
        code=code, meaning=meaning, by=End.SERVER, returns=returns, topic=topic, source=_SOURCE
    )


_CODES = (
    _code(4000, "an unknown error", returns=True, topic=Topic.ERROR),
    _code(4001, "an unknown opcode", returns=True, topic=Topic.PROTOCOL),
    _code(4002, "a payload that cannot be decoded", returns=True, topic=Topic.PROTOCOL),
    _code(4003, "not authenticated: something else before identify", returns=True, topic=Topic.TOKEN),
    _code(4004, "authentication failed", returns=False, topic=Topic.TOKEN),
    _code(4005, "authenticated already: identify twice", returns=True, topic=Topic.PROTOCOL),
    _code(4007, "a wrong number in resume", returns=True, topic=Topic.SESSION_OVER),
    _code(4008, "rate limited: payloads came too fast", returns=True, topic=Topic.RATE),
    _code(4009, "the session timed out", returns=True, topic=Topic.SESSION_OVER),
    _code(4010, "a wrong shard", returns=False),
    _code(4011, "sharding required", returns=False),
    _code(4012, "a wrong API version", returns=False, topic=Topic.PROTOCOL),
    _code(4013, "wrong intents", returns=False),
    _code(4014, "intents that are not allowed", returns=False, topic=Topic.TOKEN),
)


def discord(
    token: str = "token", *, intents: int = 0, resume_url: str = URL, name: str = "discord"
) -> Profile:
    """
    Discord's gateway for one bot.

    Args:
        token: of the bot.
        intents: what it wants to hear of.
        resume_url: where the orchestrator tells clients to come back to; by default where they came to.
        name: of the profile.

    """
    ready: dict[str, Any] = {"session_id": SESSION_ID, "v": Free(10, optional=True)}
    ready["user"] = Free({"id": "1", "username": "bot", "discriminator": "0", "avatar": None}, optional=True)
    ready["guilds"] = Free([], optional=True)
    ready["application"] = Free({"id": "1", "flags": 0}, optional=True)
    ready["resume_gateway_url"] = URL if resume_url == URL else Free(resume_url, optional=True)
    identify = {"token": token, "intents": intents, "properties": _PROPERTIES}
    return Profile(
        name=name,
        title="Discord's gateway 10",
        specification="https://discord.com/developers/docs/events/gateway",
        greeting={"op": 10, "d": {"heartbeat_interval": INTERVAL_MS}},
        session_info={"op": 2, "d": Free(identify)},
        session_confirmed={"op": 0, "t": "READY", "s": Free(1, optional=True), "d": ready},
        resume={"op": 6, "d": {"session_id": SESSION_ID, "seq": SEQUENCE, "token": Free(token)}},
        resumed={"op": 0, "t": "RESUMED", "s": Free(2, optional=True), "d": Free({}, optional=True)},
        resume_refused={"op": 9, "d": False},
        ping={"op": 1, "d": SEQUENCE},
        pong={"op": 11},
        heartbeat_request={"op": 1},
        interval=41.25,
        sequence="s",
        notice={"op": 7},
        # The session is over; the client may try to come back to it.
        error={"op": 9, "d": True},
        query={"v": "10", "encoding": "json"},
        timers=(
            ProtocolTimer(
                name="discord.py's heartbeat timeout",
                by=End.CLIENT,
                awaits=Awaited.MESSAGE,
                seconds=60,
                code=4000,
                remedy="answer each op 1 with op 11",
                source="discord.py 2.7.1, measured: 60 s without any message",
            ),
        ),
        codes=_CODES,
        proved_with=("discord.py 2.7 (client)",),
    )


DISCORD = discord()
