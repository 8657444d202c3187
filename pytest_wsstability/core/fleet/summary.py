"""A fleet that is over, or as far as it has come, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..fleet_summary import (
    CurvePoint,
    FanoutSummary,
    FleetSummary,
    GroupSummary,
    Quantile,
    ReturnSummary,
    Stretch,
)  # fmt: skip
from ..samples import Sample
from ..statistics.survival import bands, end_events, survival
from .frame import Ending, Fate
from .groups import EndGroup
from .merge import FleetMerge
from .requirement import FleetRequirement, busiest_second

# Steps of a survival curve: more are not seen apart in a drawing.
_STEPS = 100
# Quantiles of round trips, where there are enough of them.
QUANTILES = (0.5, 0.95, 0.99)


def summarize(merge: FleetMerge, groups: Sequence[EndGroup], asked: FleetRequirement) -> FleetSummary:
    """What is known of a fleet, as data."""
    low, high = asked.bounds(merge)
    rtts = merge.rtts
    return FleetSummary(
        count=merge.count,
        hold=merge.plan.hold,
        ramp=merge.plan.ramp,
        workers=merge.workers,
        confidence=asked.confidence,
        survival=asked.survival,
        low=low,
        high=high,
        groups=tuple(map(_group, groups)),
        events=end_events(each.at for each in merge.endings if each.fate is Fate.ENDED),
        curve=tuple(_curve(merge.lifetimes(), asked.confidence)),
        stretch=merge.stretch,
        stretches=tuple(
            Stretch(opened=each.opened, ended=each.ended, rtts=tuple(each.rtt_counts))
            for each in merge.columns
        ),
        heartbeats_sent=merge.heartbeats_sent,
        heartbeats_answered=merge.heartbeats_answered,
        heartbeats_one_way=merge.heartbeats_one_way,
        heartbeats_missed=merge.heartbeats_missed,
        messages=merge.messages,
        rtts=rtts.count,
        rtt_max=rtts.maximum if rtts.count else 0.0,
        quantiles=_quantiles(rtts),
        notes=tuple(merge.reasons),
        refused_frames=tuple((refusal.value, number) for refusal, number in merge.refusals.items()),
        returns=_returns(merge) if asked.reconnects is not None else None,
        fanout=_fanout(merge) if merge.fanout.messages else None,
        abnormal=sum(each.abnormal for each in merge.endings),
    )


def _quantiles(sample: Sample) -> tuple[Quantile, ...]:
    """Those that there is enough for."""
    carried = (share for share in QUANTILES if sample.carries(share))
    return tuple(Quantile(share=share, seconds=sample.quantile(share)) for share in carried)


def _returns(merge: FleetMerge) -> ReturnSummary:
    times = Sample()
    whys = Counter(each.why for each in merge.returns if each.after is None and each.why)
    for each in merge.returns:
        if each.after is not None:
            times.add(each.after, each.at)
    return ReturnSummary(
        back=times.count,
        lost=sum(each.after is None and not each.broke for each in merge.returns),
        why=next((why for why, _ in whys.most_common(1)), ""),
        busiest=busiest_second(each.at for each in merge.returns if each.after is not None)[0],
        longest=times.maximum if times.count else 0.0,
        quantiles=_quantiles(times),
    )


def _fanout(merge: FleetMerge) -> FanoutSummary:
    counts, times = merge.fanout, merge.fanout_times
    return FanoutSummary(
        messages=counts.messages,
        arrived=times.count,
        late=counts.late,
        missing=counts.missing,
        longest=times.maximum if times.count else 0.0,
        quantiles=_quantiles(times),
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
        confidence=first.confidence,
        remedy=first.remedy,
        refused=sum(each.fate is Fate.REFUSED for each in group.endings),
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
