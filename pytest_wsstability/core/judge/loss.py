"""The rule about a client whose path or peer went dead: it has to notice by itself, for nobody tells it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..duration import show_duration as show
from ..timeline.events import SAME
from .attempts import ConnectionAttempt, ConnectionHistory
from .verdict import Doubt, Finding, Reason, Rule, Verdict, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesLoss:
    """
    Give a connection up, or come back, after its path or its peer went dead.

    Args:
        within: seconds from the instant at which the fault was applied.

    """

    within: float

    def judge(self, history: ConnectionHistory, of: Iterable[ConnectionAttempt]) -> Verdict:
        """The verdict over those connections of a history that were lost."""
        successors = history.successors()
        findings = [
            finding
            for attempt in of
            if attempt.lost_at is not None
            for finding in self._notices(
                history, attempt, _noticed_at(history, attempt, successors.get(attempt))
            )
        ]
        return history.verdict(findings)

    def deadlines(self, history: ConnectionHistory, of: Iterable[ConnectionAttempt]) -> list[float]:
        """For each client that has noticed nothing yet, the clock's reading until which it has time."""
        successors = history.successors()
        deadlines = [
            attempt.lost_at + self.within
            for attempt in of
            if attempt.lost_at is not None
            and _noticed_at(history, attempt, successors.get(attempt)) == math.inf
        ]
        return [at for at in deadlines if at > history.now + SAME]

    def _notices(
        self, history: ConnectionHistory, attempt: ConnectionAttempt, noticed_at: float
    ) -> Iterator[Finding]:
        assert attempt.lost_at is not None
        wait = noticed_at - attempt.lost_at
        if wait <= self.within + history.tolerance:
            return
        name = attempt.client
        healed_at = attempt.healed_at
        if healed_at is not None and healed_at < attempt.lost_at + self.within:
            after = show(healed_at - attempt.lost_at)
            yield Doubt(Reason.TOO_SHORT, f"{name} lost nothing for long: all went on after {after}")
            return
        if wait == math.inf and history.now < attempt.lost_at + self.within - SAME:
            yield Doubt(
                Reason.TOO_SHORT, f"{name} has had {show(history.now - attempt.lost_at)} only to notice"
            )
            return
        did = (
            "it neither closed its connection nor came back"
            if wait == math.inf
            else f"nothing of it was seen for {show(wait)}"
        )
        yield Violation(
            Rule.LOSS,
            history.since_start(attempt.lost_at + self.within),
            f"the client gives up or comes back within {show(self.within)} of a loss",
            f"{attempt.lost_by} was applied at {show(attempt.lost_at - attempt.at)} of its connection; {did}",
            f"{name} did not notice within {show(self.within)} that its connection was dead",
        )


def _noticed_at(
    history: ConnectionHistory, attempt: ConnectionAttempt, successor: ConnectionAttempt | None
) -> float:
    """The clock's reading at the first sign that a client has noticed; infinite while there is none."""
    assert attempt.lost_at is not None
    signs = [attempt.given_up_at, successor.at if successor is not None else None]
    was_alone = not any(
        other is not attempt
        and other.at < attempt.lost_at
        and (other.ended is None or other.ended > attempt.lost_at)
        for other in history.opened
    )
    if was_alone:
        # Nobody else was there: whoever tried again, and did not get in, was this client.
        signs += [each.at for each in history.unopened(attempt.lost_at, math.inf)[:1]]
    return min((at for at in signs if at is not None and at >= attempt.lost_at - SAME), default=math.inf)
