"""The rules about application messages: that they keep coming, how many, and none that is an error."""

from __future__ import annotations

from collections.abc import Iterator

from ..duration import show_duration as show
from ..redact import show_text
from ..timeline.timeline import Timeline
from .excuses import Incidents
from .heartbeat_rules import SAME
from .requirement import Requirement
from .verdict import Doubt, Finding, Reason, Rule, Violation


def _span(requirement: Requirement, timeline: Timeline) -> float:
    hold = requirement.alive_for
    return timeline.duration if hold is None else min(timeline.duration, hold)


def flow(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """No longer time without a message, from the session's confirmation to the end of the hold."""
    every, messages = requirement.message_every, timeline.messages
    if every is None:
        return
    gap, since = messages.gap(_span(requirement, timeline))
    if gap > every + SAME:
        came = since + gap if messages.last_at is not None and since < messages.last_at - SAME else None
        count = f"{messages.count} message{'s' * (messages.count != 1)}"
        from_where = "the session's confirmation" if since == messages.since else "the last one"
        yield Violation(
            Rule.FLOW,
            since + every,
            f"a message every {show(every)}",
            f"{count} in {show(timeline.duration)}, {show(gap)} without one from {show(since)} on",
            f"no message for {show(gap)} (every {show(every)})",
            f"since {from_where} at {show(since)}",
            excuses=incidents.late(since + every, came),
        )


def number_of_messages(
    requirement: Requirement, timeline: Timeline, incidents: Incidents
) -> Iterator[Finding]:
    """So many messages came."""
    least, count = requirement.messages_at_least, timeline.messages.count
    if count >= least:
        return
    hold = requirement.alive_for
    observed = f"{count} of at least {least} messages in {show(timeline.duration)}"
    over = timeline.close is not None or (hold is not None and timeline.duration >= hold - SAME)
    if over and (timeline.close is None or not timeline.close.planned):
        at = _span(requirement, timeline)
        yield Violation(Rule.FLOW, at, f"at least {least} messages", observed, observed)
    else:
        yield Doubt(Reason.TOO_FEW, observed)


def errors(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """No message came that the protocol calls an error; every hold requires that, unless it says no."""
    required = requirement.no_error_messages
    if required is None:
        required = requirement.alive_for is not None
    if not required or not timeline.errors:
        return
    at, text = timeline.errors[0]
    more = f" and {len(timeline.errors) - 1} more" if len(timeline.errors) > 1 else ""
    told = f"the {timeline.end.peer.value} said {show_text(text, 120)!r}"
    yield Violation(
        Rule.ERRORS,
        at,
        "no message that is an error",
        f"{told} at {show(at)}{more}",
        f"an error message at {show(at)}",
        f"{told}{more}",
    )
