"""The failure of a client over more than one connection, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..judge.attempts import ConnectionHistory
from ..judge.requirement import Requirement
from ..judge.verdict import Outcome, Rule, Verdict
from . import broken, covered, read_on
from .errors import StabilityError

# Lines of the history in a message.
_LINES = 10
# Violations in a message: a crowd of clients has one problem.
_VIOLATIONS = 3
# What to change in the client.
_HINTS = {
    Rule.RECONNECTS: "reconnect after every end, 1005 and 1006 too, and each time begin the same session",
    Rule.BACKOFF: "wait before each attempt, the first too, and as long as Retry-After says",
    Rule.STORM: "wait min(first * 2 ** attempt, longest) before an attempt, more or less a random part of it",
    Rule.LOSS: "expect a sign of life (an answered heartbeat or ping) in time, and reconnect when none comes",
    Rule.DUPLICATE: "close the connection of before, or see it closed, before you open the next one",
}


class SessionError(StabilityError):
    """
    What a client did between its connections is not what was required, or too little was seen of it.

    Attributes:
        requirement: empty; the verdict's violations say what was required.
        verdict: the judgement; its outcome is UNSTABLE or INCONCLUSIVE.
        timelines: empty, because no single connection was judged.
        history: everybody who connected, with what the server saw of the connections.

    """

    def __init__(self, verdict: Verdict, history: ConnectionHistory) -> None:
        self.history = history
        self._tell(Requirement(), verdict)

    def _told(self, *, whole: bool = False, more: Sequence[str] = ()) -> str:
        return "\n".join([_explain(self.verdict, self.history, None if whole else _LINES), *more])

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.verdict, self.history))


SessionError.__module__ = "pytest_wsstability"


def _explain(verdict: Verdict, history: ConnectionHistory, longest: int | None) -> str:
    lines = [f"{verdict.headline} [server end]", *broken(verdict.violations[:_VIOLATIONS])]
    if (more := len(verdict.violations) - _VIOLATIONS) > 0:
        lines.append(f"  ...       and {more} more")
    if verdict.outcome is Outcome.INCONCLUSIVE:
        lines += [f"  in doubt  {doubt.text}" for doubt in verdict.doubts]
    moments = history.moments()
    shown = moments if longest is None else moments[-longest:]
    lines.append(f"  history   (last {len(shown)} of {len(moments)} events)")
    lines += [f"    {moment}" for moment in shown]
    rules = dict.fromkeys(violation.rule for violation in verdict.violations)
    lines += [f"  hint      {_HINTS[rule]}" for rule in rules if rule in _HINTS]
    return "\n".join([*lines, covered(verdict), read_on(verdict.code)])
