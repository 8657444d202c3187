"""What faults of the link that the test applied kept back, by the record of its proxy."""

from __future__ import annotations

from ..duration import show_duration as show
from ..judge.verdict import Rule
from ..timeline.events import End
from .features import RECEIVED, SENT, Features


def kept_answers(f: Features) -> float:
    """
    Seconds that they kept back an answer at most; 0.0 unless that is half of the time of each that was slow.

    A session's confirmation is the answer to what asks for it, or to the opening.

    """
    waited = list(_waited(f))
    kept = [_kept_back(f, since, until) for since, until in waited]
    explains = all(found >= (until - since) / 2 for found, (since, until) in zip(kept, waited, strict=True))
    return max(kept, default=0.0) if explains else 0.0


def kept_end(f: Features) -> float:
    """Seconds that they kept back what this end had said, and was on its way when the peer ended it."""
    if not f.ended or f.between is None:
        return 0.0
    there = SENT if f.end is End.CLIENT else RECEIVED
    return f.between.kept_back_at(there, f.age - f.between.behind)


def path_is_slow(f: Features) -> str:
    """What shows that the path is slow: these faults, or the record of the other end."""
    kept = kept_answers(f)
    if not kept:
        return f"though the {f.end.peer.value} had answered soon, by its own record"
    return f"and faults that the test applied to the link kept back what passed for {show(round(kept, 2))}"


def _kept_back(f: Features, since: float, until: float) -> float:
    """There and back, of a time that was waited: what both ways keep back at once counts once."""
    return min(sum(f.between.kept_back(since, until)), until - since) if f.between is not None else 0.0


def _waited(f: Features) -> list[tuple[float, float]]:
    """From when until when each answer was waited for that took more than half as long as the slowest."""
    line = f.timeline
    if Rule.SESSION in f.broken:
        confirmed = line.session_confirmed_at
        return [(line.session_info_at or 0.0, f.age if confirmed is None else confirmed)]
    own, trips = f.own_heartbeats, line.own_heartbeats
    if not own.sent:
        own, trips = f.own_pings, line.pings
    due = [] if own.open_since is None else [(own.open_since, f.age)]
    slowest = max([own.slowest, *(until - since for since, until in due)])
    return [*((at, at + rtt) for at, rtt in trips.rtts.slowest_above(slowest / 2)), *due]
