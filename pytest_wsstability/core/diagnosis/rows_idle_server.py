"""Rows for servers that read or do nothing, or whose heartbeats do not arrive, by their own record."""

from __future__ import annotations

from collections.abc import Callable

from ..cause import Cause, Confidence
from ..timeline.events import End
from .both import (
    asked_for_pongs,
    beat_sent,
    client,
    frozen_at,
    gave_up,
    heard_at,
    sent_since,
    server,
    unread_since,
)
from .features import REACTION, RECEIVED, TO_ANSWER, Features
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
# Seconds after which what was sent is not late any more: the queues of slow links hold less (bufferbloat).
UNTIL_LATE = 10.0


def may_be_slow(is_short: Callable[[Features], bool]) -> Rival:
    """The second cause of what is lost on a dead path, where it has not been missing for `UNTIL_LATE` yet."""
    return Rival(
        Cause.PATH_STALLED,
        "that was less than 10 s before",
        is_short,
        "that is not long, so a path that is slow, or stands still for a while, fits too",
        LOW,
    )


def _reads_nothing(f: Features) -> bool:
    """Whether what the client has sent, and the server waited for or owes an answer to, lies there unread."""
    here, there = f, f.other
    since = unread_since(there) if there is not None and f.end is End.CLIENT else None
    if there is None or since is None:
        return False
    if gave_up(there):
        return sent_since(here, since, there)
    ended_itself = there.close is not None and there.close.local_reason is not None
    asked = here.asked_since
    return not ended_itself and asked is not None and here.timeline.opened + asked >= since - REACTION


def _stood_still(f: Features) -> bool:
    """Whether the test froze the server, which owes the client an answer, or did not ping it in time."""
    here, there = client(f), server(f)
    since = frozen_at(there) if there is not None else None
    if there is None or since is None:
        return False
    if there.ended:
        withheld = here is not None and here.peer_pings.unanswered is not None
        return asked_for_pongs(f) and there.own_pings.open_since is None and not withheld
    asked = f.asked_since if f.end is End.CLIENT and there.timeline.frozen else None
    if asked is None:
        return False
    # What it was asked long before it froze, it would have answered.
    asked_at = f.timeline.opened + asked
    return asked_at > heard_at(there) and asked_at >= since - TO_ANSWER


def _beat_lost(f: Features) -> bool:
    """Whether nothing else has come since either."""
    at = beat_sent(f)
    return at is not None and max(f.age - f.silent(RECEIVED), f.timeline.half_frame_last or 0.0) < at


ROWS = (
    Signature(
        claim=Claim(Cause.PEER_NOT_READING, HIGH, Blamed.SERVER),
        shows="both ends held: the server reads nothing, by its own record, and a timer of it waited for "
        "what the client has sent since, or an answer to that is missing",
        when=_reads_nothing,
        sentence="the server had read nothing since {unread}, by its own record: what the client sent since "
        "waits there",
        headline="the server reads nothing since {unread}",
        evidence=("unread", "local_reason", "questions"),
        proved=True,
        remedy="let the server read while it works: a task of its own takes the messages (recv), and no "
        "handler waits for anything else before",
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.PEER_FROZEN, HIGH, Blamed.SERVER),
        shows="the server's record: faults.FreezeLoop was applied after the last frame that it got, and it "
        "owes the client an answer since, or sent no ping in time whose pong would have reset its read "
        "deadline",
        when=_stood_still,
        sentence="the test froze the server (faults.FreezeLoop), which neither read nor sent anything "
        "meanwhile",
        headline="the server stood still (faults.FreezeLoop)",
        evidence=("local_reason", "both_pings", "questions"),
        proved=True,
        remedy="expected of the fault: test that the client notices, and comes back; of a real server, look "
        "for blocking calls in its event loop",
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, MEDIUM, Blamed.PATH),
        shows="both ends held: a heartbeat of the server is due, its record has one that it sent, and "
        "nothing has come since",
        when=_beat_lost,
        sentence="the path is dead: the server sent a heartbeat at {beat_sent}, by its own record, and "
        "nothing has come from it since",
        headline="dead path: a heartbeat of the server has not come",
        evidence=("heartbeats", "silences"),
        remedy="look at the network, a NAT or a sleeping host between the two ends",
        rivals=(may_be_slow(lambda f: f.age - (beat_sent(f) or 0.0) < UNTIL_LATE),),
        runner_up=Cause.PATH_STALLED,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PATH),
        shows="the same where something has come since: what the server sends is late",
        when=lambda f: beat_sent(f) is not None,
        sentence="the server sent a heartbeat at {beat_sent}, by its own record, and it has not come yet, "
        "though other bytes have: what the server sends is held up on the way",
        headline="a heartbeat of the server is held up on the way",
        evidence=("heartbeats", "silences", "last_received"),
        remedy="let the server send less at once (heartbeats wait behind what it has sent before), look at "
        "the link, or wait longer for heartbeats",
        runner_up=Cause.PATH_STALLED,
        source="measured in virtual time",
    ),
)
