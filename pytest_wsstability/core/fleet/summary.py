"""A fleet as data: all that its failure, reports and exports say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..statistics.survival import EndEvents, bands, end_events, survival
from .frame import RTT_LIMITS, Ending
from .groups import EndGroup, Shared
from .merge import FleetCount, FleetMerge
from .requirement import FleetRequirement

# Steps of a survival curve: more are not seen apart in a drawing.
_STEPS = 100
# Quantiles of round trips, where there are enough of them.
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """Connections that ended of one cause, and one of them."""

    cause: str
    connections: int
    # Ages in seconds.
    youngest: float
    oldest: float
    shared: tuple[Shared, ...]
    # The first of them.
    example: int
    example_age: float
    example_headline: str = ""


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
class Stretch:
    """What happened in one stretch of time: the stretches of a fleet are equally long."""

    opened: int
    ended: int
    # Round trips of some connections by `RTT_LIMITS`, the last row being what is longer.
    rtts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSummary:
    """A fleet that is over, or as far as it has come. Durations are seconds."""

    count: FleetCount
    hold: float
    ramp: float
    workers: int
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

    @property
    def rtt_limits(self) -> tuple[float, ...]:
        """Up to which seconds each row of a stretch counts."""
        return RTT_LIMITS


def summarize(merge: FleetMerge, groups: Sequence[EndGroup], asked: FleetRequirement) -> FleetSummary:
    """What is known of a fleet, as data."""
    low, high = asked.bounds(merge)
    rtts = merge.rtts
    return FleetSummary(
        count=merge.count,
        hold=merge.plan.hold,
        ramp=merge.plan.ramp,
        workers=len(merge.plan.slots),
        confidence=asked.confidence,
        survival=asked.survival,
        low=low,
        high=high,
        groups=tuple(map(_group, groups)),
        events=end_events(ending.at for group in groups for ending in group.endings),
        curve=tuple(_curve(merge.lifetimes(), asked.confidence)),
        stretch=merge.stretch,
        stretches=tuple(
            Stretch(opened=each.opened, ended=each.ended, rtts=tuple(each.rtt_counts))
            for each in merge.columns
        ),
        heartbeats_sent=merge.heartbeats_sent,
        heartbeats_answered=merge.heartbeats_answered,
        messages=merge.messages,
        rtts=rtts.count,
        rtt_max=rtts.maximum if rtts.count else 0.0,
        quantiles=tuple(
            Quantile(share=share, seconds=rtts.quantile(share)) for share in QUANTILES if rtts.carries(share)
        ),
        notes=tuple(merge.notes),
        refused_frames=tuple((refusal.value, number) for refusal, number in merge.refusals.items()),
    )


def _group(group: EndGroup) -> GroupSummary:
    ages = [ending.age for ending in group.endings]
    first: Ending = min(group.endings, key=lambda each: each.at)
    return GroupSummary(
        cause=group.cause,
        connections=len(group),
        youngest=min(ages),
        oldest=max(ages),
        shared=group.shared,
        example=first.number,
        example_age=first.age,
        example_headline=first.headline,
    )


def _curve(lifetimes: Sequence[tuple[float, bool]], confidence: float) -> list[CurvePoint]:
    """The curve's steps, at most `_STEPS` of them, and where it ends."""
    steps = survival(lifetimes)
    every = max(1, -(-len(steps) // _STEPS))
    chosen = [(0.0, 1.0), *steps[every - 1 :: every]]
    longest = max((age for age, _ in lifetimes), default=0.0)
    if steps and chosen[-1] != steps[-1]:
        chosen.append(steps[-1])
    if chosen[-1][0] < longest:
        chosen.append((longest, chosen[-1][1]))
    bounds = bands(lifetimes, [age for age, _ in chosen], confidence=confidence)
    return [
        CurvePoint(age=age, share=share, low=low, high=high)
        for (age, share), (low, high) in zip(chosen, bounds, strict=True)
    ]
