"""Heartbeats that stopped where nothing requires them: other clients give such a connection up."""

from __future__ import annotations

from collections.abc import Iterator

from ..duration import show_duration as show
from ..timeline.events import SAME, Direction, FrameKind
from ..timeline.timeline import Timeline
from .one_way import silence_limit
from .requirement import PROOF_TIMEOUT, Requirement
from .verdict import Note, Noted


def stopped(requirement: Requirement, timeline: Timeline) -> Iterator[Note]:
    """Heartbeats that the peer owes, or that it had answered, on a connection that is open."""
    if requirement.answer_within is None and timeline.close is None:
        text = _overdue(requirement, timeline) or _unanswered(timeline)
        if text is not None:
            yield Note(Noted.STOPPED, timeline.duration, f"{text}; heartbeat_within= judges them")


def _overdue(requirement: Requirement, timeline: Timeline) -> str | None:
    """That nothing came of a peer whose heartbeats are due; None where none is, or something came in time."""
    limit = silence_limit(requirement, timeline, PROOF_TIMEOUT)
    silent = timeline.silent_for(Direction.RECEIVED, FrameKind.DATA)
    if limit is None or not timeline.heartbeats.sent or silent <= limit + SAME:
        return None
    peer, every = timeline.end.peer.value, show(timeline.peer_interval or 0.0)
    return f"no message of the {peer} came for {show(silent)}, though its heartbeats are due every {every}"


def _unanswered(timeline: Timeline) -> str | None:
    """That the peer answered heartbeats of this end, and then no more; None where it answers them."""
    trips, now = timeline.own_heartbeats, timeline.duration
    open_since = trips.overdue(now, PROOF_TIMEOUT)
    if timeline.is_one_way or not trips.answered or len(open_since) < 2:
        return None
    # Between two that were answered, more than one interval lies.
    before, last = open_since[-2:]
    usual = trips.longest_gap + SAME
    if last - before > usual or now - last > usual + PROOF_TIMEOUT:
        return None
    return f"{trips.answered} of {trips.sent} heartbeats were answered, and the last ones were not"
