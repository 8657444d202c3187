"""Rows for closes that the peer wanted: one that asks to reconnect, and whatever no other row explains."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..timeline.close import OF_APPLICATIONS
from ..timeline.close_reasons import asks_to_reconnect
from ..timeline.events import End
from . import rivals
from .cohort import SILENCE
from .features import Features
from .message_limit import NTH_MESSAGE
from .signature import Blamed, Claim, Rival, Signature

MEDIUM, LOW = Confidence.MEDIUM, Confidence.LOW
# What a proxy that may not send 1006 makes of it (source of @fastify/http-proxy 11.6).
_LIFTED_1006 = 4006


def _asks_to_reconnect(f: Features) -> bool:
    is_open_to_words = f.code == 1000 or f.code in OF_APPLICATIONS
    return is_open_to_words and f.close is not None and asks_to_reconnect(f.close.reason)


def _was_idle(f: Features) -> bool:
    """Whether the end came after the longest silence, one that a timer may have waited for."""
    return f.longest_quiet and f.silence >= SILENCE


ASKED = (
    Signature(
        claim=Claim(Cause.PLANNED_ROTATION, MEDIUM, Blamed.NOBODY),
        shows="1000 or a code of applications, whose reason asks to reconnect and says nothing else",
        when=_asks_to_reconnect,
        sentence="the {peer} asks to be connected to again: {code}; uWebSockets says so at the end of its "
        "maxLifetime",
        headline="the {peer} asks to reconnect",
        evidence=("end",),
        remedy="test that the client comes back: the end itself is meant (allow_close= allows it); or raise "
        "the limit on the age (uWebSockets: maxLifetime, in minutes)",
        rivals=(
            Rival(
                Cause.RESTART,
                "no other connection shows the age",
                lambda f: not rivals.shares_age(f),
                "one that restarts asks so too",
            ),
        ),
        runner_up=Cause.MAX_AGE,
        source="uWebSockets.js 20.30 (measured)",
    ),
)

ON_PURPOSE = (
    Signature(
        claim=Claim(Cause.CLOSED_BY_PEER, LOW, Blamed.PEER),
        shows="any other close code was received",
        when=lambda f: f.code is not None,
        rivals=(
            rivals.AFTER_A_MESSAGE,
            rivals.NO_MESSAGE_FOR_LONG,
            Rival(
                Cause.HEARTBEAT_UNANSWERED,
                "messages of the peer came, and this end sent none",
                lambda f: f.messages.heard > 1 and not f.messages.said,
                "the {end} answered none of its messages, so a heartbeat among them that went unanswered "
                "fits too",
                LOW,
            ),
            NTH_MESSAGE,
            rivals.ANOTHER_OPENED,
            rivals.LIMIT_ON_AGE,
            rivals.TOKEN,
            Rival(
                Cause.UPSTREAM_FAILED,
                "the code is 4006, without a reason",
                lambda f: f.code == _LIFTED_1006 and not f.reason,
                "a gateway that may not send 1006 says so of the connection behind it (@fastify/http-proxy)",
                LOW,
            ),
            Rival(
                Cause.RESTART,
                "it is the server's, behind no longest silence of a second or more, and no other connection "
                "lived on",
                lambda f: f.end is End.CLIENT and not _was_idle(f) and not f.beside.survivors,
                leaves=LOW,
            ),
        ),
        sentence="the {peer} ended the connection on purpose: {code}",
        headline="closed by the {peer} on purpose",
        evidence=("end", "last_sent"),
        remedy="see why the {peer} closes: {reasons_to_close}",
        runner_up=Cause.IDLE_AS_NORMAL,
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
)
