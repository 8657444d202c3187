"""What every table says about a result, in words: one wording for the terminal, Markdown and HTML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..core.duration import show_duration as show
from ..core.duration import show_range
from ..core.fleet.failure import answered_line, fleet_headline
from ..core.fleet_summary import FleetSummary
from ..core.judge.verdict import Noted, Outcome
from ..core.redact import show_text
from ..core.result import Result
from ..core.samples import Sample
from ..core.timeline.events import Tier

NOTHING = "-"
TOO_FEW = "too few"
UNCLEAR = "unclear"
# In one line.
_NOTES = 3
_WORST_FIRST = sorted(Outcome, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One result as text."""

    verdict: str
    tier: str
    target: str
    # "60/120 s": held of required.
    held: str
    # "2/2": answered of sent, "2" where no answer is ever due; "proof of life" beside them, or alone, where
    # the hold ended with one.
    heartbeats: str
    p50: str
    p95: str
    slowest: str
    close: str
    test: str
    # One line; empty for a stable hold.
    cause: str
    # What there is to know beside the verdict, in one line; empty for nothing.
    note: str = ""


def cells(result: Result) -> Cells:
    """The words for a result."""
    if result.fleet is not None:
        return _fleet(result, result.fleet)
    least, most = result.round_trips.bounds
    return Cells(
        verdict=verdict_word(result),
        tier=result.tier.value,
        target=show_text(result.url) or NOTHING,
        held=_held(result),
        heartbeats=_heartbeats(result),
        p50=_quantile(least, most, 0.5),
        p95=_quantile(least, most, 0.95),
        slowest=_slowest(least, most),
        close=_close(result),
        test=_test(result),
        cause="" if result.verdict.outcome is Outcome.STABLE else show_text(result.verdict.headline),
        note=_note(result),
    )


def _fleet(result: Result, fleet: FleetSummary) -> Cells:
    """The row of a fleet: how many lived, and what is known of all of their heartbeats."""
    by_share = {each.share: show(each.seconds) for each in fleet.quantiles}
    missing = TOO_FEW if fleet.rtts else NOTHING
    return Cells(
        verdict=verdict_word(result),
        tier=result.tier.value,
        target=show_text(result.url) or NOTHING,
        held=f"{fleet.count.stable:,} of {fleet.count.judged:,} for {show(fleet.hold)}",
        heartbeats=answered_line(
            fleet.heartbeats_answered, fleet.heartbeats_sent, one_way=fleet.heartbeats_one_way
        )
        or NOTHING,
        p50=by_share.get(0.5, missing),
        p95=by_share.get(0.95, missing),
        slowest=show(fleet.rtt_max) if fleet.rtts else NOTHING,
        close=NOTHING,
        test=_test(result),
        cause=""
        if result.verdict.outcome is Outcome.STABLE
        else show_text(fleet_headline(result.verdict, fleet)),
    )


def verdict_word(result: Result) -> str:
    """The outcome: loud where it counts; ``expected`` where the test asked for what is not stable."""
    if result.expected:
        return "expected"
    word: str = result.verdict.outcome.value
    return word if result.verdict.outcome is Outcome.STABLE else word.upper()


def rank(outcome: Outcome) -> int:
    """0 for the worst."""
    return _WORST_FIRST.index(outcome)


def worst_first(results: Iterable[Result]) -> list[Result]:
    """What counts before what was expected, unstable before inconclusive before stable."""
    return sorted(
        results,
        key=lambda each: (
            not each.failed, rank(each.verdict.outcome), each.tier is Tier.VIRTUAL, each.nodeid, each.attempt
        ),
    )  # fmt: skip


def totals(results: Iterable[Result], tier: Tier) -> str | None:
    """
    How the holds of one tier ended, and how far that reaches; None if there were none.

    ``3 of 4 holds stable, 1 unstable; watched for 120 s at most``

    """
    own = [result for result in results if result.tier is tier]
    if not own:
        return None
    counted = [result for result in own if not result.expected]
    count = {outcome: sum(each.verdict.outcome is outcome for each in counted) for outcome in Outcome}
    parts = [f"{count[Outcome.STABLE]} of {len(counted)} holds stable"] if counted else []
    parts += [
        f"{count[outcome]} {outcome.value}"
        for outcome in (Outcome.UNSTABLE, Outcome.INCONCLUSIVE)
        if count[outcome]
    ]
    if len(own) > len(counted):
        parts.append(f"{len(own) - len(counted)} ended as the test expected")
    return f"{', '.join(parts)}; watched for {show(horizon(own))} at most"


def horizon(results: Sequence[Result]) -> float:
    """The longest that any connection was watched, in seconds."""
    return max(result.verdict.horizon for result in results)


def _held(result: Result) -> str:
    held, required = result.verdict.horizon, result.requirement.alive_for
    return show(held) if required is None else held_of(held, required)


def held_of(held: float, required: float) -> str:
    """``60/120 s``, ``0 s/24 h``: one unit where it is the same."""
    (held_number, held_unit), (number, unit) = (show(each).split(" ") for each in (held, required))
    return f"{held_number}/{number} {unit}" if held_unit == unit else f"{show(held)}/{show(required)}"


def _note(result: Result) -> str:
    """What no other cell says, in one line."""
    notes = [note for note in result.verdict.notes if note.noted is not Noted.PROOF]
    return "; ".join(show_text(f"{note.noted.value}: {note.text}") for note in notes[:_NOTES])


def _heartbeats(result: Result) -> str:
    """
    Answered and sent; those that had time left when the hold was over are open, and not missed.

    A hold that they prove nothing of, or that has none, ends with a proof of life.

    """
    trips, within = result.heartbeats, result.requirement.answer_within
    one_way = result.is_one_way
    parts = [str(trips.sent) if one_way else f"{trips.answered}/{trips.sent}"] if trips.sent else []
    if trips.sent and within is not None and result.timelines and not one_way:
        missed = trips.missed(result.timelines[0].duration, within) - trips.late(within)
        waiting = trips.sent - trips.answered - missed
        parts += [f"{waiting} open"] * (waiting > 0)
    if any(note.noted is Noted.PROOF for note in result.verdict.notes):
        parts.append(Noted.PROOF.value)
    return ", ".join(parts) or NOTHING


def _quantile(least: Sample, most: Sample | None, fraction: float) -> str:
    """A quantile; none where answers cannot be told apart, and it depends on which are to what."""
    if not least.count:
        return NOTHING
    if not least.carries(fraction):
        return TOO_FEW
    text = show(least.quantile(fraction))
    return text if most is not None and show(most.quantile(fraction)) == text else UNCLEAR


def _slowest(least: Sample, most: Sample | None) -> str:
    """The longest round trip: ``100 ms``, ``250 ms to 3 s`` where answers cannot be told apart."""
    if not least.count:
        return NOTHING
    return show_range(least.maximum, math.inf if most is None else most.maximum)


def _close(result: Result) -> str:
    close = result.timelines[0].close if result.timelines else None
    if close is None:
        return NOTHING
    # What this end closed in the end says nothing about the peer.
    return str(close.code) if not close.planned else NOTHING


def _test(result: Result) -> str:
    name = show_text(result.nodeid)
    return name if result.attempt == 1 else f"{name} (attempt {result.attempt})"


def split_name(name: str) -> tuple[str, str]:
    """What a test is in, and its own name; parameters may have colons in them, as addresses do."""
    head, bracket, parameters = name.partition("[")
    within, _, own = head.rpartition("::")
    return within, f"{own}{bracket}{parameters}"
