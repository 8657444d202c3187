"""Intervals against timeouts, before anything runs: what is a race, what cannot help, what proves nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..duration import show_duration as show

# Below the first share of a timeout, two intervals and an answer fit into it; from the second on traffic
# races with it, and above the third it has lost.
SAFE_SHARE, RACE_SHARE, LOST_SHARE = 0.45, 0.9, 1.02


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTimer:
    """A timer whose numbers are known before the run, and what resets it."""

    # As it stands in a sentence: "the orchestrator's read deadline".
    name: str
    seconds: float
    by_heartbeat: bool
    # A pong of the client, after a ping of the server.
    by_pong: bool
    # A ping of the client's own.
    by_ping: bool
    # A ping of the server, whether or not it is answered.
    by_server_ping: bool
    # Somebody wrote the number for this test, so that the test is about it.
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRates:
    """What goes to and fro in a test, as seconds between two; None where nothing does."""

    heartbeat_every: float | None = None
    server_ping_every: float | None = None
    # Pings that the client sends by itself (client="keepalive").
    ping_every: float | None = None
    # The client answers the server's pings.
    answers: bool = True


@dataclass(frozen=True, slots=True)
class Margin:
    """The most frequent traffic that resets a timer."""

    timer: KnownTimer
    what: str
    every: float

    @property
    def share(self) -> float:
        """The interval as a share of the timeout: below 0.45 one may be lost, from 0.9 on it is a race."""
        return self.every / self.timer.seconds

    def __str__(self) -> str:
        against = f"{self.what} every {show(self.every)} against {self.timer.name} of"
        return f"{against} {show(self.timer.seconds)}: {self.share:.2f} of it"


def margin(timer: KnownTimer, traffic: TrafficRates) -> Margin | None:
    """What resets a timer, and how often; None if nothing does."""
    pongs = traffic.server_ping_every if traffic.answers else None
    candidates = (
        ("a heartbeat", traffic.heartbeat_every, timer.by_heartbeat),
        ("a pong", pongs, timer.by_pong),
        ("a ping", traffic.ping_every, timer.by_ping),
        ("a ping of the server", traffic.server_ping_every, timer.by_server_ping),
    )
    counting = [(every, what) for what, every, counts in candidates if counts and every is not None]
    if not counting:
        return None
    every, what = min(counting)
    return Margin(timer, what, every)


def concerns(
    hold: float, timers: Iterable[KnownTimer], traffic: TrafficRates, *, with_certain_ends: bool
) -> list[str]:
    """
    What is wrong with a hold of so many seconds, a sentence each with its arithmetic.

    Args:
        hold: ``alive_for``.
        timers: those that rule the connection.
        traffic: what the ends send.
        with_certain_ends: tell also what will end the connection in any case. A hold in virtual time
            says that better, and at once.

    """
    found = (_concern(hold, timer, traffic, with_certain_ends) for timer in timers)
    return [text for text in found if text is not None]


def _concern(hold: float, timer: KnownTimer, traffic: TrafficRates, with_certain_ends: bool) -> str | None:
    limit = f"{timer.name} of {show(timer.seconds)}"
    if hold <= timer.seconds:
        if not timer.chosen:
            return None
        return f"alive_for={show(hold)} is over before {limit} can be, so it proves nothing about it"
    best = margin(timer, traffic)
    if (best is None or best.share > LOST_SHARE) and not with_certain_ends:
        return None
    if best is None:
        return f"nothing resets {limit}{_in_vain(timer, traffic)}: it ends the hold of {show(hold)}"
    if best.share < RACE_SHARE:
        return None
    why = f"from {RACE_SHARE:g} on it is a race" if best.share <= LOST_SHARE else "it always comes too late"
    return f"{best}, and {why}; {show(round(SAFE_SHARE * timer.seconds, 3))} or less is safe"


def _in_vain(timer: KnownTimer, traffic: TrafficRates) -> str:
    """What comes, and does not count."""
    words = [
        f"{what} every {show(every)}"
        for what, every, counts in (
            ("a heartbeat", traffic.heartbeat_every, timer.by_heartbeat),
            ("a ping", traffic.ping_every, timer.by_ping),
        )
        if every is not None and not counts
    ]
    if traffic.server_ping_every is not None and timer.by_pong and not traffic.answers:
        words.append("a pong, which this client keeps back")
    if not words:
        return ""
    return f" ({' and '.join(words)} {'do' if len(words) > 1 else 'does'} not)"
