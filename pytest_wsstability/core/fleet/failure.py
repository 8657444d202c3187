"""The failure of a fleet in words: how many, why, in groups, and what so many can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..duration import show_duration as show
from ..judge.requirement import Requirement
from ..judge.verdict import Outcome, Verdict
from ..message import read_on
from ..message.errors import StabilityError
from ..statistics.survival import end_events
from .groups import EndGroup
from .merge import FleetMerge

# Groups of ends, and notes on workers, in a message.
_GROUPS = 6
_NOTES = 3


class FleetError(StabilityError):
    """
    What a fleet was asked for was not met, or cannot be told.

    Attributes:
        requirement: what each connection was held to.
        verdict: the judgement of the fleet; its outcome is UNSTABLE or INCONCLUSIVE.
        timelines: empty, because no single connection was judged.
        groups: the connections that ended, by cause, the largest group first.

    """

    def __init__(
        self, requirement: Requirement, verdict: Verdict, merge: FleetMerge, groups: Sequence[EndGroup]
    ) -> None:
        self.requirement = requirement
        self.verdict = verdict
        self.timelines = ()
        self.groups = tuple(groups)
        self._merge = merge
        AssertionError.__init__(self, explain_fleet(verdict, merge, groups))

    def retell(self, verdict: Verdict, *, whole: bool = False, more: Sequence[str] = ()) -> None:
        """Say it again, with every group and note."""
        told = explain_fleet(self.verdict, self._merge, self.groups, whole=whole)
        self.args = ("\n".join([told, *more]),)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.requirement, self.verdict, self._merge, self.groups))


FleetError.__module__ = "pytest_wsstability"


def explain_fleet(
    verdict: Verdict, merge: FleetMerge, groups: Sequence[EndGroup], *, whole: bool = False
) -> str:
    """The message of a fleet: verdict, promises, what became of each connection, causes, workers."""
    longest = None if whole else _GROUPS
    lines = [_headline(verdict, groups)]
    for violation in verdict.violations:
        lines += [f"  expected  {violation.expected}", f"  observed  {violation.observed}"]
    if verdict.outcome is Outcome.INCONCLUSIVE:
        lines += [f"  in doubt  {doubt.text}" for doubt in verdict.doubts]
    lines.append(f"  of these  {count_line(merge)}")
    lines += [f"  cause     {group}" for group in groups[:longest]]
    if longest is not None and len(groups) > longest:
        lines.append(f"  ...       and {len(groups) - longest} more causes")
    if groups:
        lines.append(f"  example   {_example(groups[0])}")
    if (events := end_events(each.at for group in groups for each in group.endings)).ends > 1:
        effect = f"; design effect {events.design_effect:.3g}" if events.design_effect > 1 else ""
        noun = "event" if events.events == 1 else "events"
        lines.append(f"  events    {events.ends:,} ends in {events.events:,} {noun}{effect}")
    lines += [f"  worker    {note}" for note in merge.notes[: None if whole else _NOTES]]
    if merge.refusals:
        told = ", ".join(f"{number} of {refusal.value}" for refusal, number in merge.refusals.items())
        lines.append(f"  refused   frames of workers: {told}")
    if merge.rtts.count:
        lines.append(f"  rtt       {rtt_line(merge)}")
    lines.append(f"  covered   {show(verdict.horizon)} in {verdict.tier.value}; nothing is known beyond")
    if verdict.code:
        lines.append(read_on(verdict.code))
    return "\n".join(lines)


def _headline(verdict: Verdict, groups: Sequence[EndGroup]) -> str:
    if verdict.outcome is not Outcome.UNSTABLE or not groups:
        return verdict.headline
    return f"{groups[0].cause}: {verdict.headline}"


def count_line(merge: FleetMerge) -> str:
    """What became of the connections of a plan: ``3,000 planned: 2,588 stable, 412 ended``."""
    count = merge.count
    parts = [
        f"{number:,} {word}"
        for word, number in (
            ("stable", count.stable),
            ("ended", count.ended),
            ("rotated", count.rotated),
            ("did not open", count.refused),
            ("unobserved", count.unobserved),
            ("still held", count.open),
        )
        if number
    ]
    return f"{count.planned:,} planned: {', '.join(parts)}"


def rtt_line(merge: FleetMerge) -> str:
    """Round trips of the heartbeats of all connections; a quantile only where there are enough of them."""
    rtts = merge.rtts
    shares = [share for share in (0.5, 0.95, 0.99) if rtts.carries(share)]
    parts = [f"p{share * 100:g} {show(rtts.quantile(share))}" for share in shares]
    return ", ".join([*parts, f"max {show(rtts.maximum)} of {rtts.count:,} heartbeats"])


def _example(group: EndGroup) -> str:
    first = min(group.endings, key=lambda each: each.at)
    said = f": {first.headline}" if first.headline else ""
    return f"connection {first.number}, at {show(first.age)}{said}"
