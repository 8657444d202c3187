"""Results by what they have in common: the verdict, and the cause of those that are not stable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..core.cause import Cause
from ..core.judge.verdict import Outcome
from ..core.redact import show_text
from ..core.result import Result
from .cells import rank, verdict_word, worst_first


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one verdict and cause, the worst first."""

    # As `verdict_word` says it.
    verdict: str
    outcome: Outcome
    # The cause in words: as the results say it where all say the same; empty where they are stable.
    cause: str
    results: tuple[Result, ...]


def by_cause(results: Iterable[Result]) -> list[Group]:
    """Groups, those first whose worst result comes first, and of these the larger ones."""
    found: dict[tuple[str, str], list[Result]] = {}
    for result in worst_first(results):
        found.setdefault((verdict_word(result), _kind(result)), []).append(result)
    groups = [_group(word, held) for (word, _), held in found.items()]
    return sorted(
        groups, key=lambda each: (not each.results[0].failed, rank(each.outcome), -len(each.results))
    )


def _group(word: str, results: list[Result]) -> Group:
    return Group(word, results[0].verdict.outcome, _title(results), tuple(results))


def _kind(result: Result) -> str:
    """What results of a group have in common beside their verdict."""
    verdict = result.verdict
    if verdict.outcome is Outcome.STABLE:
        return ""
    found = verdict.diagnosis
    if found is not None and found.cause is not Cause.UNDETERMINED:
        return found.cause.name
    if verdict.violations:
        return verdict.violations[0].rule.name
    return verdict.doubts[0].reason.name if verdict.doubts else ""


def _title(results: list[Result]) -> str:
    """The words that all share, or the most common ones."""
    first = results[0].verdict
    if first.outcome is Outcome.STABLE:
        return ""
    said = Counter(cause_of(result) for result in results)
    (words, count), *_ = said.most_common(1)
    if count == len(results):
        return words
    found = first.diagnosis
    if found is not None and found.cause is not Cause.UNDETERMINED:
        return f"{found.cause.value}"
    if first.outcome is Outcome.INCONCLUSIVE:
        return f"{first.doubts[0].reason.value}"
    return f"{first.violations[0].rule.value}: not kept"


def cause_of(result: Result) -> str:
    """Why, without the instant at which it was: ``pongs withheld, pong-only read deadline 60 s``."""
    verdict = result.verdict
    found = verdict.diagnosis
    if verdict.outcome is Outcome.STABLE:
        return ""
    if verdict.outcome is Outcome.UNSTABLE and found is not None and found.cause is not Cause.UNDETERMINED:
        return show_text(found.headline)
    return show_text(verdict.headline.removeprefix("inconclusive: "))
