"""The failure in words: what was promised, what was seen, the last events of each end, the knob to turn."""

from __future__ import annotations

from collections.abc import Sequence

from .duration import show_duration as show
from .events import Direction, End, Event, Kind, Opcode, Role
from .faults import FAULTS
from .requirement import Requirement
from .timeline import Timeline
from .verdict import Doubt, Outcome, Reason, Rule, Verdict

# Events of each end in a message of normal length.
_EVENTS = 6
# Seconds of silence that can be somebody's timer, and seconds that any client has to answer a ping.
_SILENCE = 1.0
_TO_ANSWER = 1.0
_SIGN = {Direction.RECEIVED: "<", Direction.SENT: ">", Direction.LOCAL: "="}
_FAULT_NAMES = tuple(FAULTS)
_FRAME_NAMES = {
    Opcode.CONT: "continuation",
    Opcode.TEXT: "text",
    Opcode.BINARY: "binary",
    Opcode.CLOSE: "close",
    Opcode.PING: "ping",
    Opcode.PONG: "pong",
}


def explain(
    requirement: Requirement, verdict: Verdict, timelines: Sequence[Timeline], *, whole: bool = False
) -> str:
    """
    The message of a failure.

    Args:
        requirement: what was judged.
        verdict: what came of it.
        timelines: the record that was judged first, then those of other ends of the same connection.
        whole: every recorded event instead of the last ones.

    """
    lines = [_sentence(verdict, timelines[0])]
    for violation in verdict.violations:
        lines += [f"  expected  {violation.expected}", f"  observed  {violation.observed}"]
    lines += [f"  in doubt  {doubt.text}" for doubt in verdict.doubts if _is_shown(verdict, doubt)]
    lines += [f"  {other.end.value:<9} {other.close}" for other in timelines[1:] if other.close]
    for timeline in timelines:
        lines += _events(timeline, whole)
    lines += [f"  hint      {hint}" for hint in _hints(requirement, verdict, timelines)]
    lines.append(f"  covered   {show(verdict.horizon)} in {verdict.tier.value}; nothing is known beyond")
    return "\n".join(lines)


def _is_shown(verdict: Verdict, doubt: Doubt) -> bool:
    """Doubts are the reason of an inconclusive verdict; a tie changes what an unstable one means."""
    return verdict.outcome is Outcome.INCONCLUSIVE or doubt.reason is Reason.TIE


def _sentence(verdict: Verdict, timeline: Timeline) -> str:
    if verdict.outcome is Outcome.STABLE:
        return "stable"
    if verdict.outcome is Outcome.INCONCLUSIVE:
        return f"{verdict.headline} [{timeline.end.value} end]"
    first = verdict.violations[0]
    if first.rule is Rule.ALIVE:
        return f"the {timeline.end.value} end lost its connection: {first.headline}"
    return f"{first.headline} [{timeline.end.value} end]"


def _events(timeline: Timeline, whole: bool) -> list[str]:
    shown = [[event] for event in timeline] if whole else _runs(timeline)[-_EVENTS:]
    count = sum(len(run) for run in shown)
    lines = [f"  {timeline.end.value} timeline (last {count} of {timeline.total} events)"]
    return lines + [f"    {event_line(run[0]) if len(run) == 1 else _run_line(run)}" for run in shown]


def _runs(timeline: Timeline) -> list[list[Event]]:
    """The events, data frames in a row as one: a second of audio must not hide the heartbeats before it."""
    runs: list[list[Event]] = []
    for event in timeline:
        if runs and _is_data(event) and _is_data(runs[-1][-1]):
            runs[-1].append(event)
        else:
            runs.append([event])
    return runs


def _is_data(event: Event) -> bool:
    return event.kind is Kind.FRAME and event.opcode < Opcode.CLOSE and event.role <= Role.DATA


def _run_line(run: Sequence[Event]) -> str:
    at = f"+{run[0].at:.3f} s"
    size = sum(event.size for event in run)
    return f"{at:>12} . {len(run)} data frames, {size} B, until +{run[-1].at:.3f} s"


def event_line(event: Event) -> str:
    """One event, with the signs of the field: ``+25.000 s > text 15 B (heartbeat)``."""
    at = f"+{event.at:.3f} s"
    if event.kind is Kind.FRAME:
        words = event.role.name.lower().replace("_", " ")
        role = "" if event.role in (Role.NONE, Role.DATA) else f" ({words})"
        return f"{at:>12} {_SIGN[event.direction]} {_FRAME_NAMES[event.opcode]} {event.size} B{role}"
    local = {
        Kind.OPENED: "opening handshake ended",
        Kind.READING_PAUSED: "reading paused",
        Kind.READING_RESUMED: "reading resumed",
        Kind.LOOP_LAG: f"own event loop {show(event.seconds)} late",
        Kind.SUSPENDED: f"machine slept {show(event.seconds)}",
        Kind.DEADLINE: "read deadline ran out",
        Kind.ENDED: "transport ended",
        Kind.FAULT: f"fault {_FAULT_NAMES[event.size % len(_FAULT_NAMES)]}",
    }
    return f"{at:>12} = {local[event.kind]}"


def _hints(requirement: Requirement, verdict: Verdict, timelines: Sequence[Timeline]) -> list[str]:
    """What to change, as far as the recorded facts alone say it."""
    hints = []
    reasons = {doubt.reason for doubt in verdict.doubts}
    if Reason.LOOP_LAG in reasons:
        hints.append("run blocking calls in a thread (asyncio.to_thread), or the test on a quieter machine")
    timeline = timelines[0]
    if Reason.READING_PAUSED in reasons and not timeline.deliberately_stalled:
        hints.append("take messages with recv(), or pass inbox=0 to throw them away")
    rules = {violation.rule for violation in verdict.violations}
    if rules & {Rule.ALIVE, Rule.CLOSURE} and timeline.close and verdict.outcome is Outcome.UNSTABLE:
        hints += _end_hints(timelines)
        if timeline.close.received and Rule.ALIVE in rules:
            hints.append(f"if this end is planned: allow_close={timeline.close.code}")
    return hints


def _end_hints(timelines: Sequence[Timeline]) -> list[str]:
    client = next((timeline for timeline in timelines if timeline.end is End.CLIENT), None)
    if client is not None and (unanswered := _unanswered_pings(client)):
        noun = "ping of the server was" if unanswered == 1 else "pings of the server were"
        return [f"{unanswered} {noun} not answered by this client: answer ping frames with pong frames"]
    timeline = timelines[0]
    # A close frame gives its own reason, and an idle timeout would have ended a longer silence earlier.
    silent = timeline.silence >= max(_SILENCE, timeline.longest_silence)
    if silent and timeline.close is not None and timeline.close.received is None:
        return [
            f"no byte either way for the last {show(timeline.silence)}: an idle timeout fits, which more "
            "frequent heartbeats prevent; so does a maximum age, which they do not"
        ]
    return []


def _unanswered_pings(client: Timeline) -> int:
    """Pings of the server that the client had time to answer and did not."""
    last = client.last(direction=Direction.RECEIVED, opcode=Opcode.PING)
    missing = client.count(Direction.RECEIVED, Opcode.PING) - client.count(Direction.SENT, Opcode.PONG)
    # A server's last ping may come in the same packet as its FIN (measured).
    too_late = last is not None and client.duration - last < _TO_ANSWER
    return max(0, missing - too_late)
