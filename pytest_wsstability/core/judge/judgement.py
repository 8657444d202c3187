"""What was required of one connection in the course of a test, and what came of it, as one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..timeline.timeline import Timeline
from .requirement import Requirement
from .verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A requirement, its verdict, and what it rests on."""

    requirement: Requirement
    verdict: Verdict
    # The judged end first, then other ends of the same connection, all as they stood at the verdict; empty
    # where nothing opened.
    timelines: tuple[Timeline, ...] = ()

    def after(self, earlier: Judgement | None) -> Judgement:
        """
        Both judgements of one connection as one.

        All that was required counts, the longer hold and else the later value; of the verdicts the
        worse, the earlier if both are bad and the one that covers more if both are stable.

        """
        if earlier is None:
            return self
        joined = _joined(earlier.requirement, self.requirement)
        return dataclasses.replace(_worse(earlier, self), requirement=joined)


def _joined(earlier: Requirement, later: Requirement) -> Requirement:
    nothing = Requirement()
    given = {
        field.name: value
        for field in dataclasses.fields(later)
        if (value := getattr(later, field.name)) != getattr(nothing, field.name)
    }
    if earlier.alive_for is not None and later.alive_for is not None:
        given["alive_for"] = max(earlier.alive_for, later.alive_for)
    return dataclasses.replace(earlier, **given)


def _worse(earlier: Judgement, later: Judgement) -> Judgement:
    before, now = earlier.verdict, later.verdict
    if before.outcome is not now.outcome:
        return max(earlier, later, key=lambda each: each.verdict.outcome)
    return later if now.outcome is Outcome.STABLE and now.horizon >= before.horizon else earlier
