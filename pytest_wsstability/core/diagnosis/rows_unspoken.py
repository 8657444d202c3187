"""Rows for a peer that spoke a protocol in which this end said nothing, until it ended the connection."""

from __future__ import annotations

from ..cause import Cause, Confidence
from .features import TO_ANSWER, Features
from .rivals import shares_age
from .signature import Blamed, Rival, Signature

# A protocol that was not spoken need not have ended anything: of 258 such ends of random systems, one in five
# was one (measured).
LOW = Confidence.LOW
# What codes of its own mean only the other protocol knows (RFC 6455, section 7.4.2: 3000 to 4999).
_POLITE, _OWN = (1000, 1001, 1005), range(3000, 5000)


def _unspoken(f: Features) -> bool:
    """Whether messages of the peer look like a known protocol's, and this end sent none but heartbeats."""
    said = f.messages.said - f.timeline.heartbeats.sent
    return f.timeline.looks_like is not None and f.messages.heard > 0 and said <= 0 and f.age >= TO_ANSWER


_RESTARTED = Rival(
    Cause.RESTART,
    "others ended with it",
    lambda f: f.beside.together > 0,
    "other connections ended with it, so a restart fits too",
)

CLOSED = (
    Signature(
        cause=Cause.HEARTBEAT_UNANSWERED,
        shows="a code that says nothing, and messages of the peer that look like a known protocol's, in "
        "which this end said nothing",
        when=lambda f: _unspoken(f) and (f.code in _POLITE or f.code in _OWN) and not f.ended_for_one_reason,
        confidence=LOW,
        sentence="the {peer} speaks what looks like {likeness}, and the {end} said nothing in it until the "
        "{peer} closed with {code}, {last_heard_ago} after its last message: a heartbeat or session that "
        "went unanswered fits",
        headline="nothing was answered in {likeness}",
        blame=Blamed.SELF,
        evidence=("last_received", "last_sent", "end"),
        remedy="speak the {peer}'s protocol: --ws-profile {likely_profile}",
        rivals=(_RESTARTED,),
        runner_up=Cause.CLOSED_BY_PEER,
        source="timers of the shipped profiles, each with its software",
    ),
)

CUT = (
    Signature(
        cause=Cause.HEARTBEAT_UNANSWERED,
        shows="the connection was cut, and messages of the peer look like a known protocol's, in which this "
        "end said nothing; no other connection shows the age",
        when=lambda f: f.cut and _unspoken(f) and not shares_age(f),
        confidence=LOW,
        sentence="the {peer} speaks what looks like {likeness}, and the {end} said nothing in it until the "
        "connection was cut, {last_heard_ago} after the {peer}'s last message: a heartbeat or session that "
        "went unanswered fits",
        headline="nothing was answered in {likeness}",
        blame=Blamed.SELF,
        evidence=("last_received", "last_sent", "end"),
        remedy="speak the {peer}'s protocol: --ws-profile {likely_profile}",
        rivals=(_RESTARTED,),
        runner_up=Cause.RESTART,
        source="timers of the shipped profiles, each with its software",
    ),
)
