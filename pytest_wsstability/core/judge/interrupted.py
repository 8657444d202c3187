"""The verdict of a hold that was ended before its time: what it had seen until then, and no more."""

from __future__ import annotations

from ..duration import show_duration
from ..timeline.timeline import Timeline
from .requirement import Requirement
from .rules import judge
from .verdict import Doubt, Outcome, Reason, Verdict

# What an interrupted hold says in its own words.
_SAID = frozenset({Reason.TOO_SHORT, Reason.TOO_FEW})


def interrupted(requirement: Requirement, timeline: Timeline, why: str = "interrupted") -> Verdict:
    """
    Judge a hold that somebody ends now.

    Args:
        requirement: what the hold was for.
        timeline: its record up to now.
        why: the first words of the doubt, such as ``interrupted``.

    Returns:
        The verdict as it stands if a promise is broken already, or all of them are kept; else an
        inconclusive one: ``interrupted at 37 s of 120 s``.

    """
    verdict = judge(requirement, timeline)
    if verdict.outcome is not Outcome.INCONCLUSIVE:
        return verdict
    text = f"{why} at {show_duration(round(timeline.duration, 1))}"
    if requirement.alive_for is not None:
        text += f" of {show_duration(requirement.alive_for)}"
    others = [doubt for doubt in verdict.doubts if doubt.reason not in _SAID]
    return Verdict.of(
        [Doubt(Reason.INTERRUPTED, text), *others, *verdict.violations],
        horizon=verdict.horizon,
        tier=verdict.tier,
    )
