"""What is told of a connection of a fleet that did not live to the end of its hold, or need not have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from ...core.cause import Cause, Diagnosis
from ...core.diagnosis.client_end import ClientEnd
from ...core.fleet.frame import Ending, Fate
from ...core.judge.verdict import Doubt, Outcome, Reason, Rule, Verdict, Violation
from ...core.timeline.events import SAME
from ...core.timeline.timeline import Timeline
from ..errors import OpeningError
from ..senders import served_by
from .explaining import EndedConnection


def refused(number: int, error: OpeningError, at: float) -> Ending:
    """It did not open, ``at`` seconds after the start of its slot."""
    # What this machine lacked says nothing of the server.
    fate = Fate.REFUSED if error.shortage is None else Fate.UNOBSERVED
    return Ending(
        number=number,
        fate=fate,
        age=0.0,
        at=at,
        cause=error.diagnosis.cause.value,
        found=error.diagnosis.cause,
        headline=str(error).partition("\n")[0],
        remedy=error.diagnosis.remedy or "",
        served_by=error.served_by,
        status=error.status,
    )


def stalled(number: int, timeline: Timeline, at: float, subnet: str) -> Ending:
    """It read nothing, as the plan asked for: what the server made of that is not judged."""
    return _ending(number, Fate.STALLED, timeline, at, subnet)


def rotated(number: int, verdict: Verdict, timeline: Timeline, at: float, subnet: str) -> Ending:
    """It was let go before the end of its hold."""
    made = _ending(number, Fate.ROTATED, timeline, at, subnet)
    return dataclasses.replace(made, headline=_told(each for each in verdict.doubts if _is_few(each)))


def explained(ended: EndedConnection, diagnosis: Diagnosis) -> Ending:
    """It broke a promise, or could not be judged."""
    fate = Fate.UNOBSERVED if ended.verdict.outcome is Outcome.INCONCLUSIVE else Fate.ENDED
    made = _ending(ended.number, fate, ended.timeline, ended.at, ended.subnet, diagnosis, ended.others)
    if fate is Fate.UNOBSERVED:
        return dataclasses.replace(made, headline=_told(ended.verdict.doubts))
    if diagnosis.cause is Cause.UNDETERMINED:
        # What was promised says more than that nobody knows why.
        return dataclasses.replace(made, headline=ended.verdict.headline, remedy="")
    return made


def _ending(
    number: int,
    fate: Fate,
    timeline: Timeline,
    at: float,
    subnet: str,
    diagnosis: Diagnosis | None = None,
    others: Sequence[Timeline] = (),
) -> Ending:
    close = timeline.close
    return Ending(
        number=number,
        fate=fate,
        age=timeline.duration,
        at=at,
        cause=(diagnosis.together or diagnosis.cause.value) if diagnosis else "",
        found=diagnosis.cause if diagnosis else None,
        confidence=diagnosis.confidence.value if diagnosis else "",
        code=close.code if close is not None else None,
        abnormal=close is not None and close.abnormal and not close.planned,
        closed_here=close is None or close.planned,
        silence=timeline.silence,
        served_by=served_by(timeline.hints or ()),
        subnet=subnet,
        headline=diagnosis.headline if diagnosis else "",
        remedy=(diagnosis.remedy or "") if diagnosis else "",
        seen=ClientEnd.of([timeline, *others]) if diagnosis else None,
    )


def is_let_go(verdict: Verdict, timeline: Timeline, hold: float, *, comes_back: bool) -> bool:
    """
    Whether an end before the hold was over was planned: what is counted may not have been due by then.

    Where it comes back, one that the peer has announced is no worse than one without a word.

    """
    early = timeline.close is not None and timeline.duration < hold - SAME
    doubts = [each for each in verdict.doubts if not (comes_back and each.reason is Reason.ANNOUNCED)]
    return early and not verdict.violations and all(map(_is_few, doubts))


def may_be_broken(verdict: Verdict) -> bool:
    """Whether a part of a hold broke a promise, or may have: in a part, too few of something may be all."""
    return bool(verdict.violations) or not all(map(_is_few, verdict.doubts))


def abnormal_closure(verdict: Verdict | None) -> Violation | None:
    """That a connection ended abnormally where that was not to be; None if it did not."""
    violations = verdict.violations if verdict is not None else ()
    return next((each for each in violations if each.rule is Rule.CLOSURE), None)


def _is_few(doubt: Doubt) -> bool:
    return doubt.reason is Reason.TOO_FEW


def _told(doubts: Iterable[Doubt]) -> str:
    return "; ".join(each.text for each in doubts)
