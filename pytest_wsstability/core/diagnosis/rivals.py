"""Second causes that several rows share."""

from __future__ import annotations

from dataclasses import replace

from ..cause import Cause, Confidence
from ..known_timers import KNOWN_TIMERS, CountsFrom
from ..timeline.close_reasons import Topic
from ..timeline.events import FrameKind, Opcode
from . import timers
from .cohort import SAME_SILENCE, Shared
from .features import LOSS, RECEIVED, SENT, Features
from .protocol import meaning
from .signature import Rival

LOW = Confidence.LOW
# Lifetimes that tokens are given, in seconds: simplejwt's and Keycloak's 5 min, 10 min (RFC 6749, section
# 4.1.2), flask-jwt-extended's 15 min, the 30 min of FastAPI's documentation, 1 h (RFC 6749's examples),
# GitLab's 2 h, Auth0's 24 h.
_TOKENS = (300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 86400.0)
# Seconds before which nobody is known to forget a silent connection.
SOONEST_FORGOTTEN = min(t.seconds for t in KNOWN_TIMERS if t.counts_from is CountsFrom.SILENT)
# Others that show the same timer at other instants, from so many on, exclude that it is an accident.
REPEATED = 2
# Ages that agree four times as closely as the ends, of three connections, do so by accident once in fifty
# times (drawn at random: openings and ends within 2 s).
_CLOSER = 0.25


def repeats_silence(f: Features) -> bool:
    """Whether enough other connections ended after the same silence, at other instants."""
    return f.beside.same_silence >= REPEATED


def repeats_age(f: Features) -> bool:
    """The same for the age."""
    return f.beside.same_age >= REPEATED


def shares_age(f: Features) -> bool:
    """Whether others ended at the same age, at other instants, be they seconds or moments apart."""
    beside = f.beside
    return repeats_age(f) or (beside.together > 0 and beside.shared is Shared.AGE)


def of_an_age(f: Features) -> bool:
    """Whether others ended at the same age, and not all of them right after a message of theirs."""
    return shares_age(f) and not f.beside.same_age_spoke


def never_spoke(f: Features) -> bool:
    """Whether this end sent no message, so that a deadline which waits for one counts from the opening."""
    return not f.messages_sent


def age_number(f: Features) -> bool:
    """Whether limits have such an age."""
    return timers.is_number(f.age, f.tier, CountsFrom.AGE)


def _token_age(f: Features) -> bool:
    return any(timers.fits(f.age, seconds, f.tier) for seconds in _TOKENS)


def crash(*kinds: CountsFrom, by_age: bool = False) -> tuple[Rival, ...]:
    """
    The causes that one connection cannot exclude: a crash, a kill or a restart at that instant.

    Args:
        kinds: the known timers that it may be; where it is none, nothing prefers a timer.
        by_age: whether other connections exclude them by their age, and not by their silence.

    """
    unless, repeats = ("the age", shares_age) if by_age else ("the silence", repeats_silence)

    def known(f: Features) -> bool:
        return timers.is_number(f.age if by_age else f.silence, f.tier, *kinds)

    return (
        Rival(
            Cause.RESTART,
            f"no other connection shows {unless}, which is no known timer or round number",
            lambda f: not repeats(f) and not known(f),
            "no connection beside it shows it, so a crash, a kill or a restart fits as well",
            LOW,
        ),
        Rival(
            Cause.RESTART,
            f"no other connection shows {unless}",
            lambda f: not repeats(f) and known(f),
            "one connection cannot exclude a crash or a restart at that instant",
        ),
    )


FROZEN = (
    Rival(
        Cause.HALF_OPEN,
        "nothing came for a time that lost packets explain",
        lambda f: f.silent(RECEIVED) <= LOSS,
        "nothing came for so short a time that packets which are lost on their way back explain it",
        LOW,
    ),
    Rival(
        Cause.NO_PONGS,
        "it answered nothing before either",
        lambda f: f.never_answered,
        "it answered none before either, so it may not know the question",
        LOW,
    ),
    Rival(
        Cause.ZOMBIE,
        "no ping frame was asked",
        lambda f: f.own_pings.open_since is None,
        "no ping frame was asked, so it may be its application alone (a handler that hangs)",
        LOW,
    ),
    Rival(
        Cause.PEER_NOT_READING,
        "messages may wait in front of the ping",
        lambda f: f.unread_first,
        "messages were sent before the ping, so it may just have stopped reading",
    ),
    Rival(
        Cause.PEER_NOT_READING,
        "nothing of the peer's own was due meanwhile",
        lambda f: not f.peer_due,
        "nothing of its own was due meanwhile, so one that only reads no more is as silent",
        LOW,
    ),
)
TOKEN = Rival(
    Cause.AUTH_EXPIRED,
    "the age is one that tokens have",
    _token_age,
    "tokens live as long, so an expired one fits too",
)

ANOTHER_OF_AGE = Rival(
    Cause.MAX_AGE,
    "another connection ended at the same age, at another instant",
    lambda f: f.beside.same_age > 0,
    "another connection ended at the same age, so a maximum age fits too",
    LOW,
)
OTHERS_ENDED = Rival(
    Cause.RESTART,
    "other connections ended within 2 s, at other ages and after other silences",
    lambda f: f.ended_for_one_reason,
    "{together} other connections ended within 2 s, so a restart fits too",
)
NO_MESSAGE_FOR_LONG = Rival(
    Cause.READ_DEADLINE,
    "this end had sent no message for longer than before, for as long as timers are",
    lambda f: (
        f.broke_silence(SENT, FrameKind.DATA)
        and timers.is_number(f.silent(SENT, FrameKind.DATA), f.tier, CountsFrom.MESSAGES_UPSTREAM)
    ),
    "the {end} had sent no message for {silent_data}, so a deadline that only messages put off fits too",
    LOW,
)
NEVER_SPOKE = Rival(
    Cause.READ_DEADLINE,
    "this end sent no message at all",
    never_spoke,
    "the {end} sent no message at all, so a deadline as long that only messages put off fits too",
    LOW,
)
ANOTHER_OPENED = Rival(
    Cause.SESSION_DUPLICATED,
    "another connection had opened at that instant, which few do",
    lambda f: f.beside.another_opened,
    "another connection had opened right before, so a {peer} that allows one of a user fits too",
    LOW,
)
LIMIT_ON_AGE = Rival(
    Cause.MAX_AGE,
    "the age is a known limit",
    lambda f: bool(timers.known(f.age, f.tier, CountsFrom.AGE)),
    "at {age} limits on the age end connections{age_owners}, so that fits too",
    LOW,
)

# What a close reason speaks of, as a cause.
CAUSES = {
    Topic.SETUP: Cause.SESSION_NOT_CONFIRMED,
    Topic.KEEPALIVE: Cause.KEEPALIVE_TIMEOUT,
    Topic.IDLE: Cause.IDLE_TIMEOUT,
    Topic.TIMEOUT: Cause.READ_DEADLINE,
    Topic.SLOW: Cause.SLOW_CONSUMER,
    Topic.RATE: Cause.RATE_LIMITED,
    Topic.SIZE: Cause.MESSAGE_TOO_BIG,
    Topic.RESTART: Cause.RESTART,
    Topic.ORIGIN: Cause.ORIGIN_REFUSED,
    Topic.DUPLICATE: Cause.SESSION_DUPLICATED,
    Topic.TOKEN: Cause.AUTH_EXPIRED,
    Topic.SESSION_OVER: Cause.SESSION_EXPIRED,
    Topic.SESSION_UNKNOWN: Cause.SESSION_LOST,
    Topic.PROTOCOL: Cause.PROTOCOL_ERROR,
    Topic.UPSTREAM: Cause.UPSTREAM_FAILED,
    Topic.OVERLOAD: Cause.OVERLOADED,
    Topic.ERROR: Cause.HANDLER_ERROR,
}


# What close codes mean by themselves: RFC 6455, section 7.4.1, and IANA's registry.
_CODES = {
    1001: Topic.RESTART, 1002: Topic.PROTOCOL, 1003: Topic.PROTOCOL, 1007: Topic.PROTOCOL, 1009: Topic.SIZE,
    1012: Topic.RESTART, 1013: Topic.OVERLOAD, 1014: Topic.UPSTREAM, 3000: Topic.TOKEN, 3003: Topic.TOKEN,
}  # fmt: skip


def _may_mean_another(f: Features) -> bool:
    """Whether words that are vague, or one among others, are not confirmed by the code before them."""
    known, topic = meaning(f), f.reading.topic
    if known is not None and known.topic is topic:
        return False
    # A code of the standard confirms one word, and no hint.
    is_told = f.code is not None and _CODES.get(f.code) is topic
    return f.reading.is_vague or (f.reading.is_lone and not is_told)


def _contradicts(topic: Topic) -> Rival:
    return Rival(
        CAUSES[topic],
        f"the reason speaks of {topic.value} too",
        lambda f: f.reading.other is topic,
        f"the reason speaks of {topic.value} too",
    )


CONTRADICTED = (
    *(_contradicts(topic) for topic in Topic),
    Rival(
        Cause.CLOSED_BY_PEER,
        "the words of the reason mean other things too, or one word among others is all that tells, and no "
        "code of the protocol (of that one word, or of RFC 6455) means the same",
        _may_mean_another,
        "its words may mean something else",
    ),
)
# A code whose sender wrote words behind it that have no keyword.
UNKNOWN_WORDS = Rival(
    Cause.CLOSED_BY_PEER,
    "words stand behind the code that are not understood",
    lambda f: f.reading.has_words and f.reading.topic is None,
    "what its words say is not understood",
)
# The same where nothing else speaks for the first cause.
NOTHING_BUT_UNKNOWN_WORDS = replace(UNKNOWN_WORDS, leaves=LOW)
# What an error in general words (SignalR: "Connection closed with an error.") was about.
OF_ITS_SIZE = Rival(
    Cause.MESSAGE_TOO_BIG,
    "the end came with the answer to the largest message of this end",
    lambda f: f.after_largest_message,
    "it came right after the largest message of the {end}, so a size limit fits too",
)
# A code, or a reason, that is about what this end sent.
SENT_NO_MESSAGE = Rival(
    Cause.CLOSED_BY_PEER,
    "this end sent no message",
    never_spoke,
    "this end sent no message that it could be about",
    LOW,
)
SENT_NO_FRAME = Rival(
    Cause.CLOSED_BY_PEER,
    "this end sent no frame",
    lambda f: f.timeline.count(SENT) == f.timeline.count(SENT, Opcode.CLOSE),
    "this end sent no frame that it could be about",
    LOW,
)
PONGS_LOST = (
    Rival(
        Cause.CONTROL_FRAMES_LOST,
        "it answered pings before",
        lambda f: f.own_pings.answered > 0,
        "it answered pings before, so a path that loses them fits too",
    ),
)
# What forgets a connection without a word tells nobody: the next that is said gets no answer.
FORGOTTEN = Rival(
    Cause.NAT_EXPIRED,
    "the question was the first word after the longest silence, as long as somebody is known to remember",
    lambda f: f.quiet_before_asked >= max(SOONEST_FORGOTTEN, f.longest_silence - SAME_SILENCE),
    "it was the first word after {quiet_before_asked} of silence, so a NAT or load balancer that had "
    "forgotten the connection fits too",
    LOW,
)
UNHEARD = (
    FORGOTTEN,
    Rival(
        Cause.NO_PONGS,
        "it answered nothing before either, and nothing of it was ever heard",
        lambda f: f.never_answered,
        "it answered none before either, so it may not know the question",
        LOW,
    ),
)
# What this end sends may not arrive, though the peer is heard.
DEAD_TOWARDS_PEER = Rival(
    Cause.HALF_OPEN,
    "the kernel does not say that what this end sent arrived",
    lambda f: not f.network_fine,
    "whether what went out arrived is not seen, so a path that is dead one way fits as well",
    LOW,
)
# A path on which an answer takes longer than the peer waits for one.
SLOW_PATH = Rival(
    Cause.PONG_LATE,
    "an answer (the session's confirmation, say) took as long as the peer can have waited for a pong",
    lambda f: f.pong_under_way,
    "an answer took {round_trip} before, so a pong that was still on its way fits too",
    LOW,
)
# Its pongs wait behind what it sends.
BEHIND_THE_STREAM = Rival(
    Cause.PONG_LATE,
    "messages of the peer came in a stream",
    lambda f: f.streamed_to,
    "its messages came in a stream, so a pong that waits behind them fits too",
    LOW,
)
# A handler that awaits something else leaves a stream, and the pong behind it, unread.
UNREAD_STREAM = Rival(
    Cause.PEER_NOT_READING,
    "only its pings tell of a loop that is late, this end streams, and no answer shows that it reads",
    lambda f: not f.bunches and f.messages.streaming and not f.read_since_pong,
    "no answer shows that it reads what is streamed to it, so a handler that reads no more fits as well",
    LOW,
)
# Its loop is blocked now and then.
BLOCKED = Rival(
    Cause.PEER_FROZEN,
    "answers came several at once before, or its pings at uneven intervals",
    lambda f: f.bunches > 0 or f.peer_pings.irregular,
    "answers came several at once before, so a loop that is blocked now and then fits too",
    LOW,
)
# An end at one age that came with a message each time.
AFTER_A_MESSAGE = Rival(
    Cause.HANDLER_ERROR,
    "the end came right after a message of this end",
    lambda f: f.tail.message is not None and not f.messages.streaming,
    "it came right after a message, so a handler that fails on it fits too",
    LOW,
)
# A limit on the number or the size of messages, in equal traffic, and a handler that fails on one look alike.
AFTER_A_MESSAGE_EACH = Rival(
    Cause.HANDLER_ERROR,
    "each of this age ended right after a message or a heartbeat of its own (a stream at an age that limits "
    "have aside)",
    lambda f: f.beside.same_age_sent and not (f.messages.streaming and age_number(f)),
    "each had sent something right before, so a handler that fails on it, or a limit on messages, fits too",
    LOW,
)
# Connections that were opened at one instant are of one age when they are stopped.
OPENED_TOGETHER = Rival(
    Cause.RESTART,
    "the others ended within 2 s, and are fewer than two or agree in age hardly closer than in their ends",
    lambda f: not repeats_age(f) and (f.beside.together < REPEATED or f.beside.ages_apart > _CLOSER),
    "all ended within 2 s, so a restart fits that stopped what was opened at one instant",
    LOW,
)
ENDED_TOGETHER = Rival(
    Cause.MAX_AGE,
    "others that were opened, or last spoke, at one instant ended with it",
    lambda f: f.beside.together > 0 and f.beside.shared in (Shared.EVERYTHING, Shared.SILENCE),
    "{together} others of one age ended with it, so any limit on the age fits them",
    LOW,
)
# Others that ended within two seconds show no common event where this fits.
NO_COMMON_EVENT = (
    Rival(
        Cause.IDLE_TIMEOUT,
        "a silence before the end was the longest of its kind",
        lambda f: not f.lively,
        "some silence was the longest of its kind, so a timer that is looked at now and then fits too",
        LOW,
    ),
    AFTER_A_MESSAGE,
    Rival(
        Cause.MAX_AGE,
        "more of the others ended at other instants",
        lambda f: f.beside.apart > f.beside.together,
        "most of the others ended at other instants, so each may have its own reason",
        LOW,
    ),
)
# A peer that never answered may not know the question.
NEVER_ANSWERED = Rival(
    Cause.ZOMBIE,
    "it never answered a heartbeat",
    lambda f: f.own_heartbeats.open_since is not None and not f.own_heartbeats.answered,
    "it never answered a heartbeat, so it may not know them",
    LOW,
)
