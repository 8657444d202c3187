"""The rules about a client that reconnects: how soon, as whom, how often, and never twice at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..duration import show_duration as show
from ..redact import show_text
from ..timeline.events import Tier
from .attempts import Attempt, Record
from .backoff import Backoff
from .verdict import Doubt, Outcome, Reason, Rule, Verdict, Violation

# Ends within so many seconds have one cause, such as a restart.
TOGETHER = 1.0
# A client's timer may fire this much early, as its clock counts.
_EARLY = 0.005
_SAME = 1e-9

Finding = Violation | Doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnects:
    """
    Come back after each end that the client did not wish itself (1000 or 1001).

    Args:
        within: seconds from the end to the opening of the next connection.
        same_session: it must carry the same session id.
        backoff: no attempt comes sooner after the end, or after the attempt before; None: not required. Nor
            does one come sooner than the Retry-After of the refusal before it, in any case.

    """

    within: float
    same_session: bool
    backoff: Backoff | None = None

    def judge(self, record: Record, of: Iterable[Attempt]) -> Verdict:
        """The verdict over some connections of a record."""
        ended = [attempt for attempt in of if attempt.ended is not None and not attempt.left]
        if not ended:
            text = "no connection has ended but by the client's own wish: there is nothing to come back from"
            return _verdict(record, [Doubt(Reason.TOO_FEW, text)])
        successors = record.successors()
        findings: list[Finding] = []
        for attempt in ended:
            findings += self._back(record, attempt, successors.get(attempt))
            findings += _waits(record, attempt, successors, self.backoff)
        return _verdict(record, findings)

    def deadlines(self, record: Record, of: Iterable[Attempt]) -> list[float]:
        """For each client that is away and still has time, the clock's reading until which it has."""
        successors = record.successors()
        deadlines = [
            attempt.ended + self.within
            for attempt in of
            if attempt.ended is not None
            and not attempt.left
            and not self._is_back(attempt, successors.get(attempt))
        ]
        return [at for at in deadlines if at > record.now + _SAME]

    def _is_back(self, attempt: Attempt, successor: Attempt | None) -> bool:
        if successor is None:
            return False
        return not self.same_session or successor.session_id == attempt.session_id is not None

    def _back(self, record: Record, attempt: Attempt, successor: Attempt | None) -> Iterator[Finding]:
        assert attempt.ended is not None
        limit, end = self.within + record.tolerance, attempt.ended
        name = f"session {show_text(attempt.session_id or '', 40)!r}" if attempt.session_id else "the client"
        wait = successor.at - end if successor is not None else record.now - end
        if self._is_back(attempt, successor) and wait <= limit:
            return
        if wait <= limit and record.now < end + self.within - _SAME:
            yield Doubt(Reason.TOO_SHORT, f"{name} has been away for {show(record.now - end)} only")
            return
        if successor is None:
            observed = f"nothing for {show(wait)}{_refusals(record, end)}"
            headline = f"{name} did not come back within {show(self.within)}"
        elif self._is_back(attempt, successor):
            observed = f"a connection after {show(wait)}{_refusals(record, end, successor.at)}"
            headline = f"{name} came back after {show(wait)}, not within {show(self.within)}"
        else:
            other = successor.session_id
            who = f"session {show_text(other, 40)!r}" if other else "no session at all"
            observed = f"a connection after {show(wait)} with {who}"
            headline = f"{name} came back as {who}"
        same = " with the same session" if self.same_session else ""
        yield Violation(
            Rule.RECONNECTS,
            record.since_start(min(record.now, end + self.within)),
            f"a connection{same} within {show(self.within)} of each end",
            observed,
            headline,
        )


def _refusals(record: Record, start: float, end: float | None = None) -> str:
    count = len(record.unopened(start, math.inf if end is None else end))
    return f"; {count} attempt{'s' * (count != 1)} did not open" if count else ""


def _waits(
    record: Record, attempt: Attempt, successors: dict[Attempt, Attempt], backoff: Backoff | None
) -> Iterator[Finding]:
    """Whether each attempt after an end waited long enough; a longer wait is never wrong here."""
    assert attempt.ended is not None
    successor = successors.get(attempt)
    end = successor.at if successor is not None else record.now
    between = record.unopened(attempt.ended, end)
    if backoff is None and all(each.retry_after is None for each in between):
        return
    others = [other for other in record.opened if other is not attempt and other.ended is not None]
    if between and any(_away(record, other, successors, attempt.ended, end) for other in others):
        yield Doubt(
            Reason.TOO_FEW, "several clients were away at once, so whose attempts failed cannot be told"
        )
        return
    instants = [attempt.ended, *(each.at for each in between)]
    asked = [0.0, *(each.retry_after or 0.0 for each in between)]
    if successor is not None:
        instants.append(successor.at)
    early = _EARLY if record.tolerance > _SAME else _SAME
    for number, (before, at) in enumerate(pairwise(instants)):
        least = max(asked[number], backoff.least(number) if backoff is not None else 0.0)
        if at - before < least - early:
            told = ", as Retry-After said" if least == asked[number] else ""
            yield Violation(
                Rule.BACKOFF,
                record.since_start(at),
                f"attempt {number + 1} after an end waits at least {show(least)}{told}",
                f"{show(at - before)} after {'the attempt before' if number else 'the end'}",
                f"attempt {number + 1} came after {show(at - before)}, not {show(least)} or more{told}",
            )
            return


def _away(
    record: Record, other: Attempt, successors: dict[Attempt, Attempt], start: float, end: float
) -> bool:
    assert other.ended is not None
    successor = successors.get(other)
    back = successor.at if successor is not None else record.now
    return other.ended < end and back > start


@dataclass(frozen=True, slots=True, kw_only=True)
class NoStorm:
    """
    Clients that lost their connections do not all come back at once.

    Args:
        max_per_second: attempts in any second after the first end; those that were refused count too.
        jitter: seconds over which the clients that lost their connection together are spread out; for one
            client, the seconds by which its waits differ from time to time. None: not required.

    """

    max_per_second: float
    jitter: float | None = None

    def judge(self, record: Record) -> Verdict:
        """The verdict over a record."""
        ends = [attempt.ended for attempt in record.opened if attempt.ended is not None]
        refused = [attempt.at for attempt in record.attempts if attempt.timeline is None]
        since = min([*ends, *refused], default=None)
        back = set(record.successors().values())
        again = [
            each.at
            for each in record.attempts
            if since is not None
            # Those who came first, at the instant of the first end, had lost nothing.
            and (each.at > since or (each.at == since and (each in back or each.timeline is None)))
        ]
        if not again:
            return _verdict(record, [Doubt(Reason.TOO_FEW, "nobody reconnected: there was no storm to see")])
        return _verdict(record, [*self._rate(record, again), *self._spread(record)])

    def _rate(self, record: Record, again: Sequence[float]) -> Iterator[Finding]:
        first = 0
        for last, at in enumerate(again):
            while at - again[first] >= 1.0 - _SAME:
                first += 1
            count = last - first + 1
            if count > self.max_per_second:
                start = record.since_start(again[first])
                peak = _peak(again)
                yield Violation(
                    Rule.STORM,
                    record.since_start(at),
                    f"at most {self.max_per_second:g} attempts a second",
                    f"{count} attempts in the second from {show(start)} on; at most {peak} in one second",
                    f"{peak} attempts in one second, more than {self.max_per_second:g}",
                )
                return

    def _spread(self, record: Record) -> Iterator[Finding]:
        if self.jitter is None:
            return
        found = sorted(
            (attempt.ended, successor.at - attempt.ended)
            for attempt, successor in record.successors().items()
            if attempt.ended is not None
        )
        groups = [group for group in _together(found) if len(group) > 1]
        # One client alone shows its jitter from one time to the next.
        for group in groups or [[wait for _, wait in found]]:
            if len(group) < 2:
                yield Doubt(Reason.TOO_FEW, "one reconnect alone shows no jitter: two are needed at least")
                return
            spread = max(group) - min(group)
            if spread < self.jitter - _SAME:
                who = f"{len(group)} reconnects"
                yield Violation(
                    Rule.STORM,
                    record.since_start(record.now),
                    f"waits that differ by {show(self.jitter)} or more",
                    f"{who} after {show(min(group))} to {show(max(group))}, within {show(spread)}",
                    f"{who} differ by {show(spread)} only, not {show(self.jitter)} or more",
                )
                return


def _peak(instants: Sequence[float]) -> int:
    first, peak = 0, 0
    for last, at in enumerate(instants):
        while at - instants[first] >= 1.0 - _SAME:
            first += 1
        peak = max(peak, last - first + 1)
    return peak


def _together(found: Sequence[tuple[float, float]]) -> list[list[float]]:
    """The waits of those that ended within `TOGETHER` seconds."""
    groups: list[list[float]] = []
    since = 0.0
    for end, wait in found:
        if not groups or end - since > TOGETHER:
            groups.append([])
            since = end
        groups[-1].append(wait)
    return groups


def no_duplicate_session(record: Record) -> Verdict:
    """No session has two open connections at once."""
    named = [attempt for attempt in record.opened if attempt.session_id is not None]
    if not named:
        return _verdict(record, [Doubt(Reason.TOO_FEW, "no client named its session")])
    latest: dict[str, Attempt] = {}
    for attempt in named:
        name = attempt.session_id or ""
        before = latest.get(name)
        end = record.now if before is None or before.ended is None else before.ended
        # In virtual time an end is never on its way.
        now = before is not None and before.ended is None and record.tier is Tier.VIRTUAL
        if before is not None and (now or end - attempt.at > record.tolerance):
            session = f"session {show_text(name, 40)!r}"
            state = "still open" if before.ended is None else f"open for {show(end - attempt.at)} more"
            return _verdict(
                record,
                [
                    Violation(
                        Rule.DUPLICATE,
                        record.since_start(attempt.at),
                        "one connection of a session at a time",
                        f"{session} connected again at {show(record.since_start(attempt.at))}, "
                        f"its connection before was {state}",
                        f"{session} had two open connections",
                    )
                ],
            )
        latest[name] = attempt
    return _verdict(record, [])


def _verdict(record: Record, findings: Sequence[Finding]) -> Verdict:
    violations = tuple(finding for finding in findings if isinstance(finding, Violation))
    doubts = tuple(dict.fromkeys(finding for finding in findings if isinstance(finding, Doubt)))
    outcome = Outcome.UNSTABLE if violations else Outcome.INCONCLUSIVE if doubts else Outcome.STABLE
    return Verdict(
        outcome=outcome,
        violations=violations,
        doubts=doubts,
        horizon=record.since_start(record.now),
        tier=record.tier,
    )
