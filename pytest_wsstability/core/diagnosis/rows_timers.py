"""Rows for timers that cut a connection without a word: what they count from is told by what ran out."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.close import NORMAL
from ..timeline.events import Direction, End, FrameKind
from . import rivals, timers
from .cohort import SILENCE, Shared
from .features import RECEIVED, SENT, Features
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
_UPSTREAM = (CountsFrom.IDLE_UPSTREAM, CountsFrom.MESSAGES_UPSTREAM, CountsFrom.IDLE_EACH)
_DOWNSTREAM = (CountsFrom.IDLE_DOWNSTREAM, CountsFrom.IDLE_EACH)
# A kind of traffic was spoken with so many frames or more: before, nobody knows how often it comes.
_SPOKEN = 2


def idle(f: Features) -> bool:
    """Whether it was cut after the longest silence either way."""
    return f.cut and f.silence >= SILENCE and f.longest_quiet


def _heard_last(f: Features) -> bool:
    """Whether the last byte was the peer's, so that no timer for the bytes of this end ran from it."""
    return f.silent(SENT) - f.silent(RECEIVED) > SILENCE


def same_age(f: Features) -> bool:
    """Whether traffic flowed to an end at an age that other connections had."""
    return f.cut and rivals.shares_age(f) and not idle(f)


def at_once(f: Features) -> bool:
    """Whether others that were opened, or last spoke, at one instant ended with it: no timer is shown."""
    beside = f.beside
    return beside.together > 0 and beside.shared in (Shared.EVERYTHING, Shared.SILENCE) and not idle(f)


def _spoken(f: Features, direction: Direction, traffic: FrameKind) -> bool:
    """Whether this kind was spoken after the session's handshake: else its silence is the whole life."""
    return f.silent(direction, traffic) <= f.age - SILENCE and f.spoken(direction, traffic) >= _SPOKEN


def _without_messages(f: Features) -> bool:
    """
    Whether messages, and nothing else, were missing for longer than ever, both ways.

    Their whole life counts too where a timer of messages is known to be as long, and no limit on the age.

    """
    data = [f.silent(direction, FrameKind.DATA) for direction in (SENT, RECEIVED)]
    broke = all(f.broke_silence(direction, FrameKind.DATA) for direction in (SENT, RECEIVED))
    spoken = any(_spoken(f, direction, FrameKind.DATA) for direction in (SENT, RECEIVED))
    alike = abs(data[0] - data[1]) <= max(1.0, 0.02 * data[0])
    number = timers.is_number(min(data), f.tier, CountsFrom.MESSAGES)
    return (spoken or _of_messages(f)) and broke and alike and min(data) >= SILENCE and number


def _of_messages(f: Features) -> bool:
    """Whether a timer that messages reset is known for the time without them, and no limit for the age."""
    silent = min(f.silent(direction, FrameKind.DATA) for direction in (SENT, RECEIVED))
    known = timers.known(silent, f.tier, CountsFrom.MESSAGES)
    return bool(known) and not timers.known(f.age, f.tier, CountsFrom.AGE)


def _one_way(f: Features, direction: Direction, *kinds: CountsFrom) -> bool:
    """Whether one kind of traffic was never silent for longer, and that long is what timers are."""
    return f.cut and any(
        f.silent(direction, traffic) >= SILENCE
        and _spoken(f, direction, traffic)
        and f.broke_silence(direction, traffic)
        and timers.is_number(f.silent(direction, traffic), f.tier, *kinds)
        for traffic in (FrameKind.ANY, FrameKind.DATA)
    )


def _quiet_way(f: Features, direction: Direction, *kinds: CountsFrom) -> bool:
    """
    Whether nothing went this way for longer than ever, as long as timers are, while the other end spoke.

    The whole life of the connection counts too, unless the only known timer as long is one of the age.

    """
    silent = f.silent(direction)
    limit = timers.known(f.age, f.tier, CountsFrom.AGE) and not timers.known(silent, f.tier, *kinds)
    return (
        f.cut
        and not idle(f)
        and not same_age(f)
        and not at_once(f)
        and silent >= SILENCE
        and f.broke_silence(direction)
        and timers.is_number(silent, f.tier, *kinds)
        and not (limit and _whole_life(f, direction))
    )


def _whole_life(f: Features, direction: Direction) -> bool:
    """Whether nothing went this way since the opening, so that silence and age cannot be told apart."""
    return f.silent(direction) > f.age - SILENCE


def pong_deadline(f: Features) -> bool:
    """Whether traffic flowed, no ping ever came, and the time without pongs has a timer's length."""
    without = f.silent(SENT, FrameKind.PONG)
    return (
        f.cut
        and not f.peer_pings.received
        and f.end is End.CLIENT
        and f.silent(SENT) < f.age
        and f.broke_silence(SENT, FrameKind.PONG)
        and (without < f.age - SILENCE or bool(timers.known(without, f.tier, CountsFrom.PONG)))
        and timers.is_number(without, f.tier, CountsFrom.PONG)
    )


# A silence of one kind that fits a number which nobody is known for may be anybody's.
_ONE_KIND = (
    Rival(
        Cause.RESTART,
        "no other connection shows it",
        lambda f: not rivals.repeats_silence(f) and not rivals.repeats_age(f),
        "one connection cannot tell it from a crash or a restart at that instant",
        LOW,
    ),
)

# A silence that was as long as the life.
_AS_OLD = Rival(
    Cause.MAX_AGE,
    "the age is a number that limits have",
    rivals.age_number,
    "a maximum age of {max_age} looks the same",
    LOW,
)

# No message since the session stood.
_WITHOUT_ANY = Rival(
    Cause.MAX_AGE,
    "no message came or went since the session stood",
    lambda f: all(not _spoken(f, direction, FrameKind.DATA) for direction in (SENT, RECEIVED)),
    "that is its whole life, so a maximum age looks the same",
    LOW,
)

# A polite close, of which only the time without messages tells.
CLOSED = (
    Signature(
        claim=Claim(Cause.IDLE_AS_NORMAL, LOW, Blamed.PEER),
        shows="1000, 1001 or 1005 was received after the longest time without messages either way, of the "
        "length of a known timer that only they reset, though control frames went on",
        when=lambda f: f.code in NORMAL and _without_messages(f) and _of_messages(f) and not f.longest_quiet,
        sentence="the {peer} closed with {code} when no message had come or gone for {up_time}, though pings "
        "and pongs went on: an idle timeout of {messageless} that only messages reset fits{message_owners}",
        headline="idle timeout? no message for {up_time}",
        evidence=("silences", "server_pings", "end"),
        remedy="send a message (a heartbeat of the application) more often than every {half_up}: ping "
        "frames do not count",
        rivals=(_WITHOUT_ANY,),
        runner_up=Cause.CLOSED_BY_PEER,
        source="documentation and reports (AWS API Gateway)",
    ),
)

ROWS = (
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, HIGH, Blamed.PATH),
        shows="no close frame, after the longest silence either way, the peer's byte being the last; "
        "and other connections ended after the same silence at other instants and ages; more time without a "
        "pong was survived",
        when=lambda f: (
            idle(f)
            and not f.passive
            and _heard_last(f)
            and rivals.repeats_silence(f)
            and not f.beside.same_age
            and not f.broke_silence(SENT, FrameKind.PONG)
        ),
        sentence="an idle timeout of {idle}: nothing was sent either way for {silence}, as on {repeated} "
        "other connections at other instants{idle_owners}",
        headline="idle timeout {idle}",
        evidence=("silences", "repeated", "end", "server_pings"),
        remedy="send a heartbeat or ping more often than every {half_idle}, or raise {idle_knobs}",
        runner_up=Cause.READ_DEADLINE,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, LOW, Blamed.PATH),
        shows="no close frame, after the longest silence either way, in which pings of the peer were due "
        "that had come at even intervals",
        when=lambda f: idle(f) and f.pings_stopped,
        sentence="pings of the {peer} had come every {ping_every}, and none came in the {silence} before the "
        "end: a path that went dead fits, and so does a {peer} that stood still; whoever cut the connection "
        "then found it so",
        headline="pings of the {peer} stopped {silence} before the end",
        evidence=("server_pings", "silences", "end", "together"),
        remedy="look at the network between the two ends (a box that forgets connections without a word may "
        "count messages, and no pings), then at the {peer}'s process",
        runner_up=Cause.PEER_FROZEN,
        source="reports (BasedHardware/omi 5194)",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, MEDIUM, Blamed.PATH),
        shows="no close frame, after the longest silence either way; talk before it",
        when=lambda f: idle(f) and not f.passive,
        sentence="an idle timeout of {idle}: nothing was sent either way for {silence}{idle_owners}",
        headline="idle timeout {idle}",
        rivals=(
            *rivals.crash(CountsFrom.IDLE),
            Rival(
                Cause.MAX_AGE,
                "as many others ended at the same age",
                lambda f: f.beside.same_age >= max(1, f.beside.same_silence),
                "as many others ended at the same age, so a maximum age fits as well",
                LOW,
            ),
        ),
        evidence=("silences", "repeated", "end", "server_pings"),
        remedy="send a heartbeat or ping more often than every {half_idle}, or raise {idle_knobs}",
        runner_up=Cause.READ_DEADLINE,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, MEDIUM, Blamed.PATH),
        shows="no close frame, and nothing was said since the session stood: silence and age are the same",
        when=lambda f: idle(f) and f.passive,
        sentence="an idle timeout of {idle}, or a maximum age of {max_age}: nothing was said, so that "
        "the two look the same{idle_owners}",
        headline="idle timeout {idle}, or maximum age",
        together="an idle timeout, or a maximum age",
        evidence=("silences", "repeated", "end", "server_pings"),
        remedy="send a heartbeat more often than every {half_idle}: if the connection then dies at the "
        "same age, it is a maximum age (then raise that, or reconnect)",
        rivals=(
            Rival(
                Cause.MAX_AGE,
                "it is a known limit on the age, or no known idle timeout",
                lambda f: bool(
                    timers.known(f.age, f.tier, CountsFrom.AGE)
                    or not timers.known(f.silence, f.tier, CountsFrom.IDLE)
                ),
                leaves=LOW,
            ),
            *rivals.crash(CountsFrom.IDLE, CountsFrom.AGE),
        ),
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, MEDIUM, Blamed.PATH),
        shows="no close frame, after the longest time without messages either way, of a length that timers "
        "have, though control frames went on",
        when=lambda f: f.cut and _without_messages(f) and not idle(f),
        sentence="an idle timeout of {messageless} that only messages reset: pings and pongs went on, but no "
        "message came or went for {up_time}{message_owners}",
        headline="idle timeout {messageless} that only messages reset",
        evidence=("silences", "server_pings", "end"),
        remedy="send a message (a heartbeat of the application) more often than every {half_up}: ping "
        "frames do not count",
        rivals=(_WITHOUT_ANY, *_ONE_KIND),
        runner_up=Cause.READ_DEADLINE,
        source="documentation or reports (AWS API Gateway)",
    ),
    Signature(
        claim=Claim(Cause.READ_DEADLINE, MEDIUM, Blamed.PEER),
        shows="no close frame, after the longest time without bytes, or without messages, of this end, of a "
        "length that timers have",
        when=lambda f: _one_way(f, SENT, *_UPSTREAM) and not idle(f),
        sentence="a read deadline of {up}: the {peer} kept talking, but the {end} sent no {up_what} for "
        "{up_time}",
        headline="read deadline {up}: no {up_what} of the {end}",
        evidence=("silences", "end", "server_pings"),
        remedy="let the {end} send {up_what} more often than every {half_up}",
        rivals=_ONE_KIND,
        runner_up=Cause.MAX_AGE,
        source="documentation or reports (OCI, Deepgram, Phoenix)",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, MEDIUM, Blamed.PATH),
        shows="no close frame, after the longest time without bytes, or without messages, of the peer, of a "
        "length that timers have",
        when=lambda f: _one_way(f, RECEIVED, *_DOWNSTREAM) and not idle(f),
        sentence="an idle timeout of {down} on what the {peer} sends: the {end} kept talking, but no "
        "{down_what} came for {down_time}",
        headline="idle timeout {down} on what the {peer} sends",
        evidence=("silences", "end"),
        remedy="let the {peer} send {down_what} more often than every {half_down}",
        rivals=_ONE_KIND,
        runner_up=Cause.MAX_AGE,
        source="documentation or reports (OCI, CloudFront)",
    ),
    Signature(
        claim=Claim(Cause.READ_DEADLINE, LOW, Blamed.PEER),
        shows="no close frame while the peer spoke, and this end had sent nothing, or nothing since one "
        "frame, for as long as timers are, and for which not only limits on the age are known",
        when=lambda f: _quiet_way(f, SENT, *_UPSTREAM),
        sentence="a read deadline of {up}: the {peer} kept talking, but the {end} had sent nothing for "
        "{up_time}",
        headline="read deadline {up}? nothing sent",
        evidence=("silences", "end", "server_pings"),
        remedy="let the {end} send something (a heartbeat) more often than every {half_up}; if it then dies "
        "at the same age, it is a maximum age (then raise that, or reconnect)",
        rivals=(_AS_OLD, *_ONE_KIND),
        runner_up=Cause.MAX_AGE,
        source="reports (bun 39255, cowboy 1259), documentation (Netty's ReadTimeoutHandler)",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, LOW, Blamed.PATH),
        shows="the same where this end spoke, and the peer had sent nothing, or nothing since one frame",
        when=lambda f: _quiet_way(f, RECEIVED, *_DOWNSTREAM),
        sentence="an idle timeout of {down} on what the {peer} sends: the {end} kept talking, but nothing "
        "had come for {down_time}",
        headline="idle timeout {down}? nothing came",
        evidence=("silences", "end", "server_pings"),
        remedy="let the {peer} send something (an answer to each heartbeat) more often than every "
        "{half_down}; if it then dies at the same age, let it send pings, which pongs answer",
        rivals=(
            Rival(
                Cause.PONG_DEADLINE,
                "no ping came, and the time without pongs is a number that deadlines have",
                pong_deadline,
                "no ping came, so a deadline that only pongs reset fits too",
                LOW,
            ),
            _AS_OLD,
            *_ONE_KIND,
        ),
        runner_up=Cause.MAX_AGE,
        source="reports (nginx/kubernetes-ingress 715)",
    ),
)
