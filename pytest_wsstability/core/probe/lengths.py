"""
How long a timer is, by the ends that it brought about.

A server may look at all of its connections now and then: what it ends, ends in steps. A timer may tell
nobody: its length lies between a silence that a connection survived and one that it did not.

"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from .observation import Observation, RungFate
from .rungs import Traffic

# Ends of one look lie so near to each other, in seconds.
AT_ONCE = 0.1
# The longest time between two looks that is known (uWebSockets, Bun: 4 s), and a bit.
LONGEST_TICK = 5.0


def _steps(gone: Sequence[Observation]) -> list[list[Observation]]:
    """Those that ended at one instant, instant by instant."""
    found: list[list[Observation]] = []
    for each in sorted(gone, key=lambda one: one.ended_at):
        if found and each.ended_at - found[-1][-1].ended_at <= AT_ONCE:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def _is_one_look(together: Sequence[Observation]) -> bool:
    """Whether connections that opened one by one ended at one instant."""
    opened = [each.opened_at for each in together]
    return max(opened) - min(opened) > 2 * AT_ONCE


def tick(gone: Sequence[Observation]) -> float:
    """
    Seconds between two looks, as far as ends of one timer tell; 0 where they do not come in steps.

    Who opened later ends at a later look, so that the time between two of them is seen; of one look alone,
    the ages differ by less than that.

    """
    found = _steps(gone)
    if not any(map(_is_one_look, found)):
        return 0.0
    apart = [
        later[0].ended_at - earlier[0].ended_at
        for earlier, later in pairwise(found)
        if min(each.opened_at for each in later) >= max(each.opened_at for each in earlier)
    ]
    spread = max(each.opened_at for each in found[0]) - min(each.opened_at for each in found[0])
    return min(apart, default=spread)


def length(ages: Sequence[float], tick: float) -> tuple[float, float]:
    """A timer's length in seconds, and its error: it had run out at the first look, and not one before."""
    if tick > 0:
        return min(ages) - tick / 2, tick / 2
    return (min(ages) + max(ages)) / 2, (max(ages) - min(ages)) / 2


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
