"""The failure of a client over more than one connection, in words."""

from __future__ import annotations

from typing import Any

from .assertions import StabilityError
from .attempts import Record
from .duration import show_duration as show
from .requirement import Requirement
from .timeline import Timeline
from .verdict import Outcome, Rule, Verdict

# Lines of the record in a message.
_LINES = 10
# Violations in a message: a crowd of clients has one problem.
_VIOLATIONS = 3
# What to change in the client.
_HINTS = {
    Rule.RECONNECTS: "reconnect after every end, 1005 and 1006 too, with the session id of before",
    Rule.STORM: "wait min(first * 2 ** attempt, longest) before an attempt, more or less a random part of it",
    Rule.DUPLICATE: "close the connection of before, or see it closed, before you open the next one",
}


class SessionError(StabilityError):
    """
    What a client did between its connections is not what was required, or too little was seen of it.

    Attributes:
        requirement: empty; the verdict's violations say what was required.
        verdict: the judgement; its outcome is UNSTABLE or INCONCLUSIVE.
        timelines: what the server saw of the connections, oldest first.

    """

    def __init__(self, verdict: Verdict, record: Record) -> None:
        text = _explain(verdict, record)
        self._fill(verdict, tuple(each.timeline for each in record.opened if each.timeline), text)

    def _fill(self, verdict: Verdict, timelines: tuple[Timeline, ...], text: str) -> None:
        self.requirement = Requirement()
        self.verdict = verdict
        self.timelines = timelines
        AssertionError.__init__(self, text)

    def retell(self, verdict: Verdict, *, whole: bool = False) -> None:
        """Nothing more to say: it has no diagnosis, and the message is the whole record."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (self.verdict, self.timelines, str(self)))


SessionError.__module__ = "pytest_wsstability"


def _rebuilt(verdict: Verdict, timelines: tuple[Timeline, ...], text: str) -> SessionError:
    error = SessionError.__new__(SessionError)
    error._fill(verdict, timelines, text)
    return error


def _explain(verdict: Verdict, record: Record) -> str:
    lines = [f"{verdict.headline} [server end]"]
    for violation in verdict.violations[:_VIOLATIONS]:
        lines += [f"  expected  {violation.expected}", f"  observed  {violation.observed}"]
    if (more := len(verdict.violations) - _VIOLATIONS) > 0:
        lines.append(f"  ...       and {more} more")
    if verdict.outcome is Outcome.INCONCLUSIVE:
        lines += [f"  in doubt  {doubt.text}" for doubt in verdict.doubts]
    moments = record.moments()
    lines.append(f"  record    (last {len(moments[-_LINES:])} of {len(moments)} events)")
    lines += [f"    {moment}" for moment in moments[-_LINES:]]
    rules = dict.fromkeys(violation.rule for violation in verdict.violations)
    lines += [f"  hint      {_HINTS[rule]}" for rule in rules if rule in _HINTS]
    lines.append(f"  covered   {show(verdict.horizon)} in {verdict.tier.value}; nothing is known beyond")
    return "\n".join(lines)
