"""Claims and how many of them are right, by confidence and cause, with exact bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from pytest_wsstability import Cause, Confidence, Diagnosis
from pytest_wsstability.core.diagnosis import diagnose
from pytest_wsstability.core.statistics.proportion import lower_bound, upper_bound

from .oracle import Truth, truth
from .play import Seen, play
from .systems import System, draw

# What is claimed: the share that is right, and its lower bound at 95 %.
HIGH_RIGHT, HIGH_BOUND, MEDIUM_RIGHT = 0.99, 0.98, 0.80
# Systems that a process plays at a time.
_PIECE = 20
# Claims of one cause from which on it is looked at alone.
OF_ONE_CAUSE = 50


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One diagnosis, and what was done."""

    system: System
    seen: Seen
    found: Diagnosis
    truth: Truth

    @property
    def is_right(self) -> bool:
        """Whether the cause is one of the right names."""
        return self.found.cause in self.truth.right

    @property
    def is_too_sure(self) -> bool:
        """Whether it is said with high confidence though another system looks alike."""
        return self.found.confidence is Confidence.HIGH and self.truth.alike

    @property
    def holds(self) -> bool:
        """Whether it is right, and no surer than it may be."""
        return self.is_right and not self.is_too_sure

    def __str__(self) -> str:
        line = self.seen.timeline
        right = " or ".join(sorted(cause.name for cause in self.truth.right)) or "nothing nameable"
        alike = ", alike" if self.truth.alike else ""
        return (
            f"system {self.system.number} ({self.system.kind}), connection {self.seen.number} of "
            f"{len(self.system.opens)}: {self.found.cause.name} ({self.found.confidence.value}), right: "
            f"{right}{alike} "
            f"[{self.seen.tag or 'nothing ended it'}; {line.close or 'open'}; {line.duration:.2f} s]\n"
            f"    {self.found.sentence}"
        )


@dataclass
class Count:
    """Claims of one sort."""

    right: int = 0
    of: int = 0

    def add(self, right: bool) -> None:
        """One more."""
        self.right += right
        self.of += 1

    @property
    def share(self) -> float:
        """Of those that are right; 1 without claims."""
        return self.right / self.of if self.of else 1.0

    @property
    def low(self) -> float:
        """Its lower bound at 95 %, one-sided (Clopper and Pearson)."""
        return lower_bound(self.right, self.of) if self.of else 0.0

    @property
    def high(self) -> float:
        """Its upper bound."""
        return upper_bound(self.right, self.of) if self.of else 1.0


@dataclass
class Score:
    """All claims of some systems."""

    systems: int = 0
    connections: int = 0
    # By confidence and cause.
    counts: defaultdict[tuple[Confidence, Cause], Count] = field(default_factory=lambda: defaultdict(Count))
    too_sure: int = 0
    # Those that do not hold and are not low, in words.
    wrong: list[str] = field(default_factory=list)

    def add(self, claims: Sequence[Claim], seed: int) -> None:
        """The claims of one more system of a seed."""
        self.systems += 1
        for claim in claims:
            self.connections += 1
            self.counts[claim.found.confidence, claim.found.cause].add(claim.holds)
            self.too_sure += claim.is_too_sure
            if not claim.holds and claim.found.confidence is not Confidence.LOW:
                self.wrong.append(f"seed {seed}, {claim}")

    def take(self, other: Score) -> None:
        """Add what another process counted."""
        self.systems += other.systems
        self.connections += other.connections
        for sort, count in other.counts.items():
            self.counts[sort].right += count.right
            self.counts[sort].of += count.of
        self.too_sure += other.too_sure
        self.wrong += other.wrong

    def of(self, confidence: Confidence) -> Count:
        """All claims of a confidence."""
        total = Count()
        for (sure, _), count in self.counts.items():
            if sure is confidence:
                total.right += count.right
                total.of += count.of
        return total

    def failures(self) -> Iterator[str]:
        """What does not hold of what is claimed, in words."""
        high, medium = self.of(Confidence.HIGH), self.of(Confidence.MEDIUM)
        if high.share < HIGH_RIGHT or high.low < HIGH_BOUND:
            yield f"high: {high.share:.4f} right, lower bound {high.low:.4f}"
        if medium.share < MEDIUM_RIGHT:
            yield f"medium: {medium.share:.4f} right"
        least = {Confidence.HIGH: HIGH_RIGHT, Confidence.MEDIUM: MEDIUM_RIGHT}
        for (confidence, cause), count in sorted(self.counts.items(), key=lambda pair: pair[0][1].name):
            share = least.get(confidence)
            if share is not None and count.of >= OF_ONE_CAUSE and count.share < share:
                yield f"{confidence.value}, {cause.name}: {count.share:.4f} of {count.of} right"
        if self.too_sure:
            yield f"{self.too_sure} alike with high confidence"


def claims(system: System) -> list[Claim]:
    """What is said of each connection of a system that broke its promise."""
    run = play(system)
    lines = [each.timeline for each in run]
    found = []
    for seen in run:
        if seen.verdict.violations or seen.timeline.close is not None:
            diagnosis = diagnose(seen.timeline, cohort=lines, verdict=seen.verdict)
            found.append(Claim(system=system, seen=seen, found=diagnosis, truth=truth(system, seen, run)))
    return found


def measure(seed: int, numbers: Sequence[int]) -> Score:
    """The score of the systems of these numbers."""
    score = Score()
    for number in numbers:
        score.add(claims(draw(seed, number)), seed)
    return score


def measure_all(seed: int, systems: int, jobs: int) -> Score:
    """The score of a seed, in so many processes."""
    if jobs < 2:
        return measure(seed, range(systems))
    score = Score()
    with ProcessPoolExecutor(jobs) as pool:
        # Small pieces, as some systems are twenty connections and others one.
        pieces = [range(first, min(first + _PIECE, systems)) for first in range(0, systems, _PIECE)]
        for part in pool.map(measure, [seed] * len(pieces), pieces):
            score.take(part)
    return score


def table(score: Score) -> str:
    """The counts as text: per confidence and cause, with bounds."""
    lines = [f"{'confidence':<11}{'cause':<26}{'claims':>7}{'right':>8}   95 % bounds"]
    for confidence in Confidence:
        total = score.of(confidence)
        lines.append(_row(confidence.value, "all", total))
        causes = sorted((c.name, n) for (sure, c), n in score.counts.items() if sure is confidence)
        lines += [_row("", name, count) for name, count in causes]
    return "\n".join(lines)


def _row(confidence: str, cause: str, count: Count) -> str:
    if not count.of:
        return f"{confidence:<11}{cause:<26}{0:>7}"
    bounds = f"{100 * count.low:.1f} to {100 * count.high:.1f}"
    return f"{confidence:<11}{cause:<26}{count.of:>7}{100 * count.share:>7.1f} %  {bounds}"
