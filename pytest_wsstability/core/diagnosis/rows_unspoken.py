"""Rows for a peer that spoke a protocol, or sent a ping, in which or to which this end said nothing."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.close import is_normal
from ..timeline.events import Role
from . import timers
from .features import REACTION, SENT, TO_ANSWER, Features
from .rivals import shares_age
from .signature import Blamed, Claim, Rival, Signature

# A protocol that was not spoken need not have ended anything: of 258 such ends of random systems, one in five
# was one (measured).
LOW, MEDIUM = Confidence.LOW, Confidence.MEDIUM


def _unspoken(f: Features) -> bool:
    """Whether messages of the peer look like a known protocol's, and this end sent none but heartbeats."""
    said = f.messages.said - f.timeline.heartbeats.sent
    return f.timeline.looks_like is not None and f.messages.heard > 0 and said <= 0 and f.age >= TO_ANSWER


# Ping messages that a peer which wants an answer leaves open at most: one (Engine.IO, tRPC, DDP), or two
# (SignalR). More of them need none (Action Cable's).
_MISSED = 2


def asked_in_vain(f: Features) -> bool:
    """Whether a ping message of the peer that the profile does not answer was open for a while."""
    is_open = f.unknown_ping is not None and f.unknown_ping >= TO_ANSWER
    return is_open and f.timeline.unknown_pings <= _MISSED and not f.ended_for_one_reason


def _may_be_an_echo(f: Features) -> bool:
    """Whether the ping came right after a message or a heartbeat of this end: some servers send them back."""
    at = f.timeline.unknown_ping_at
    sent = (f.timeline.last(direction=SENT, role=role) for role in (Role.DATA, Role.HEARTBEAT))
    return at is not None and any(said is not None and 0 <= at - said <= TO_ANSWER for said in sent)


def echoed(cause: Cause) -> Rival:
    """What else ended it, where the ping need not have asked for anything."""
    return Rival(
        cause,
        "the ping came right after something that this end had said",
        _may_be_an_echo,
        "it came right after a message of the {end}, and may be the answer to that",
        LOW,
    )


def _by_accident(cause: Cause) -> tuple[Rival, ...]:
    """What else ended it, where the ping need not have to do with it."""
    return (
        Rival(
            cause,
            "the time since the ping is no known timer or round number",
            lambda f: not timers.is_number(f.unknown_ping or 0.0, f.tier, CountsFrom.PING),
            "no timer is known to wait for {unknown_ping_gap}",
            LOW,
        ),
        echoed(cause),
        Rival(
            Cause.IDLE_TIMEOUT,
            "nothing had come or gone since the ping, for longer than before",
            lambda f: f.longest_quiet and abs(f.silence - (f.unknown_ping or 0.0)) < REACTION,
            "nothing had come or gone since, so an idle timeout fits too",
            LOW,
        ),
    )


ANSWER_IT = (
    "answer it: give the profile this ping and its answer (ping=, pong=, heartbeats_from=; docs/profiles.md)"
)
_RESTARTED = Rival(
    Cause.RESTART,
    "others ended with it",
    lambda f: f.beside.together > 0,
    "other connections ended with it, so a restart fits too",
)

CLOSED = (
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, LOW, Blamed.SELF),
        shows="a code that says nothing, and messages of the peer that look like a known protocol's, in "
        "which this end said nothing",
        when=lambda f: _unspoken(f) and is_normal(f.code) and not f.ended_for_one_reason,
        sentence="the {peer} speaks what looks like {likeness}, and the {end} said nothing in it until the "
        "{peer} closed with {code}, {last_heard_ago} after its last message: a heartbeat or session that "
        "went unanswered fits",
        headline="nothing was answered in {likeness}",
        evidence=("last_received", "last_sent", "end"),
        remedy="speak the {peer}'s protocol: --ws-profile {likely_profile}",
        rivals=(_RESTARTED,),
        runner_up=Cause.CLOSED_BY_PEER,
        source="timers of the shipped profiles, each with its software",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, MEDIUM, Blamed.SELF),
        shows="a code that says nothing, without words, and a ping message of the peer that the profile does "
        "not answer, or two, behind which this end said nothing of its own",
        when=lambda f: asked_in_vain(f) and is_normal(f.code) and not f.reading.has_words,
        sentence="the {peer} sent a ping message that the profile does not answer at {unknown_ping}; nothing "
        "was said to it, and {unknown_ping_gap} later the {peer} closed with {code}",
        headline="a ping message of the {peer}, unanswered for {unknown_ping_gap}",
        evidence=("last_received", "last_sent", "end"),
        remedy=ANSWER_IT,
        rivals=_by_accident(Cause.CLOSED_BY_PEER),
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (Rocket.Chat 7786, ObjectiveDDP 75)",
    ),
)

CUT = (
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, LOW, Blamed.SELF),
        shows="the connection was cut, and messages of the peer look like a known protocol's, in which this "
        "end said nothing; no other connection shows the age",
        when=lambda f: f.cut and _unspoken(f) and not shares_age(f),
        sentence="the {peer} speaks what looks like {likeness}, and the {end} said nothing in it until the "
        "connection was cut, {last_heard_ago} after the {peer}'s last message: a heartbeat or session that "
        "went unanswered fits",
        headline="nothing was answered in {likeness}",
        evidence=("last_received", "last_sent", "end"),
        remedy="speak the {peer}'s protocol: --ws-profile {likely_profile}",
        rivals=(_RESTARTED,),
        runner_up=Cause.RESTART,
        source="timers of the shipped profiles, each with its software",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, MEDIUM, Blamed.SELF),
        shows="the connection was cut, and a ping message of the peer that the profile does not answer came, "
        "or two, behind which this end said nothing of its own; no other connection shows the age",
        when=lambda f: f.cut and asked_in_vain(f) and not shares_age(f),
        sentence="the {peer} sent a ping message that the profile does not answer at {unknown_ping}; nothing "
        "was said to it, and {unknown_ping_gap} later the connection was cut",
        headline="a ping message of the {peer}, unanswered for {unknown_ping_gap}",
        evidence=("last_received", "last_sent", "end"),
        remedy=ANSWER_IT,
        rivals=_by_accident(Cause.RESTART),
        runner_up=Cause.RESTART,
        source="source of tRPC (keepAlive: terminate 5 s after PING)",
    ),
)
