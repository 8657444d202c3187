"""Second causes that several rows share."""

from __future__ import annotations

from ..cause import Cause
from ..known_timers import CountsFrom
from ..timeline.events import Tier
from . import timers
from .features import Features
from .signature import Rival

# Lifetimes that tokens are given, in seconds.
_TOKENS = (300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 86400.0)


def _by_chance(f: Features) -> bool:
    """Whether a whole number of seconds is all that speaks for an idle timeout: in real time many fit."""
    return f.tier is Tier.REAL and not timers.known(f.silence, f.tier, CountsFrom.IDLE)


def _any_age(f: Features) -> bool:
    """The same for an age, which no other connection shared."""
    alone = f.tier is Tier.REAL and not f.together
    return alone and not timers.known(f.age, f.tier, CountsFrom.AGE, CountsFrom.PONG)


def _token_age(f: Features) -> bool:
    return any(timers.fits(f.age, seconds, f.tier) for seconds in _TOKENS)


FROZEN = (
    Rival(
        Cause.NO_PONGS,
        "it answered nothing before either",
        lambda f: f.never_answered,
        "it answered none before either, so it may not know the question",
    ),
    Rival(
        Cause.ZOMBIE,
        "no ping frame was asked",
        lambda f: f.asked.open_since is None,
        "no ping frame was asked, so it may be its application alone (a handler that hangs)",
    ),
    Rival(
        Cause.PEER_NOT_READING,
        "messages may wait in front of the ping",
        lambda f: f.unread_first,
        "messages were sent before the ping, so it may just have stopped reading",
    ),
)
BY_CHANCE = Rival(
    Cause.RESTART,
    "the number is nobody's known default, in real time",
    _by_chance,
    "no known default, so an end by chance (a crash, a restart) fits too",
)
TOKEN = Rival(
    Cause.AUTH_EXPIRED,
    "the age is one that tokens have",
    _token_age,
    "tokens live as long, so an expired one fits too",
)
ANY_AGE = Rival(
    Cause.RESTART,
    "the age is nobody's known default, in real time, and no other connection ended at it",
    _any_age,
    "one connection proves no age, so an end by chance (a crash, a restart) fits too",
)
