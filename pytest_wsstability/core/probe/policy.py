"""Which traffic resets a timer: from what lived and what died."""

from __future__ import annotations

from collections.abc import Mapping

from .findings import Policy
from .observation import Observation, RungFate
from .rungs import Traffic

# A timer that ticks, or a checker that looks now and then, is late by up to a third.
_LATE = 1.35

Matrix = Mapping[Traffic, bool | None]
TESTED = (Traffic.TEXT, Traffic.HEARTBEAT, Traffic.PING, Traffic.PONG)


def tolerance(seconds: float) -> float:
    """How far two ends of one timer may lie apart, in seconds."""
    return min(max(0.02 * seconds, 0.5), 0.25 * seconds)


def matrix(busy: Mapping[Traffic, Observation], silence: Observation) -> dict[Traffic, bool | None]:
    """
    Whether each kind of traffic kept its connection alive where silence did not.

    Args:
        busy: the connections that opened, and send one kind of traffic and no pongs.
        silence: the connection that said nothing, and is gone.

    """
    return {kind: _resets(busy[kind], silence) for kind in TESTED if kind in busy}


def _resets(one: Observation, silence: Observation) -> bool | None:
    every = one.rung.every
    assert every is not None
    if silence.fate is RungFate.LOST:
        # Nobody knows when that was, so only who was found alive tells. RST may answer the next message.
        return one.fate is RungFate.ALIVE
    lived = one.age - silence.age
    if lived >= max(2 * tolerance(silence.age), every) and (
        one.fate is RungFate.ALIVE or one.age > _LATE * silence.age
    ):
        return True
    # Traffic as rare as the timer is long would not have reset it either way.
    if every > 0.5 * silence.age or one.fate is RungFate.ALIVE:
        return None
    return False if -tolerance(silence.age) <= lived <= (_LATE - 1) * silence.age else None


def classify(resets: Matrix, busy: Mapping[Traffic, Observation], silence: Observation) -> Policy:
    """The policy that a matrix stands for."""
    known = {kind: value for kind, value in resets.items() if value is not None}
    alive = {kind for kind, value in known.items() if value}
    if not known:
        return Policy.UNKNOWN
    pinged = silence.server_pings > 0
    if len(alive) == len(known):
        # Pings of the server came to the silent one, and it died all the same.
        return Policy.CLIENT if pinged else Policy.ANY
    if not alive:
        return Policy.OWN_PONG if pinged else Policy.NOTHING
    if alive == {Traffic.PONG}:
        return Policy.PONGS
    if _by_the_server(known, busy):
        # A server that answers nothing but pings leaves open which of the two it was.
        return Policy.PINGS_OR_SERVER if alive == {Traffic.PING} else Policy.SERVER
    data = {kind for kind in known if kind in (Traffic.TEXT, Traffic.HEARTBEAT)}
    if alive == data:
        return Policy.MESSAGES
    return {
        frozenset({Traffic.HEARTBEAT}): Policy.HEARTBEATS, frozenset({Traffic.PING}): Policy.PINGS,
    }.get(frozenset(alive), Policy.SOME)  # fmt: skip


def _by_the_server(known: Mapping[Traffic, bool], busy: Mapping[Traffic, Observation]) -> bool:
    """Whether just those lived to which the server kept answering."""
    return all(_answered(busy[kind]) is alive for kind, alive in known.items())


def _answered(one: Observation) -> bool:
    """Whether bytes of the server kept coming: its own pings to one that is silent aside."""
    every = one.rung.every
    assert every is not None
    if one.fate is RungFate.LOST:
        # Nothing is heard from it any more; but while it lived?
        return one.last_received > 2 * every
    return one.age - one.last_received <= 2 * every + tolerance(one.age)
