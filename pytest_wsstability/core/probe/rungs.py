"""The connections of a probe: who says what, how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..duration import show_duration as show

# A probe is a guest: it opens no more connections than this at a time.
MOST_CONNECTIONS = 12
# Traffic that would reset a timer comes this often, as a share of the whole wait, and in seconds.
_QUICK_SHARE = 1 / 200
_QUICK_MIN, _QUICK_MAX = 0.05, 5.0
# Intervals of the slow pings: the longest as a share of the wait, then half of it, and so on. They lie just
# below the round numbers that timers have.
_SLOW_SHARE = 0.768


class Traffic(Enum):
    """What a connection of the ladder sends."""

    SILENCE = "silence"
    # An application message that the server need not answer.
    TEXT = "text"
    # The profile's heartbeat.
    HEARTBEAT = "heartbeat"
    PING = "ping"
    # A pong that nobody asked for (RFC 6455, section 5.5.3).
    PONG = "pong"
    # Heartbeats, pings and pongs.
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One connection of the ladder."""

    traffic: Traffic
    # Seconds between two of what it sends; None for silence.
    every: float | None = None
    # Whether it answers the server's pings. Those that don't show what their own traffic does alone.
    answers: bool = False
    # It waits for the pong of each ping, to find out which silence loses a connection without a word.
    slow: bool = False
    # It pings once, to find out whether this one silence loses it.
    once: bool = False
    # It sends what is to be safe, for as long as that has to be survived.
    trial: bool = False
    # It was opened when all others had ended together, to see whether it ends at the same age.
    again: bool = False

    @property
    def name(self) -> str:
        """In words: ``ping every 2.5 s, no pongs``."""
        what = f"again: {self.traffic.value}" if self.again else self.traffic.value
        if self.once:
            return f"{what} after {show(self.every or 0.0)}"
        if self.every is not None:
            what += f" every {show(self.every)}"
        return what if self.answers else f"{what}, no pongs"


def ladder(seconds: float, *, every: float | None = None, heartbeats: bool = True) -> tuple[Rung, ...]:
    """
    The connections for a wait of so many seconds: `MOST_CONNECTIONS` of them.

    Args:
        seconds: how long each is watched.
        every: seconds between two messages of the busy ones; None takes a share of the wait.
        heartbeats: whether the profile has a heartbeat that is a message.

    """
    quick = every if every is not None else min(max(seconds * _QUICK_SHARE, _QUICK_MIN), _QUICK_MAX)
    kinds = [Traffic.TEXT, *([Traffic.HEARTBEAT] if heartbeats else []), Traffic.PING, Traffic.PONG]
    rungs = [
        Rung(traffic=Traffic.SILENCE, answers=True),
        Rung(traffic=Traffic.SILENCE),
        *(Rung(traffic=kind, every=quick) for kind in kinds),
        Rung(traffic=Traffic.ALL, every=quick, answers=True),
    ]
    slow = (_round(seconds * _SLOW_SHARE / 2**step) for step in range(MOST_CONNECTIONS - len(rungs)))
    rungs += [Rung(traffic=Traffic.PING, every=each, answers=True, slow=True) for each in slow]
    return tuple(rungs)


def waits(low: float, high: float, count: int) -> tuple[Rung, ...]:
    """Rungs that stay silent for so long and then ping, evenly spread between two silences."""
    step = (high - low) / (count + 1)
    return tuple(
        Rung(traffic=Traffic.PING, every=low + step * number, answers=True, slow=True, once=True)
        for number in range(1, count + 1)
    )


def _round(seconds: float) -> float:
    return float(int(seconds)) if seconds >= 10 else round(seconds, 2)
