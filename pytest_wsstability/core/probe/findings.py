"""What a probe found out, and how often traffic has to come by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..judge.margins import RACE_SHARE, SAFE_SHARE
from ..timeline.events import Tier
from .observation import Observation
from .rungs import Traffic

# From so many seconds on, intervals are rounded to such steps.
_STEPS = ((600.0, 60.0), (10.0, 5.0), (5.0, 0.5), (2.0, 0.1), (0.0, 0.05))


class TimerKind(Enum):
    """What sort of timer ends connections."""

    IDLE = "idle timeout"
    # Only pongs reset it, asked for or not.
    READ_DEADLINE = "read deadline"
    # Only the pong to the server's own ping counts, or the answer to its heartbeat.
    KEEPALIVE = "server keepalive"
    MAX_AGE = "maximum age"


class Policy(Enum):
    """Which traffic resets a timer, in words."""

    ANY = "any byte that the client sends"
    # Bytes of the server came, and did not count.
    CLIENT = "any byte that the client sends, and none of the server"
    SERVER = "bytes of the server, such as its answers"
    MESSAGES = "messages, and no control frames"
    HEARTBEATS = "heartbeats only"
    PINGS = "ping frames only"
    # The server answered nothing else.
    PINGS_OR_SERVER = "ping frames only, or bytes of the server"
    PONGS = "pongs only"
    OWN_PONG = "only the pong to the server's own ping"
    OWN_ANSWER = "the answer to the server's own heartbeat"
    # What it is stands in the matrix.
    SOME = "some traffic"
    NOTHING = "nothing"
    UNKNOWN = "unknown traffic"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTimer:
    """A timer, with what is known about it."""

    kind: TimerKind
    # Its length in seconds, give or take.
    seconds: float
    error: float
    policy: Policy
    # It tells nobody: whoever sends next finds the connection gone.
    silent: bool = False
    # Seconds by which the end is told later than it is silent: a proxy that gives its client time to close.
    told_late: float = 0.0
    # Seconds from the first ping that was left unanswered to the end; None where there was none.
    after_ping: float | None = None
    # Who answers the server's pings lives, whatever else it says.
    answering_helps: bool = False

    @property
    def least(self) -> float:
        """The shortest that it can be, in seconds."""
        return self.seconds - self.error


@dataclass(frozen=True, slots=True)
class Advice:
    """How often one kind of traffic has to come."""

    traffic: Traffic
    # Seconds: often enough with a margin, and from where on none is left (which is reckoned, and not tried).
    safe: float
    unsafe: float
    # Seconds for which a connection that sent it so often lived; None where that was not tried long enough.
    survived: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """
    The result of a probe.

    Attributes:
        timers: what ends connections, the shortest first; empty if nothing did.
        resets: whether each kind of traffic resets the idle timer; None where that was not seen. Empty
            without such a timer.
        advice: how often to send what, for each kind that helps.
        server_ping_every: seconds between two pings of the server (or until the only one); None without any.
        horizon: seconds that were covered: nothing is known beyond.
        tier: the clock.
        observations: the connections one by one.
        notes: what else was seen.
        doubts: why the findings cannot be relied on; empty if they can.

    """

    timers: tuple[FoundTimer, ...]
    resets: Mapping[Traffic, bool | None]
    advice: tuple[Advice, ...]
    server_ping_every: float | None
    horizon: float
    tier: Tier
    observations: tuple[Observation, ...]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def idle(self) -> FoundTimer | None:
        """What ends a connection that says too little; None if nothing does."""
        return next((timer for timer in self.timers if timer.kind is not TimerKind.MAX_AGE), None)

    @property
    def max_age(self) -> FoundTimer | None:
        """What ends every connection at an age; None if nothing does."""
        return next((timer for timer in self.timers if timer.kind is TimerKind.MAX_AGE), None)

    def as_dict(self) -> dict[str, Any]:
        """As builtin values, for JSON."""
        return {
            "timers": [
                {
                    "kind": timer.kind.value,
                    "seconds": timer.seconds,
                    "error": timer.error,
                    "reset_by": timer.policy.value,
                    "silent": timer.silent,
                    "told_late": timer.told_late,
                    "after_ping": timer.after_ping,
                    "answering_helps": timer.answering_helps,
                }
                for timer in self.timers
            ],
            "resets": {traffic.value: reset for traffic, reset in self.resets.items()},
            "advice": [
                {
                    "traffic": each.traffic.value,
                    "safe_every": each.safe,
                    "unsafe_every": each.unsafe,
                    "survived": each.survived,
                }
                for each in self.advice
            ],
            "server_ping_every": self.server_ping_every,
            "horizon": self.horizon,
            "tier": self.tier.value,
            "connections": [each.as_dict() for each in self.observations],
            "notes": list(self.notes),
            "doubts": list(self.doubts),
        }


def safe_interval(seconds: float) -> float:
    """An interval that a timer of so many seconds bears: 25 for 60, 45 for 100, 120 for 300."""
    return _round(SAFE_SHARE * seconds, math.floor)


def unsafe_interval(seconds: float) -> float:
    """An interval from which on it is a race: 55 for 60, 90 for 100."""
    return _round(RACE_SHARE * seconds, math.ceil)


def _round(seconds: float, towards: Callable[[float], int]) -> float:
    step = next(step for least, step in _STEPS if seconds >= least)
    if seconds < 0.2:
        # One digit more than the first.
        step = 10.0 ** (math.floor(math.log10(seconds)) - 1)
    # 27 / 0.1 is a bit less than 270.
    return round(towards(round(seconds / step, 6)) * step, 6)
