"""Rows for timers that cut a connection without a word: what they count from is told by what ran out."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.events import Direction, End, FrameKind
from . import rivals, timers
from .features import RECEIVED, SENT, SILENCE, Features, Shared
from .signature import Blamed, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
_UPSTREAM = (CountsFrom.IDLE_UPSTREAM, CountsFrom.MESSAGES_UPSTREAM, CountsFrom.IDLE_EACH)
_DOWNSTREAM = (CountsFrom.IDLE_DOWNSTREAM, CountsFrom.IDLE_EACH)
# A kind of traffic was spoken with so many frames or more: before, nobody knows how often it comes.
_SPOKEN = 2


def _idle(f: Features) -> bool:
    return f.cut and f.silence >= SILENCE and f.longest_quiet


def _heard_last(f: Features) -> bool:
    """Whether the last byte was the peer's, so that no timer for the bytes of this end ran from it."""
    return f.silent(SENT) - f.silent(RECEIVED) > SILENCE


def _age_number(f: Features) -> bool:
    return timers.is_number(f.age, f.tier, CountsFrom.AGE)


def _aged(f: Features) -> bool:
    """Whether traffic flowed to an end at an age that limits have."""
    return f.cut and not _idle(f) and _age_number(f)


def _same_age(f: Features) -> bool:
    """Whether traffic flowed to an end at an age that other connections had."""
    return f.cut and rivals.shares_age(f) and not _idle(f)


def _at_once(f: Features) -> bool:
    """Whether others that were opened, or last spoke, at one instant ended with it: no timer is shown."""
    beside = f.beside
    return beside.together > 0 and beside.shared in (Shared.EVERYTHING, Shared.SILENCE) and not _idle(f)


def _pongs_untried(f: Features) -> bool:
    """Whether no ping came and no pong went out: a deadline that only pongs reset then looks like an age."""
    return f.end is End.CLIENT and not f.pings.received and not f.pings.ponged


def _outlived_pings(f: Features) -> bool:
    """
    Whether an earlier ping was answered, and more time has passed since than since the last one.

    A keepalive that misses pongs, or a deadline that only pongs reset, would have ended it then.

    """
    pings = f.pings
    return f.prompt_pongs and pings.received >= 3 and f.since_ping < pings.shortest_gap


def _spoken(f: Features, direction: Direction, traffic: FrameKind) -> bool:
    """Whether this kind was spoken after the session's handshake: else its silence is the whole life."""
    return f.silent(direction, traffic) <= f.age - SILENCE and f.spoken(direction, traffic) >= _SPOKEN


def _without_messages(f: Features) -> bool:
    """Whether messages, and nothing else, were missing for longer than ever, both ways."""
    data = [f.silent(direction, FrameKind.DATA) for direction in (SENT, RECEIVED)]
    broke = all(f.broke_silence(direction, FrameKind.DATA) for direction in (SENT, RECEIVED))
    spoken = any(_spoken(f, direction, FrameKind.DATA) for direction in (SENT, RECEIVED))
    alike = abs(data[0] - data[1]) <= max(1.0, 0.02 * data[0])
    number = timers.is_number(min(data), f.tier, CountsFrom.MESSAGES)
    return f.cut and spoken and broke and alike and min(data) >= SILENCE and number


def _one_way(f: Features, direction: Direction, *kinds: CountsFrom) -> bool:
    """Whether one kind of traffic was never silent for longer, and that long is what timers are."""
    return f.cut and any(
        f.silent(direction, traffic) >= SILENCE
        and _spoken(f, direction, traffic)
        and f.broke_silence(direction, traffic)
        and timers.is_number(f.silent(direction, traffic), f.tier, *kinds)
        for traffic in (FrameKind.ANY, FrameKind.DATA)
    )


def _pong_deadline(f: Features) -> bool:
    """Whether traffic flowed, no ping ever came, and the time without pongs has a timer's length."""
    without = f.silent(SENT, FrameKind.PONG)
    return (
        f.cut
        and not f.pings.received
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

# An age that one connection shows.
_AGE = (
    *rivals.crash(unless="the age", number=(CountsFrom.AGE, CountsFrom.PONG)),
    rivals.NO_MESSAGE_FOR_LONG,
)

ROWS = (
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, after the longest silence either way, the peer's byte being the last; "
        "and other "
        "connections ended after the same silence at other instants and ages; more time without a pong "
        "was survived",
        when=lambda f: (
            _idle(f)
            and not f.passive
            and _heard_last(f)
            and rivals.repeats_silence(f)
            and not f.beside.same_age
            and not f.broke_silence(SENT, FrameKind.PONG)
        ),
        confidence=HIGH,
        sentence="an idle timeout of {idle}: nothing was sent either way for {silence}, as on "
        "{repeated} other "
        "connections at other instants{idle_owners}",
        headline="idle timeout {idle}",
        blame=Blamed.PATH,
        evidence=("silences", "repeated", "end", "server_pings"),
        remedy="send a heartbeat or ping more often than every {half_idle}, or raise {idle_knobs}",
        runner_up=Cause.READ_DEADLINE,
        source="measured",
    ),
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, after the longest silence either way; talk before it",
        when=lambda f: _idle(f) and not f.passive,
        confidence=MEDIUM,
        sentence="an idle timeout of {idle}: nothing was sent either way for {silence}{idle_owners}",
        headline="idle timeout {idle}",
        rivals=(
            *rivals.crash(number=(CountsFrom.IDLE,)),
            Rival(
                Cause.MAX_AGE,
                "as many others ended at the same age",
                lambda f: f.beside.same_age >= max(1, f.beside.same_silence),
                "as many others ended at the same age, so a maximum age fits as well",
                LOW,
            ),
        ),
        blame=Blamed.PATH,
        evidence=("silences", "repeated", "end", "server_pings"),
        remedy="send a heartbeat or ping more often than every {half_idle}, or raise {idle_knobs}",
        runner_up=Cause.READ_DEADLINE,
        source="measured",
    ),
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, and nothing was said since the session stood: silence and age are the same",
        when=lambda f: _idle(f) and f.passive,
        confidence=MEDIUM,
        sentence="an idle timeout of {idle}, or a maximum age of {max_age}: nothing was said, so that "
        "the two look the same{idle_owners}",
        headline="idle timeout {idle}, or maximum age",
        blame=Blamed.PATH,
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
            *rivals.crash(number=(CountsFrom.IDLE, CountsFrom.AGE)),
        ),
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, after the longest time without messages either way, of a length that timers "
        "have, though control frames went on",
        when=lambda f: _without_messages(f) and not _idle(f),
        confidence=MEDIUM,
        sentence="an idle timeout of {up} that only messages reset: pings and pongs went on, but no message "
        "came or went for {up_time}{message_owners}",
        headline="idle timeout {up} that only messages reset",
        blame=Blamed.PATH,
        evidence=("silences", "server_pings", "end"),
        remedy="send a message (a heartbeat of the application) more often than every {half_up}: ping "
        "frames do not count",
        rivals=_ONE_KIND,
        runner_up=Cause.READ_DEADLINE,
        source="documentation or reports (AWS API Gateway)",
    ),
    Signature(
        cause=Cause.READ_DEADLINE,
        shows="no close frame, after the longest time without bytes, or without messages, of this end, of a "
        "length that timers have",
        when=lambda f: _one_way(f, SENT, *_UPSTREAM) and not _idle(f),
        confidence=MEDIUM,
        sentence="a read deadline of {up}: the {peer} kept talking, but the {end} sent no {up_what} for "
        "{up_time}",
        headline="read deadline {up}: no {up_what} of the {end}",
        blame=Blamed.PEER,
        evidence=("silences", "end", "server_pings"),
        remedy="let the {end} send {up_what} more often than every {half_up}",
        rivals=_ONE_KIND,
        runner_up=Cause.MAX_AGE,
        source="documentation or reports (OCI, Deepgram, Phoenix)",
    ),
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, after the longest time without bytes, or without messages, of the peer, of a "
        "length that timers have",
        when=lambda f: _one_way(f, RECEIVED, *_DOWNSTREAM) and not _idle(f),
        confidence=MEDIUM,
        sentence="an idle timeout of {down} on what the {peer} sends: the {end} kept talking, but no "
        "{down_what} came for {down_time}",
        headline="idle timeout {down} on what the {peer} sends",
        blame=Blamed.PATH,
        evidence=("silences", "end"),
        remedy="let the {peer} send {down_what} more often than every {half_down}",
        rivals=_ONE_KIND,
        runner_up=Cause.MAX_AGE,
        source="documentation or reports (OCI, CloudFront)",
    ),
    Signature(
        cause=Cause.RESTART,
        shows="no close frame, and other connections that were opened, or last spoke, at one instant ended "
        "within 2 s, at an age that is nobody's limit, and that no others had at other instants",
        when=lambda f: f.cut and _at_once(f) and not _age_number(f) and not rivals.repeats_age(f),
        confidence=LOW,
        sentence="{together} other connections ended within 2 s: a crash, a kill or a restart fits; as "
        "they were "
        "opened, or last spoke, at one instant, a timer that they share fits too",
        headline="restart? {together} more ended within 2 s",
        blame=Blamed.PEER,
        evidence=("together", "end", "silences"),
        remedy="open the connections some seconds apart, to see whether they share an instant or an age",
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        cause=Cause.MAX_AGE,
        shows="no close frame in the middle of all traffic, at the same age as other connections at other "
        "instants; pings had come before the last one, and were answered",
        when=lambda f: _same_age(f) and rivals.repeats_age(f) and f.lively and _outlived_pings(f),
        # A handler that ends by a clock of its own, or a limit on messages in equal traffic, looks alike.
        confidence=MEDIUM,
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
        blame=Blamed.PATH,
        evidence=("silences", "repeated", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
    Signature(
        cause=Cause.PONG_DEADLINE,
        shows="no close frame while traffic flowed, no ping ever came, and the age, or the time since "
        "this end's last pong, has a deadline's length",
        when=lambda f: _pong_deadline(f) and not _same_age(f),
        confidence=MEDIUM,
        sentence="a read deadline of {pongless} that only pongs reset: traffic flowed to the end, and "
        "no ping came that asks for a pong",
        headline="pong-only read deadline {pongless}, and no pings",
        blame=Blamed.PEER,
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
        cause=Cause.MAX_AGE,
        shows="no close frame while traffic flowed, at an age that limits or other connections have; but no "
        "ping came, and no pong went out",
        when=lambda f: (_same_age(f) or _aged(f)) and _pongs_untried(f),
        confidence=LOW,
        rivals=_AGE,
        sentence="a maximum age of {max_age}, or a read deadline as long that only pongs reset: traffic "
        "flowed to the end, but no ping came and no pong went out, so that the two look the "
        "same{age_owners}",
        headline="maximum age {max_age}, or pong-only read deadline",
        blame=Blamed.PATH,
        evidence=("silences", "server_pings", "together", "repeated", "end"),
        remedy="send an unsolicited pong now and then: if the connection then lives, let the {peer} reset "
        "its deadline on whatever it reads (gorilla: SetReadDeadline in the read loop); else raise "
        "{age_knobs}, or reconnect before it",
        runner_up=Cause.PONG_DEADLINE,
        source="measured with gorilla/websocket",
    ),
    Signature(
        cause=Cause.MAX_AGE,
        shows="no close frame while traffic flowed, at the same age as other connections",
        when=_same_age,
        confidence=MEDIUM,
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
        blame=Blamed.PATH,
        evidence=("silences", "together", "repeated", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
    Signature(
        cause=Cause.MAX_AGE,
        shows="the same at an age that read deadlines have, though each ping of the peer was answered",
        when=lambda f: _aged(f) and f.prompt_pongs and bool(timers.known(f.age, f.tier, CountsFrom.PONG)),
        confidence=LOW,
        sentence="a maximum age of {max_age}, or a path that lost the pongs: traffic flowed to the end, "
        "longer silences were survived, and each ping was answered{age_owners}",
        headline="maximum age {max_age}, or pongs lost on the way",
        blame=Blamed.PATH,
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
        cause=Cause.MAX_AGE,
        shows="no close frame while traffic flowed, at an age that limits have",
        when=_aged,
        confidence=LOW,
        rivals=(rivals.TOKEN, *_AGE),
        sentence="a maximum age of {max_age}: traffic flowed to the end, and longer silences were "
        "survived{age_owners}",
        headline="maximum age {max_age}",
        blame=Blamed.PATH,
        evidence=("silences", "server_pings", "end"),
        remedy="raise {age_knobs}, or reconnect before it{heartbeat_helps}",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
)
