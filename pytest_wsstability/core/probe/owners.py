"""Whose default a timer that was found may be: a hypothesis, as a number alone names nobody."""

from __future__ import annotations

from ..diagnosis.timers import fits
from ..known_timers import KNOWN_TIMERS, CountsFrom
from ..timeline.events import Tier
from .findings import FoundTimer, Policy, TimerKind

_BYTES = {
    Policy.ANY: (CountsFrom.IDLE, CountsFrom.IDLE_UPSTREAM),
    Policy.CLIENT: (CountsFrom.IDLE_UPSTREAM,),
    Policy.SERVER: (CountsFrom.IDLE_DOWNSTREAM,),
    Policy.MESSAGES: (CountsFrom.MESSAGES, CountsFrom.MESSAGES_UPSTREAM),
}


def owners(timer: FoundTimer, tier: Tier) -> str:
    """Who is known for such a timer: ``nginx, AWS ALB``; empty if nobody is."""
    names = dict.fromkeys(
        known.owner
        for known in KNOWN_TIMERS
        if known.counts_from in _kinds(timer) and _fits(timer, known.seconds, tier, known.counts_from)
    )
    return ", ".join(names)


def _kinds(timer: FoundTimer) -> tuple[CountsFrom, ...]:
    if timer.kind is TimerKind.MAX_AGE:
        return (CountsFrom.AGE,)
    if timer.silent:
        return (CountsFrom.SILENT,)
    answered = (CountsFrom.PING,) if timer.answering_helps else ()
    if timer.kind is TimerKind.READ_DEADLINE:
        return (CountsFrom.PONG, *answered)
    return (*_BYTES.get(timer.policy, ()), *answered)


def _fits(timer: FoundTimer, seconds: float, tier: Tier, counts_from: CountsFrom) -> bool:
    if counts_from is CountsFrom.PING:
        return timer.after_ping is not None and fits(timer.after_ping, seconds, tier)
    if timer.silent:
        return timer.least - 1e-6 <= seconds <= timer.seconds + timer.error + 1e-6
    return fits(timer.seconds, seconds, tier)
