"""Rows for an end while messages of this end were still on their way, which is no silence."""

from __future__ import annotations

from typing import Any

from ..cause import Cause, Confidence
from ..timeline.close_reasons import Topic
from .features import Features
from .rows_said_keepalive import asked_by_peer, ended_by_timers_code
from .signature import Blamed, Claim, Rival, Signature

MEDIUM, LOW = Confidence.MEDIUM, Confidence.LOW

_OF_TIME = (Topic.IDLE, Topic.TIMEOUT)
# Seconds that they have been on their way, from which on a deadline may have waited for them.
_LONG = 5.0
_PONG = Rival(
    Cause.PONG_LATE,
    "a ping or a heartbeat of the peer came",
    asked_by_peer,
    "the {peer} asked meanwhile, so an answer that waited behind them fits too",
)


def _row(how: str, *, confidence: Confidence, runner_up: Cause, **more: Any) -> Signature:
    return Signature(
        claim=Claim(Cause.READ_DEADLINE, confidence, Blamed.PEER),
        sentence="what the {end} sends was on its way since {unsent_since} when the {peer} "
        f"{how}: a deadline that waits for a whole message, or for a heartbeat behind it, fits",
        headline="read deadline? messages were on their way since {unsent_since}",
        evidence=("unsent", "last_sent", "end", "server_pings"),
        remedy="let the {peer} wait longer, or count whatever arrives; or send smaller messages",
        runner_up=runner_up,
        source="reports (aiohttp 12030), measured in virtual time",
        **more,
    )


def _uploads(f: Features) -> bool:
    return f.upload >= _LONG


def _unasked(f: Features) -> bool:
    """Whether they were on their way, no pong could be among them, and no other connection ended too."""
    return _uploads(f) and not asked_by_peer(f) and not f.ended_for_one_reason


def _names_time(f: Features) -> bool:
    of_heartbeats = f.reading.topic is Topic.KEEPALIVE and not asked_by_peer(f)
    return _uploads(f) and f.code is not None and (of_heartbeats or f.reading.topic in _OF_TIME)


SAID = (
    _row(
        "closed with {code}",
        shows="the close reason speaks of idleness or a timeout (or of a keepalive, though nobody asked) "
        "while bytes of this end were leaving it, for 5 s or longer",
        when=_names_time,
        confidence=MEDIUM,
        rivals=(_PONG,),
        runner_up=Cause.CLOSED_BY_PEER,
    ),
)
CLOSED = (
    _row(
        "closed with {code}",
        shows="a close code with which timeouts were seen, other than 1011, while bytes of this end were "
        "leaving it, for 5 s or longer, nobody asked for a pong, and no other connection ended within 2 s",
        when=lambda f: _unasked(f) and ended_by_timers_code(f) and f.code != 1011 and f.reading.topic is None,
        confidence=LOW,
        runner_up=Cause.CLOSED_BY_PEER,
    ),
)
CUT = (
    _row(
        "cut the connection",
        shows="no close frame, while bytes of this end were leaving it, for 5 s or longer, nobody asked "
        "for a pong, and no other connection ended within 2 s",
        when=lambda f: _unasked(f) and f.cut,
        confidence=LOW,
        runner_up=Cause.RESTART,
    ),
)
