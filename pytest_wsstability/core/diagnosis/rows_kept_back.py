"""Rows for answers, and what resets a timer of the peer, that faults of the test's own kept back."""

from __future__ import annotations

from collections.abc import Collection

from ..cause import Cause, Confidence
from ..timeline.close_reasons import Topic
from .features import BEHIND
from .kept_back import kept_answers, kept_end
from .own_failures import OF_ITS_WORK, OF_NAMED_WORK
from .rivals import CONTRADICTED
from .signature import Blamed, Claim, Signature

MEDIUM = Confidence.MEDIUM

# Before what says that the peer is dead.
KEPT_BACK_ANSWER = Signature(
    claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PATH),
    shows="a heartbeat stays open, and faults that the test applied to the link kept back what passed "
    "for half of the time since, or longer",
    when=lambda f: not f.ended and f.own_heartbeats.open_since is not None and kept_answers(f) > 0,
    sentence="the answer to the heartbeat at {asked_since} is not there yet, {path_is_slow}: it may be "
    "late, and not missing",
    headline="an answer is due, kept back by a fault of the test",
    evidence=("questions", "late", "own_pings", "tcp"),
    remedy="give answers as much time as the faults take, or hold the connection until they are over",
    runner_up=Cause.ZOMBIE,
    source="measured in virtual time",
)


def kept_back_said(of: str, topics: Collection[Topic]) -> Signature:
    """A timer of the peer's ran out while faults of the test kept back what would have reset it."""
    return Signature(
        claim=Claim(Cause.PATH_STALLED, MEDIUM, Blamed.PATH),
        shows=f"the close reason speaks of {of}, and faults that the test applied to the link kept back what "
        "this end had said for more than a second then, and nothing before as long",
        when=lambda f: f.code is not None and f.reading.topic in topics and kept_end(f) > BEHIND,
        sentence="faults that the test applied to the link kept back what the {end} had said for {kept_end}, "
        "and the {peer} gave up meanwhile: it closed with {code}",
        headline="the path stood still for {kept_end}, by a fault of the test",
        evidence=("server_pings", "late", "end"),
        remedy="let the {peer} wait longer than the path may stand still, or allow this end in the "
        "requirement, and look at how the client comes back",
        rivals=(*CONTRADICTED, OF_ITS_WORK, OF_NAMED_WORK),
        runner_up=Cause.PEER_FROZEN,
        source="measured (faults.Stall, faults.Latency)",
    )
