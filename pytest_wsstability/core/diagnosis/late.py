"""Answers that came late, all at once: of a peer that stood still, or over a path that did."""

from __future__ import annotations

from .features import TO_ANSWER, Features


def at_once(f: Features) -> bool:
    """Whether answers that were late came all at once: the asked stood still, or the path did."""
    late = _late(f)
    return len(late) >= 2 and len({round(at + rtt, 2) for at, rtt in late}) == 1


def acknowledged_meanwhile(f: Features) -> bool:
    """Whether the kernel had all bytes acknowledged while they were waited for, so that the path carried."""
    late = _late(f)
    asked, came = min(at for at, _ in late) + TO_ANSWER, max(at + rtt for at, rtt in late)
    looks = (look for look in f.timeline.tcp if asked <= look.at < came)
    return any(not look.unacked and not look.send_queue for look in looks)


def _late(f: Features) -> list[tuple[float, float]]:
    """Questions whose answers took longer than a second, as ``(at, rtt)``."""
    trips = f.timeline.heartbeats if f.timeline.heartbeats.answered > 1 else f.timeline.pings
    return list(trips.rtts.slowest_above(1.0))
