"""Timers that tell nobody: between a silence that a connection survived and one that it did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .observation import Observation, RungFate
from .rungs import Traffic


def bracket(
    all_seen: Sequence[Observation], resets: Mapping[Traffic, bool | None]
) -> tuple[float, float] | None:
    """
    The longest silence that was survived and the shortest that was not, in seconds; None if none was lost.

    Args:
        all_seen: the connections that opened.
        resets: which traffic resets the timer, as far as that is known.

    """
    spans = list(_silences(all_seen)) if resets.get(Traffic.PING) is not False else []
    spans += _lives(all_seen, resets)
    highs = [high for _, high in spans if high < float("inf")]
    if not highs:
        return None
    high = min(highs)
    return max((low for low, _ in spans if low < high), default=0.0), high


def _silences(all_seen: Sequence[Observation]) -> Iterable[tuple[float, float]]:
    """Silences between two pings: whoever pinged and was answered survived one."""
    for each in all_seen:
        every = each.rung.every
        if each.server_pings and (each.rung.slow or each.rung.traffic is Traffic.SILENCE):
            # It was not silent: the server's pings came, and most answer them.
            continue
        if each.unanswered is not None and each.rung.slow:
            yield (each.rung.every or 0.0 if each.pongs else 0.0), each.unanswered
        elif each.gap is not None and (each.rung.slow or each.rung.traffic is Traffic.SILENCE):
            yield 0.0, each.gap
        elif every is not None and each.fate is RungFate.ALIVE and (each.pongs or not each.rung.slow):
            yield every, float("inf")


def _lives(
    all_seen: Sequence[Observation], resets: Mapping[Traffic, bool | None]
) -> Iterable[tuple[float, float]]:
    """Lives of those whose own traffic resets nothing: from the last sign of life to the next message."""
    for each in all_seen:
        every, traffic = each.rung.every, each.rung.traffic
        if traffic is Traffic.SILENCE and each.fate is RungFate.LOST and each.server_ping_every is not None:
            yield each.age, each.age + each.server_ping_every
        if each.rung.slow or every is None or resets.get(traffic) is not False:
            continue
        if each.fate is RungFate.ENDED:
            yield each.age - every, each.age
        elif each.fate is RungFate.LOST and each.pongs:
            yield each.age, each.age + every
