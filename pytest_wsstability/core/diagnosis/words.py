"""The words that the templates of the table are filled with."""

from __future__ import annotations

from collections.abc import Callable

from ..duration import show_duration as show
from ..judge.handshake import session_due, session_so_far
from ..known_timers import CountsFrom
from ..redact import show_message, show_text
from ..timeline.close import CLOSE_CODES
from ..timeline.events import Direction, End, Event, FrameKind, Role
from ..timeline.flaws import OF_PROTOCOL, Flaw
from . import timers
from .both import beat_sent, server, server_close, unread_by_server
from .features import RECEIVED, SENT, TO_ANSWER, Features, is_data
from .kept_back import kept_end, path_is_slow
from .protocol import meaning, ran_out, said_wrong
from .replies import answered_later, behind_heartbeats, instead_of_session
from .rivals import NO_MESSAGE_FOR_LONG, never_spoke


def _seconds(value: float | None) -> str:
    return show(round(value, 2)) if value is not None else "an unknown time"


def size(count: int) -> str:
    """Bytes for a sentence: ``512 B``, ``64 KiB``."""
    return f"{count} B" if count < 10_240 else f"{count / 1024:.0f} KiB"


def message(event: Event) -> str:
    """A message for a sentence: ``a text message of 114 B``."""
    return f"a {event.opcode.name.lower()} message of {size(event.size)}"


def reply(f: Features) -> str:
    """What came behind the oldest open heartbeat in the place of its answer."""
    event = behind_heartbeats(f)[0]
    if event.role is Role.HEARTBEAT_ANSWER:
        return f"an answer of {size(event.size)} to another id"
    return message(event)


def _deadline(f: Features) -> float:
    close = server_close(f)
    # The rows that ask for it need it.
    assert close is not None
    return close.deadline or 0.0


def _reset_by(f: Features) -> str:
    close = server_close(f)
    assert close is not None
    return " and ".join(kind.plural for kind in close.reset_by)


# Hidden tabs of browsers run their timers once a minute (chromestatus 4718288976216064).
_HIDDEN_TAB = 60.0
# No client is known to give up on a silent server sooner (Action Cable's; SignalR's does after 30 s).
_WATCHED = 6.0


def _hidden_tab(f: Features) -> str:
    """What a deadline of less than a minute means for a client whose heartbeats are timers of a page."""
    side = server(f)
    sends = side is not None and side.timeline.heartbeats.sent >= 2
    if not sends or _deadline(f) > _HIDDEN_TAB:
        return ""
    return (
        f"; a hidden browser tab runs its timers once a minute, which {show(_deadline(f))} is too short for: "
        "send heartbeats from a worker, or let the server ask"
    )


def _code(f: Features) -> str:
    return str(f.close.received) if f.close and f.close.received else "no close frame"


def _code_short(f: Features) -> str:
    if f.code is None:
        return "no code"
    return f"{f.code} {CLOSE_CODES[f.code].name}" if f.code in CLOSE_CODES else str(f.code)


def _quoted_reason(f: Features) -> str | None:
    """The close reason, quoted; None where there was none."""
    reason = f.close.reason if f.close is not None else ""
    return f'"{show_text(reason, 32)}"' if reason else None


def _owners(seconds: float, f: Features, *kinds: CountsFrom) -> str:
    """Who is known for a timer, as a hypothesis and no more."""
    signed = _signed(f)
    names = timers.owners(seconds, f.tier, *kinds, signed=signed)
    return f" ({show(round(seconds))} fits {names}{signed})" if names else ""


def _signed(f: Features) -> str:
    """Who signed the handshake's answer: a hint, since each hop may sign or replace it."""
    hints = f.timeline.hints
    return (
        f"; the response had {', '.join(f'{name}: {show_text(value, 40)}' for name, value in hints)}"
        if hints
        else ""
    )


def _knobs(seconds: float, f: Features, other: str, *kinds: CountsFrom) -> str:
    found = timers.known(seconds, f.tier, *kinds)
    return " / ".join(dict.fromkeys(timer.knob for timer in found if timer.knob)) or other


def one_way(f: Features, direction: Direction) -> tuple[FrameKind, float]:
    """The traffic of one direction whose silence before the end was the longest, and how long it was."""
    for traffic in (FrameKind.ANY, FrameKind.DATA):
        if f.broke_silence(direction, traffic):
            return traffic, f.silent(direction, traffic)
    return FrameKind.ANY, f.silent(direction)


def _what(f: Features, direction: Direction) -> str:
    return "bytes" if one_way(f, direction)[0] is FrameKind.ANY else "messages"


def _since(at: float | None, f: Features) -> str:
    return _seconds(None if at is None else f.age - at)


def session(f: Features) -> str:
    """How far the session came."""
    return session_so_far(f.timeline, unanswered="and no answer")


def _flaw(f: Features) -> str:
    """The first thing that the peer did against its protocol."""
    found = next(each for each in f.timeline.irregular if each.flaw in OF_PROTOCOL - {Flaw.FUNCTION})
    return f"{found.flaw.value}: {show_text(found.detail)}"


def _instead_of_session(f: Features) -> str:
    event = instead_of_session(f)
    return "nothing" if event is None else message(event)


def _slowest(f: Features) -> str:
    found = max(f.own_heartbeats.slowest, f.own_pings.slowest)
    # In whole hundredths, an answer of some milliseconds would take no time at all.
    return show(found) if 0 < found < 1 else _seconds(found or f.timeline.session_confirmed_at)


def _after_sending(f: Features) -> str:
    message = next((event for event in reversed(f.tail.sent) if is_data(event)), None)
    return (
        f"it came right after a message of {size(message.size)} of this end"
        if message
        else "it came by itself"
    )


def _answered_later(f: Features) -> str:
    """The first heartbeats that were answered after an open one: ``those at 20 s and 25 s``."""
    first = [_seconds(at) for at in answered_later(f)[:2]]
    return f"those at {' and '.join(first)}" if len(first) > 1 else f"the one at {first[0]}"


def _credentials_first(f: Features) -> str:
    """What helps a client before its token: one that was refused at once, or may have been waited for."""
    if f.end is not End.CLIENT or (f.age >= TO_ANSWER and not f.may_lack_credentials):
        return ""
    return (
        "give what it asks for, in a header (ws_headers) or a first message (the profile's session_info); or "
    )


def _heartbeat_first(f: Features) -> str:
    """What to look at before a server's workers, where nothing shows that it knows the profile."""
    is_known = f.own_heartbeats.answered or f.timeline.session_confirmed_at is not None
    if f.end is not End.CLIENT or is_known:
        return ""
    return "see whether the profile's heartbeat is the server's (--ws-profile); if it is, "


def _timer(f: Features) -> str:
    ran = ran_out(f)
    if ran is None:
        return ""
    return ran.timer.name if ran.runs is None else f"{ran.timer.name} of {show(ran.runs)}"


def _timer_waited(f: Features) -> str:
    ran = ran_out(f)
    return _seconds(ran.waited if ran is not None else None)


def _messages_before(f: Features) -> str:
    """How often messages came as long as they did."""
    messages = f.timeline.messages
    return f"{messages.count} came before, never more than {_seconds(messages.longest_gap)} apart"


def _proxy_shows(f: Features) -> str:
    if f.between is None or f.between.pong_missing:
        return "its pong had not passed the proxy yet, behind other bytes"
    return f"what passes the proxy came {_seconds(f.between.behind)} behind"


def _stood_still(f: Features) -> str:
    seconds = max(f.own_heartbeats.stood_still, f.own_pings.stood_still)
    if seconds:
        return f" (for {_seconds(seconds)}: answers came several at once)"
    pings = f.peer_pings
    return f" (its pings came {_seconds(pings.shortest_gap)} to {_seconds(pings.longest_gap)} apart)"


def _reasons_to_close(f: Features) -> str:
    if f.end is End.CLIENT:
        rules = "its own rules (on a path, an origin, a token) say so"
        return f"its function returned, it was told to stop, or {rules}"
    quiet, did = f.silent(SENT), "its user, or its own code, did"
    if quiet < _WATCHED or not f.broke_silence(SENT):
        return did
    return f"{did}; or it gave up on a server that had sent nothing for {_seconds(quiet)}"


def _local_reasons(f: Features) -> list[str | None]:
    """Why the server ended it, in its own words; then why this end did."""
    return [close.local_text for close in (server_close(f), f.close) if close is not None]


WORDS: dict[str, Callable[[Features], str]] = {
    "end": lambda f: f.end.value,
    "peer": lambda f: f.end.peer.value,
    "age": lambda f: _seconds(f.age),
    # Close frames.
    "reasons_to_close": _reasons_to_close,
    "code": _code,
    "code_short": _code_short,
    "said_or_credentials": lambda f: _quoted_reason(f) or "credentials",
    "said_or_policy": lambda f: _quoted_reason(f) or "policy",
    "compression_off": lambda f: "test again with compression off; " if f.code == 1002 else "",
    "credentials_first": _credentials_first,
    "transport": lambda f: f.close.transport.value if f.close else "open",
    "transport_error": lambda f: show_text((f.close.error if f.close else None) or "", 120),
    "parser_error": lambda f: show_text((f.close.parser_error if f.close else None) or "", 120),
    "injected_advice": lambda f: f"{f.advice}; or " if f.advice else "",
    "injected": lambda f: show_text(f.injected or "", 50),
    "local_reason": lambda f: show_text(next(filter(None, _local_reasons(f)), ""), 120),
    # Timers.
    "deadline": lambda f: show(_deadline(f)),
    "nine_tenths": lambda f: f"every {show(round(0.9 * _deadline(f), 1))}",
    "half": lambda f: show(_deadline(f) / 2),
    "reset_by": _reset_by,
    "hidden_tab": _hidden_tab,
    "silence": lambda f: _seconds(f.silence),
    "idle": lambda f: timers.value(f.silence, f.tier, CountsFrom.IDLE),
    "half_idle": lambda f: show(round(f.silence) / 2 or round(f.silence / 2, 2)),
    "idle_owners": lambda f: _owners(f.silence, f, CountsFrom.IDLE),
    "idle_knobs": lambda f: _knobs(f.silence, f, "the idle timeout of the proxy or server", CountsFrom.IDLE),
    "quiet": lambda f: _seconds(f.tail.quiet_before),
    "half_quiet": lambda f: show(round(f.tail.quiet_before) / 2),
    "whole_quiet": lambda f: show(round(f.tail.quiet_before)),
    "quiet_owners": lambda f: _owners(round(f.tail.quiet_before), f, CountsFrom.IDLE),
    "quiet_knobs": lambda f: _knobs(round(f.tail.quiet_before), f, "the idle timeout", CountsFrom.IDLE),
    "silent_owners": lambda f: _owners(f.tail.quiet_before, f, CountsFrom.SILENT),
    "max_age": lambda f: timers.value(f.age, f.tier, CountsFrom.AGE),
    "age_owners": lambda f: _owners(f.age, f, CountsFrom.AGE),
    "age_knobs": lambda f: _knobs(f.age, f, "the limit of the proxy, gateway or server", CountsFrom.AGE),
    "heartbeat_helps": lambda f: (
        "; or send a message now and then, which shows whether it is a deadline that waits for one"
        if never_spoke(f) or NO_MESSAGE_FOR_LONG.when(f)
        else "; a heartbeat does not help"
    ),
    "pongless": lambda f: timers.value(f.silent(SENT, FrameKind.PONG), f.tier, CountsFrom.PONG),
    "rx": lambda f: _seconds(f.silent(RECEIVED)),
    "silent_data": lambda f: _seconds(f.silent(SENT, FrameKind.DATA)),
    "half_silent_data": lambda f: _seconds(f.silent(SENT, FrameKind.DATA) / 2),
    "up": lambda f: timers.value(
        one_way(f, SENT)[1], f.tier, CountsFrom.IDLE_UPSTREAM, CountsFrom.MESSAGES_UPSTREAM
    ),
    "messageless": lambda f: timers.value(one_way(f, SENT)[1], f.tier, CountsFrom.MESSAGES),
    "message_owners": lambda f: _owners(one_way(f, SENT)[1], f, CountsFrom.MESSAGES),
    "up_what": lambda f: _what(f, SENT),
    "up_time": lambda f: _seconds(one_way(f, SENT)[1]),
    "half_up": lambda f: _seconds(one_way(f, SENT)[1] / 2),
    "down": lambda f: timers.value(one_way(f, RECEIVED)[1], f.tier, CountsFrom.IDLE_DOWNSTREAM),
    "down_what": lambda f: _what(f, RECEIVED),
    "down_time": lambda f: _seconds(one_way(f, RECEIVED)[1]),
    "half_down": lambda f: _seconds(one_way(f, RECEIVED)[1] / 2),
    # Questions and answers.
    "ping": lambda f: _seconds(f.peer_pings.unanswered),
    "ping_every": lambda f: _seconds(f.peer_pings.longest_gap),
    "ping_gap": lambda f: _since(f.peer_pings.unanswered, f),
    "ping_owners": lambda f: _owners(f.since_ping, f, CountsFrom.PING),
    "heartbeat": lambda f: _seconds(f.peer_heartbeats.open_since),
    "heartbeat_gap": lambda f: _since(f.peer_heartbeats.open_since, f),
    "reply": reply,
    "answered_later": _answered_later,
    "quiet_before_asked": lambda f: _seconds(f.quiet_before_asked),
    "asked_since": lambda f: _seconds(f.asked_since),
    "slowest": _slowest,
    "slowest_pong": lambda f: _seconds(f.own_pings.slowest),
    "heartbeat_first": _heartbeat_first,
    "unknown_ping": lambda f: _seconds(f.timeline.unknown_ping_at),
    "unknown_ping_gap": lambda f: _seconds(f.unknown_ping),
    "beats_before": lambda f: str(f.timeline.heartbeats_before or 0),
    "beats_due": lambda f: _seconds(f.timeline.peer_interval),
    "beat_gap": lambda f: _seconds(f.age - (f.timeline.heartbeats.last_at or 0.0)),
    "own_beat_gap": lambda f: _seconds(f.age - (f.timeline.own_heartbeats.last_at or 0.0)),
    # Messages.
    "nth_message": lambda f: str(f.messages_sent),
    "largest": lambda f: size(f.messages.largest),
    "last_size": lambda f: size(f.tail.message.size) if f.tail.message else "unknown size",
    "after_sending": _after_sending,
    # The session, other connections, the test process, the kernel.
    "session": session,
    "flaw": _flaw,
    "session_of": lambda f: (
        f"; the profile asks for {show_text(f.timeline.protocol.session_of, 120)}"
        if f.timeline.protocol is not None and f.timeline.protocol.session_of
        else ""
    ),
    "session_due": lambda f: session_due(f.timeline),
    "instead_of_session": _instead_of_session,
    "confirmations": lambda f: str(f.confirmations),
    "together": lambda f: str(f.beside.together),
    "noticed": lambda f: _since(f.notice, f),
    "lag": lambda f: show(f.lag),
    "slept": lambda f: show(round(f.timeline.suspended, 1)),
    "beat_sent": lambda f: _seconds(beat_sent(f)),
    "unread": lambda f: _seconds(unread_by_server(f)),
    "unsent": lambda f: size(f.timeline.unsent),
    "unsent_since": lambda f: _seconds(f.timeline.unsent_since),
    "path_is_slow": path_is_slow,
    "kept_end": lambda f: _seconds(kept_end(f)),
    "behind": lambda f: _seconds(f.between.behind if f.between else 0.0),
    "proxy_shows": _proxy_shows,
    "usual": lambda f: _seconds(max(f.own_heartbeats.usual, f.own_pings.usual)),
    "round_trip": lambda f: _seconds(f.round_trip),
    "since_first_ping": lambda f: _since(f.peer_pings.first, f),
    "since_ping": lambda f: _seconds(f.since_ping),
    "stood_still": _stood_still,
    "read_since_pong": lambda f: (
        ", though it answered what came behind the pong" if f.read_since_pong else ""
    ),
    "pings_seen": lambda f: (
        "no ping of it arrived here" if not f.peer_pings.received else "its pings were answered"
    ),
    "last_heard_ago": lambda f: _seconds(f.silent(RECEIVED, FrameKind.DATA)),
    "stray": lambda f: f.stray.line,
    "stray_close": lambda f: str(f.stray.close or ""),
    "frame_remedy": lambda f: f.stray.remedy(f.end.value, f.end.peer.value),
    "half_frame": lambda f: _seconds(f.timeline.half_frame_since),
    "half_frame_for": lambda f: _since(f.timeline.half_frame_since, f),
    "youngest": lambda f: _seconds(f.beside.youngest),
    "oldest": lambda f: _seconds(f.beside.oldest),
    "repeated": lambda f: str(max(f.beside.same_age, f.beside.in_a_row, f.beside.same_silence)),
    "of_the_age": lambda f: str(max(f.beside.same_age, f.beside.together)),
    # The application's protocol.
    "likeness": lambda f: f.timeline.looks_like.title if f.timeline.looks_like is not None else "a protocol",
    "likely_profile": lambda f: (
        f.timeline.looks_like.profile if f.timeline.looks_like is not None else "NAME"
    ),
    "unchosen": lambda f: show_text(f.timeline.unchosen or "", 64),
    "timer": _timer,
    "timer_waited": _timer_waited,
    "timer_remedy": lambda f: ran.timer.remedy if (ran := ran_out(f)) is not None else "",
    "protocol": lambda f: f.timeline.protocol.title if f.timeline.protocol is not None else "the protocol",
    "meaning": lambda f: known.meaning if (known := meaning(f)) is not None else "",
    "said": lambda f: show_message(said[1] if (said := said_wrong(f)) is not None else "", 120),
    "said_at": lambda f: _seconds(said[0] if (said := said_wrong(f)) is not None else None),
    "last_words": lambda f: show_message(f.last_words or "", 120),
    "parting_words": lambda f: show_message(f.parting_words or "", 120),
    "last_message_at": lambda f: _seconds(f.timeline.messages.last_at),
    "without_message": lambda f: _since(f.timeline.messages.last_at, f),
    "messages_before": _messages_before,
    "still": lambda f: (
        "still answers" if f.own_heartbeats.answered or f.own_pings.answered else "sends heartbeats or pings"
    ),
    "queued": lambda f: size(f.tcp.send_queue if f.tcp else 0),
}
