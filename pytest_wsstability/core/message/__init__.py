"""The failure in words: what was promised, what was seen, why, what proves it, and the knob to turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..cause import Cause, Diagnosis
from ..duration import show_duration as show
from ..judge.verdict import Doubt, Outcome, Reason, Rule, Verdict, Violation
from ..site import explained
from ..timeline.timeline import Timeline
from .protocol import misfit, named
from .record import event_line, record
from .strip import strips

__all__ = ["broken", "covered", "event_line", "explain", "explain_end", "read_on", "why"]

# Lines of a message of normal length, and so many of each kind in it.
_LONGEST = 25
_PROMISES = 2
_DOUBTS = 2
_EVIDENCE = 4
_NOTES = 1
_RULED_OUT = 2


def explain(
    verdict: Verdict,
    timelines: Sequence[Timeline],
    *,
    whole: bool = False,
    more: Sequence[str] = (),
) -> str:
    """
    The message of a failure.

    Args:
        verdict: what came of the requirement.
        timelines: the record that was judged first, then those of other ends of the same connection.
        whole: every recorded event, and every line of evidence.
        more: lines about the run that stand after what was covered.

    """
    lines = [_sentence(verdict, timelines[0]), *_promises(verdict, whole), *_protocol(timelines[0])]
    lines += [f"  {other.end.value:<9} {other.close}" for other in timelines[1:] if other.close]
    if verdict.outcome is not Outcome.STABLE:
        lines += strips(timelines)
    end = _if_planned(verdict, timelines[0])
    end.append(covered(verdict))
    end += [
        f"  note      {note.noted.value}: {note.text}" for note in verdict.notes[: None if whole else _NOTES]
    ]
    if verdict.code:
        end.append(read_on(verdict.code))
    end += more
    if verdict.diagnosis is not None:
        lines += why(verdict.diagnosis, None if whole else _LONGEST - len(lines) - len(end))
    lines += end
    if whole:
        lines += [line for timeline in timelines for line in record(timeline)]
    return "\n".join(lines)


def explain_end(timelines: Sequence[Timeline], diagnosis: Diagnosis) -> str:
    """
    The message of an error about a connection that has ended while it was used.

    Args:
        timelines: the record of the end that was used, then those of other ends of the same connection.
        diagnosis: why it ended.

    """
    close = timelines[0].close
    assert close is not None
    lines = [f"the connection ended: {close.headline()}: {close}"]
    lines += [f"  {other.end.value:<9} {other.close}" for other in timelines[1:] if other.close]
    return explain_record(lines, timelines, diagnosis)


def explain_record(head: Sequence[str], timelines: Sequence[Timeline], diagnosis: Diagnosis) -> str:
    """
    The message of an error that is no verdict.

    Args:
        head: its first lines.
        timelines: see `explain_end`.
        diagnosis: why.

    """
    lines = [*head, *strips(timelines)]
    lines += why(diagnosis, _LONGEST - len(lines))
    return "\n".join([*lines, read_on(diagnosis.cause.code)])


def read_on(code: str) -> str:
    """The last line of a failure: where what it begins with is explained."""
    return f"  read on   {explained(code)}"


def broken(violations: Iterable[Violation]) -> list[str]:
    """What was promised and what was seen instead, two lines each."""
    return [
        line
        for each in violations
        for line in (f"  expected  {each.expected}", f"  observed  {each.observed}")
    ]


def covered(verdict: Verdict) -> str:
    """How far a verdict reaches, and in which time."""
    return f"  covered   {show(verdict.horizon)} in {verdict.tier.value}"


def _sentence(verdict: Verdict, timeline: Timeline) -> str:
    if verdict.outcome is Outcome.STABLE:
        return "stable"
    return f"{verdict.headline} [{timeline.end.value} end]"


def _promises(verdict: Verdict, whole: bool) -> list[str]:
    lines = broken(verdict.violations[: None if whole else _PROMISES])
    doubts = [doubt for doubt in verdict.doubts if _is_shown(verdict, doubt)]
    return lines + [f"  in doubt  {doubt.text}" for doubt in doubts[: None if whole else _DOUBTS]]


def _protocol(timeline: Timeline) -> list[str]:
    told = (("profile", misfit(timeline)), ("agreed", named(timeline)))
    return [f"  {name:<9} {text}" for name, text in told if text is not None]


def _is_shown(verdict: Verdict, doubt: Doubt) -> bool:
    """Doubts are the reason of an inconclusive verdict; a tie changes what an unstable one means."""
    return verdict.outcome is Outcome.INCONCLUSIVE or doubt.reason is Reason.TIE


def why(diagnosis: Diagnosis, room: int | None) -> list[str]:
    """
    The cause and what goes with it.

    Args:
        diagnosis: what was found.
        room: lines that there is room for; None for all. The cause, what else it may be and the remedy
            are always told.

    """
    sure = f"confidence {diagnosis.confidence.value}, blame {diagnosis.blame.value}"
    undetermined = diagnosis.cause is Cause.UNDETERMINED
    first = [f"  likely    {diagnosis.sentence}" + ("" if undetermined else f" ({sure})")]
    first += _some("nearest", diagnosis.hypotheses)
    last = []
    if diagnosis.runner_up is not None:
        apart = f"; to tell: {diagnosis.experiment}" if diagnosis.experiment else ""
        last.append(f"  runner-up {diagnosis.runner_up.value}{apart}")
    if diagnosis.remedy is not None:
        last.append(f"  fix       {diagnosis.remedy}")
    evidence, ruled_out = _some("evidence", diagnosis.evidence), _some("not", diagnosis.ruled_out)
    if room is not None:
        room = max(0, room - len(first) - len(last))
        evidence = evidence[: min(_EVIDENCE, room)]
        ruled_out = ruled_out[: max(0, min(_RULED_OUT, room - len(evidence)))]
    return [*first, *evidence, *ruled_out, *last]


def _some(name: str, facts: Sequence[object]) -> list[str]:
    return [f"  {name:<9} {fact}" for fact in facts]


def _if_planned(verdict: Verdict, timeline: Timeline) -> list[str]:
    """The knob for an end that was wanted: for ends with a close code only."""
    alive = any(violation.rule is Rule.ALIVE for violation in verdict.violations)
    alive = alive and verdict.outcome is Outcome.UNSTABLE
    if not alive or timeline.close is None or timeline.close.received is None:
        return []
    return [f"  planned?  allow_close={timeline.close.code} allows this end"]
