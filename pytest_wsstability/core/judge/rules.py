"""The rules: what each part of a requirement finds in a timeline. Nothing else judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from ..duration import show_duration as show
from ..redact import show_message
from ..timeline.close import CloseEvidence, LocalReason, describe_code
from ..timeline.close_reasons import says_wrong, tells_of_trouble
from ..timeline.events import SAME, Direction, Role
from ..timeline.timeline import Timeline
from .announcing import ends_otherwise
from .excuses import COSTLY, LASTS, Effect, Incidents, paused_doubt, pauses
from .handshake import handshake, protocol, raised, session_so_far, wrong_session
from .heartbeat_rules import apart, cadence, heartbeats, heartbeats_so_far, pings
from .heartbeats_noted import stopped
from .message_rules import errors, flow, forsaken, number_of_messages
from .progress import goes_on, held_for, is_over
from .proof import proof, proved
from .requirement import Requirement
from .rtt_rule import rtt
from .verdict import Doubt, Finding, Note, Noted, Reason, Rule, Verdict, Violation

# What a rule finds, given a requirement, a record and what of ours may explain it.
RuleFunction: TypeAlias = Callable[[Requirement, Timeline, Incidents], Iterator[Finding]]


def judge(requirement: Requirement, timeline: Timeline) -> Verdict:
    """Judge what the timeline holds up to now."""
    found = [*findings(requirement, timeline, RULES)]
    return Verdict.of(
        found,
        horizon=_horizon(requirement, timeline, found),
        tier=timeline.tier,
        notes=(
            *proved(timeline),
            *_stray(requirement, timeline),
            *_said_why(timeline),
            *stopped(requirement, timeline),
        ),
    )


def findings(
    requirement: Requirement, timeline: Timeline, rules: Iterable[RuleFunction]
) -> Iterator[Finding]:
    """What some rules find."""
    incidents = Incidents(timeline)
    for rule in rules:
        yield from rule(requirement, timeline, incidents)


def _stray(requirement: Requirement, timeline: Timeline) -> Iterator[Note]:
    """Answers to no open heartbeat, where heartbeats are judged: no requirement forbids them."""
    trips = timeline.heartbeats
    stray = trips.unasked + trips.unmatched
    if requirement.answer_within is not None and stray:
        text = f"{stray} answers came to heartbeats that were not open: a second one, or to another id"
        yield Note(Noted.STRAY, timeline.duration, text)


def _said_why(timeline: Timeline) -> Iterator[Note]:
    """A stream of messages that ended with one that says why: no requirement says that it goes on."""
    messages = timeline.messages
    at = messages.last_at
    if at is None or timeline.close is not None:
        return
    is_last = messages.count == 1 or timeline.duration - at > messages.longest_gap
    # To read it takes a while, in fleets.
    words = messages.last_words if is_last else None
    if words is not None and tells_of_trouble(words):
        said = f"the {timeline.end.peer.value} said {show_message(words, 120)!r} at {show(at)}"
        yield Note(Noted.SAID_WHY, at, f"{said}, and no more since")


def _horizon(requirement: Requirement, timeline: Timeline, found: Iterable[Finding]) -> float:
    """How far the verdict reaches: not beyond the hold; and unless it is broken, not beyond what was read."""
    broken = any(isinstance(finding, Violation) and not finding.excuses for finding in found)
    limits = [timeline.duration, requirement.alive_for, None if broken else _blind_since(timeline)]
    return min(limit for limit in limits if limit is not None)


def _blind_since(timeline: Timeline) -> float | None:
    """Since when an end could not have been seen, so that it may be as old as this; None if it could."""
    close = timeline.close
    if close is None or timeline.paused:
        return timeline.paused_since
    if close.hidden_since is not None:
        return close.hidden_since
    shown = LASTS[Reason.READING_PAUSED, Effect.END]
    found = [(since, until) for since, until in pauses(timeline) if close.at - until <= shown]
    return found[-1][0] if found else None


def _allowed(requirement: Requirement, close: CloseEvidence) -> bool:
    """Whether an end is one that the hold expects: a code that it allows, or from an age on."""
    old = requirement.max_age_ok is not None and close.at >= requirement.max_age_ok - SAME
    # Who was given up for silence has rotated nothing.
    rotated = old and close.local_reason is not LocalReason.PING_TIMEOUT
    return rotated or close.code in requirement.allow_close


def _announced(timeline: Timeline, close: CloseEvidence) -> float | None:
    """
    When the peer said that it would end the connection, as it then did; None if it ended otherwise.

    A message that says what went wrong ("token has expired") gives a reason, and plans nothing.

    """
    noticed = timeline.last(direction=Direction.RECEIVED, role=Role.NOTICE)
    protocol = timeline.protocol
    as_usual = not close.abnormal or (protocol is not None and protocol.ends_with_fin and close.is_bare_fin)
    if not as_usual or noticed is None or ends_otherwise(close):
        return None
    wrong = (at for at, text in timeline.notices if says_wrong(text))
    return noticed if max(wrong, default=-1.0) < noticed else None


def _alive(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    hold, close = requirement.alive_for, timeline.close
    if hold is None:
        return
    hidden = close is not None and close.hidden_since is not None and close.hidden_since < hold - SAME
    if is_over(requirement, timeline) and not hidden:
        blind = _blind_since(timeline)
        if blind is not None and blind < hold - SAME:
            yield paused_doubt(timeline)
    elif close is None or close.planned:
        who = "this end closed it" if close else "it is still open"
        yield Doubt(Reason.TOO_SHORT, f"watched {show(timeline.duration)} of {show(hold)}: {who}")
    elif _allowed(requirement, close):
        return
    elif (announced := _announced(timeline, close)) is not None:
        told = f"the {timeline.end.peer.value} announced the end at {show(announced)}"
        text = f"watched {show(close.at)} of {show(hold)}: {told} ({close.headline()}); max_age_ok= allows it"
        yield Doubt(Reason.ANNOUNCED, text)
    else:
        yield Violation(
            Rule.ALIVE,
            close.at,
            f"alive for {show(hold)}",
            f"{close.headline()}: {close}",
            f"{close.headline()} of {show(hold)}",
            str(close),
            excuses=incidents.end(close),
        )


def _session(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    within, confirmed = requirement.session_within, timeline.session_confirmed_at
    wrong, close = wrong_session(requirement, timeline), timeline.close
    if within is None:
        yield from _refused(requirement, timeline)
        return
    if confirmed is not None and confirmed <= within + SAME and wrong is None:
        return
    unasked = close is None or close.planned
    if confirmed is None and unasked and timeline.duration < within - SAME:
        text = f"watched {show(timeline.duration)} of the {show(within)} a session has"
        yield Doubt(Reason.TOO_SHORT, text)
        return
    observed = wrong.detail if wrong is not None else session_so_far(timeline)
    ended = confirmed is None and close is not None and not close.planned
    headline = f"session not confirmed within {show(within)}"
    if ended and close is not None:
        observed += f"; then {close.headline()}: {close}"
        headline = f"{close.headline()}, before the session was confirmed"
    excuses = incidents.end(close) if ended and close is not None else incidents.late(within, confirmed)
    at = confirmed if confirmed is not None else min(within, timeline.duration)
    yield Violation(
        Rule.SESSION,
        at,
        f"session confirmed within {show(within)}",
        observed,
        headline,
        observed,
        excuses=(*excuses, *raised(requirement, timeline, until=at)),
    )


def _refused(requirement: Requirement, timeline: Timeline) -> Iterator[Finding]:
    """
    A session that was refused is none that was held, whatever its connection did.

    It may be asked for again: only what no confirmation followed counts, once the hold is over.

    """
    if not is_over(requirement, timeline) or requirement.no_error_messages is False:
        return
    if timeline.refusals and timeline.session_confirmed_at is None:
        at, text = timeline.refusals[-1]
        said = f"the {timeline.end.peer.value} said {show_message(text, 120)!r}"
        headline = f"the session was refused at {show(at)}"
        yield Violation(
            Rule.SESSION, at, "a session that is not refused", f"{said} at {show(at)}", headline, said
        )


def _closure(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    close = timeline.close
    if not requirement.no_abnormal_closure:
        return
    if close is None:
        # Of a hold, `_alive` says so; a stall on purpose is what the test is for, and who takes messages more
        # slowly than they come makes pauses that end.
        blind = timeline.paused_since
        unasked = requirement.alive_for is None and not timeline.deliberately_stalled
        if unasked and blind is not None and timeline.duration - blind > COSTLY + SAME:
            yield paused_doubt(timeline)
        return
    if close.abnormal and not _allowed(requirement, close):
        yield Violation(
            Rule.CLOSURE,
            close.at,
            "no abnormal closure",
            str(close),
            close.headline(),
            str(close),
            excuses=incidents.end(close),
        )


def _closed(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    expected, close = requirement.closed, timeline.close
    if expected is None:
        return
    if close is None:
        if goes_on(requirement, timeline):
            # It may end so yet.
            return
        text = f"still open after {show(timeline.duration)}"
        unread = incidents.unread(timeline.duration)
        yield Violation(Rule.CLOSED, timeline.duration, str(expected), text, text, excuses=unread)
        return
    matches = (
        expected.code in (None, close.code)
        and expected.reason in (None, close.reason)
        and expected.by in (None, close.by)
    )
    if not matches:
        observed = f"{describe_code(close.code)}, by the {close.by.value}: {close}"
        yield Violation(
            Rule.CLOSED,
            close.at,
            str(expected),
            observed,
            f"not {expected}",
            observed,
            excuses=incidents.end(close),
        )


def _claim(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """What this end did not see for longer than a heartbeat may take, it cannot claim."""
    if requirement.answer_within is not None:
        yield from incidents.longer_than(requirement.answer_within, held_for(requirement, timeline))


# The end of the connection comes first: it explains the others.
RULES: tuple[RuleFunction, ...] = (
    _alive, proof, _session, heartbeats, cadence, apart, pings, rtt, flow, number_of_messages, errors,
    forsaken, _closure, _closed, handshake, protocol, _claim,
)  # fmt: skip
# Those that an open connection can break before its hold is over, with the part of a requirement without
# which they find nothing; None where there is no such part.
BROKEN_WHILE_HELD: tuple[tuple[RuleFunction, str | None], ...] = (
    (_session, "session_within"),
    (heartbeats_so_far, "answer_within"),
    (cadence, "heartbeat_every"),
    (apart, "heartbeats_apart"),
    (pings, "pings_within"),
    (flow, "message_every"),
    (errors, None),
    (handshake, "handshake"),
    (protocol, None),
)
