"""What was spoken, and what was not: intervals that the ends named, and a protocol that nobody speaks."""

from __future__ import annotations

from collections.abc import Iterator

from ..duration import show_duration as show
from ..timeline.protocol_facts import HeartbeatShape
from ..timeline.timeline import Timeline


def misfit(timeline: Timeline) -> str | None:
    """That the peer speaks another protocol than was asked for; None if nobody can tell that."""
    likeness, protocol = timeline.looks_like, timeline.protocol
    if likeness is None:
        return None
    this = f"this looks like {likeness.title}: --ws-profile {likeness.profile}"
    if protocol is None or (protocol.heartbeat is HeartbeatShape.PING_FRAMES and not protocol.has_session):
        return this
    return f"nothing here looks like `{protocol.name}`; {this}"


def named(timeline: Timeline) -> str | None:
    """The intervals that the ends go by; None where they named none."""
    return "; ".join(_named(timeline)) or None


def _named(timeline: Timeline) -> Iterator[str]:
    intervals = timeline.intervals
    if intervals is None:
        return
    for end in ("client", "server"):
        seconds = getattr(intervals, end)
        if seconds is not None:
            yield f"heartbeats of the {end} every {show(seconds)}"
    if intervals.timeout is not None:
        yield f"{show(intervals.timeout)} for an answer"
