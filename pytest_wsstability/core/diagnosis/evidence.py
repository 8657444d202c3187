"""Facts on the record, in words, each with the instant it stands for; and what a fact rules out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from ..cause import Cause, Evidence
from ..duration import show_duration as show
from ..judge.handshake import session_due
from ..redact import show_message, show_text
from ..timeline.events import Direction, End, FrameKind, Role
from .both import client, server, server_close, unread_by_server
from .features import RECEIVED, SENT, TO_ANSWER, Asked, Features, is_data
from .protocol import said_wrong
from .replies import NO_ANSWER, behind_heartbeats, instead_of_session
from .words import message, reply, session, size

# A silence is worth its own words if it is longer by more than the other end has to answer.
_LONGER = TO_ANSWER
_NOT_SEEN = "the kernel's view of the connection (TCP_INFO) was not seen here: {why}"


def facts(f: Features, names: tuple[str, ...]) -> tuple[Evidence, ...]:
    """The named facts, as far as the record has them."""
    return tuple(fact for name in names if (fact := _FACTS[name](f)) is not None)


def _end(f: Features) -> Evidence | None:
    return Evidence(str(f.close), f.close.at) if f.close else None


def _server_pings(f: Features) -> Evidence:
    side = client(f) or f
    pings, who = side.peer_pings, side.end.value
    if not pings.received:
        return Evidence(f"no ping of the {side.end.peer.value} arrived at the {who}")
    what = f"{pings.received} ping{'s' * (pings.received > 1)} came, {pings.ponged} answered by the {who}"
    if pings.unanswered is not None:
        return Evidence(f"{what}; the one at {show(pings.unanswered)} was not", pings.unanswered)
    return Evidence(f"{what}, the slowest within {show(round(pings.latest, 3))}", pings.last)


def _questions(asked: Asked, noun: str) -> Evidence | None:
    if not asked.sent:
        return None
    text = f"{asked.answered} of {asked.sent} {noun} answered"
    if asked.open_since is not None:
        return Evidence(f"{text}; the one at {show(asked.open_since)} was not", asked.open_since)
    return Evidence(text)


def _own_pings(f: Features) -> Evidence | None:
    return _questions(f.own_pings, f"pings of the {f.end.value}")


def _heartbeats(f: Features) -> Evidence | None:
    side = client(f) or f
    asked = side.own_heartbeats if side.own_heartbeats.sent else side.peer_heartbeats
    if side.timeline.is_one_way:
        # No answer is due to them: that none came proves nothing.
        return None
    return _questions(asked, "heartbeats")


def _open_questions(f: Features) -> Evidence | None:
    pair = (_heartbeats(f), _own_pings(f))
    found = [each for each in pair if each is not None]
    return Evidence("; ".join(each.text for each in found), found[0].at) if found else None


def _silences(f: Features) -> Evidence:
    last = f.age - f.silence
    before = "before the end" if f.ended else "ago"
    parts = [f"last byte either way {show(round(f.silence, 2))} {before}"]
    if last > 0:
        parts[0] += f" (at {show(round(last, 2))})"
        parts.append(f"the longest silence before was {show(round(f.longest_silence, 2))}")
    for direction, verb in ((SENT, "sent"), (RECEIVED, "received")):
        if f.silent(direction) > f.silence + _LONGER:
            # Bytes of a frame whose rest is missing may have come.
            half = direction is RECEIVED and f.timeline.half_frame_since is not None
            what = "no whole frame" if half else "nothing"
            parts.append(f"{what} {verb} for {show(round(f.silent(direction), 2))}")
        if (
            f.timeline.count(direction)
            and f.silent(direction, FrameKind.DATA) > f.silent(direction) + _LONGER
        ):
            parts.append(f"no message {verb} for {show(round(f.silent(direction, FrameKind.DATA), 2))}")
    return Evidence("; ".join(parts), last)


def _last(f: Features, direction: Direction, verb: str) -> Evidence | None:
    event = next(
        (event for event in reversed(f.events) if event.direction is direction and is_data(event)),
        None,
    )
    if event is None:
        return Evidence(f"no message was {verb}")
    return Evidence(f"last message {verb}: {size(event.size)} at {show(round(event.at, 3))}", event.at)


def _instead_of_session(f: Features) -> Evidence | None:
    event = instead_of_session(f)
    if event is None or event.role not in NO_ANSWER:
        return None
    came = f"{message(event)} came at {show(round(event.at, 3))}"
    return Evidence(f"{came}, and is not a {session_due(f.timeline)} that the profile knows", event.at)


def _behind_heartbeat(f: Features) -> Evidence:
    found, since = behind_heartbeats(f), f.own_heartbeats.open_since
    # The row that asks for it needs both.
    assert found
    assert since is not None
    text = f"{reply(f)} came {show(round(found[0].at - since, 3))} behind the heartbeat at {show(since)}"
    return Evidence(text, found[0].at)


def _tcp(f: Features) -> Evidence:
    tcp = f.tcp
    if tcp is None:
        return Evidence(_NOT_SEEN.format(why=f.timeline.tcp_unseen or "no sample was taken"))
    return Evidence(
        f"kernel at {show(round(tcp.at, 2))}: {tcp.unacked} segments not acknowledged, "
        f"{tcp.retransmits} retransmissions, {size(tcp.send_queue)} in the queue, last acknowledgement "
        f"{show(round(tcp.last_ack_recv, 2))} ago",
        tcp.at,
    )


def _together(f: Features) -> Evidence | None:
    if not f.beside.together and not f.beside.survivors:
        return None
    text = f"{f.beside.together} other connections ended within 2 s, {f.beside.survivors} lived on"
    if f.beside.together:
        text += f"; ages {show(round(f.beside.youngest, 1))} to {show(round(f.beside.oldest, 1))}"
    return Evidence(text)


def _repeated(f: Features) -> Evidence | None:
    ages, silences = max(f.beside.same_age, f.beside.in_a_row), f.beside.same_silence
    if not ages and not silences:
        return None
    what = "at the same age" if ages >= silences else "after the same silence"
    return Evidence(f"{max(ages, silences)} other connections ended {what}, at other instants")


def _local_reason(f: Features) -> Evidence | None:
    close = server_close(f)
    if close is None or close.local_text is None:
        return None
    return Evidence(f"server: {show_text(close.local_text)}", close.at)


def _unread(f: Features) -> Evidence | None:
    at = unread_by_server(f)
    if at is None:
        return None
    return Evidence(f"server: reading was paused at {show(round(at, 2))}, and it read nothing since", at)


def _both_pings(f: Features) -> Evidence | None:
    here, there = client(f), server(f)
    if here is None or there is None:
        return None
    return Evidence(
        f"server sent {there.own_pings.sent} pings and got {there.own_pings.answered} pongs; client got "
        f"{here.peer_pings.received} pings and sent {here.peer_pings.ponged} pongs"
    )


def _flaws(f: Features) -> Evidence | None:
    found = [f"{each.flaw.value} at {show(round(each.at, 3))}" for each in f.timeline.irregular]
    return Evidence("; ".join(found), f.timeline.irregular[0].at) if found else None


def _late(f: Features) -> Evidence | None:
    own, pings = f.timeline.own_heartbeats, f.timeline.pings
    trips = own if own.answered else pings
    if not trips.answered:
        return None
    at, slowest = max(trips.rtts.slowest_above(-math.inf), key=lambda pair: pair[1])
    return Evidence(
        f"slowest answer {show(round(slowest, 3))} (asked at {show(round(at, 2))}), fastest "
        f"{show(round(trips.rtts.minimum, 4))}",
        at,
    )


def _peer_heartbeats(f: Features) -> Evidence | None:
    return _questions(f.peer_heartbeats, f"heartbeats of the {f.end.peer.value}")


def _unsent(f: Features) -> Evidence | None:
    line = f.timeline
    if not line.unsent or line.unsent_since is None:
        return None
    text = (
        f"{size(line.unsent)} of the {f.end.value} had not left it, since {show(round(line.unsent_since, 2))}"
    )
    return Evidence(text, line.unsent_since)


def _between(f: Features) -> Evidence | None:
    if f.between is None or not (f.between.behind or f.between.pong_missing):
        return None
    parts = []
    if f.between.behind:
        parts.append(f"the proxy had it {show(round(f.between.behind, 2))} before it came here")
    if f.between.pong_missing:
        parts.append("the proxy passed a ping, and no pong after it")
    return Evidence("; ".join(parts))


def _stray(f: Features) -> Evidence | None:
    if not f.stray.data or f.close is None:
        return None
    return Evidence(f"in place of a frame: {f.stray.shown}", f.close.at)


def _errors(f: Features) -> Evidence | None:
    said = said_wrong(f)
    if said is None:
        return None
    at, text = said
    return Evidence(f"error message at {show(round(at, 3))}: {show_message(text, 120)}", at)


def _last_words(f: Features) -> Evidence | None:
    words, at = f.last_words, f.timeline.messages.last_at
    if words is None or at is None:
        return None
    return Evidence(
        f"the {f.end.peer.value}'s last message at {show(round(at, 3))}: {show_message(words, 120)}", at
    )


def _messages(f: Features) -> Evidence:
    messages = f.timeline.messages
    if messages.last_at is None:
        return Evidence("no message of the application came")
    ago = show(round(f.age - messages.last_at, 2))
    return Evidence(
        f"{messages.count} messages came, the last at {show(round(messages.last_at, 2))} ({ago} ago), before "
        f"that never more than {show(round(messages.longest_gap, 2))} apart",
        messages.last_at,
    )


def _half_frame(f: Features) -> Evidence | None:
    since, last = f.timeline.half_frame_since, f.timeline.half_frame_last
    if since is None or last is None:
        return None
    text = f"the first bytes of a frame came at {show(round(since, 2))}"
    further = f", and further bytes until {show(round(last, 2))}" if last > since + _LONGER else ""
    return Evidence(text + further, since)


_FACTS: dict[str, Callable[[Features], Evidence | None]] = {
    "end": _end,
    "server_pings": _server_pings,
    "own_pings": _own_pings,
    "both_pings": _both_pings,
    "heartbeats": _heartbeats,
    "questions": _open_questions,
    "peer_heartbeats": _peer_heartbeats,
    "flaws": _flaws,
    "late": _late,
    "silences": _silences,
    "last_sent": lambda f: _last(f, SENT, "sent"),
    "last_received": lambda f: _last(f, RECEIVED, "received"),
    "instead_of_session": _instead_of_session,
    "behind_heartbeat": _behind_heartbeat,
    "largest": lambda f: Evidence(f"largest message sent on record: {size(f.messages.largest)}"),
    "tcp": _tcp,
    "unsent": _unsent,
    "between": _between,
    "stray": _stray,
    "half_frame": _half_frame,
    "together": _together,
    "repeated": _repeated,
    "unread": _unread,
    "local_reason": _local_reason,
    "parser": lambda f: (
        Evidence(f"parser: {show_text(f.close.parser_error)}", f.close.at)
        if f.close and f.close.parser_error
        else None
    ),
    "errors": _errors,
    "last_words": _last_words,
    "messages": _messages,
    "notice": lambda f: (
        Evidence(f"notice of the {f.end.peer.value} at {show(f.notice)}", f.notice)
        if f.notice is not None
        else None
    ),
    "session": lambda f: Evidence(session(f)),
    "lag": lambda f: Evidence(f"event loop {show(f.lag)} late", f.timeline.max_lag_at),
    "slept": lambda f: Evidence(f"the machine slept for {show(round(f.timeline.suspended, 1))}"),
    "paused": lambda f: Evidence(
        f"reading paused for {show(round(f.paused_for + f.timeline.paused_total, 2))}",
        f.timeline.paused_since,
    ),
}


def ruled_out(f: Features, cause: Cause, fitting: Sequence[Cause]) -> tuple[Evidence, ...]:
    """What it is not, with the fact that says so, for the causes that people ask about."""
    return tuple(Evidence(text) for other, text in _against(f) if other is not cause and other not in fitting)


def _against(f: Features) -> Iterator[tuple[Cause, str]]:
    if f.cut and not f.longest_quiet:
        text = f"an idle timeout: {show(round(f.longest_silence, 2))} of silence was survived before"
        yield Cause.IDLE_TIMEOUT, f"{text}, the last was {show(round(f.silence, 2))}"
    if f.end is End.CLIENT and f.ended and not f.peer_pings.received:
        yield Cause.PING_UNANSWERED, f"a keepalive of the {f.end.peer.value}: no ping of it was seen"
    elif f.end is End.CLIENT and f.ended and f.peer_pings.unanswered is None:
        slowest = show(round(f.peer_pings.latest, 3))
        yield Cause.PING_UNANSWERED, f"withheld pongs: all pings were answered, the slowest within {slowest}"
    if f.ended and f.beside.survivors and not f.beside.together:
        yield Cause.RESTART, f"a restart: {f.beside.survivors} other connections lived on"
    if f.ended and f.own_heartbeats.answered and f.own_heartbeats.open_since is None:
        # The last heartbeat may be too young to have its answer.
        answered = f.timeline.last(direction=RECEIVED, role=Role.HEARTBEAT_ANSWER)
        last = f.own_heartbeats.last_answered or answered or 0.0
        yield (
            Cause.PEER_FROZEN,
            f"a frozen {f.end.peer.value}: it answered heartbeats until {show(round(last, 2))}",
        )
