"""Rows for what else the peer says in its close reason: its words come before its code, whatever that is."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..timeline.close_reasons import Topic, names
from .features import TO_ANSWER, Features
from .own_failures import OF_ITS_UPSTREAM, OF_ITS_WORKER
from .protocol import told_in_message
from .rivals import CONTRADICTED, OF_ITS_SIZE, SENT_NO_FRAME, SENT_NO_MESSAGE
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
# How reasons call the age of a connection.
_AGES = ("max age", "maxage", "max_age", "connection age", "lifetime", "life-time", "connection duration")


def _speaks_of(f: Features, topic: Topic) -> bool:
    return f.code is not None and f.reading.topic is topic


ROWS = (
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, HIGH, Blamed.SELF),
        shows="the close reason speaks of a session that is not set up, or of credentials and a timeout "
        "within the time that servers wait for them",
        when=lambda f: _speaks_of(f, Topic.SETUP) or (f.code is not None and f.credentials_overdue),
        sentence="the {peer} waited in vain for the session to be set up: {code}",
        headline="the session was not set up in time",
        evidence=("end", "session", "last_sent"),
        remedy="send what sets the session up (credentials, connection_init, a hello) right after the "
        "opening",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.READ_DEADLINE,
                "the session was confirmed, and the reason does not speak of credentials",
                lambda f: f.timeline.session_confirmed_at is not None and not f.credentials_overdue,
                "the session was confirmed before, so another timeout may be meant",
            ),
        ),
        proved=True,
        source="source of graphql-ws, reports (Home Assistant)",
    ),
    Signature(
        claim=Claim(Cause.SLOW_CONSUMER, HIGH, Blamed.SELF),
        shows="the close reason speaks of a slow consumer",
        when=lambda f: _speaks_of(f, Topic.SLOW),
        sentence="the {peer} says that the {end}, or its link, takes messages slower than they are "
        "sent: {code}",
        headline="slow consumer",
        evidence=("end", "last_received", "between"),
        remedy="read faster, or on a faster link; let the {peer} send less, or drop what is old",
        rivals=CONTRADICTED,
        proved=True,
        source="reports (rippled, zeek/broker)",
    ),
    Signature(
        claim=Claim(Cause.RATE_LIMITED, HIGH, Blamed.SELF),
        shows="the close reason speaks of a rate limit",
        when=lambda f: _speaks_of(f, Topic.RATE),
        sentence="the {peer} limits how often something is sent: {code}",
        headline="rate limit of the {peer}",
        evidence=("end", "last_sent"),
        remedy="send less often, or raise the {peer}'s limit",
        rivals=(*CONTRADICTED, SENT_NO_MESSAGE, OF_ITS_UPSTREAM),
        proved=True,
        source="documentation or reports",
    ),
    Signature(
        claim=Claim(Cause.MESSAGE_TOO_BIG, HIGH, Blamed.SELF),
        shows="the close reason speaks of a size limit",
        when=lambda f: _speaks_of(f, Topic.SIZE),
        sentence="the {end} sent a message over the {peer}'s limit (the largest on record: {largest}): "
        "{code}",
        headline="a message over the {peer}'s size limit",
        evidence=("end", "largest"),
        remedy="send smaller messages, or raise the {peer}'s limit (max_size, ws_max_size, maxPayload, "
        "SetReadLimit)",
        rivals=(*CONTRADICTED, SENT_NO_MESSAGE),
        proved=True,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.RESTART, HIGH, Blamed.PEER),
        shows="the close reason speaks of a restart or a shutdown",
        when=lambda f: _speaks_of(f, Topic.RESTART),
        sentence="the {peer} restarts or shuts down: {code}",
        headline="the {peer} restarts or shuts down",
        evidence=("end", "together"),
        remedy="drain before a restart, and reconnect with jitter",
        rivals=(*CONTRADICTED, OF_ITS_WORKER),
        runner_up=Cause.PLANNED_ROTATION,
        source="measured with uvicorn and others",
    ),
    Signature(
        claim=Claim(Cause.ORIGIN_REFUSED, HIGH, Blamed.SELF),
        shows="the close reason speaks of an origin",
        when=lambda f: _speaks_of(f, Topic.ORIGIN),
        sentence="the {peer} does not allow the Origin that the {end} sent: {code}",
        headline="origin refused",
        evidence=("end",),
        remedy="send an Origin that the {peer} allows, or add this one to its list",
        rivals=CONTRADICTED,
        proved=True,
        source="RFC 6455, section 10.2",
    ),
    Signature(
        claim=Claim(Cause.SESSION_DUPLICATED, HIGH, Blamed.SELF),
        shows="the close reason speaks of a second connection",
        when=lambda f: _speaks_of(f, Topic.DUPLICATE),
        sentence="the {peer} allows one connection, and there is another: {code}",
        headline="another connection of the same session",
        evidence=("end", "session"),
        remedy="close the old connection before the new one, or let the server drop the older of the two",
        rivals=CONTRADICTED,
        proved=True,
        source="documentation (graphql-ws, Discord)",
    ),
    Signature(
        claim=Claim(Cause.AUTH_EXPIRED, HIGH, Blamed.PEER),
        shows="the close reason speaks of credentials",
        when=lambda f: _speaks_of(f, Topic.TOKEN),
        sentence="the {peer} closed because of credentials, at an age of {age}: {code}",
        headline="{said_or_credentials}: the {peer} ended the session",
        evidence=("end", "last_sent"),
        remedy="{credentials_first}renew the token before it expires (this one lived {age}), or allow "
        "the client what it does",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.SESSION_NOT_CONFIRMED,
                "this end did not log in to a session, it came within the time that servers wait for "
                "credentials, and the reason does not say that any came",
                lambda f: f.age >= TO_ANSWER and f.may_lack_credentials,
                "servers wait as long for credentials, so some that never came fit too",
            ),
            OF_ITS_UPSTREAM,
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="RFC 6455, section 7.4.1",
    ),
    Signature(
        claim=Claim(Cause.SESSION_EXPIRED, HIGH, Blamed.PEER),
        shows="the close reason speaks of a session that is over",
        when=lambda f: _speaks_of(f, Topic.SESSION_OVER),
        sentence="the {peer} ended the session at an age of {age}: {code}",
        headline="session expired at {age}",
        evidence=("end", "silences"),
        remedy="renew the session before it expires, or reconnect and resume",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.MAX_AGE,
                "the reason speaks of an age or a lifetime, and of no session",
                lambda f: names(f.reason, _AGES) and not names(f.reason, ("session",)),
                "it speaks of an age, so a limit on that of each connection is as likely",
            ),
            Rival(
                Cause.MESSAGE_TOO_BIG,
                "the code is 1009",
                lambda f: f.code == 1009,
                "1009 is for a message that is too big, so a limit on the size fits too",
                LOW,
            ),
            OF_ITS_UPSTREAM,
        ),
        runner_up=Cause.MAX_AGE,
        source="documentation or reports",
    ),
    Signature(
        claim=Claim(Cause.SESSION_LOST, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of a session that is not known",
        when=lambda f: _speaks_of(f, Topic.SESSION_UNKNOWN),
        sentence="the {peer} does not know the session, or not any more: {code}",
        headline="the {peer} does not know the session",
        evidence=("end", "session"),
        remedy="set up a new session; see how long the {peer} keeps one, and whether all its processes find "
        "it (sticky sessions)",
        rivals=CONTRADICTED,
        runner_up=Cause.SESSION_EXPIRED,
        source="documentation or reports (Socket.IO, Discord)",
    ),
    Signature(
        claim=Claim(Cause.UPSTREAM_FAILED, HIGH, Blamed.PATH),
        shows="the close reason speaks of an upstream",
        when=lambda f: _speaks_of(f, Topic.UPSTREAM),
        sentence="a gateway lost its own connection to the server: {code}",
        headline="a gateway lost its upstream",
        evidence=("end",),
        remedy="look at the gateway's log, and at the server behind it",
        rivals=CONTRADICTED,
        proved=True,
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
    Signature(
        claim=Claim(Cause.OVERLOADED, HIGH, Blamed.PEER),
        shows="the close reason speaks of overload",
        when=lambda f: _speaks_of(f, Topic.OVERLOAD),
        sentence="the {peer} sheds load, or allows no more connections or subscriptions: {code}",
        headline="the {peer} sheds load, or allows no more",
        evidence=("end",),
        remedy="come back later and with jitter; close what nobody needs (old connections after a reconnect, "
        "others with the same key), subscribe to less on each, or raise the {peer}'s limit",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.RESTART,
                "the reason says no more than that it is unavailable",
                lambda f: f.reading.is_vague and names(f.reason, ("unavailable",)),
                "one that fails, or restarts, says so too",
                LOW,
            ),
        ),
        runner_up=Cause.RESTART,
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, HIGH, Blamed.SELF),
        shows="the close reason speaks of the protocol",
        when=lambda f: _speaks_of(f, Topic.PROTOCOL),
        sentence="the {peer} refused what it got from the {end}: {code}",
        headline="the {peer} refused what the {end} sent",
        evidence=("end", "last_sent"),
        remedy="see what the {end} sent last, and whether the {peer}'s protocol has it (--ws-profile); "
        "{compression_off}look for a proxy that changes frames",
        rivals=(*CONTRADICTED, SENT_NO_FRAME, OF_ITS_UPSTREAM),
        proved=True,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of an error, and of nothing else, and no message before it tells more",
        when=lambda f: _speaks_of(f, Topic.ERROR) and not told_in_message(f),
        sentence="the {peer} failed: {code}",
        headline="the {peer} failed",
        evidence=("end", "last_words", "last_sent"),
        remedy="see the {peer}'s traceback; {after_sending}",
        rivals=(*CONTRADICTED, OF_ITS_SIZE),
        runner_up=Cause.PEER_FROZEN,
        source="measured with websockets",
    ),
)
