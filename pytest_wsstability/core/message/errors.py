"""What is raised when a requirement is not met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..asserted import failing
from ..diagnosis import diagnosed
from ..judge.requirement import Requirement
from ..judge.verdict import Verdict
from ..timeline.timeline import Timeline
from . import explain


class StabilityError(AssertionError):
    """
    A requirement that a connection did not meet, or that the evidence cannot carry.

    Attributes:
        requirement: what was required.
        verdict: the judgement; its outcome is UNSTABLE or INCONCLUSIVE.
        timelines: the records it rests on, as they stood at the verdict, the judged end first.

    """

    def __init__(self, requirement: Requirement, verdict: Verdict, timelines: Sequence[Timeline]) -> None:
        self._tell(requirement, verdict if verdict.diagnosis else diagnosed(verdict, timelines), timelines)

    def _tell(self, requirement: Requirement, verdict: Verdict, timelines: Sequence[Timeline] = ()) -> None:
        """Take what it is about, and say it."""
        self.requirement = requirement
        self.verdict = verdict
        self.timelines = tuple(timelines)
        AssertionError.__init__(self, self._told())
        failing(self)

    @property
    def headline(self) -> str:
        """The failure in one line: the cause first, where one is known."""
        return self.verdict.headline

    def retell(self, verdict: Verdict, *, whole: bool = False, more: Sequence[str] = ()) -> None:
        """Say it again: with another diagnosis, the whole record, or lines that only a runner knows."""
        self.verdict = verdict
        self.args = (self._told(whole=whole, more=more),)

    def _told(self, *, whole: bool = False, more: Sequence[str] = ()) -> str:
        return explain(self.verdict, self.timelines, whole=whole, more=more)

    def __reduce__(self) -> tuple[Any, ...]:
        # Built from its parts and not from the message, so that it survives pickling.
        return (type(self), (self.requirement, self.verdict, self.timelines))


def leaves(error: BaseException) -> list[BaseException]:
    """The error itself; of a group, as a TaskGroup raises one, the errors in it at whatever depth."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves(each)]


# Shown in tracebacks and short summaries.
StabilityError.__module__ = "pytest_wsstability"
