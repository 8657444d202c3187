"""Rows for ends in the middle of traffic: a maximum age, or a deadline that only pongs reset."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.close import NORMAL
from ..timeline.events import End, FrameKind
from . import rivals, timers
from .cohort import SILENCE
from .features import RECEIVED, SENT, Features
from .message_limit import NTH_MESSAGE
from .rows_close import idle_in_disguise
from .rows_timers import at_once, idle, pong_deadline, same_age
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
# Codes that stand for a rule of whatever kind.
_RULES = (1008, 3000)
# Nobody is known for a limit on the age below 15 s, and few handlers take 5 s to fail.
_SOONEST = 5.0


def _aged(f: Features) -> bool:
    """Whether traffic flowed to an end at an age that limits have."""
    return f.cut and not idle(f) and rivals.age_number(f)


def _pongs_untried(f: Features) -> bool:
    """Whether no ping came and no pong went out: a deadline that only pongs reset then looks like an age."""
    return f.end is End.CLIENT and not f.peer_pings.received and not f.peer_pings.ponged


def _outlived_pings(f: Features) -> bool:
    """
    Whether an earlier ping was answered, and more time has passed since than since the last one.

    A keepalive that misses pongs, or a deadline that only pongs reset, would have ended it then.

    """
    pings = f.peer_pings
    return f.prompt_pongs and pings.received >= 3 and f.since_ping < pings.shortest_gap


def _in_a_row(f: Features) -> bool:
    """
    Whether others lived as long, one after another, and longer than what fails as soon as it is open.

    Clients that leave do so again and again, each as soon as it is done.

    """
    return f.end is End.CLIENT and f.beside.in_a_row >= rivals.REPEATED and f.age >= _SOONEST


def closed_at_an_age(f: Features) -> bool:
    """
    Whether a polite code ended others at the same age too, or one that rules of all kinds have.

    A rule on messages ends connections of equal traffic at one age, each with one of its messages; and one
    on credentials at the age that tokens have.

    """
    is_by_itself = (f.tail.message is None or f.messages.streaming) and not rivals.TOKEN.when(f)
    is_shared = rivals.repeats_age(f) or _in_a_row(f)
    is_known = f.code in NORMAL or (f.code in _RULES and is_by_itself)
    return is_known and is_shared and not idle_in_disguise(f)


def _is_fed(f: Features) -> bool:
    """Whether the peer's messages went on to one that had said all it had to say at the beginning."""
    is_done = f.silent(SENT, FrameKind.DATA) > f.age - SILENCE
    return is_done and not f.longest_quiet and not f.broke_silence(RECEIVED, FrameKind.DATA)


def _at_a_known_limit(f: Features) -> bool:
    """Whether a close without a word came in the middle of talk, at an age that is somebody's limit."""
    return (
        f.code in NORMAL
        and f.end is End.CLIENT
        and (f.lively or _is_fed(f))
        and not f.reading.has_words
        and not f.ended_for_one_reason
        and f.tail.message is None
        and not rivals.never_spoke(f)
        and rivals.LIMIT_ON_AGE.when(f)
    )


# Those that lived one after another share no instant, and yet each may have met something of its own.
_ONE_AFTER_ANOTHER = Rival(
    Cause.RESTART,
    "the others of this age lived before or after it",
    lambda f: not rivals.repeats_age(f),
    "they lived one after another, so a process that fails so long after its start fits too",
    LOW,
)

# An age that one connection shows.
_AGE = (
    NTH_MESSAGE,
    *rivals.crash(CountsFrom.AGE, CountsFrom.PONG, by_age=True),
    rivals.NO_MESSAGE_FOR_LONG,
)

ROWS = (
    Signature(
        claim=Claim(Cause.RESTART, LOW, Blamed.PEER),
        shows="no close frame, and other connections that were opened, or last spoke, at one instant ended "
        "within 2 s, at an age that is nobody's limit, and that no others had at other instants",
        when=lambda f: f.cut and at_once(f) and not rivals.age_number(f) and not rivals.repeats_age(f),
        sentence="{together} other connections ended within 2 s: a crash, a kill or a restart fits; as they "
        "were opened, or last spoke, at one instant, a timer that they share fits too",
        headline="restart? {together} more ended within 2 s",
        evidence=("together", "end", "silences"),
        remedy="open the connections some seconds apart, to see whether they share an instant or an age",
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.MAX_AGE, MEDIUM, Blamed.PATH),
        shows="no close frame in the middle of all traffic, at the same age as other connections at other "
        "instants; pings had come before the last one, and were answered",
        when=lambda f: same_age(f) and rivals.repeats_age(f) and f.lively and _outlived_pings(f),
        # A handler that ends by a clock of its own, or a limit on messages in equal traffic, looks alike.
        rivals=(
            rivals.TOKEN,
            Rival(
                Cause.HANDLER_ERROR,
                "the end came right after a message of this end",
                lambda f: f.tail.message is not None and not f.messages.streaming,
                "this one ended right after a message, so a handler that fails on it fits too",
            ),
            rivals.AFTER_A_MESSAGE_EACH,
            rivals.NEVER_SPOKE,
        ),
        sentence="a maximum age of {max_age}: traffic flowed to the end, and {repeated} other "
        "connections ended at the same age, at other instants{age_owners}",
        headline="maximum age {max_age}",
        evidence=("silences", "repeated", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
    Signature(
        claim=Claim(Cause.PONG_DEADLINE, MEDIUM, Blamed.PEER),
        shows="no close frame while traffic flowed, no ping ever came, and the age, or the time since "
        "this end's last pong, has a deadline's length",
        when=lambda f: pong_deadline(f) and not same_age(f),
        sentence="a read deadline of {pongless} that only pongs reset: traffic flowed to the end, and "
        "no ping came that asks for a pong",
        headline="pong-only read deadline {pongless}, and no pings",
        evidence=("server_pings", "silences", "end"),
        remedy="let the {peer} send pings before its deadline, and reset it on whatever it reads "
        "(gorilla: SetReadDeadline in the read loop)",
        rivals=(
            Rival(
                Cause.RESTART,
                "one connection shows it",
                lambda f: True,
                "one connection cannot tell it from a crash or a restart at that instant",
            ),
            rivals.ANOTHER_OF_AGE,
            rivals.ENDED_TOGETHER,
        ),
        runner_up=Cause.MAX_AGE,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.MAX_AGE, LOW, Blamed.PATH),
        shows="no close frame while traffic flowed, at an age that limits or other connections have; but no "
        "ping came, and no pong went out",
        when=lambda f: (same_age(f) or _aged(f)) and _pongs_untried(f),
        rivals=_AGE,
        sentence="a maximum age of {max_age}, or a read deadline as long that only pongs reset: traffic "
        "flowed to the end, but no ping came and no pong went out, so that the two look the same{age_owners}",
        headline="maximum age {max_age}, or pong-only read deadline",
        evidence=("silences", "server_pings", "together", "repeated", "end"),
        remedy="send an unsolicited pong now and then: if the connection then lives, let the {peer} reset "
        "its deadline on whatever it reads (gorilla: SetReadDeadline in the read loop); else raise "
        "{age_knobs}, or reconnect before it",
        runner_up=Cause.PONG_DEADLINE,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.MAX_AGE, MEDIUM, Blamed.PATH),
        shows="no close frame while traffic flowed, at the same age as other connections",
        when=same_age,
        rivals=(
            rivals.TOKEN,
            rivals.AFTER_A_MESSAGE,
            rivals.AFTER_A_MESSAGE_EACH,
            rivals.OPENED_TOGETHER,
            rivals.NEVER_SPOKE,
            Rival(
                Cause.KEEPALIVE_TIMEOUT,
                "a keepalive that began with the opening would end them so too",
                lambda f: not (f.lively and _outlived_pings(f)),
                leaves=LOW,
            ),
        ),
        sentence="a maximum age of {max_age}: traffic flowed to the end, and {of_the_age} other "
        "connections ended at the same age{age_owners}",
        headline="maximum age {max_age}",
        evidence=("silences", "together", "repeated", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
    Signature(
        claim=Claim(Cause.MAX_AGE, LOW, Blamed.PATH),
        shows="the same at an age that read deadlines have, though each ping of the peer was answered",
        when=lambda f: _aged(f) and f.prompt_pongs and bool(timers.known(f.age, f.tier, CountsFrom.PONG)),
        sentence="a maximum age of {max_age}, or a path that lost the pongs: traffic flowed to the end, "
        "longer silences were survived, and each ping was answered{age_owners}",
        headline="maximum age {max_age}, or pongs lost on the way",
        evidence=("silences", "server_pings", "end"),
        remedy="see at the server whether the pongs arrive; else raise {age_knobs}, or reconnect before it",
        rivals=(
            Rival(
                Cause.CONTROL_FRAMES_LOST,
                "one connection shows it",
                lambda f: True,
            ),
            *_AGE,
        ),
        runner_up=Cause.CONTROL_FRAMES_LOST,
        source="documentation of load balancers",
    ),
    Signature(
        claim=Claim(Cause.MAX_AGE, LOW, Blamed.PATH),
        shows="no close frame while traffic flowed, at an age that limits have",
        when=_aged,
        rivals=(rivals.TOKEN, *_AGE),
        sentence="a maximum age of {max_age}: traffic flowed to the end, and longer silences were "
        "survived{age_owners}",
        headline="maximum age {max_age}",
        evidence=("silences", "server_pings", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
    Signature(
        claim=Claim(Cause.MAX_AGE, LOW, Blamed.PATH),
        shows="no close frame while traffic flowed, at the age of two or more connections that lived before "
        "or after it, of 5 s or more",
        when=lambda f: f.cut and not idle(f) and _in_a_row(f),
        rivals=(NTH_MESSAGE, rivals.AFTER_A_MESSAGE_EACH, _ONE_AFTER_ANOTHER, rivals.NEVER_SPOKE),
        sentence="a maximum age of {max_age}: traffic flowed to the end, and {repeated} other connections, "
        "one after another, ended at the same age{age_owners}",
        headline="maximum age {max_age}?",
        evidence=("silences", "repeated", "server_pings", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        runner_up=Cause.RESTART,
        source="reports (streamlit 1386, open-compute 20, droppy 61)",
    ),
)

# Close frames whose code says little, where the age says more.
CLOSED = (
    Signature(
        claim=Claim(Cause.MAX_AGE, MEDIUM, Blamed.PEER),
        shows="1000, 1001, 1005, 1008 or 3000 (these two at no age of tokens) was received at the same age "
        "as on other connections, at other instants",
        when=closed_at_an_age,
        sentence="the {peer} closed with {code} at an age of {max_age}, and {repeated} other connections at "
        "the same age, at other instants: a maximum age fits{age_owners}",
        headline="maximum age {max_age}?",
        evidence=("repeated", "silences", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        rivals=(
            rivals.NOTHING_BUT_UNKNOWN_WORDS,
            rivals.TOKEN,
            rivals.NO_MESSAGE_FOR_LONG,
            Rival(
                Cause.RATE_LIMITED,
                "the code is 1008 or 3000",
                lambda f: f.code in _RULES,
                "limits on messages and rules on credentials close so too",
                LOW,
            ),
            Rival(Cause.AUTH_EXPIRED, "the code is 1008 or 3000", lambda f: f.code in _RULES),
            rivals.AFTER_A_MESSAGE,
            rivals.AFTER_A_MESSAGE_EACH,
            rivals.NEVER_SPOKE,
            _ONE_AFTER_ANOTHER,
            Rival(
                Cause.PONG_DEADLINE,
                "no ping came, and no pong went out",
                lambda f: not f.peer_pings.received and not f.peer_pings.ponged,
                "no ping came and no pong went out, so a deadline that only pongs reset fits too",
                LOW,
            ),
            Rival(
                Cause.KEEPALIVE_TIMEOUT,
                "pings of the peer came",
                lambda f: f.peer_pings.received > 0,
                "a keepalive that began with the opening ends them so too",
                LOW,
            ),
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (API Gateway, load balancers that reconnect their clients)",
    ),
    Signature(
        claim=Claim(Cause.MAX_AGE, LOW, Blamed.PEER),
        shows="1000, 1001 or 1005 was received without a word in the middle of talk, at an age that is a "
        "known limit, and no other connection ended with it",
        when=_at_a_known_limit,
        sentence="the {peer} closed with {code} at an age of {max_age}, where limits on the age end "
        "connections{age_owners}",
        headline="maximum age {max_age}?",
        evidence=("end", "silences", "server_pings"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        rivals=(
            rivals.TOKEN,
            rivals.NO_MESSAGE_FOR_LONG,
            Rival(
                Cause.RESTART,
                "the code is 1001",
                lambda f: f.code == 1001,
                "a shutdown at that instant closes so too",
                LOW,
            ),
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="documentation (API Gateway, daphne)",
    ),
)
