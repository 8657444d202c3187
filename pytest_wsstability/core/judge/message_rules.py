"""The rules about application messages: that they keep coming, how many, and none that is an error."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..duration import show_duration as show
from ..redact import show_message
from ..timeline.close_reasons import says_wrong
from ..timeline.events import SAME, Direction, Role
from ..timeline.timeline import Timeline
from .excuses import Incidents
from .progress import goes_on, held_for, is_over
from .requirement import Requirement
from .verdict import Doubt, Finding, Reason, Rule, Violation

# Seconds in which messages come together with the one that announces the end.
_TOGETHER = 1.0
# So many of the longest gaps before make a silence after it one that lasts.
FORSAKEN = 3


def _count(requirement: Requirement, timeline: Timeline) -> tuple[int, int]:
    """How many messages came in the hold: at least, and at most."""
    hold = requirement.alive_for
    return timeline.messages.before(math.inf if hold is None else hold + SAME)


def _awaits_session(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether a session was begun, or is required, that the protocol has confirmed, and is not yet."""
    protocol = timeline.protocol
    begun = timeline.session_info_at is not None or requirement.session_within is not None
    return begun and (protocol is None or protocol.has_session) and timeline.session_confirmed_at is None


def silent_from(requirement: Requirement, timeline: Timeline, every: float) -> float:
    """When there will have been no message for too long, if none comes; as early as that can be seen."""
    messages = timeline.messages
    last = messages.since if messages.last_at is None else messages.last_at
    if _awaits_session(requirement, timeline):
        # It may be confirmed from now on.
        last = timeline.duration
    return last + every + 2 * SAME


def flow(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """No longer time without a message, from the session's confirmation to the end of the hold."""
    every, messages = requirement.message_every, timeline.messages
    if every is None:
        return
    unconfirmed = _awaits_session(requirement, timeline)
    if unconfirmed and goes_on(requirement, timeline):
        # How long that may take is `session_within`'s affair.
        return
    gap, since = messages.gap(held_for(requirement, timeline))
    came, _ = _count(requirement, timeline)
    late = messages.since > held_for(requirement, timeline) + SAME
    if late or (gap > every + SAME and unconfirmed and not came):
        yield Doubt(
            Reason.TOO_FEW,
            "the session was not confirmed, and messages are due then: session_within= finds it early",
        )
    elif gap > every + SAME:
        over = messages.last_at is not None and since < messages.last_at - SAME
        ended = messages.came_after(held_for(requirement, timeline)) if over else None
        count = f"{messages.count} message{'s' * (messages.count != 1)}"
        begun = "the opening" if timeline.session_confirmed_at is None else "the session's confirmation"
        from_where = begun if since == messages.since else "the last one"
        yield Violation(
            Rule.FLOW,
            since + every,
            f"a message every {show(every)}",
            f"{count} in {show(timeline.duration)}, {show(gap)} without one from {show(since)} on",
            f"no message for {show(gap)} (every {show(every)})",
            f"since {from_where} at {show(since)}",
            excuses=incidents.late(since + every, ended),
        )
    elif not came:
        shown = show(held_for(requirement, timeline))
        yield Doubt(Reason.TOO_FEW, f"no message came in {shown}, and none was due: one every {show(every)}")


def number_of_messages(
    requirement: Requirement, timeline: Timeline, incidents: Incidents
) -> Iterator[Finding]:
    """So many messages came."""
    least, span = requirement.messages_at_least, held_for(requirement, timeline)
    sure, most = _count(requirement, timeline)
    if sure >= least:
        return
    if most >= least:
        observed = (
            f"{sure} to {most} of at least {least} messages in {show(span)}: the record goes on after it"
        )
        yield Doubt(Reason.TOO_FEW, observed)
        return
    observed = f"{most} of at least {least} messages in {show(span)}"
    close, held = timeline.close, is_over(requirement, timeline)
    if held or (close is not None and not close.planned):
        yield Violation(
            Rule.FLOW,
            span,
            f"at least {least} messages",
            observed,
            observed,
            excuses=incidents.unread(span),
        )
    else:
        yield Doubt(Reason.TOO_FEW, observed)


def errors(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """No message came that the protocol calls an error; every hold requires that, unless it says no."""
    required, hold = requirement.no_error_messages, requirement.alive_for
    if required is None:
        required = hold is not None
    told = [*timeline.errors, *_notices_of_no_end(requirement, timeline)]
    said = [(at, text) for at, text in told if hold is None or at <= hold + SAME]
    if not required or not said:
        return
    at, text = said[0]
    more = f" and {len(said) - 1} more" if len(said) > 1 else ""
    words = f"the {timeline.end.peer.value} said {show_message(text, 120)!r}"
    yield Violation(
        Rule.ERRORS,
        at,
        "no message that is an error",
        f"{words} at {show(at)}{more}",
        f"an error message at {show(at)}",
        f"{words}{more}",
    )


def _notices_of_no_end(requirement: Requirement, timeline: Timeline) -> list[tuple[float, str]]:
    """
    Messages that announced an end which did not come before the hold's, though something had gone wrong.

    A server that says "token has expired" and stays silent then has announced nothing.

    """
    hold, close = requirement.alive_for, timeline.close
    over = close is None if hold is None else is_over(requirement, timeline)
    if not over:
        return []
    return [(at, text) for at, text in timeline.notices if says_wrong(text)]


def forsaken(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """An end that was announced comes, or messages go on: else only the connection lives."""
    hold, messages = requirement.alive_for, timeline.messages
    if hold is None or not is_over(requirement, timeline):
        return
    announced = timeline.last(direction=Direction.RECEIVED, role=Role.NOTICE)
    if announced is None or messages.last_at is None:
        return
    since = max(announced, messages.last_at)
    silent = hold - since
    # What was quiet as long before may speak again; the silence that the announcement fell into counts too.
    quiet_before = max(messages.longest_gap, announced - messages.last_at, _TOGETHER)
    if messages.last_at > announced + _TOGETHER or silent <= FORSAKEN * quiet_before:
        return
    quiet = f"no message for {show(silent)} since the end was announced at {show(announced)}"
    yield Violation(
        Rule.FLOW,
        announced,
        "the end that was announced, or messages that go on",
        f"{quiet}, though {messages.count} came before; and the end did not come",
        quiet,
        "and the end did not come",
    )
