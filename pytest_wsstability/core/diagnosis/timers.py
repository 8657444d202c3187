"""Whether a time that was observed is one of the timers that are known, and whose."""

from __future__ import annotations

import re

from ..duration import show_duration as show
from ..known_timers import KNOWN_TIMERS, CountsFrom, TimerDefault
from ..timeline.events import Tier

# A timer is seen early, because it started before our clock did (nginx also skips re-arming one that
# moves by less than 0.3 s), or late: servers with ticks of seconds, proxies that mute first. Measured.
EARLY = 0.35
LATE = 1.5
LATE_SHARE = 0.02
# In virtual time nothing is late but the link, when it was told to be.
EXACT = 0.05
# Numbers that people write, in steps of so many seconds up to a limit. In real time, where an end is seen
# up to 1.5 s late, the steps are so wide that one end in sixteen is near one by chance, or fewer.
_STEPS = ((10.0, 1.0), (120.0, 5.0), (600.0, 30.0), (7200.0, 60.0), (float("inf"), 300.0))
ROUND_FROM = 60.0
_REAL_STEPS = ((600.0, 30.0), (7200.0, 60.0), (float("inf"), 300.0))

# What servers call themselves in the answer to a handshake.
_SERVERS = re.compile(r"aiohttp|cowboy|daphne|hypercorn|jetty|kestrel|tornado|uvicorn|websockets|werkzeug")


def fits(observed: float, seconds: float, tier: Tier) -> bool:
    """Whether a timer of ``seconds`` may be what was ``observed``."""
    if tier is Tier.VIRTUAL:
        return -EXACT <= observed - seconds <= EXACT
    return -EARLY <= observed - seconds <= max(LATE, LATE_SHARE * seconds)


def known(observed: float, tier: Tier, *kinds: CountsFrom) -> list[TimerDefault]:
    """The known timers of these kinds that fit."""
    return [
        timer for timer in KNOWN_TIMERS if timer.counts_from in kinds and fits(observed, timer.seconds, tier)
    ]


def nearest(observed: float, *kinds: CountsFrom) -> TimerDefault:
    """The known timer of these kinds that is nearest, in shares of its length."""
    candidates = [timer for timer in KNOWN_TIMERS if timer.counts_from in kinds]
    return min(candidates, key=lambda timer: abs(observed - timer.seconds) / timer.seconds)


def is_round(observed: float, tier: Tier) -> bool:
    """
    Whether people write such numbers into settings: 45 s, 10 min, not 47.3 s.

    In real time that proves nothing below a minute, where every second instant is near such a number.

    """
    steps = _STEPS if tier is Tier.VIRTUAL else _REAL_STEPS
    step = next(step for limit, step in steps if observed <= limit + LATE)
    candidates = (observed // step * step, (observed // step + 1) * step)
    if tier is Tier.REAL:
        # No share for lateness: at five minutes it would be a third of the way to the next number.
        return any(s >= ROUND_FROM and -EARLY <= observed - s <= LATE for s in candidates)
    return any(seconds > 0 and fits(observed, seconds, tier) for seconds in candidates)


def is_number(observed: float, tier: Tier, *kinds: CountsFrom) -> bool:
    """Whether that is a known timer of these kinds, or a number that people write into settings."""
    return bool(known(observed, tier, *kinds)) or is_round(observed, tier)


def value(observed: float, tier: Tier, *kinds: CountsFrom) -> str:
    """The timer's length for a sentence: the known or whole value that fits, else what was observed."""
    timers = known(observed, tier, *kinds)
    if timers:
        return show(timers[0].seconds)
    whole = round(observed)
    if whole and abs(observed - whole) <= min(EARLY, 0.05 * whole):
        return show(float(whole))
    return f"about {show(round(observed, 1))}"


def owners(observed: float, tier: Tier, *kinds: CountsFrom, signed: str = "") -> str:
    """
    Who is known for such a timer, as a hypothesis: ``nginx, AWS ALB``; empty if nobody is.

    Args:
        observed, tier, kinds: as for `known`.
        signed: what the answer to the handshake says of who sent it. A server that names itself there is the
            one that pings, whatever stands before it.

    """
    server = _SERVERS.search(signed.lower())
    found = (
        timer.owner
        for timer in known(observed, tier, *kinds)
        if timer.counts_from is not CountsFrom.PING or server is None or server[0] in timer.owner.lower()
    )
    return ", ".join(dict.fromkeys(found))
