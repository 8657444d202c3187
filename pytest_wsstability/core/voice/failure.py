"""The failure of a spoken conversation in words: promises, the call drawn, its turns, the cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..call_summary import CallSummary
from ..cause import Cause
from ..judge.requirement import Requirement
from ..judge.verdict import Outcome, Rule, Verdict
from ..message import broken, covered, read_on, why
from ..message.errors import StabilityError
from ..timeline.timeline import Timeline
from .drawing import lanes, table

# Violations, and turns, in a message.
_PROMISES = 3
_TURNS = 4


class VoiceError(StabilityError):
    """
    A spoken conversation did not show what was required, or it cannot be told.

    Attributes:
        requirement: what the connection was held to.
        verdict: the judgement of both; its outcome is UNSTABLE or INCONCLUSIVE.
        timelines: the records of the (last) connection, the caller's end first.
        call: the conversation.

    """

    def __init__(
        self, requirement: Requirement, verdict: Verdict, timelines: Sequence[Timeline], call: CallSummary
    ) -> None:
        self.call = call
        self._tell(requirement, verdict, timelines)

    def _told(self, *, whole: bool = False, more: Sequence[str] = ()) -> str:
        return "\n".join([explain_call(self.verdict, self.timelines, self.call, whole=whole), *more])

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.requirement, self.verdict, self.timelines, self.call))


VoiceError.__module__ = "pytest_wsstability.voice"


def explain_call(
    verdict: Verdict, timelines: Sequence[Timeline], call: CallSummary, *, whole: bool = False
) -> str:
    """The message: verdict, promises, the call drawn, its turns worst first, the cause."""
    lines = [f"{verdict.headline} [client end]", *broken(verdict.violations[: None if whole else _PROMISES])]
    if verdict.outcome is Outcome.INCONCLUSIVE:
        lines += [f"  in doubt  {doubt.text}" for doubt in verdict.doubts]
    lines += [f"  {other.end.value:<9} {other.close}" for other in timelines[1:] if other.close]
    at = verdict.violations[0].at if verdict.violations else None
    lines += lanes(call, timelines[0] if timelines else None, at)
    if call.turns:
        # Nothing in a turn's own numbers says that its audio is broken.
        shown = at if verdict.violations and verdict.violations[0].rule is Rule.AUDIO else None
        lines += table(call, len(call.turns) if whole else _TURNS, shown)
    if verdict.diagnosis is not None and verdict.diagnosis.cause is not Cause.UNDETERMINED:
        lines += why(verdict.diagnosis, None)
    return "\n".join([*lines, covered(verdict), read_on(verdict.code)])
