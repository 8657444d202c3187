"""Rows for close codes that say by definition, or by convention, what they are for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.close_reasons import Topic
from ..timeline.events import End, FaultName, FrameKind
from . import rivals, timers
from .cohort import SILENCE
from .features import SENT, TO_ANSWER, Features
from .replies import has_only_begun
from .rows_ages import closed_at_an_age
from .rows_close import says_little
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

_POLICY = (1008, 3000, 3003, 4401, 4403)
# The control frame's limit (RFC 6455, section 5.5): nobody's size limit for messages is below it.
_SMALLEST_LIMIT = 125
# What makes the reference server write frames that break the protocol.
_SPOILING = frozenset(
    {FaultName.MALFORMED, FaultName.MASKED_FRAME, FaultName.BAD_UTF8, FaultName.INVALID_CLOSE_CODE}
)


def _refused_right_frames(f: Features) -> bool:
    """Whether a client refused what the reference server sent, which the test let write right frames."""
    return f.code == 1002 and f.end is End.SERVER and f.faults.isdisjoint(_SPOILING)


def _follows_a_ping(f: Features) -> bool:
    """Whether the last that this end sent was a ping frame, right before the end."""
    pinged = f.silent(SENT, FrameKind.PING)
    return pinged < TO_ANSWER and pinged < f.silent(SENT, FrameKind.DATA)


def _idle_as_error(f: Features) -> bool:
    """Whether a protocol error was said to an end that had sent nothing for as long as idle timeouts are."""
    silent = f.silent(SENT)
    return (
        f.code == 1002
        and silent >= SILENCE
        and f.broke_silence(SENT, FrameKind.ANY)
        and timers.is_number(silent, f.tier, CountsFrom.IDLE, CountsFrom.IDLE_UPSTREAM)
    )


# RFC 6455, section 7.4.1, and IANA's registry: nothing else is meant by them.
# What a protocol error is, if no frame of this end broke the protocol.
_ABOUT_NO_FRAME = (
    rivals.NOTHING_BUT_UNKNOWN_WORDS,
    rivals.SENT_NO_FRAME,
    Rival(
        Cause.IDLE_TIMEOUT,
        "nothing of this end came right before it",
        lambda f: not f.tail.sent,
        "nothing of the {end} came right before it, and some close so who is silent",
        LOW,
    ),
)

DEFINED = (
    Signature(
        claim=Claim(Cause.MESSAGE_TOO_BIG, HIGH, Blamed.SELF),
        shows="1009 was received",
        when=lambda f: f.code == 1009,
        sentence="the {end} sent a message over the {peer}'s limit (the largest on record: {largest})",
        headline="a message over the {peer}'s size limit",
        evidence=("end", "largest"),
        remedy="send smaller messages, or raise the {peer}'s limit (max_size, ws_max_size, maxPayload, "
        "SetReadLimit)",
        rivals=(
            rivals.UNKNOWN_WORDS,
            rivals.SENT_NO_MESSAGE,
            Rival(
                Cause.PROTOCOL_ERROR,
                "no message of this end is as large as the smallest limits",
                lambda f: f.messages.largest <= _SMALLEST_LIMIT,
                "none of its messages is large, so a proxy that changes frames fits too",
            ),
        ),
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, MEDIUM, Blamed.PEER),
        shows="1002 was received when this end had sent nothing for longer than ever, as long as timers have",
        when=_idle_as_error,
        sentence="the {peer} closed with {code} when the {end} had sent nothing for {up_time}: an idle "
        "timeout of {up} in the form of a protocol error fits",
        headline="idle timeout? nothing sent for {up_time}",
        evidence=("end", "silences", "last_sent"),
        remedy="send something more often than every {half_up}, or raise the {peer}'s idle timeout (Bandit: "
        "timeout, Tomcat: maxIdleTimeout)",
        rivals=(rivals.UNKNOWN_WORDS,),
        runner_up=Cause.PROTOCOL_ERROR,
        source="reports (bandit 509, atmosphere 2251)",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, HIGH, Blamed.SELF),
        shows="1007 was received: the peer refused what a message of this end said",
        when=lambda f: f.code == 1007,
        sentence="the {peer} refused what a message of the {end} said: {code}",
        headline="the {peer} refused what a message said",
        evidence=("end", "last_sent"),
        remedy="see what the {end} sent last: text that is no UTF-8 (send bytes as binary messages), or a "
        "field that the {peer} does not take",
        rivals=(
            rivals.UNKNOWN_WORDS,
            rivals.SENT_NO_MESSAGE,
            Rival(
                Cause.CLOSED_BY_PEER,
                "nothing of this end came right before it",
                lambda f: not f.tail.sent,
                "nothing of the {end} came right before it, so it may mean something else",
                LOW,
            ),
        ),
        source="RFC 6455, section 7.4.1, reports (libwebsockets 2720, mastra 23721)",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, MEDIUM, Blamed.SELF),
        shows="1002 was received within a second of the opening, and the client had said no more than what "
        "its session begins with",
        when=lambda f: f.code == 1002 and f.end is End.CLIENT and f.age < TO_ANSWER and has_only_begun(f),
        sentence="the server refused the connection {age} after it had opened, before the client had said "
        "more than what its session begins with: {code}; that can be about its request alone, as where a "
        "subprotocol is missing in it",
        headline="refused as soon as it was open: a subprotocol that is missing?",
        evidence=("end", "last_sent"),
        remedy="offer the subprotocol that the server speaks (ws_stability(subprotocol=...), "
        "--ws-subprotocol NAME, or the profile that has it); {compression_off}see its log at this opening",
        rivals=(rivals.UNKNOWN_WORDS,),
        runner_up=Cause.CLOSED_BY_PEER,
        source="measured with subscriptions-transport-ws 0.11",
    ),
    *(
        Signature(
            claim=Claim(Cause.PROTOCOL_ERROR, MEDIUM, Blamed.PEER),
            shows=f"at the reference server, and no fault spoils its frames: 1002 was received{shows}",
            when=when,
            sentence=f"the client refused what it got from the server{what}, though no fault made that write "
            "wrong frames: {code}",
            headline=f"the client refused a right frame{what}",
            evidence=("end", "own_pings", "last_sent"),
            remedy=f"see {look}; test again with compression off; look for a proxy that changes frames",
            rivals=_ABOUT_NO_FRAME,
            runner_up=Cause.CLOSED_BY_PEER,
            source="reports (deno-websocket 5)",
        )
        for when, shows, what, look in (
            (
                lambda f: _refused_right_frames(f) and _follows_a_ping(f),
                ", and the last frame sent was a ping",
                ", last a ping",
                "how the client reads a ping frame, which it has to answer with a pong",
            ),
            (
                _refused_right_frames,
                "",
                "",
                "how the client reads frames, and what it does with a message that it does not know",
            ),
        )
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, HIGH, Blamed.SELF),
        shows="1002 was received: the peer refused what this end sent",
        when=lambda f: f.code == 1002,
        sentence="the {peer} refused what it got from the {end}: {code}",
        headline="the {peer} refused a frame of the {end}",
        evidence=("end", "last_sent"),
        remedy="see what its words say, if there are any: some applications refuse so what they do not know; "
        "test again with compression off; look for a proxy that changes frames",
        rivals=_ABOUT_NO_FRAME,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, MEDIUM, Blamed.SELF),
        shows="1003 or 1010 was received: the peer does not take such data, or misses an extension",
        when=lambda f: f.code in (1003, 1010),
        sentence="the {peer} does not take what it got from the {end}: {code}",
        headline="the {peer} does not take what the {end} sent",
        evidence=("end", "last_sent"),
        remedy="see whether the {peer} wants text or binary messages, and which extensions",
        rivals=(rivals.SENT_NO_MESSAGE,),
        runner_up=Cause.CLOSED_BY_PEER,
        source="RFC 6455, section 7.4.1",
    ),
    Signature(
        claim=Claim(Cause.RESTART, HIGH, Blamed.PEER),
        shows="1012 was received",
        when=lambda f: f.code == 1012,
        sentence="the {peer} restarts: {code}",
        headline="the {peer} restarts",
        evidence=("end", "together"),
        remedy="drain before a restart, and reconnect with jitter",
        rivals=(rivals.UNKNOWN_WORDS,),
        runner_up=Cause.PLANNED_ROTATION,
        source="uvicorn sends it at shutdown (measured)",
    ),
    Signature(
        claim=Claim(Cause.UPSTREAM_FAILED, HIGH, Blamed.PATH),
        shows="1014 was received",
        when=lambda f: f.code == 1014,
        sentence="a gateway lost its own connection to the server: {code}",
        headline="a gateway lost its upstream",
        evidence=("end",),
        remedy="look at the gateway's log, and at the server behind it",
        rivals=(rivals.UNKNOWN_WORDS,),
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
)


def _of_all_kinds(f: Features) -> bool:
    """Whether a policy's code is one that says nothing of credentials."""
    return f.code in (1008, 3000)


def _fits_a_timer(f: Features, rival: Rival) -> bool:
    return _of_all_kinds(f) and rival.when(f)


_OF_TIMERS = tuple(
    replace(
        each, shows=f"the code is 1008 or 3000, and {each.shows}", when=partial(_fits_a_timer, rival=each)
    )
    for each in (rivals.ANOTHER_OF_AGE, rivals.LIMIT_ON_AGE, rivals.NO_MESSAGE_FOR_LONG)
)


# SaltyRTC had it for a channel that goes over to another, long before IANA's registry said "forbidden".
_HANDED_OVER = replace(
    rivals.NOTHING_BUT_UNKNOWN_WORDS,
    shows=f"the code is 3003, and {rivals.UNKNOWN_WORDS.shows}",
    when=lambda f: f.code == 3003 and rivals.UNKNOWN_WORDS.when(f),
)

# What they are for is a convention, or one of several things.
POLICIES = (
    Signature(
        claim=Claim(Cause.AUTH_EXPIRED, MEDIUM, Blamed.PEER),
        shows="1008, 3000, 3003, 4401 or 4403 was received, and not 1008 or 3000 at the same age as on other "
        "connections, at other instants, which tokens do not have",
        when=lambda f: f.code in _POLICY and not closed_at_an_age(f),
        sentence="the {peer} closed for a policy, at an age of {age}: {code}",
        headline="{said_or_policy}: the {peer} ended the session",
        evidence=("end", "last_sent"),
        remedy="{credentials_first}renew the token before it expires (this one lived {age}), or allow "
        "the client what it does; a code without words says no more",
        rivals=(
            *_OF_TIMERS,
            Rival(
                Cause.RATE_LIMITED,
                "the code is 1008 or 3000, which keepalives, limits and rules of all kinds use",
                _of_all_kinds,
                "limits and keepalives close so too",
                LOW,
            ),
            _HANDED_OVER,
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="RFC 6455, section 7.4.1",
    ),
    Signature(
        claim=Claim(Cause.SESSION_DUPLICATED, MEDIUM, Blamed.SELF),
        shows="4409 was received",
        when=lambda f: f.code == 4409,
        sentence="the {peer} has this session already: {code}",
        headline="the session exists already",
        evidence=("end",),
        remedy="close the old connection before the new one, or let the server drop the older of the two",
        runner_up=Cause.CLOSED_BY_PEER,
        source="documentation (graphql-ws, Discord)",
    ),
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, MEDIUM, Blamed.SELF),
        shows="4408 was received, and the session was not confirmed",
        when=lambda f: f.code == 4408,
        sentence="the {peer} waited in vain for the session to be set up: {code}",
        headline="the session was not set up in time",
        evidence=("end", "session"),
        remedy="send the session's first message right after the opening",
        rivals=(
            Rival(
                Cause.READ_DEADLINE,
                "no session was waiting for its confirmation",
                lambda f: f.timeline.session_info_at is None or f.timeline.session_confirmed_at is not None,
                "no session was waiting to be confirmed, so another timeout may be meant",
                LOW,
            ),
        ),
        runner_up=Cause.READ_DEADLINE,
        source="source of graphql-ws",
    ),
    Signature(
        claim=Claim(Cause.OVERLOADED, LOW, Blamed.PEER),
        shows="1013 or 4429 was received",
        when=lambda f: f.code in (1013, 4429),
        sentence="the {peer} sheds load: {code}",
        headline="the {peer} sheds load",
        evidence=("end",),
        remedy="come back later and with jitter; raise the {peer}'s limit on connections",
        rivals=(Rival(Cause.RATE_LIMITED, "the code is 4429", lambda f: f.code == 4429),),
        runner_up=Cause.RESTART,
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
)


def _answers_session(f: Features) -> bool:
    """
    Whether a code that says little, or a timeout, answered the message that sets up the session.

    1011 says more: something failed at the peer, which may have had nothing to do with the session. A timeout
    is the session's then ("Session timed out"), also where its answer took a while: nothing on this
    connection has waited yet.

    """
    timed_out = f.reading.topic in (Topic.IDLE, Topic.TIMEOUT) and f.ended_before_session
    return f.code not in (None, 1011) and (timed_out or (says_little(f) and f.answers_session))


# Behind them: codes that say nothing, where the session says more.
UNSAID = (
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, MEDIUM, Blamed.PEER),
        shows="a code that says little (and not 1011), or a timeout, answered the message that sets up or "
        "resumes the session",
        when=_answers_session,
        sentence="the session could not be set up or resumed: the {peer} closed with {code} in answer to the "
        "session's first message",
        headline="closed in answer to the session's first message",
        evidence=("session", "end", "last_received"),
        remedy="see what the {peer} does with this session's id and credentials: where it was lost, a new "
        "session works",
        rivals=(
            Rival(Cause.SESSION_LOST, "one closed so is not confirmed", lambda f: True),
            Rival(Cause.HANDLER_ERROR, "a handler may have failed on it", lambda f: True),
            rivals.OTHERS_ENDED,
        ),
        runner_up=Cause.AUTH_EXPIRED,
        source="reports (discord-api-docs 1619, azure-signalr 150)",
    ),
)
