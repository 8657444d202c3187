"""The failure of a fleet in words: how many, why, in groups, and what so many can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..cause import Cause
from ..duration import show_duration as show
from ..fleet_summary import (
    FleetCount,
    FleetSummary,
    GroupSummary,
    Quantile,
    ReturnSummary,
    WorkerSummary,
)  # fmt: skip
from ..judge.requirement import Requirement
from ..judge.verdict import Outcome, Rule, Verdict
from ..message import broken, covered, read_on
from ..message.errors import StabilityError
from ..number import counted

# Groups of ends, and notes on workers, in a message.
_GROUPS = 6
_NOTES = 3
# Nothing ended, up to the most that ended in any stretch.
_SIGNS = ".:-=+*#@"


class FleetError(StabilityError):
    """
    What a fleet was asked for was not met, or cannot be told.

    Attributes:
        requirement: what each connection was held to.
        verdict: the judgement of the fleet; its outcome is UNSTABLE or INCONCLUSIVE.
        timelines: empty, because no single connection was judged.
        summary: the fleet as data: what became of its connections, why they ended, by cause.
        fleet: itself; None after it was pickled.

    """

    def __init__(
        self, requirement: Requirement, verdict: Verdict, summary: FleetSummary, fleet: Any = None
    ) -> None:
        self.summary = summary
        self.fleet = fleet
        self._tell(requirement, verdict)

    @property
    def headline(self) -> str:
        """The failure in one line: the most common cause first."""
        return fleet_headline(self.verdict, self.summary)

    def _told(self, *, whole: bool = False, more: Sequence[str] = ()) -> str:
        return "\n".join([explain_fleet(self.verdict, self.summary, whole=whole), *more])

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.requirement, self.verdict, self.summary))


FleetError.__module__ = "pytest_wsstability.fleet"


def explain_fleet(verdict: Verdict, fleet: FleetSummary, *, whole: bool = False) -> str:
    """The message of a fleet: verdict, promises, what became of each connection, causes, workers."""
    longest = None if whole else _GROUPS
    groups = fleet.groups
    lines = [fleet_headline(verdict, fleet), *broken(verdict.violations)]
    if verdict.outcome is Outcome.INCONCLUSIVE:
        lines += [f"  in doubt  {doubt.text}" for doubt in verdict.doubts]
    lines.append(f"  of these  {count_line(fleet.count)}")
    lines += [f"  cause     {group_line(group)}" for group in groups[:longest]]
    if longest is not None and len(groups) > longest:
        lines.append(f"  ...       and {len(groups) - longest} more causes")
    if groups:
        first = _leading(verdict.violations[0].rule, groups) if verdict.violations else None
        lines += _example(first or groups[0])
    if fleet.events.ends > 1:
        lines.append(f"  events    {events_line(fleet)}")
        lines += _lane(fleet)
    if len(fleet.workers) > 1:
        lines += [f"  worker    {worker_line(each)}" for each in fleet.workers[:longest]]
    said = "" if verdict.outcome is Outcome.UNSTABLE else "; ".join(doubt.text for doubt in verdict.doubts)
    notes = [note for note in fleet.notes if note not in said]
    lines += [f"  worker    {note}" for note in notes[: None if whole else _NOTES]]
    if fleet.refused_frames:
        told = ", ".join(f"{number} of {refusal}" for refusal, number in fleet.refused_frames)
        lines.append(f"  refused   frames of workers: {told}")
    if fleet.rtts:
        lines.append(f"  rtt       {rtt_line(fleet)}")
    lines += [f"  {name:<8}  {line}" for name, line in more_lines(fleet)]
    lines.append(covered(verdict))
    if verdict.code:
        lines.append(read_on(verdict.code))
    return "\n".join(lines)


def fleet_headline(verdict: Verdict, fleet: FleetSummary) -> str:
    """The verdict in one line, the most common cause first."""
    if verdict.outcome is not Outcome.UNSTABLE:
        return verdict.headline
    cause = _cause(verdict.violations[0].rule, fleet)
    return f"{cause}: {verdict.headline}" if cause else verdict.headline


def _cause(rule: Rule, fleet: FleetSummary) -> str:
    """Why a rule was broken, in the most common words; empty where nobody knows."""
    if rule is Rule.RECONNECTS and fleet.returns is not None:
        return fleet.returns.why
    leading = _leading(rule, fleet.groups)
    return leading.cause if leading is not None and leading.cause != Cause.UNDETERMINED.value else ""


def _leading(rule: Rule, groups: Iterable[GroupSummary]) -> GroupSummary | None:
    """The largest group whose cause is one for a rule: ends are none for an opening that failed."""
    if rule is Rule.OPENED:
        return max(groups, key=lambda each: each.refused, default=None)
    ended = [each for each in groups if each.connections > each.refused]
    if rule in (Rule.SURVIVAL, Rule.DRAIN, Rule.CLOSURE):
        return max(ended, key=lambda each: each.connections - each.refused, default=None)
    return None


def count_line(count: FleetCount) -> str:
    """What became of the connections of a plan: ``3,000 planned: 2,588 stable, 412 ended``."""
    return f"{count.planned:,} planned: {_counts(count, still_held=count.open)}"


def _counts(of: FleetCount | WorkerSummary, *, still_held: int = 0) -> str:
    """What became of connections; numbers that are not 0."""
    numbers = {
        "stable": of.stable,
        "ended": of.ended - of.broke,
        "broke a promise": of.broke,
        "rotated": of.rotated,
        "did not open": of.refused,
        "unobserved": of.unobserved,
        "stopped reading": of.stalled,
        "still held": still_held,
    }
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)


def group_line(group: GroupSummary) -> str:
    """A cause, how many ended of it, and what they share: ``400 restart (one instant, 61.2 s)``."""
    what = [str(each) for each in group.shared]
    if not what and group.refused < group.connections:
        youngest, oldest = show(group.youngest), show(group.oldest)
        what = [f"age {youngest}" if youngest == oldest else f"ages {youngest} to {oldest}"]
    return f"{group.connections:,} {group.cause}" + (f" ({', '.join(what)})" if what else "")


def worker_line(worker: WorkerSummary, held: int = 0) -> str:
    """
    What became of the connections of a worker: ``0 (popen//env:REGION=eu): 50 stable, 3 ended``.

    Args:
        worker: with those that are over.
        held: how many of its connections are open.

    """
    name = f" ({worker.name})" if worker.name else ""
    parts = [f"{held:,} open" if held else "", _counts(worker)]
    return f"{worker.number}{name}: {', '.join(filter(None, parts)) or 'nothing yet'}"


def events_line(fleet: FleetSummary) -> str:
    """
    How many events the ends were: ``60 ends in 3 events; design effect 20``.

    Where some broke a promise, and did not end, all are failures.

    """
    events = fleet.events
    # Three digits, and all of a larger number: "1e+05" is none that people read.
    many = ",.0f" if events.design_effect >= 999.5 else ".3g"
    effect = f"; design effect {events.design_effect:{many}}" if events.design_effect > 1 else ""
    what = "failures" if fleet.count.broke else "ends"
    return f"{events.ends:,} {what} in {counted(events.events, 'event')}{effect}"


def _lane(fleet: FleetSummary) -> list[str]:
    """Ends over time: the more of them in a stretch, the darker its sign."""
    ended = [stretch.ended for stretch in fleet.stretches]
    most = max(ended)
    if not most:
        # An earlier version counted those that did not open among the ends.
        return []
    signs = "".join(_SIGNS[-(-number * (len(_SIGNS) - 1) // most)] for number in ended)
    whole = show(fleet.stretch * len(ended))
    axis = f"0 s{whole:>{max(len(whole) + 1, len(ended) - 3)}}"
    return [
        f"  {'failed' if fleet.count.broke else 'ended':<8}  {signs}",
        f"            {axis}",
        f"            @ is {most:,} in {show(fleet.stretch)}",
    ]


def answered_line(answered: int, sent: int, *, one_way: int) -> str:
    """
    Heartbeats that were answered, of those that are to be: ``9/10``; of one-way ones their number alone.

    Empty where there were none, and both where connections differ: ``9/10, 90 one-way``.

    """
    due = sent - one_way
    parts = [f"{answered:,}/{due:,}"] if due else []
    parts += [f"{one_way:,} one-way" if due else f"{one_way:,}"] if one_way else []
    return ", ".join(parts)


def rtt_line(fleet: FleetSummary) -> str:
    """Round trips of the heartbeats of all connections; a quantile only where there are enough of them."""
    return f"{_times(fleet.quantiles, fleet.rtt_max)} of {fleet.rtts:,} heartbeats"


def more_lines(fleet: FleetSummary) -> Iterator[tuple[str, str]]:
    """What came of connections that were to come back, and of messages that fan out; with their names."""
    if (returns := fleet.returns) is not None and returns.back + returns.lost:
        yield "back", _back(returns)
    if (fanout := fleet.fanout) is not None:
        counts = f"{fanout.messages:,} messages, {fanout.arrived:,} arrivals"
        wrong = [f"{fanout.late:,} late"] if fanout.late else []
        wrong += [f"{fanout.missing:,} did not come"] if fanout.missing else []
        times = [_times(fanout.quantiles, fanout.longest)] if fanout.arrived else []
        yield "fan-out", ", ".join([counts, *wrong, *times])


def _back(returns: ReturnSummary) -> str:
    parts = [f"{returns.back:,} came back"]
    if returns.lost:
        parts.append(f"{returns.lost:,} did not")
    if returns.back:
        parts += [_times(returns.quantiles, returns.longest), f"at most {returns.busiest:,} in a second"]
    return ", ".join(parts)


def _times(quantiles: Sequence[Quantile], longest: float) -> str:
    """Quantiles that are carried, and the longest."""
    told = [f"p{each.share * 100:g} {show(each.seconds)}" for each in quantiles]
    return ", ".join([*told, f"max {show(longest)}"])


def _example(group: GroupSummary) -> list[str]:
    """One of a group, and what to change."""
    said = f": {group.example_headline}" if group.example_headline else ""
    is_known = group.confidence and group.cause != Cause.UNDETERMINED.value
    sure = f" (confidence {group.confidence})" if is_known else ""
    lines = [f"  example   connection {group.example}, at {show(group.example_age)}{said}{sure}"]
    return [*lines, f"  fix       {group.remedy}"] if group.remedy else lines
