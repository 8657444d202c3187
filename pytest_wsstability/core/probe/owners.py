"""Whose default a timer that was found may be: a hypothesis, as a number alone names nobody."""

from __future__ import annotations

from ..diagnosis.timers import KNOWN, fits
from ..diagnosis.timers import TimerKind as Known
from ..timeline.events import Tier
from .findings import FoundTimer, Policy, TimerKind

_BYTES = {
    Policy.ANY: (Known.IDLE, Known.IDLE_UPSTREAM),
    Policy.CLIENT: (Known.IDLE_UPSTREAM,),
    Policy.SERVER: (Known.IDLE_DOWNSTREAM,),
    Policy.MESSAGES: (Known.IDLE, Known.IDLE_UPSTREAM),
}


def owners(timer: FoundTimer, tier: Tier) -> str:
    """Who is known for such a timer: ``nginx, AWS ALB or CLB``; empty if nobody is."""
    names = dict.fromkeys(
        known.owner
        for known in KNOWN
        if known.kind in _kinds(timer) and _fits(timer, known.seconds, tier, known.kind)
    )
    return ", ".join(names)


def _kinds(timer: FoundTimer) -> tuple[Known, ...]:
    if timer.kind is TimerKind.MAX_AGE:
        return (Known.AGE,)
    if timer.silent:
        return (Known.SILENT,)
    answered = (Known.PING,) if timer.answering_helps else ()
    if timer.kind is TimerKind.READ_DEADLINE:
        return (Known.PONG, *answered)
    return (*_BYTES.get(timer.policy, ()), *answered)


def _fits(timer: FoundTimer, seconds: float, tier: Tier, kind: Known) -> bool:
    if kind is Known.PING:
        return timer.after_ping is not None and fits(timer.after_ping, seconds, tier)
    if timer.silent:
        return timer.least - 1e-6 <= seconds <= timer.seconds + timer.error + 1e-6
    return fits(timer.seconds, seconds, tier)
