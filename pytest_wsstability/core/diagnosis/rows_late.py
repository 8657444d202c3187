"""Rows for connections that are still there, and on which answers came, but late."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..judge.verdict import Rule
from .both import answered_soon
from .features import AT_ONCE, TO_ANSWER, Features
from .kept_back import kept_answers
from .rows_kept_back import KEPT_BACK_ANSWER
from .signature import Blamed, Claim, Rival, Signature

MEDIUM, LOW = Confidence.MEDIUM, Confidence.LOW

# The slowest answer as so many times the usual is a pause, and no slow path or peer.
_PAUSE = 3.0
# Intervals of heartbeats in which a slow answer tells of the next.
_SHORTLY = 3


def _late(f: Features) -> list[tuple[float, float]]:
    """Questions whose answers took longer than a second, as ``(at, rtt)``."""
    own, pings = f.timeline.own_heartbeats, f.timeline.pings
    trips = own if own.answered > 1 else pings
    return list(trips.rtts.slowest_above(TO_ANSWER))


def _late_at_once(f: Features) -> bool:
    """Whether answers that were late came all at once: the asked stood still, or the path did."""
    came = [at + rtt for at, rtt in _late(f)]
    return len(came) > 1 and max(came) - min(came) <= AT_ONCE


def _acknowledged_meanwhile(f: Features) -> bool:
    """Whether the kernel had all bytes acknowledged while they were waited for, so that the path carried."""
    late = _late(f)
    asked, came = min(at for at, _ in late) + TO_ANSWER, max(at + rtt for at, rtt in late)
    looks = (look for look in f.timeline.tcp if asked <= look.at < came)
    return any(not look.unacked and not look.send_queue for look in looks)


def _slow(f: Features) -> bool:
    """Whether answers came, and late: what was not answered at all is not slow."""
    asked = bool(f.broken & {Rule.RTT, Rule.HEARTBEATS, Rule.PINGS})
    answered = asked and (f.own_heartbeats.slowest > 0 or f.own_pings.slowest > 0)
    confirmed = Rule.SESSION in f.broken and f.timeline.session_confirmed_at is not None
    return (answered or confirmed) and f.asked_since is None


def _late_again(f: Features) -> bool:
    """Whether a heartbeat is open, and one shortly before was answered after half as long, or more."""
    since, trips = f.own_heartbeats.open_since, f.timeline.own_heartbeats
    if f.ended or since is None or not f.hears:
        return False
    slow = trips.rtts.slowest_above((f.age - since) / 2)
    return any(at >= since - _SHORTLY * trips.longest_gap for at, _ in slow)


def _path_is_slow(f: Features) -> bool:
    return answered_soon(f) or kept_answers(f) > 0


_LOOK = (
    "look at what stands between the two ends: a slow link, a queue of what was sent before, and faults of "
    "the link that the test applied"
)
_SOON = (
    "the other end had answered soon, by its own record, or faults that the test applied to the link kept "
    "back what passed for half of the time"
)

# An answer is due that may still come: those before it were late already.
DUE = (
    KEPT_BACK_ANSWER,
    Signature(
        claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PATH),
        shows=f"{_SOON}: a heartbeat stays open, and one of the three before was answered after half as long "
        "as this one waits, or longer",
        when=lambda f: _late_again(f) and _path_is_slow(f),
        sentence="the answer to the heartbeat at {asked_since} is not there yet, and those before it took up "
        "to {slowest}, {path_is_slow}: the path is slow",
        headline="the path is slow: answers took {slowest} before, and the next is not there",
        evidence=("questions", "late", "own_pings", "tcp"),
        remedy=_LOOK,
        runner_up=Cause.PATH_STALLED,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PEER),
        shows="a heartbeat stays open, the peer's own frames go on, and one of the three before was answered "
        "after half as long as this one waits, or longer",
        when=_late_again,
        sentence="the answer to the heartbeat at {asked_since} is not there yet, and those before it took up "
        "to {slowest}: late, and not missing, fits",
        headline="answers are slow: {slowest} before, and the next is not there",
        evidence=("questions", "late", "own_pings", "tcp"),
        remedy="see what the {peer} works off before it answers (a queue that grows does not drain by "
        "itself); compare with the round trip of ping frames: if that is as long, the path is slow, else "
        "the {peer}",
        runner_up=Cause.ZOMBIE,
        source="reports (asterisk 2115)",
    ),
)
ROWS = (
    Signature(
        claim=Claim(Cause.PATH_STALLED, MEDIUM, Blamed.PATH),
        shows=f"{_SOON}: late answers that came all at once",
        when=lambda f: _slow(f) and _late_at_once(f) and _path_is_slow(f),
        sentence="late answers came all at once, {path_is_slow}: the path stood still for {slowest}",
        headline="the path stood still for {slowest}",
        evidence=("late", "tcp"),
        remedy=_LOOK,
        runner_up=Cause.SLOW_ANSWERS,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PATH),
        shows=f"{_SOON}: answers came, but late",
        when=lambda f: _slow(f) and _path_is_slow(f),
        sentence="the answers are slow: the slowest took {slowest}, {path_is_slow}: the path is slow",
        headline="the path is slow: answers took {slowest}",
        evidence=("late", "tcp"),
        remedy=_LOOK,
        runner_up=Cause.PATH_STALLED,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.PEER_FROZEN, MEDIUM, Blamed.PEER),
        shows="late answers that came all at once",
        when=lambda f: _slow(f) and _late_at_once(f),
        sentence="late answers came all at once: the {peer}, or the path, stood still for {slowest}",
        headline="the {peer} or the path stood still for {slowest}",
        evidence=("late", "tcp"),
        rivals=(
            Rival(
                Cause.PATH_STALLED,
                "the kernel was not seen to have its bytes acknowledged meanwhile",
                lambda f: not _acknowledged_meanwhile(f),
                leaves=LOW,
            ),
        ),
        remedy="look for blocking calls in the {peer}'s event loop",
        runner_up=Cause.PATH_STALLED,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PEER),
        shows="answers came, but late",
        when=_slow,
        sentence="the answers are slow: the slowest took {slowest}",
        headline="answers are slow: {slowest}",
        evidence=("late", "tcp"),
        remedy="compare with the round trip of ping frames: if that is as long, the path is slow, else "
        "the {peer}",
        rivals=(
            Rival(
                Cause.PEER_FROZEN,
                "most answers are quick",
                lambda f: (
                    max(f.own_heartbeats.slowest, f.own_pings.slowest)
                    > _PAUSE * max(f.own_heartbeats.usual, f.own_pings.usual)
                ),
                "most are quick, so a pause of the {peer} or of the path fits too",
                LOW,
            ),
        ),
        runner_up=Cause.PATH_STALLED,
        source="TCP_INFO, measured",
    ),
)
