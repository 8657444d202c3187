"""The failure in words: what was promised, what was seen, the last events of each end, the knob to turn."""

from __future__ import annotations

from collections.abc import Sequence

from .duration import show_duration as show
from .events import Direction, End, Event, Kind, Opcode, Role
from .requirement import Requirement
from .timeline import Timeline
from .verdict import Outcome, Reason, Rule, Verdict

# Events of each end in a message of normal length.
_EVENTS = 6
_SIGN = {Direction.RECEIVED: "<", Direction.SENT: ">", Direction.LOCAL: "="}
_FRAME_NAMES = {
    Opcode.CONT: "continuation",
    Opcode.TEXT: "text",
    Opcode.BINARY: "binary",
    Opcode.CLOSE: "close",
    Opcode.PING: "ping",
    Opcode.PONG: "pong",
}


def explain(requirement: Requirement, verdict: Verdict, timelines: Sequence[Timeline], *, whole: bool = False) -> str:
    """
    The message of a failure.

    Args:
        requirement: what was judged.
        verdict: what came of it.
        timelines: the record that was judged first, then those of other ends of the same connection.
        whole: every recorded event instead of the last ones.

    """
    lines = [_sentence(verdict, timelines[0])]
    lines += [f"  expected  {violation.expected}" for violation in verdict.violations]
    lines += [f"  observed  {violation.observed}" for violation in verdict.violations]
    if verdict.outcome is Outcome.INCONCLUSIVE:
        lines += [f"  in doubt  {doubt.text}" for doubt in verdict.doubts]
    lines += [f"  {other.end.value:<9} {other.close}" for other in timelines[1:] if other.close]
    for timeline in timelines:
        lines += _events(timeline, whole)
    lines += [f"  hint      {hint}" for hint in _hints(requirement, verdict, timelines)]
    lines.append(f"  covered   {show(verdict.horizon)} in {verdict.tier.value}; nothing is known beyond")
    return "\n".join(lines)


def _sentence(verdict: Verdict, timeline: Timeline) -> str:
    if verdict.outcome is Outcome.STABLE:
        return "stable"
    if verdict.outcome is Outcome.INCONCLUSIVE:
        return f"{verdict.headline} [{timeline.end.value} end]"
    first = verdict.violations[0]
    if first.rule is Rule.ALIVE:
        return f"the {timeline.end.value} end lost its connection at {show(first.at)}: {first.headline}"
    return f"{first.headline} [{timeline.end.value} end]"


def _events(timeline: Timeline, whole: bool) -> list[str]:
    events = list(timeline)
    shown = events if whole else events[-_EVENTS:]
    lines = [f"  {timeline.end.value} timeline (last {len(shown)} of {timeline.total} events)"]
    return lines + [f"    {event_line(event)}" for event in shown]


def event_line(event: Event) -> str:
    """One event, with the signs of the field: ``+25.000 s > text 15 B (heartbeat)``."""
    at = f"+{event.at:.3f} s"
    if event.kind is Kind.FRAME:
        role = "" if event.role in (Role.NONE, Role.DATA) else f" ({event.role.name.lower().replace('_', ' ')})"
        return f"{at:>12} {_SIGN[event.direction]} {_FRAME_NAMES[event.opcode]} {event.size} B{role}"
    words = {
        Kind.OPENED: "opening handshake ended",
        Kind.READING_PAUSED: "reading paused",
        Kind.READING_RESUMED: "reading resumed",
        Kind.LOOP_LAG: f"own event loop {show(event.seconds)} late",
        Kind.SUSPENDED: f"machine slept {show(event.seconds)}",
        Kind.DEADLINE: "read deadline ran out",
        Kind.ENDED: "transport ended",
    }
    return f"{at:>12} = {words[event.kind]}"


def _hints(requirement: Requirement, verdict: Verdict, timelines: Sequence[Timeline]) -> list[str]:
    """What to change, as far as the recorded facts alone say it."""
    hints = []
    reasons = {doubt.reason for doubt in verdict.doubts}
    if Reason.LOOP_LAG in reasons:
        hints.append("move the blocking call off the event loop (asyncio.to_thread), or run on a quieter machine")
    if Reason.READING_PAUSED in reasons:
        hints.append("take messages with recv(), or pass inbox=0 to throw them away")
    rules = {violation.rule for violation in verdict.violations}
    timeline = timelines[0]
    if rules & {Rule.ALIVE, Rule.CLOSURE} and timeline.close and verdict.outcome is Outcome.UNSTABLE:
        hints += _end_hints(timelines)
        if timeline.close.received and Rule.ALIVE in rules:
            hints.append(f"if this end is planned: allow_close={timeline.close.code}")
    return hints


def _end_hints(timelines: Sequence[Timeline]) -> list[str]:
    hints = []
    client = next((timeline for timeline in timelines if timeline.end is End.CLIENT), None)
    if client is not None:
        unanswered = client.count(Direction.RECEIVED, Opcode.PING) - client.count(Direction.SENT, Opcode.PONG)
        if unanswered > 0:
            noun = "ping of the server was" if unanswered == 1 else "pings of the server were"
            hints.append(f"{unanswered} {noun} not answered by this client: answer ping frames with pong frames")
    silence = timelines[0].silence
    if silence >= 1:
        hints.append(f"no byte either way for the last {show(silence)}: a shorter heartbeat would have been seen")
    return hints
