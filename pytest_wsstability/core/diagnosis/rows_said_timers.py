"""Rows for idleness and timeouts that the peer's close reason speaks of, with any code."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..timeline.close_reasons import Topic, names_whole
from ..timeline.events import FrameKind, Opcode, Role
from .cohort import SILENCE
from .features import RECEIVED, SENT, Features
from .own_failures import OF_ITS_UPSTREAM, OF_ITS_WORK, OF_NAMED_WORK, READING, names_its_work
from .rivals import CONTRADICTED
from .rows_kept_back import kept_back_said
from .rows_said_keepalive import behind_at_proxy, behind_own_bytes
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
# Messages that a server may send before anybody has asked for one, such as a welcome.
_GREETINGS = 2


def _speaks_of(f: Features, *topics: Topic) -> bool:
    """Whether the reason speaks of one of these, and not of a session that had timed out before."""
    return f.code is not None and f.reading.topic in topics and not f.ended_before_session


def _timeout(f: Features) -> bool:
    return _speaks_of(f, Topic.IDLE, Topic.TIMEOUT)


def _is_unused(f: Features) -> bool:
    asked = f.timeline.last(direction=SENT, role=Role.DATA)
    # Who was sent more than greetings, until they stopped, had asked elsewhere, and the connection was idle.
    heard = f.timeline.count(RECEIVED, Opcode.TEXT, Opcode.BINARY) - f.own_heartbeats.answered
    was_used = f.longest_quiet and heard > _GREETINGS
    return asked is None and not was_used and names_whole(f.reason, ("unused",))


# A session "times out" that waits for a pong, too.
_PONG_UNDER_WAY = Rival(
    Cause.PONG_LATE,
    "the pong, or the ping, waits behind bytes that are still on their way",
    lambda f: behind_own_bytes(f) or behind_at_proxy(f),
    "a ping or its pong was still on its way then, so a keepalive that ran out meanwhile fits too",
)


ROWS = (
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, MEDIUM, Blamed.SELF),
        shows="the close reason calls the connection unused, this end sent no message of the application, "
        "and no more than two came, or some came to the end",
        when=lambda f: _speaks_of(f, Topic.IDLE) and _is_unused(f),
        sentence="the {peer} closed with {code}, and the {end} asked for nothing on it: what the {peer} "
        "waited for, such as a subscription, may never have come",
        headline="nothing was asked for on the connection",
        evidence=("end", "last_received", "silences"),
        remedy="subscribe, or ask for what the connection is for, right after the opening; some servers want "
        "that by HTTP (Twitch, within 10 s)",
        runner_up=Cause.IDLE_TIMEOUT,
        source="documentation (Twitch EventSub, 4003)",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, HIGH, Blamed.PEER),
        shows="the close reason speaks of idleness, after the longest silence either way",
        when=lambda f: _speaks_of(f, Topic.IDLE) and f.longest_quiet and f.silence >= SILENCE,
        sentence="the {peer} closed with {code}, after {silence} without a byte either way",
        headline="idle timeout of the {peer}, {silence} of silence",
        evidence=("end", "silences"),
        remedy="send something more often than every {half_idle}, or raise the {peer}'s idle timeout",
        rivals=CONTRADICTED,
        runner_up=Cause.READ_DEADLINE,
        source="documentation or reports (Deepgram, Helius, Phoenix)",
    ),
    Signature(
        claim=Claim(Cause.PING_UNANSWERED, MEDIUM, Blamed.SELF),
        shows="the close reason names a timeout, this end kept sending messages, and a ping of the peer was "
        "not answered, nor is its pong behind bytes that wait",
        when=lambda f: (
            _speaks_of(f, Topic.TIMEOUT)
            and f.peer_pings.unanswered is not None
            and not behind_own_bytes(f)
            and not f.broke_silence(SENT, FrameKind.DATA)
        ),
        sentence="the {end} did not answer the ping at {ping}; {ping_gap} later the {peer} closed with "
        "{code}",
        headline="pongs withheld, timeout of the {peer} after {ping_gap}",
        evidence=("server_pings", "end", "silences"),
        remedy="answer ping frames with pong frames",
        rivals=CONTRADICTED,
        runner_up=Cause.READ_DEADLINE,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, MEDIUM, Blamed.PEER),
        shows="1011 was received, and its reason names a timeout and, beside it, what may have timed out",
        when=lambda f: _speaks_of(f, Topic.TIMEOUT) and f.code == 1011 and names_its_work(f),
        sentence="1011 is an error of the {peer}'s own, and its words may name what timed out there: {code}",
        headline="a timeout of the {peer}'s own work",
        evidence=("end", "last_sent", "silences"),
        remedy="see the {peer}'s log: what its handler waited for (a database, a model, another service)",
        rivals=(*CONTRADICTED, OF_ITS_UPSTREAM),
        runner_up=Cause.READ_DEADLINE,
        source="reports (MySQL's and PostgreSQL's errors, go-redis, SQLAlchemy)",
    ),
    Signature(
        claim=Claim(Cause.READ_DEADLINE, HIGH, Blamed.SELF),
        shows="the close reason speaks of idleness, after the longest time without data of this end",
        when=lambda f: _speaks_of(f, Topic.IDLE) and f.broke_silence(SENT, FrameKind.DATA),
        rivals=CONTRADICTED,
        sentence="the {peer} closed with {code}, {silent_data} after the {end}'s last message",
        headline="idle for the {peer}, {silent_data} without a message",
        evidence=("end", "silences"),
        remedy="send messages (heartbeats) more often than every {half_silent_data}",
        runner_up=Cause.PONG_DEADLINE,
        source="documentation or reports (Deepgram, Phoenix)",
    ),
    Signature(
        claim=Claim(Cause.READ_DEADLINE, MEDIUM, Blamed.SELF),
        shows="the close reason names a timeout, after the longest time without data of this end",
        when=lambda f: _timeout(f) and f.broke_silence(SENT, FrameKind.DATA),
        rivals=(
            _PONG_UNDER_WAY,
            *CONTRADICTED,
            Rival(
                Cause.MAX_AGE,
                "nothing was said since the session stood, and the reason does not speak of idleness",
                lambda f: f.reading.topic is Topic.TIMEOUT and f.silent(SENT, FrameKind.DATA) > 0.95 * f.age,
                "that is nearly its whole age, so a maximum age fits too",
            ),
            Rival(
                Cause.KEEPALIVE_TIMEOUT,
                "a ping was not answered, or another timer may be meant",
                lambda f: f.reading.topic is Topic.TIMEOUT and f.peer_pings.received > 0,
                "pings of the {peer} came, so its keepalive may be meant",
            ),
            OF_ITS_WORK,
            OF_NAMED_WORK,
        ),
        sentence="the {peer} closed with {code}, {silent_data} after the {end}'s last message",
        headline="timeout of the {peer}, {silent_data} without a message",
        evidence=("end", "silences"),
        remedy="send messages (heartbeats) more often than every {half_silent_data}",
        runner_up=Cause.PONG_DEADLINE,
        source="documentation or reports (Deepgram, Phoenix)",
    ),
    kept_back_said("idleness or a timeout", {Topic.IDLE, Topic.TIMEOUT}),
    Signature(
        claim=Claim(Cause.READ_DEADLINE, MEDIUM, Blamed.SELF),
        shows="the close reason speaks of idleness, though this end kept sending messages",
        when=lambda f: _speaks_of(f, Topic.IDLE) and not f.longest_quiet,
        sentence="the {peer} closed with {code} though the {end} kept sending messages: its timeout counts "
        "something else, and {pings_seen}",
        headline="idle for the {peer}, though messages went on",
        evidence=("end", "last_sent", "server_pings", "silences"),
        remedy="send what the {peer}'s timeout counts (its reason or its documentation names it: audio, an "
        "input of the user, a keepalive of its own, pongs), or let it count whatever it reads",
        rivals=CONTRADICTED,
        runner_up=Cause.PONG_DEADLINE,
        source="reports (deepgram-python-sdk 319, elevenlabs-docs 426)",
    ),
    Signature(
        claim=Claim(Cause.PONG_DEADLINE, MEDIUM, Blamed.PEER),
        shows="the close reason names a timeout, though this end kept sending messages, and no ping came",
        when=lambda f: _speaks_of(f, Topic.TIMEOUT) and not f.peer_pings.received and not f.longest_quiet,
        sentence="the {peer} closed with {code} though the {end} kept talking: a deadline that only "
        "pongs reset, and no ping came that asks for one",
        headline="timeout of the {peer} that messages did not reset",
        evidence=("end", "server_pings", "silences"),
        remedy="let the {peer} send pings, and reset its deadline on whatever it reads",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.MAX_AGE,
                "the reason does not speak of reading",
                lambda f: not names_whole(f.reason, READING),
                "what timed out is not said, so a limit on the age or on one task fits too",
                LOW,
            ),
            OF_ITS_WORK,
            OF_NAMED_WORK,
        ),
        runner_up=Cause.MAX_AGE,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, MEDIUM, Blamed.PEER),
        shows="the close reason names a timeout, and traffic went on",
        when=_timeout,
        sentence="the {peer} closed with {code}; the last message of the {end} went out {silent_data} before",
        headline="timeout of the {peer}",
        evidence=("end", "silences", "server_pings"),
        remedy="see which traffic the {peer}'s timeout counts",
        rivals=(_PONG_UNDER_WAY, *CONTRADICTED, OF_ITS_WORK, OF_NAMED_WORK),
        runner_up=Cause.READ_DEADLINE,
        source="documentation or reports (Deepgram, Phoenix)",
    ),
)
