"""What the charts of the HTML report draw, as the arrays that uPlot takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.duration import show_duration as show
from ..core.result import Result
from ..core.statistics.survival import band, survival

# More points than a chart has pixels say nothing more.
_POINTS = 20_000
# Bounds of the survival curve are computed at so many ages at most.
_AGES = 120
# A linear axis shows nothing of values so many times smaller than the largest.
_SPAN = 100.0

# A round trip: when its question was sent, how long it took, both in seconds, and the row of its hold.
Trip = tuple[float, float, int]


def charts(results: Sequence[Result], trips: Sequence[Trip]) -> dict[str, Any]:
    """
    Survival and round trips of the holds of one tier.

    Args:
        results: the holds; clocks of two tiers are never mixed.
        trips: their round trips.

    """
    lifetimes = _lifetimes(results)
    points = _thinned(trips)
    ages, rtts = [age for age, ended in lifetimes if ended], [rtt for _, rtt, _ in points]
    return {
        "survival": _curve(lifetimes),
        "survivalLog": _spread([*ages, max((age for age, _ in lifetimes), default=0.0)]),
        "rtts": [
            [round(at, 3) for at, _, _ in points],
            [round(rtt * 1000, 3) for _, rtt, _ in points],
            [row for _, _, row in points],
        ],
        "rttsLog": _spread(rtts),
        "agesLog": _spread([at for at, _, _ in points if at > 0]),
    }


def survival_text(results: Sequence[Result]) -> str:
    """The curve in words."""
    lifetimes = _lifetimes(results)
    if not lifetimes:
        return _nothing(results, "no connection was opened")
    lost = sum(ended for _, ended in lifetimes)
    text = f"{lost} of {len(lifetimes)} connections ended unplanned"
    if steps := survival(lifetimes):
        age, share = steps[-1]
        low, high = band(lifetimes, age)
        text += f"; {share:.1%} were still up after {show(age)} ({low:.0%} to {high:.0%})"
    return text


def round_trips_text(trips: Sequence[Trip], results: Sequence[Result]) -> str:
    """The cloud in words."""
    if not trips:
        return _nothing(results, "no round trip was recorded")
    return f"{len(trips)} round trips of heartbeats"


def _nothing(results: Sequence[Result], text: str) -> str:
    """Why nothing is drawn: fleets have drawings of their own."""
    only_fleets = {each.fleet is not None for each in results} == {True}
    return "no hold of a single connection; each fleet has a drawing of its own" if only_fleets else text


def _spread(values: Sequence[float]) -> bool:
    """Whether values need a logarithmic axis."""
    positive = [value for value in values if value > 0]
    return bool(positive) and max(positive) > _SPAN * min(positive)


def _lifetimes(results: Sequence[Result]) -> list[tuple[float, bool]]:
    """How long each connection was watched, and whether it ended unplanned."""
    return [result.lifetime for result in results if result.lifetime is not None]


def _curve(lifetimes: Sequence[tuple[float, bool]]) -> list[list[float]]:
    """From the opening to the longest look: ages, shares, and the bounds of the true share."""
    longest = max((age for age, _ in lifetimes), default=None)
    if longest is None:
        return [[], [], [], []]
    steps = survival(lifetimes)
    points = [(0.0, 1.0), *steps, (longest, steps[-1][1] if steps else 1.0)]
    every = -(-len(points) // _AGES)
    bounds: list[tuple[float, float]] = []
    for index, (age, _) in enumerate(points):
        fresh = index % every == 0 or index >= len(points) - 2
        bounds.append(band(lifetimes, age) if fresh else bounds[-1])
    return [
        [round(age, 3) for age, _ in points],
        [round(share, 6) for _, share in points],
        [round(low, 6) for low, _ in bounds],
        [round(high, 6) for _, high in bounds],
    ]


def trips_of(rows: Mapping[int, Sequence[tuple[float, float]]]) -> list[Trip]:
    """The round trips of holds by age, of those by the numbers of their rows."""
    return sorted((at, rtt, row) for row, trips in rows.items() for at, rtt in trips)


def _thinned(trips: Sequence[Trip]) -> list[Trip]:
    """The slowest of each bunch where they are too many: what is thinned out must not be what matters."""
    step = -(-len(trips) // _POINTS) or 1
    bunches = (trips[start : start + step] for start in range(0, len(trips), step))
    return [max(bunch, key=lambda point: point[1]) for bunch in bunches]
