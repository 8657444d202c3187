"""A fleet as data: all that its failure, reports and exports say of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .plain import restore
from .timeline.events import Event
from .timeline.timeline import Timeline


@dataclass(frozen=True, slots=True)
class FleetCount:
    """What became of the connections of a plan: the parts add up to ``planned``."""

    planned: int
    stable: int
    ended: int
    rotated: int
    refused: int
    unobserved: int
    # Not over yet.
    open: int
    # Stopped reading by plan; not judged.
    stalled: int = 0
    # Of those that ended: they broke a promise, and only this end closed them then.
    broke: int = 0

    @property
    def judged(self) -> int:
        """How many are judged by how long they live."""
        return self.planned - self.refused - self.stalled


class Feature(Enum):
    """What connections that ended may share; the value stands in sentences."""

    INSTANT = "instant"
    AGE = "age"
    SILENCE = "silence"
    WORKER = "worker"
    BACKEND = "backend"
    LABEL = "label"
    SUBNET = "subnet"


_WORDS = {
    Feature.INSTANT: "one instant, {}",
    Feature.AGE: "one age, {}",
    Feature.SILENCE: "after {} of silence",
    Feature.WORKER: "all of worker {}",
    Feature.BACKEND: "all behind {}",
    Feature.LABEL: "all with {}",
    Feature.SUBNET: "all from {}",
}


@dataclass(frozen=True, slots=True)
class SharedFeature:
    """Something that a group has in common, by more than chance."""

    feature: Feature
    # As people read it: ``61.2 s``, ``worker 2``, ``nginx-b``.
    value: str
    # The share of permutations that have as much in common: of times at least 1 / (`ROUNDS` + 1).
    probability: float

    def __str__(self) -> str:
        return _WORDS[self.feature].format(self.value)


@dataclass(frozen=True, slots=True)
class EndEvents:
    """Ends of connections, and how many events they were: what ends together has one cause."""

    # Connections that ended.
    ends: int
    # Groups of ends, each within two seconds.
    events: int
    # By how much the number of ends varies more than if each end came by itself: the ends that a
    # random end shares its event with, itself counted (the index of dispersion of a compound Poisson
    # process). 3,000 connections with a design effect of 100 carry what 30 would.
    design_effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRecord:
    """The whole record of one connection: some that ended are kept of each cause, and some stable ones."""

    number: int
    # Why it ended; empty for a stable one.
    cause: str
    timeline: Timeline

    def as_dict(self, events: Iterable[Event] | None = None) -> dict[str, Any]:
        """The record in builtin types; see `Timeline.as_dict` for the events in it."""
        return {
            "number": int(self.number), "cause": str(self.cause), "timeline": self.timeline.as_dict(events),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Any, where: str = "record") -> FleetRecord:
        """
        The record that `as_dict` made this of.

        Raises:
            KeyError, TypeError, ValueError: for something missing or wrong.

        """
        return cls(
            number=restore(int, data["number"], f"{where}.number"),
            cause=restore(str, data["cause"], f"{where}.cause"),
            timeline=Timeline.from_dict(data["timeline"], f"{where}.timeline"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """Connections that ended of one cause, and one of them."""

    cause: str
    connections: int
    # Ages in seconds.
    youngest: float
    oldest: float
    shared: tuple[SharedFeature, ...]
    # The first of them.
    example: int
    example_age: float
    example_headline: str = ""
    # How sure its cause is, and what to change; empty where that is not known.
    confidence: str = ""
    remedy: str = ""
    # How many of them did not open.
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """The share that lives on after an age in seconds, and its one-sided bounds."""

    age: float
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile of the round trips of all connections, in seconds."""

    share: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnSummary:
    """Connections that ended and were to come back."""

    # How many did, and how many did not in the time that they had.
    back: int
    lost: int
    # The most that came back in one second.
    busiest: int
    # From the end until the connection was open again.
    longest: float
    quantiles: tuple[Quantile, ...]
    # Why the others did not, most of them; empty where that is not known.
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutSummary:
    """Messages that connections sent, and the server sent on to all others."""

    messages: int
    # How many receivers had one, late or not; and how many had none.
    arrived: int
    late: int
    missing: int
    # From sender to receiver, in seconds.
    longest: float
    quantiles: tuple[Quantile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What happened in one stretch of time: the stretches of a fleet are equally long."""

    opened: int
    ended: int
    # Round trips of some connections by `RTT_LIMITS`, the last row being what is longer.
    rtts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSummary:
    """What became of the connections of one worker."""

    number: int
    # How it was started, such as ``popen`` or ``ssh=load1``; empty for the test process itself.
    name: str
    # What it was given as labels, as ``NAME=value``.
    labels: tuple[str, ...]
    connections: int
    stable: int
    ended: int
    refused: int
    unobserved: int
    rotated: int = 0
    stalled: int = 0
    # See `FleetCount`.
    broke: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSummary:
    """A fleet that is over, or as far as it has come. Durations are seconds."""

    count: FleetCount
    hold: float
    ramp: float
    workers: tuple[WorkerSummary, ...]
    confidence: float
    # The share that was asked for; None: all.
    survival: float | None
    # One-sided bounds of the share that lives to the end.
    low: float
    high: float
    groups: tuple[GroupSummary, ...]
    events: EndEvents
    curve: tuple[CurvePoint, ...]
    # Seconds of each of the stretches.
    stretch: float
    stretches: tuple[Stretch, ...]
    heartbeats_sent: int
    heartbeats_answered: int
    messages: int
    rtts: int
    rtt_max: float
    quantiles: tuple[Quantile, ...]
    # What was said of workers, and of frames that were not counted.
    notes: tuple[str, ...]
    refused_frames: tuple[tuple[str, int], ...]
    # None where connections were not to come back; where no messages of that kind were looked for.
    returns: ReturnSummary | None = None
    fanout: FanoutSummary | None = None
    # Heartbeats that no answer is ever due to, and those that were not answered in the time that they have.
    heartbeats_one_way: int = 0
    heartbeats_missed: int = 0
    # Connections that ended abnormally, behind whatever code.
    abnormal: int = 0

    @property
    def lifetimes(self) -> list[tuple[float, bool]]:
        """
        Seconds for which connections were watched, and whether they then ended unplanned.

        Of as many as are judged and were observed, as the curve has them: those that were let go before the
        end stand for what the others show.

        """
        observed = self.count.judged - self.count.unobserved
        lifetimes, alive = [], observed
        for point in self.curve:
            left = round(observed * point.share)
            lifetimes += [(point.age, True)] * (alive - left)
            alive = left
        return lifetimes + [(self.curve[-1].age, False)] * alive
