"""Gates: what fails a whole run, as expressions such as ``rtt_p95 > 250ms``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from ..duration import parse_duration, show_range
from ..duration import show_duration as show
from ..fleet_summary import FleetSummary
from ..judge.verdict import Outcome
from ..result import Result
from ..samples import NEEDED, Sample
from ..timeline.events import Tier
from .survival import share_at


class Unit(Enum):
    """What a figure counts in."""

    COUNT = "a count such as 0, or a share such as 10%"
    DURATION = "a duration such as 250ms"
    SHARE = "a share such as 99%"


@dataclass(frozen=True, slots=True)
class Gate:
    """One expression, parsed."""

    text: str
    figure: str
    comparison: str
    # A count, seconds, or a share of 1.
    limit: float
    is_share: bool = False


class GateOutcome(Enum):
    """What came of a gate."""

    HELD = "held"
    BROKEN = "broken"
    # There was too little to judge it by.
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class GateFinding:
    """What came of a gate in one tier."""

    outcome: GateOutcome
    # The gate and its value: ``unstable > 0: 1 of 2 holds (real time)``.
    line: str


_WORST = (GateOutcome.HELD, GateOutcome.NOT_JUDGED, GateOutcome.BROKEN)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_PATTERN = re.compile(r"\s*(\w+)\s*(>=|<=|>|<)\s*(\S.*?)\s*")
_QUANTILES = {"rtt_p50": 0.5, "rtt_p95": 0.95, "rtt_p99": 0.99}


def _missed(results: Sequence[Result]) -> tuple[int, int]:
    return sum(each.missed_heartbeats for each in results), sum(each.heartbeats_due for each in results)


def _with(outcome: Outcome) -> Callable[[Sequence[Result]], tuple[int, int]]:
    return lambda results: (sum(each.verdict.outcome is outcome for each in results), len(results))


def _abnormal(results: Sequence[Result]) -> tuple[int, int]:
    return sum(each.abnormal_closures for each in results), sum(each.connections for each in results)


# How many, of how many, and of what.
_COUNTS: dict[str, tuple[Callable[[Sequence[Result]], tuple[int, int]], str]] = {
    "unstable": (_with(Outcome.UNSTABLE), "holds"),
    "inconclusive": (_with(Outcome.INCONCLUSIVE), "holds"),
    "stable": (_with(Outcome.STABLE), "holds"),
    "holds": (lambda results: (len(results), len(results)), "holds"),
    "missed_heartbeats": (_missed, "heartbeats"),
    "abnormal_closures": (_abnormal, "connections"),
}
_DURATIONS = (*_QUANTILES, "rtt_max", "horizon")
_SURVIVAL = "survival"
FIGURES = (*_COUNTS, _SURVIVAL, *_DURATIONS)


def parse_gate(text: str) -> Gate:
    """
    A gate from its expression.

    Raises:
        ValueError: if it is none, naming what is wrong and what would be right.

    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no gate; write a figure, one of > >= < <=, and a limit: unstable > 0")
    figure, comparison, limit = match.groups()
    if figure not in FIGURES:
        raise ValueError(f"{text!r}: there is no figure {figure!r}; valid ones: {', '.join(FIGURES)}")
    if figure in _DURATIONS:
        seconds = parse_duration(limit, f"{text!r}: {figure}", zero=True)
        if limit[-1].isdigit() and seconds:
            raise ValueError(f"{text!r}: {limit} of what? give {Unit.DURATION.value}")
        return Gate(text.strip(), figure, comparison, seconds)
    unit = Unit.SHARE if figure == _SURVIVAL else Unit.COUNT
    number, is_share = limit.removesuffix("%").rstrip(), limit.endswith("%")
    wrong = re.fullmatch(r"\d+(\.\d+)?" if is_share else r"\d+", number) is None
    if wrong or (unit is Unit.SHARE and not is_share):
        raise ValueError(f"{text!r}: {limit!r} is no limit for {figure}; give {unit.value}")
    return Gate(text.strip(), figure, comparison, float(number) / (100 if is_share else 1), is_share)


def judge_gates(gates: Iterable[Gate], results: Iterable[Result]) -> list[GateFinding]:
    """
    What holds, what fails, and what cannot be judged, by tier: real and virtual time are never mixed.

    Results that a test asked for (`Result.expected`) count for nothing.

    """
    counted = [result for result in results if not result.expected]
    tiers = {tier: [each for each in counted if each.tier is tier] for tier in Tier}
    return [
        GateFinding(outcome, f"{gate.text}: {line} ({tier.value})")
        for gate in gates
        for tier, found in tiers.items()
        if found
        for outcome, line in [_judge(gate, found)]
    ]


def _judge(gate: Gate, results: Sequence[Result]) -> tuple[GateOutcome, str]:
    if gate.figure in _COUNTS:
        count, noun = _COUNTS[gate.figure]
        number, of = count(results)
        if not of:
            # There is a hold, or no gate is judged; heartbeats there may be none.
            return GateOutcome.NOT_JUDGED, "not judged, no heartbeat was to be answered"
        value = number / of if gate.is_share else float(number)
        return _compared(gate, value), f"{number} of {of} {noun}"
    if gate.figure == _SURVIVAL:
        return _judge_survival(gate, results)
    if gate.figure == "horizon":
        horizon = max(result.verdict.horizon for result in results)
        return _compared(gate, horizon), f"watched for {show(horizon)} at most"
    return _judge_rtt(gate, results)


def _compared(gate: Gate, value: float) -> GateOutcome:
    broken = _COMPARISONS[gate.comparison](value, gate.limit)
    return GateOutcome.BROKEN if broken else GateOutcome.HELD


def _judge_survival(gate: Gate, results: Sequence[Result]) -> tuple[GateOutcome, str]:
    """The share of connections still up at the longest look; others count as long as they were watched."""
    lifetimes = [each for result in results for each in result.lifetimes]
    if not lifetimes:
        return GateOutcome.NOT_JUDGED, "not judged, no connection was watched"
    age = max(watched for watched, _ in lifetimes)
    found = share_at(lifetimes, age)
    return _compared(gate, found.share), f"{found} up after {show(age)}"


def _judge_rtt(gate: Gate, results: Sequence[Result]) -> tuple[GateOutcome, str]:
    """Single holds together, and each fleet by itself, as only its quantiles are known: the worst speaks."""
    fleets = [each.fleet for each in results if each.fleet is not None and each.fleet.rtts]
    single = _judge_holds_rtt(gate, [each for each in results if each.fleet is None])
    found = [*([single] if single else []), *(_judge_fleet_rtt(gate, fleet) for fleet in fleets)]
    if not found:
        return GateOutcome.NOT_JUDGED, "not judged, there was no round trip"
    worst = max((outcome for outcome, _ in found), key=_WORST.index)
    return worst, "; ".join(text for outcome, text in found if outcome is worst)


def _judge_fleet_rtt(gate: Gate, fleet: FleetSummary) -> tuple[GateOutcome, str]:
    fraction = _QUANTILES.get(gate.figure)
    carried = {each.share: each.seconds for each in fleet.quantiles}
    value = fleet.rtt_max if fraction is None else carried.get(fraction)
    if value is None:
        assert fraction is not None
        return _too_few(gate, fleet.rtts, fraction)
    return _compared(gate, value), f"{show(value)} of {fleet.rtts} round trips"


def _too_few(gate: Gate, count: int, fraction: float) -> tuple[GateOutcome, str]:
    needed = f"{gate.figure.removeprefix('rtt_')} needs {NEEDED[fraction]}"
    return GateOutcome.NOT_JUDGED, f"not judged, {count} round trips are too few ({needed})"


def _judge_holds_rtt(gate: Gate, results: Sequence[Result]) -> tuple[GateOutcome, str] | None:
    """Where answers cannot be told apart, the gate has to come to the same at the least and at the most."""
    sample, most = Sample(), Sample()
    unknown = False
    for result in results:
        quickest, slowest = result.round_trips.bounds
        sample.merge(quickest)
        most.merge(quickest if slowest is None else slowest)
        unknown = unknown or slowest is None
    if not sample.count:
        return None
    fraction = _QUANTILES.get(gate.figure)
    value = _figure(sample, fraction)
    high = math.inf if unknown else _figure(most, fraction)
    outcome = _compared(gate, value)
    if outcome is not _compared(gate, high):
        text = f"not judged, answers cannot be told apart: {show_range(value, high)}"
        return GateOutcome.NOT_JUDGED, f"{text} of {sample.count} round trips"
    if outcome is GateOutcome.BROKEN and fraction is not None and not sample.carries(fraction):
        return _too_few(gate, sample.count, fraction)
    return outcome, f"{show_range(value, high)} of {sample.count} round trips"


def _figure(sample: Sample, fraction: float | None) -> float:
    """A quantile, or the maximum."""
    return sample.maximum if fraction is None else sample.quantile(fraction)
