"""
What connections that ended have in common: their cause, and whether an age, an instant, a silence, a worker
or a backend is shared by more than chance.

Ages, instants and silences are bound to each other by when a connection opened and when it was last heard:
where all opened at once, an age is an instant. So a quantity is called shared only if it is closer together
than it would be had the connections swapped their openings (or last bytes) at random. Workers and backends
are compared with all connections of the fleet. Both are permutation tests: no distribution is assumed.

"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network

from ..duration import show_duration as show
from ..fleet_summary import Feature, SharedFeature
from ..statistics.permutation import ROUNDS, SIGNIFICANT, count_probability
from .frame import Ending

# Fewer connections share everything with each other.
FEWEST = 4
# What is one instant, age or silence: within two seconds, as `end_events` has it. The longer timers of a
# server run, the further apart they end things: a twentieth. How late an instant is does not matter.
CLOSE, CLOSE_SHARE = 2.0, 0.05
# So many of a large group, drawn at random, say as much as all.
_DRAWN = 200
# Every connection that talks was silent for less than this before its end, in seconds.
_QUIET = 1.0
# Bits of a network by the version of IP: a subnet as they are made by default (RFC 4291, section 2.5.4).
_NETWORK = {4: 24, 6: 64}
# The part of a group whose closeness counts: one connection in ten may have a reason of its own.
_MOST = 0.9


@dataclass(frozen=True, slots=True)
class EndGroup:
    """Connections that ended of one cause."""

    cause: str
    endings: tuple[Ending, ...]
    # The closest first.
    shared: tuple[SharedFeature, ...]

    def __len__(self) -> int:
        return len(self.endings)


def group_endings(
    endings: Iterable[Ending],
    *,
    workers: Mapping[str, int],
    backends: Mapping[str, int],
    worker_of: Callable[[Ending], str],
    unwatched: Collection[str] = (),
    labels: Mapping[str, Sequence[str]] | None = None,
    subnets: Mapping[str, int] | None = None,
    one_clock: bool = False,
) -> list[EndGroup]:
    """
    Group connections that ended by their causes, the largest group first.

    Args:
        endings: those that ended unplanned, or did not open.
        workers: how many connections each worker opened.
        backends: how many connections each backend answered, by what its response said.
        worker_of: the worker that told of an end.
        unwatched: workers that were not heard to the end: that fewer of theirs ended is no difference.
        labels: of each worker, as ``NAME=value``; a label is tested where workers differ in it.
        subnets: how many connections were opened from each network; here too without those of `unwatched`.
        one_clock: several workers have the clock of one machine; instants are compared where one told all.

    """
    opened = {worker: number for worker, number in workers.items() if worker not in unwatched}
    kinds: list[tuple[Feature, Callable[[Ending], str], Mapping[str, int]]] = [
        (Feature.WORKER, worker_of, opened),
        (Feature.BACKEND, lambda each: each.served_by, backends),
        (Feature.SUBNET, lambda each: each.subnet, subnets or {}),
    ]
    for label_of, of_label in _by_label(labels or {}, opened):
        kinds.append((Feature.LABEL, partial(_label, label_of, worker_of), of_label))
    groups: dict[str, list[Ending]] = {}
    for ending in endings:
        groups.setdefault(ending.cause or "undetermined", []).append(ending)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    found = []
    for cause, members in ordered:
        # The same endings give the same groups.
        dice = random.Random(cause)
        shared = _times(members, dice, one_clock=one_clock or len(workers) == 1)
        watched = [each for each in members if worker_of(each) not in unwatched]
        for feature, kind_of, everything in kinds:
            own = [kind_of(each) for each in members]
            shared += _kinds(feature, own, [kind_of(each) for each in watched], everything, dice)
        found.append(
            EndGroup(cause, tuple(members), tuple(sorted(shared, key=lambda each: each.probability)))
        )
    return found


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """The network around an IP address, such as ``10.1.2.0/24``; empty for what is none."""
    with suppress(ValueError):
        bits = _NETWORK[ip_address(address).version]
        return str(ip_network(f"{address}/{bits}", strict=False))
    return ""


def _by_label(
    labels: Mapping[str, Sequence[str]], workers: Mapping[str, int]
) -> list[tuple[dict[str, str], Counter[str]]]:
    """For each name of a label, the label of each worker, and how many connections each label has."""
    names = sorted({label.partition("=")[0] for own in labels.values() for label in own})
    kinds = []
    for name in names:
        label_of = {
            worker: label
            for worker, own in labels.items()
            for label in own
            if label.partition("=")[0] == name
        }
        opened: Counter[str] = Counter()
        for worker, connections in workers.items():
            opened[label_of.get(worker, "")] += connections
        kinds.append((label_of, opened))
    return kinds


def _label(label_of: Mapping[str, str], worker_of: Callable[[Ending], str], ending: Ending) -> str:
    return label_of.get(worker_of(ending), "")


def _times(members: Sequence[Ending], dice: random.Random, *, one_clock: bool) -> list[SharedFeature]:
    if len(members) < FEWEST:
        return []
    members = dice.sample(members, min(len(members), _DRAWN))
    ages = [each.age for each in members]
    opens = [each.at - each.age for each in members]
    found = []
    # Instant = opening + age, age = instant - opening, silence = age - last byte: one part is swapped.
    if one_clock:
        found += _shared(Feature.INSTANT, [each.at for each in members], opens, ages, +1, dice)
    if any(ages):
        # Those that did not open have none.
        found += _shared(Feature.AGE, ages, opens, [each.at for each in members], -1, dice)
    silences = [each.silence for each in members]
    if sorted(silences)[len(silences) // 2] >= _QUIET:
        heard = [each.age - each.silence for each in members]
        if _probability_at_random(silences, dice) <= SIGNIFICANT:
            found += _shared(Feature.SILENCE, silences, heard, ages, -1, dice)
    return found


def _probability_at_random(silences: Sequence[float], dice: random.Random) -> float:
    """
    How probable silences as close as these are where connections end at any moment between two heartbeats.

    They then lie anywhere between none and the longest. With a heartbeat every two seconds they are within
    two seconds of each other, whatever ended the connections. One that was silent for longer, as the one in
    ten whose closeness does not count, says nothing of how long the others might have been.

    """
    held, width = _held(silences), _width(silences)
    longest = sorted(silences)[held - 1] * len(silences) / held
    as_close = sum(_width([longest * dice.random() for _ in silences]) <= width for _ in range(ROUNDS))
    return (as_close + 1) / (ROUNDS + 1)


def _shared(
    feature: Feature,
    values: Sequence[float],
    swapped: Sequence[float],
    kept: Sequence[float],
    sign: int,
    dice: random.Random,
) -> list[SharedFeature]:
    """Whether values are closer together than sums (or differences) of their parts, one of them swapped."""
    middle = sorted(values)[len(values) // 2]
    close, parts = _width(values), list(swapped)
    if close > max(CLOSE, CLOSE_SHARE * middle if feature is not Feature.INSTANT else 0.0):
        return []
    as_close = 0
    for _ in range(ROUNDS):
        dice.shuffle(parts)
        made = [other + sign * part for part, other in zip(parts, kept, strict=True)]
        as_close += _width(made) <= close + 1e-9
    probability = (as_close + 1) / (ROUNDS + 1)
    if probability > SIGNIFICANT:
        return []
    return [SharedFeature(feature, show(middle), probability)]


def _held(values: Sequence[float]) -> int:
    return max(2, math.ceil(_MOST * len(values)))


def _width(values: Sequence[float]) -> float:
    """The shortest stretch that holds most of the values."""
    ordered, held = sorted(values), _held(values)
    return min(ordered[place + held - 1] - ordered[place] for place in range(len(ordered) - held + 1))


def _kinds(
    feature: Feature,
    members: Sequence[str],
    watched: Sequence[str],
    everything: Mapping[str, int],
    dice: random.Random,
) -> list[SharedFeature]:
    """
    Whether one kind has more of the group than a random draw from all connections would give it.

    Only those are compared that were watched to the end, as all of `everything` were. What all permutations
    give is known exactly here (the hypergeometric distribution); of several kinds, one is the most common in
    any case (Bonferroni).

    """
    if len(watched) < FEWEST or len(everything) < 2:
        return []
    kind, count = Counter(members).most_common(1)[0]
    if not kind or count < _MOST * len(members):
        return []
    drawn = dice.sample(watched, min(len(watched), _DRAWN))
    count = drawn.count(kind)
    everybody, own = sum(everything.values()), everything.get(kind, 0)
    if everybody < len(drawn) or own < count:
        return []
    as_many = count_probability(count, drawn=len(drawn), kind=own, everybody=everybody)
    probability = min(1.0, len(everything) * as_many)
    return [SharedFeature(feature, kind, probability)] if probability <= SIGNIFICANT else []
