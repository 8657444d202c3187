"""This run beside an earlier one: verdicts first, then survival, then round trips if there are enough."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..duration import show_duration as show
from ..judge.verdict import Outcome
from ..result import Result, Run
from ..samples import Sample
from .permutation import SIGNIFICANT, count_probability
from .proportion import quantile_ranks
from .survival import loss

# Round trips of two runs differ by the machine and the hour, too: less than both of this is no regression.
_SLOWER = 0.001
_SLOWER_SHARE = 0.1
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it, a line each."""

    # Why the runs cannot be compared: other requirements or targets. The rest is then empty.
    refused: tuple[str, ...] = ()
    regressions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Test:
    """The holds of one test in one run, those that it asked to fail left out."""

    nodeid: str
    results: Sequence[Result]

    @property
    def worst(self) -> Result:
        return max(self.results, key=lambda result: result.verdict.outcome)

    @property
    def stable(self) -> int:
        return sum(result.verdict.outcome is Outcome.STABLE for result in self.results)

    @property
    def lifetimes(self) -> list[tuple[float, bool]]:
        return [result.lifetime for result in self.results if result.lifetime is not None]

    @property
    def rtts(self) -> Sample:
        sample = Sample()
        for result in self.results:
            sample.merge(result.round_trips.known)
        return sample


def compare(before: Run, now: Run) -> Comparison:
    """
    Compare a run with an earlier one, test by test.

    Runs are refused when a test that is in both was held to something else, at another target or in
    another tier: whatever differs then, it says nothing about the server.

    """
    old, new = _by_test(before), _by_test(now)
    both = [(old[nodeid], new[nodeid]) for nodeid in old if nodeid in new]
    refused = [line for pair in both for line in _differences(*pair)]
    if refused:
        return Comparison(refused=tuple(refused))
    regressions = [
        line for look in (_verdict, _survival, _round_trips) for pair in both for line in look(*pair)
    ]
    notes = [
        f"{new_test.nodeid}: was {_word(old_test.worst)}, now stable"
        for old_test, new_test in both
        if old_test.stable < len(old_test.results) and new_test.stable == len(new_test.results)
    ]
    notes += [f"only in the baseline: {nodeid}" for nodeid in old if nodeid not in new]
    notes += [f"only in this run: {nodeid}" for nodeid in new if nodeid not in old]
    return Comparison(regressions=tuple(regressions), notes=tuple(notes))


def _by_test(run: Run) -> dict[str, _Test]:
    found: dict[str, list[Result]] = {}
    for result in run.results:
        if not result.expected:
            found.setdefault(result.nodeid, []).append(result)
    return {nodeid: _Test(nodeid, results) for nodeid, results in found.items()}


def _differences(old: _Test, new: _Test) -> Iterator[str]:
    tiers = [sorted({result.tier.value for result in each.results}) for each in (old, new)]
    if tiers[0] != tiers[1]:
        yield f"{new.nodeid}: in {' and '.join(tiers[0])} then, in {' and '.join(tiers[1])} now"
        return
    targets = [sorted({_target(result.url) for result in each.results}) for each in (old, new)]
    if targets[0] != targets[1]:
        yield f"{new.nodeid}: target {', '.join(targets[0])} then, {', '.join(targets[1])} now"
    before = {result.requirement for result in old.results}
    if before != {result.requirement for result in new.results}:
        one, other = old.results[0].requirement, new.results[0].requirement
        named = [
            f"{field.name}={getattr(one, field.name)!r} then, {getattr(other, field.name)!r} now"
            for field in dataclasses.fields(one)
            if getattr(one, field.name) != getattr(other, field.name)
        ]
        yield f"{new.nodeid}: {'; '.join(named) or 'other requirements of some of its connections'}"


def _target(url: str) -> str:
    """The target, without the port where it is a server of the test's own, which takes a free one."""
    parts = urlsplit(url)
    return parts._replace(netloc="loopback").geturl() if parts.hostname in _LOOPBACK else url


def _word(result: Result) -> str:
    return result.verdict.outcome.value


def _verdict(old: _Test, new: _Test) -> Iterator[str]:
    if new.worst.verdict.outcome > old.worst.verdict.outcome:
        yield f"{new.nodeid}: was {_word(old.worst)}, now {new.worst.verdict.headline}"


def _survival(old: _Test, new: _Test) -> Iterator[str]:
    """How long connections lived; or how many were stable, which is more than to live."""
    lost = loss(old.lifetimes, new.lifetimes)
    if lost is not None:
        yield f"{new.nodeid}: up after {show(lost.age)}: was {lost.was}, now {lost.now}"
        return
    held = [len(each.results) for each in (old, new)]
    unstable = [len(each.results) - each.stable for each in (old, new)]
    as_many = count_probability(unstable[1], drawn=held[1], kind=sum(unstable), everybody=sum(held))
    if as_many <= SIGNIFICANT:
        counts = [f"{each.stable} of {len(each.results)}" for each in (old, new)]
        yield f"{new.nodeid}: connections stable: was {counts[0]}, now {counts[1]}"


def _round_trips(old: _Test, new: _Test) -> Iterator[str]:
    samples = [old.rtts, new.rtts]
    for name, fraction in (("p50", 0.5), ("p95", 0.95)):
        if not all(sample.carries(fraction) for sample in samples):
            continue
        (low, high), (new_low, new_high) = (_interval(sample, fraction) for sample in samples)
        was, now = (sample.quantile(fraction) for sample in samples)
        if new_low > high and now - was > max(_SLOWER, _SLOWER_SHARE * was):
            yield (
                f"{new.nodeid}: rtt {name}: was {show(was)} ({show(low)} to {show(high)}, "
                f"{samples[0].count} round trips), now {show(now)} ({show(new_low)} to {show(new_high)}, "
                f"{samples[1].count})"
            )


def _interval(sample: Sample, fraction: float) -> tuple[float, float]:
    """Between which durations the true quantile lies, of a sample that carries it: 95 % confidence."""
    low, high = quantile_ranks(sample.count, fraction)
    return sample.quantile(low / sample.count) if low else 0.0, sample.quantile(high / sample.count)
