"""What was required of one connection in the course of a test, and what came of it, as one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from .requirement import Requirement
from .verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A requirement and its verdict."""

    requirement: Requirement
    verdict: Verdict

    def after(self, earlier: Judgement | None) -> Judgement:
        """
        Both judgements of one connection as one.

        All that was required counts, the longer hold and else the later value; of the verdicts the
        worse, the earlier if both are bad and the one that covers more if both are stable.

        """
        if earlier is None:
            return self
        return Judgement(
            _joined(earlier.requirement, self.requirement), _worse(earlier.verdict, self.verdict)
        )


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


def _worse(earlier: Verdict, later: Verdict) -> Verdict:
    if earlier.outcome is not later.outcome:
        return max(earlier, later, key=lambda verdict: verdict.outcome)
    return later if later.outcome is Outcome.STABLE and later.horizon >= earlier.horizon else earlier
