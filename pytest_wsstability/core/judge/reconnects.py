"""The rules about a client that reconnects: how soon, as whom, how often, and never twice at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..duration import show_duration as show
from ..redact import show_session
from ..timeline.events import SAME, Tier
from .attempts import ConnectionAttempt, ConnectionHistory
from .backoff import Backoff
from .verdict import Doubt, Finding, Reason, Rule, Verdict, Violation

# Ends within so many seconds have one cause, such as a restart.
TOGETHER = 1.0
# A client's timer may fire this much early, as its clock counts.
_EARLY = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnects:
    """
    Come back after each end that the client did not wish itself.

    It wished one if it closed politely (1000 or 1001), without a loss before, and did not come back.

    Args:
        within: seconds from the end to the opening of the next connection. A connection that was lost without
            an end (a dead path) counts from the loss, unless all went on in time.
        same_session: it must carry the same session id.
        backoff: no attempt comes sooner after the end, or after the attempt before; None: not required. An
            attempt that was let in for less than `BRIEF` seconds failed like one that was refused. Nor does
            one come sooner than the Retry-After of the refusal before it, in any case.

    """

    within: float
    same_session: bool
    backoff: Backoff | None = None

    def judge(self, history: ConnectionHistory, of: Iterable[ConnectionAttempt]) -> Verdict:
        """The verdict over some connections of a history."""
        successors = history.successors()
        farewells, back = history.farewells(successors), set(successors.values())
        gone = [(attempt, at) for attempt in of if (at := self._gone(attempt)) is not None]
        gone = [(attempt, at) for attempt, at in gone if attempt not in farewells]
        if not gone:
            text = "no connection has ended but by the client's own wish: there is nothing to come back from"
            return history.verdict([Doubt(Reason.TOO_FEW, text)])
        findings: list[Finding] = []
        for attempt, at in gone:
            findings += self._back(history, attempt, at, successors.get(attempt))
            # A brief one is among the attempts after the end of another.
            if not (attempt.was_brief and attempt in back):
                findings += _waits(history, attempt, at, successors, self.backoff)
        return history.verdict(findings)

    def deadlines(self, history: ConnectionHistory, of: Iterable[ConnectionAttempt]) -> list[float]:
        """For each client that is away and still has time, the clock's reading until which it has."""
        successors = history.successors()
        farewells = history.farewells(successors)
        deadlines = [
            at + self.within
            for attempt in of
            if (at := self._gone(attempt)) is not None
            and attempt not in farewells
            and not self._is_back(attempt, successors.get(attempt))
        ]
        return [at for at in deadlines if at > history.now + SAME]

    def _gone(self, attempt: ConnectionAttempt) -> float | None:
        """Since when a client has to come back, by the clock; None while it has a connection."""
        if attempt.ended is not None or attempt.lost_at is None:
            return attempt.ended
        healed = attempt.healed_at
        return None if healed is not None and healed < attempt.lost_at + self.within else attempt.lost_at

    def _is_back(self, attempt: ConnectionAttempt, successor: ConnectionAttempt | None) -> bool:
        if successor is None:
            return False
        return not self.same_session or successor.session_id == attempt.session_id is not None

    def _back(
        self,
        history: ConnectionHistory,
        attempt: ConnectionAttempt,
        end: float,
        successor: ConnectionAttempt | None,
    ) -> Iterator[Finding]:
        limit, lost, name = self.within + history.tolerance, attempt.ended is None, attempt.client
        wait = successor.at - end if successor is not None else history.now - end
        if self._is_back(attempt, successor) and wait <= limit:
            return
        if wait <= limit and history.now < end + self.within - SAME:
            yield Doubt(Reason.TOO_SHORT, f"{name} has been away for {show(history.now - end)} only")
            return
        if successor is None:
            observed = f"nothing for {show(wait)}{_refusals(history, end)}"
            headline = f"{name} did not come back within {show(self.within)}"
        elif self._is_back(attempt, successor):
            observed = f"a connection after {show(wait)}{_refusals(history, end, successor.at)}"
            headline = f"{name} came back after {show(wait)}, not within {show(self.within)}"
        else:
            other = successor.session_id
            who = f"session {show_session(other)!r}" if other else "no session at all"
            observed = f"a connection after {show(wait)} with {who}"
            headline = f"{name} came back as {who}"
        if lost:
            observed += f" after {attempt.lost_by} was applied, and the connection before has not ended"
        same = " with the same session" if self.same_session else ""
        yield Violation(
            # Nobody told it of the end: it has to notice by itself.
            Rule.LOSS if lost and successor is None else Rule.RECONNECTS,
            history.since_start(min(history.now, end + self.within)),
            f"a connection{same} within {show(self.within)} of each {'loss' if lost else 'end'}",
            observed,
            headline,
        )


def _refusals(history: ConnectionHistory, start: float, end: float | None = None) -> str:
    count = len(history.unopened(start, math.inf if end is None else end))
    return f"; {count} attempt{'s' * (count != 1)} did not open" if count else ""


def _waits(
    history: ConnectionHistory,
    attempt: ConnectionAttempt,
    end: float,
    successors: dict[ConnectionAttempt, ConnectionAttempt],
    backoff: Backoff | None,
) -> Iterator[Finding]:
    """Whether each attempt after an end waited long enough; a longer wait is never wrong here."""
    tries, refused, until = _tries(history, attempt, end, successors)
    if backoff is None and all(each.retry_after is None for each in tries):
        return
    if refused and any(
        other is not attempt and other not in tries and _away(history, other, successors, end, until)
        for other in history.opened
    ):
        yield Doubt(
            Reason.TOO_FEW, "several clients were away at once, so whose attempts failed cannot be told"
        )
        return
    # A wait begins when the attempt before has failed.
    failed = [end, *(each.at if each.ended is None else each.ended for each in tries)]
    asked = [0.0, *(each.retry_after or 0.0 for each in tries)]
    early = _EARLY if history.tolerance > SAME else SAME
    for number, each in enumerate(tries):
        wait = each.at - failed[number]
        least = max(asked[number], backoff.least(number) if backoff is not None else 0.0)
        if wait < least - early:
            told = ", as Retry-After said" if least == asked[number] else ""
            yield Violation(
                Rule.BACKOFF,
                history.since_start(each.at),
                f"attempt {number + 1} after an end waits at least {show(least)}{told}",
                f"{show(wait)} after {'the attempt before' if number else 'the end'}",
                f"attempt {number + 1} came after {show(wait)}, not {show(least)} or more{told}",
            )
            return


def _tries(
    history: ConnectionHistory,
    attempt: ConnectionAttempt,
    end: float,
    successors: dict[ConnectionAttempt, ConnectionAttempt],
) -> tuple[list[ConnectionAttempt], bool, float]:
    """The attempts after an end up to the one that lasted, whether any was refused, and until when."""
    tries: list[ConnectionAttempt] = []
    refused = False
    last: ConnectionAttempt | None = attempt
    while last is not None and (last is attempt or last.was_brief):
        successor = successors.get(last)
        until = successor.at if successor is not None else history.now
        since = end if last is attempt or last.ended is None else last.ended
        between = history.unopened(since, until)
        refused = refused or bool(between)
        tries += [*between, *([successor] if successor is not None else [])]
        last = successor
    return tries, refused, tries[-1].at if last is not None and tries else history.now


def _away(
    history: ConnectionHistory,
    other: ConnectionAttempt,
    successors: dict[ConnectionAttempt, ConnectionAttempt],
    start: float,
    end: float,
) -> bool:
    if other.ended is None:
        return False
    successor = successors.get(other)
    back = successor.at if successor is not None else history.now
    return other.ended < end and back > start


@dataclass(frozen=True, slots=True, kw_only=True)
class NoStorm:
    """
    Clients that lost their connections do not all come back at once.

    Args:
        max_per_second, max_per_minute: attempts in any second or minute after the first end or loss; those
            that were refused count too. None: not required.
        jitter: seconds over which the clients that lost their connection together are spread out; for one
            client, the seconds by which its waits differ from time to time. None: not required.

    """

    max_per_second: float | None = None
    max_per_minute: float | None = None
    jitter: float | None = None

    def judge(self, history: ConnectionHistory) -> Verdict:
        """The verdict over a history."""
        ends = [attempt.gone for attempt in history.opened if attempt.gone is not None]
        refused = [attempt.at for attempt in history.attempts if attempt.timeline is None]
        since = min([*ends, *refused], default=None)
        back = set(history.successors().values())
        again = [
            each.at
            for each in history.attempts
            if since is not None
            # Those who came first, at the instant of the first end, had lost nothing.
            and (each.at > since or (each.at == since and (each in back or each.timeline is None)))
        ]
        if not again:
            return history.verdict([Doubt(Reason.TOO_FEW, "nobody reconnected: there was no storm to see")])
        rates = ((self.max_per_second, 1.0, "second"), (self.max_per_minute, 60.0, "minute"))
        findings = [
            finding
            for most, span, unit in rates
            if most is not None
            for finding in _rate(history, again, most, span, unit)
        ]
        return history.verdict([*findings, *self._spread(history)])

    def _spread(self, history: ConnectionHistory) -> Iterator[Finding]:
        if self.jitter is None:
            return
        found = sorted(
            (attempt.gone, successor.at - attempt.gone)
            for attempt, successor in history.successors().items()
            if attempt.gone is not None
        )
        groups = [group for group in _together(found) if len(group) > 1]
        # One client alone shows its jitter from one time to the next.
        for group in groups or [[wait for _, wait in found]]:
            if len(group) < 2:
                yield Doubt(Reason.TOO_FEW, "one reconnect alone shows no jitter: two are needed at least")
                return
            spread = max(group) - min(group)
            if spread < self.jitter - SAME:
                who = f"{len(group)} reconnects"
                yield Violation(
                    Rule.STORM,
                    history.since_start(history.now),
                    f"waits that differ by {show(self.jitter)} or more",
                    f"{who} after {show(min(group))} to {show(max(group))}, within {show(spread)}",
                    f"{who} differ by {show(spread)} only, not {show(self.jitter)} or more",
                )
                return


def _rate(
    history: ConnectionHistory, again: Sequence[float], most: float, span: float, unit: str
) -> Iterator[Finding]:
    """Whether more attempts came than may in any ``span`` seconds."""
    first, peak, broken = 0, 0, None
    for last, at in enumerate(again):
        while at - again[first] >= span - SAME:
            first += 1
        count = last - first + 1
        if count > most and broken is None:
            broken = count, again[first], at
        peak = max(peak, count)
    if broken is not None:
        count, start, at = broken
        yield Violation(
            Rule.STORM,
            history.since_start(at),
            f"at most {most:g} {'attempt' if most == 1 else 'attempts'} a {unit}",
            f"{count} attempts in the {unit} from {show(history.since_start(start))} on; "
            f"at most {peak} in one {unit}",
            f"{peak} attempts in one {unit}, more than {most:g}",
        )


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


def no_duplicate_session(history: ConnectionHistory) -> Verdict:
    """No session has two open connections at once."""
    named = [attempt for attempt in history.opened if attempt.session_id is not None]
    if not named:
        return history.verdict([Doubt(Reason.TOO_FEW, "no client named its session")])
    held: dict[str, list[ConnectionAttempt]] = {}
    found: list[tuple[str, ConnectionAttempt, ConnectionAttempt]] = []
    most: Counter[str] = Counter()
    for attempt in named:
        name = attempt.session_id or ""
        still = [each for each in held.get(name, ()) if _overlap(history, each, attempt)]
        if still:
            found.append((name, still[-1], attempt))
            most[name] = max(most[name], len(still) + 1)
        held[name] = [*still, attempt]
    if not found:
        return history.verdict([])
    name, before_it, attempt = found[0]
    session = f"session {show_session(name)!r}"
    end = before_it.ended
    state = "still open" if end is None else f"open for {show(end - attempt.at)} more"
    times = f"{len(found)} times" if len(found) > 1 else "once"
    sessions = f" of {len(most)} sessions" if len(most) > 1 else ""
    return history.verdict(
        [
            Violation(
                Rule.DUPLICATE,
                history.since_start(attempt.at),
                "one connection of a session at a time",
                f"{times}{sessions}; first {session} connected again at "
                f"{show(history.since_start(attempt.at))}, its connection before was {state}",
                f"{session} had {_number(most[name])} open connections",
            )
        ],
    )


def _overlap(history: ConnectionHistory, before: ConnectionAttempt, attempt: ConnectionAttempt) -> bool:
    # In virtual time an end is never on its way.
    if before.ended is None and history.tier is Tier.VIRTUAL:
        return True
    end = history.now if before.ended is None else before.ended
    return end - attempt.at > history.tolerance


def _number(count: int) -> str:
    return "two" if count == 2 else str(count)
