"""Rows for sessions that were not confirmed, or confirmed wrongly, on a connection that is there."""

from __future__ import annotations

from dataclasses import replace

from ..cause import Cause, Confidence
from ..judge.handshake import refusal
from ..judge.verdict import Rule
from ..timeline.close_reasons import Topic, read_error
from ..timeline.events import End
from ..timeline.flaws import Flaw
from .both import session_came, session_lost
from .features import RECEIVED, TO_ANSWER, Features
from .kept_back import kept_answers
from .protocol import SAID_BEFORE, said_wrong
from .replies import NO_ANSWER, NO_FRAMES_PASS, behind_session, instead_of_session, nothing_came
from .rows_idle_server import UNTIL_LATE, may_be_slow
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW


def _flaw(f: Features, flaw: Flaw) -> bool:
    return any(each.flaw is flaw for each in f.timeline.irregular)


def _is_missing(f: Features) -> bool:
    """Whether a confirmation is due, and none has come."""
    line = f.timeline
    handshake = Rule.HANDSHAKE in f.broken and line.end is End.CLIENT and not line.irregular
    return (Rule.SESSION in f.broken or handshake) and line.session_confirmed_at is None


def _not_confirmed_here(f: Features) -> bool:
    """Whether this end is the server, and the client has said all that it has to, and not just now."""
    asked = f.timeline.session_info_at
    return _is_missing(f) and f.end is End.SERVER and asked is not None and f.age - asked > TO_ANSWER


def _is_refused(f: Features) -> bool:
    """Whether the session is not confirmed, and the peer has said that it will not be."""
    refused = refusal(f.timeline)
    if refused is None or f.timeline.session_confirmed_at is not None:
        return False
    if f.age - refused[0] > SAID_BEFORE if f.ended else not f.broken:
        return False
    # An error message may say more of the reason.
    said = said_wrong(f)
    return said is None or read_error(said[1]).topic in (None, Topic.ERROR)


def _answered_otherwise(f: Features) -> bool:
    """Whether a message that the profile does not know came as soon as the one that is due would."""
    event, began = instead_of_session(f), f.timeline.session_info_at
    if event is None or event.role not in NO_ANSWER:
        return False
    return event.at - (began or 0.0) < TO_ANSWER


def _unheard_since_session(f: Features) -> bool:
    """Whether nothing was heard since the session's first message, for longer than an answer takes."""
    if session_came(f):
        return False
    waited = f.age - (f.timeline.session_info_at or 0.0)
    return waited > TO_ANSWER and f.silent(RECEIVED) >= waited and not behind_session(f)


def _no_frame_since_opening(f: Features) -> bool:
    """Whether nothing was heard before the session's first message either."""
    return nothing_came(f) and _unheard_since_session(f)


# It is about what the session was before, whatever else this connection shows.
RESUMED = (
    Signature(
        claim=Claim(Cause.SESSION_LOST, HIGH, Blamed.PEER),
        shows="a client that came back was given a new session",
        when=lambda f: Rule.RESUMED in f.broken,
        sentence="the {peer} did not know the session that this {end} came back to; it confirmed another",
        headline="the {peer} did not know the session any more",
        evidence=("session",),
        remedy="see how long the {peer} keeps a session after its connection has ended, whether all its "
        "processes find it, and that it gives nobody another one's",
        source="measured (socket.io, aedes)",
    ),
)

# What the peer says for it says more than how the connection then ends.
REFUSED = (
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, HIGH, Blamed.PEER),
        shows="the session was refused, or an error message came in the place of its confirmation",
        when=_is_refused,
        sentence="the session was not confirmed: {session}",
        headline="{session}",
        evidence=("session", "errors", "end"),
        remedy="see what the {peer} says: credentials, a name that it does not know, or another version"
        "{session_of}",
        proved=True,
        source="measured (RabbitMQ web_stomp, socket.io, aedes)",
    ),
)

ROWS = (
    Signature(
        claim=Claim(Cause.SESSION_DUPLICATED, HIGH, Blamed.PEER),
        shows="the session was confirmed more than once",
        when=lambda f: f.confirmations > 1 or _flaw(f, Flaw.CONFIRMED_AGAIN),
        sentence="the {peer} confirmed the session {confirmations} times",
        headline="session confirmed {confirmations} times",
        evidence=("session",),
        remedy="look for two handlers of the same session in the {peer}",
        source="documentation (graphql-ws, Discord)",
    ),
    Signature(
        claim=Claim(Cause.SESSION_LOST, HIGH, Blamed.PEER),
        shows="a session that is not this end's was confirmed",
        when=lambda f: _flaw(f, Flaw.WRONG_SESSION),
        sentence="the {peer} confirmed another session than the one that was asked for",
        headline="another session was confirmed",
        evidence=("session", "flaws"),
        remedy="look how the {peer} finds a session by its id: it was lost, or mixed up with another",
        source="documentation (graphql-ws, Discord)",
    ),
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, HIGH, Blamed.SELF),
        shows="at the server: the session's first message came, and the server did not confirm it in time",
        when=_not_confirmed_here,
        sentence="the {end} did not confirm the session: {session}",
        headline="the {end} did not confirm the session: {session}",
        evidence=("session", "last_received"),
        remedy="look at what the {end} was told to do (NeverConfirm, LateConfirm, its handler): the {peer} "
        "has said all that is due of it",
        proved=True,
        source="design",
    ),
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, MEDIUM, Blamed.PEER),
        shows="the session was not confirmed in time, and a message that the profile does not know came at "
        "once",
        when=lambda f: _is_missing(f) and _answered_otherwise(f),
        sentence="the session was not confirmed: {instead_of_session} came at once, and it is no "
        "{session_due} that the profile knows: one of another name, in another form (bytes, say) or for "
        "another id fits",
        headline="no {session_due} that the profile knows: {instead_of_session}",
        evidence=("session", "instead_of_session", "last_words", "heartbeats", "last_received"),
        remedy="compare what the {peer} says with the {session_due} in the profile (--ws-profile): its name, "
        "its members, what ends it (records), and whether it is text; if it is something else, see why the "
        "{peer} does not confirm",
        runner_up=Cause.ZOMBIE,
        source="measured with confirmations that a profile does not know",
    ),
    Signature(
        claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PATH),
        shows="the session was not confirmed in time, and faults that the test applied to the link kept back "
        "what passed for half of that time, or longer",
        when=lambda f: _is_missing(f) and kept_answers(f) > 0,
        sentence="the session was not confirmed: {session}, {path_is_slow}: it may be late, and not missing",
        headline="{session}: kept back by a fault of the test",
        evidence=("session", "silences"),
        remedy="allow as much time for the session as the faults take, or let them begin later",
        runner_up=Cause.SESSION_NOT_CONFIRMED,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, MEDIUM, Blamed.PATH),
        shows="both ends held: what asks for the session did not come to a server that reads, by its own "
        "record, or the confirmation that left it did not come back",
        when=lambda f: _is_missing(f) and session_lost(f),
        sentence="the session was not confirmed: {session}; it, or the answer, is lost or held up on the "
        "way, by the records of both ends",
        headline="{session}: lost or held up on the way",
        evidence=("session", "silences"),
        remedy="look at what stands between the two ends, and at faults of the link that the test applied",
        rivals=(may_be_slow(lambda f: f.age - (f.timeline.session_info_at or 0.0) < UNTIL_LATE),),
        runner_up=Cause.PATH_STALLED,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, HIGH, Blamed.PEER),
        shows="the session was not confirmed in time",
        when=_is_missing,
        sentence="the session was not confirmed: {session}",
        headline="{session}",
        evidence=("session", "instead_of_session", "last_words", "heartbeats", "last_received"),
        remedy="see whether the profile's session is one of the {peer}'s protocol (--ws-profile; frames has "
        "none){session_of}; if it is, why the {peer} does not confirm it",
        rivals=(
            Rival(
                Cause.HALF_OPEN,
                "nothing was heard since the session's first message",
                _unheard_since_session,
                "nothing at all was heard since, so a dead path or a process that stands still fits too",
            ),
            replace(NO_FRAMES_PASS, when=_no_frame_since_opening, leaves=MEDIUM),
        ),
        runner_up=Cause.ZOMBIE,
        source="design",
    ),
)
