"""Rows for timers that cut a connection without a word: what they count from is told by what ran out."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.events import Direction, End, FrameKind
from . import rivals, timers
from .features import RECEIVED, SENT, SILENCE, Features, Shared
from .signature import Blamed, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW


def _idle(f: Features) -> bool:
    return f.cut and f.silence >= SILENCE and f.longest_quiet


def _idle_number(f: Features) -> bool:
    return bool(timers.known(f.silence, f.tier, CountsFrom.IDLE)) or timers.is_round(f.silence, f.tier)


def _age_number(f: Features) -> bool:
    return bool(timers.known(f.age, f.tier, CountsFrom.AGE)) or timers.is_round(f.age, f.tier)


def _aged(f: Features) -> bool:
    """Whether traffic flowed to an end at an age that limits have."""
    return f.cut and not _idle(f) and _age_number(f)


def _same_age(f: Features) -> bool:
    """Whether traffic flowed to an end at an age that other connections had."""
    return f.cut and f.together > 0 and f.shared is Shared.AGE and not _idle(f)


def _at_once(f: Features) -> bool:
    """Whether others that were opened, or last spoke, at one instant ended with it: no timer is shown."""
    return f.together > 0 and f.shared in (Shared.EVERYTHING, Shared.SILENCE) and not _idle(f)


def _pongs_untried(f: Features) -> bool:
    """Whether no ping came and no pong went out: a deadline that only pongs reset then looks like an age."""
    return f.end is End.CLIENT and not f.pings.received and not f.pings.ponged


def _without_messages(f: Features) -> bool:
    """Whether messages, and nothing else, were missing for longer than ever, both ways."""
    data = [f.silent(direction, FrameKind.DATA) for direction in (SENT, RECEIVED)]
    broke = all(f.broke_silence(direction, FrameKind.DATA) for direction in (SENT, RECEIVED))
    alike = abs(data[0] - data[1]) <= max(1.0, 0.02 * data[0])
    return f.cut and broke and alike and min(data) >= SILENCE and timers.is_round(min(data), f.tier)


def _one_way(f: Features, *what: tuple[Direction, FrameKind]) -> bool:
    """Whether one kind of traffic was never silent for longer, and that long is what timers are."""
    return f.cut and any(
        f.silent(direction, traffic) >= SILENCE
        and f.broke_silence(direction, traffic)
        and timers.is_round(f.silent(direction, traffic), f.tier)
        for direction, traffic in what
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
        and timers.is_round(without, f.tier)
    )


ROWS = (
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, after the longest silence either way, of a length that timers have; talk "
        "before it",
        when=lambda f: _idle(f) and not f.passive and _idle_number(f),
        confidence=HIGH,
        sentence="an idle timeout of {idle}: nothing was sent either way for {silence}{idle_owners}",
        headline="idle timeout {idle}",
        rivals=(rivals.BY_CHANCE,),
        blame=Blamed.PATH,
        evidence=("silences", "end", "server_pings"),
        remedy="send a heartbeat or ping more often than every {half_idle}, or raise {idle_knobs}",
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, and nothing was said since the session stood: silence and age are the same",
        when=lambda f: _idle(f) and f.passive and _idle_number(f),
        confidence=MEDIUM,
        sentence="an idle timeout of {idle}, or a maximum age of {max_age}: nothing was said, so that "
        "the two look the same{idle_owners}",
        headline="idle timeout {idle}, or maximum age",
        blame=Blamed.PATH,
        evidence=("silences", "end", "server_pings"),
        remedy="send a heartbeat more often than every {half_idle}: if the connection then dies at the "
        "same age, it is a maximum age (then raise that, or reconnect)",
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, after the longest time without messages either way, though control frames "
        "went on",
        when=lambda f: _without_messages(f) and not _idle(f),
        confidence=MEDIUM,
        sentence="an idle timeout of {up} that only messages reset: pings and pongs went on, but no message "
        "came or went for {up_time}{message_owners}",
        headline="idle timeout {up} that only messages reset",
        blame=Blamed.PATH,
        evidence=("silences", "server_pings", "end"),
        remedy="send a message (a heartbeat of the application) more often than every {half_up}: ping "
        "frames do not count",
        runner_up=Cause.READ_DEADLINE,
        source="documentation or reports (AWS API Gateway)",
    ),
    Signature(
        cause=Cause.READ_DEADLINE,
        shows="no close frame, after the longest time without bytes, or without messages, of this end",
        when=lambda f: _one_way(f, (SENT, FrameKind.ANY), (SENT, FrameKind.DATA)) and not _idle(f),
        confidence=MEDIUM,
        sentence="a read deadline of {up}: the {peer} kept talking, but the {end} sent no {up_what} for "
        "{up_time}",
        headline="read deadline {up}: no {up_what} of the {end}",
        blame=Blamed.PEER,
        evidence=("silences", "end", "server_pings"),
        remedy="let the {end} send {up_what} more often than every {half_up}",
        runner_up=Cause.MAX_AGE,
        source="documentation or reports (OCI, Deepgram, Phoenix)",
    ),
    Signature(
        cause=Cause.IDLE_TIMEOUT,
        shows="no close frame, after the longest time without bytes, or without messages, of the peer",
        when=lambda f: _one_way(f, (RECEIVED, FrameKind.ANY), (RECEIVED, FrameKind.DATA)) and not _idle(f),
        confidence=MEDIUM,
        sentence="an idle timeout of {down} on what the {peer} sends: the {end} kept talking, but no "
        "{down_what} came for {down_time}",
        headline="idle timeout {down} on what the {peer} sends",
        blame=Blamed.PATH,
        evidence=("silences", "end"),
        remedy="let the {peer} send {down_what} more often than every {half_down}",
        runner_up=Cause.MAX_AGE,
        source="documentation or reports (OCI, CloudFront)",
    ),
    Signature(
        cause=Cause.RESTART,
        shows="no close frame, and other connections that were opened, or last spoke, at one instant ended "
        "within 2 s, at an age that is nobody's limit",
        when=lambda f: f.cut and _at_once(f) and not _age_number(f),
        confidence=MEDIUM,
        sentence="{together} other connections ended within 2 s: a restart fits; as they were opened, or "
        "last spoke, at one instant, a timer that they share fits too",
        headline="restart? {together} more ended within 2 s",
        blame=Blamed.PEER,
        evidence=("together", "end", "silences"),
        remedy="open the connections some seconds apart, to see whether they share an instant or an age",
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        cause=Cause.PONG_DEADLINE,
        shows="no close frame while traffic flowed, no ping ever came, and the age, or the time since "
        "this end's last pong, has a deadline's length",
        when=_pong_deadline,
        confidence=MEDIUM,
        sentence="a read deadline of {pongless} that only pongs reset: traffic flowed to the end, and "
        "no ping came that asks for a pong",
        headline="read deadline {pongless} (pong-only), and no pings",
        blame=Blamed.PEER,
        evidence=("server_pings", "silences", "end"),
        remedy="let the {peer} send pings before its deadline, and reset it on whatever it reads "
        "(gorilla: SetReadDeadline in the read loop)",
        runner_up=Cause.MAX_AGE,
        source="measured with gorilla/websocket",
    ),
    Signature(
        cause=Cause.MAX_AGE,
        shows="no close frame while traffic flowed, at an age that limits or other connections have; but no "
        "ping came, and no pong went out",
        when=lambda f: (_same_age(f) or _aged(f)) and _pongs_untried(f),
        confidence=MEDIUM,
        rivals=(rivals.ANY_AGE,),
        sentence="a maximum age of {max_age}, or a read deadline as long that only pongs reset: traffic "
        "flowed to the end, but no ping came and no pong went out, so that the two look the "
        "same{age_owners}",
        headline="maximum age {max_age}, or pong-only read deadline",
        blame=Blamed.PATH,
        evidence=("silences", "server_pings", "together", "end"),
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
        confidence=HIGH,
        rivals=(rivals.TOKEN,),
        sentence="a maximum age of {max_age}: traffic flowed to the end, and {together} other "
        "connections ended at the same age{age_owners}",
        headline="maximum age {max_age}",
        blame=Blamed.PATH,
        evidence=("silences", "together", "end"),
        remedy="raise {age_knobs}, or reconnect before it; a heartbeat does not help",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
    Signature(
        cause=Cause.MAX_AGE,
        shows="the same at an age that read deadlines have, though each ping of the peer was answered",
        when=lambda f: _aged(f) and f.prompt_pongs and bool(timers.known(f.age, f.tier, CountsFrom.PONG)),
        confidence=MEDIUM,
        sentence="a maximum age of {max_age}, or a path that lost the pongs: traffic flowed to the end, "
        "longer silences were survived, and each ping was answered{age_owners}",
        headline="maximum age {max_age}, or pongs lost on the way",
        blame=Blamed.PATH,
        evidence=("silences", "server_pings", "end"),
        remedy="see at the server whether the pongs arrive; else raise {age_knobs}, or reconnect before it",
        runner_up=Cause.CONTROL_FRAMES_LOST,
        source="documentation of load balancers",
    ),
    Signature(
        cause=Cause.MAX_AGE,
        shows="no close frame while traffic flowed, at an age that limits have",
        when=_aged,
        confidence=MEDIUM,
        rivals=(rivals.TOKEN, rivals.ANY_AGE),
        sentence="a maximum age of {max_age}: traffic flowed to the end, and longer silences were "
        "survived{age_owners}",
        headline="maximum age {max_age}",
        blame=Blamed.PATH,
        evidence=("silences", "server_pings", "end"),
        remedy="raise {age_knobs}, or reconnect before it; a heartbeat does not help",
        runner_up=Cause.RESTART,
        source="documentation of load balancers",
    ),
)
