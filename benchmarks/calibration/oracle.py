"""
What is right to say of a connection, from what was done; and whether another system would look alike.

Two systems are *alike* for an end if they give it, and the ends beside it, the same records. That is decided
here, from the system and its traffic, before anything is diagnosed; an alike one may be told, and never with
high confidence.

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_wsstability import Cause
from pytest_wsstability.core.timeline.events import Direction, FrameKind, Opcode
from pytest_wsstability.core.timeline.timeline import Timeline

from .play import Seen
from .reasons import is_foreign
from .systems import System

_C = Cause
_SENT, _RECEIVED = Direction.SENT, Direction.RECEIVED

# The names for what the server or the path did, by the tag that it left.
_BY_TAG: dict[str, frozenset[Cause]] = {
    "idle any fin": frozenset({_C.IDLE_TIMEOUT}),
    "idle any reset": frozenset({_C.IDLE_TIMEOUT}),
    "idle any silence": frozenset({_C.NAT_EXPIRED}),
    "idle any blackhole": frozenset({_C.HALF_OPEN, _C.NAT_EXPIRED}),
    "age": frozenset({_C.MAX_AGE}),
    "deadline any": frozenset({_C.READ_DEADLINE, _C.IDLE_TIMEOUT}),
    "deadline data": frozenset({_C.READ_DEADLINE, _C.IDLE_TIMEOUT}),
    "deadline pong": frozenset({_C.PONG_DEADLINE, _C.READ_DEADLINE}),
    "pong missing": frozenset({_C.PING_UNANSWERED}),
    "pong late": frozenset({_C.PONG_LATE, _C.KEEPALIVE_TIMEOUT}),
    "pong missed": frozenset({_C.KEEPALIVE_TIMEOUT}),
    "loop blocked": frozenset({_C.PEER_FROZEN, _C.KEEPALIVE_TIMEOUT}),
    "not reading": frozenset({_C.PEER_NOT_READING, _C.KEEPALIVE_TIMEOUT}),
    "control frames eaten": frozenset({_C.CONTROL_FRAMES_LOST, _C.KEEPALIVE_TIMEOUT}),
    "path dead": frozenset({_C.HALF_OPEN, _C.KEEPALIVE_TIMEOUT}),
    "beat missing": frozenset({_C.ENGINE_IO_PING_TIMEOUT, _C.HEARTBEAT_UNANSWERED, _C.KEEPALIVE_TIMEOUT}),
    "restart": frozenset({_C.RESTART}),
    "handler failed": frozenset({_C.HANDLER_ERROR}),
    # It returns at one age on each connection, which is a limit on the age.
    "handler returned": frozenset({_C.CLOSED_BY_PEER, _C.MAX_AGE}),
    "token": frozenset({_C.AUTH_EXPIRED}),
    "session over": frozenset({_C.SESSION_EXPIRED, _C.MAX_AGE, _C.CLOSED_BY_PEER}),
    "origin": frozenset({_C.ORIGIN_REFUSED, _C.AUTH_EXPIRED}),
    "duplicate": frozenset({_C.SESSION_DUPLICATED}),
    "overload": frozenset({_C.OVERLOADED}),
    "upstream": frozenset({_C.UPSTREAM_FAILED}),
    "done": frozenset({_C.CLOSED_BY_PEER}),
    "rate": frozenset({_C.RATE_LIMITED}),
    "size": frozenset({_C.MESSAGE_TOO_BIG}),
    "slow": frozenset({_C.SLOW_CONSUMER}),
    "garbage frame": frozenset({_C.PROTOCOL_ERROR}),
    "garbage http": frozenset({_C.NO_FRAMES}),
    "garbage text": frozenset({_C.NO_FRAMES}),
    "garbage mid": frozenset({_C.MID_FRAME, _C.RESTART}),
    "not taken": frozenset({_C.HARNESS_NOT_READING}),
    "notice": frozenset({_C.PLANNED_ROTATION}),
}
# A box whose timer counts one direction, or messages.
for _reset_by in ("upstream", "downstream", "each", "data"):
    for _end in ("fin", "reset"):
        _BY_TAG[f"idle {_reset_by} {_end}"] = frozenset({_C.IDLE_TIMEOUT, _C.READ_DEADLINE})
    _BY_TAG[f"idle {_reset_by} silence"] = frozenset({_C.NAT_EXPIRED})
    _BY_TAG[f"idle {_reset_by} blackhole"] = frozenset({_C.HALF_OPEN, _C.NAT_EXPIRED})
# What a server that closes politely also did.
_TOLD_AS_NORMAL = frozenset({_C.IDLE_AS_NORMAL})
_MEANT = frozenset({_C.CLOSED_BY_PEER, _C.SESSION_EXPIRED})

# Codes whose definition leaves nothing else (RFC 6455, section 7.4.1, and IANA's registry).
_DEFINED = {1002, 1007, 1009, 1012, 1014}
# Words that several tags share.
_VAGUE = frozenset({
    "timeout", "connectiontimeout", "expired by timer", "time is up", "limit reached", "unresponsive",
    "client gone", "try again later", "something went wrong",
})  # fmt: skip
# Servers that look at all connections at once do it this often or more often, in seconds: the README of ws.
_SWEEP = 30.0


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was done to a connection."""

    # The names that are right; empty where nothing was done that anybody could name.
    right: frozenset[Cause]
    # Whether another system gives the same records, so that nothing is certain.
    alike: bool


def truth(system: System, seen: Seen, run: Sequence[Seen]) -> Truth:
    """What is right to say of a connection."""
    right = _right(system, seen)
    return Truth(right=right, alike=not _tellable(system, seen, run, right))


def _right(system: System, seen: Seen) -> frozenset[Cause]:
    close, tag = seen.timeline.close, seen.tag
    if close is not None and close.received is not None and close.received_first is not False and tag:
        polite = close.received.code in (1000, 1001, 1005)
        if tag == "deadline pong" and close.received.reason:
            # It calls itself an idle timeout.
            return _BY_TAG[tag] | {_C.IDLE_TIMEOUT}
        if tag.startswith("deadline") and polite:
            return _BY_TAG[tag] | _TOLD_AS_NORMAL
        return _BY_TAG[tag] | (_MEANT if tag == "age" else frozenset())
    if close is not None and close.planned:
        return frozenset({_C.CLOSED_HERE})
    if tag and not _gave_up(seen.timeline):
        if tag == "deadline pong" and seen.timeline.silent_for(_SENT) >= seen.timeline.duration - 1.0:
            # Nothing was sent, so that whatever counts what the client sends is the same timer.
            return _BY_TAG[tag] | {_C.IDLE_TIMEOUT}
        return _BY_TAG[tag]
    # Nobody ended it, or this end's keepalive gave up: what was done to the system.
    return _of_system(system, seen)


def _gave_up(line: Timeline) -> bool:
    """Whether this end's own keepalive ended the connection."""
    close = line.close
    return (
        close is not None and close.sent is not None and close.sent.code == 1011 and not close.received_first
    )


def _of_system(system: System, seen: Seen) -> frozenset[Cause]:
    path, server = system.path, system.server
    if not system.client.takes:
        return frozenset({_C.HARNESS_NOT_READING})
    if system.session_within:
        return frozenset({_C.SESSION_NOT_CONFIRMED} | ({_C.HALF_OPEN} if path.dead_at is not None else set()))
    if path.dead_at is not None:
        one_way = {_C.PEER_NOT_READING, _C.NO_PONGS} if path.dead == "upstream" else set()
        return frozenset({_C.HALF_OPEN} | (one_way if server.push_every or server.ping_every else set()))
    if path.stalls_at is not None:
        return frozenset({_C.PATH_STALLED, _C.HALF_OPEN})
    if server.half_frame_at is not None:
        return frozenset({_C.HALF_FRAME, _C.PROTOCOL_ERROR})
    if server.blocks:
        return frozenset({_C.PEER_FROZEN})
    if server.deaf_from < float("inf"):
        return frozenset({_C.PEER_NOT_READING})
    if server.zombie_from < float("inf") or (not server.answers and system.client.profile == "json"):
        return frozenset({_C.ZOMBIE})
    if server.pongless_from < float("inf"):
        return frozenset({_C.NO_PONGS})
    if server.half_frame_at is not None:
        return frozenset({_C.HALF_FRAME, _C.PROTOCOL_ERROR})
    if path.eats:
        return frozenset({_C.CONTROL_FRAMES_LOST})
    if path.idle is not None and path.idle_ends in ("silence", "blackhole"):
        return frozenset({_C.HALF_OPEN, _C.NAT_EXPIRED})
    if path.latency >= 1.0 or path.bandwidth:
        return frozenset({_C.SLOW_ANSWERS, _C.PONG_LATE})
    return frozenset()


def _tellable(system: System, seen: Seen, run: Sequence[Seen], right: frozenset[Cause]) -> bool:
    line = seen.timeline
    close = line.close
    if not right:
        return False
    if not system.client.takes:
        return True
    if close is None or _gave_up(line):
        return _open_is_tellable(system, seen, right)
    if _C.CLOSED_HERE in right or _C.PLANNED_ROTATION in right or close.parser_error is not None:
        return True
    if seen.tag in ("garbage http", "garbage text", "not taken"):
        return True
    if close.received is not None:
        return _close_is_tellable(system, seen)
    return _cut_is_tellable(seen, run)


def _open_is_tellable(system: System, seen: Seen, right: frozenset[Cause]) -> bool:
    """Without the kernel's view a dead path and a dead process are one; with it, both ways are."""
    if system.session_within:
        # A server that is heard, and does not confirm, does not confirm.
        heard = seen.timeline.duration - seen.timeline.silent_for(_RECEIVED)
        return system.path.dead_at is None and heard > (seen.timeline.session_info_at or 0.0) + 1.0
    if _C.HALF_OPEN in right and system.path.dead_at is not None:
        return system.kernel and any(look.retransmits >= 2 for look in seen.timeline.tcp)
    return False


def _close_is_tellable(system: System, seen: Seen) -> bool:
    close = seen.timeline.close
    assert close is not None
    assert close.received is not None
    code, words = close.received.code, close.received.reason
    ending = _ending(system, seen.tag)
    telling = bool(words) and words == ending and words.casefold().strip(".") not in _VAGUE
    if seen.tag in (
        "pong missed",
        "loop blocked",
        "not reading",
        "control frames eaten",
        "path dead",
        "pong late",
    ):
        # A keepalive that runs out though the client answers is one of several, but for round trips.
        return telling and seen.tag == "pong late"
    if seen.tag == "not taken":
        return True
    if telling and not is_foreign(words):
        return True
    # 1001 of a crowd is a server that goes away, or one that closes a room.
    return code in _DEFINED and not words


def _ending(system: System, tag: str) -> str:
    server = system.server
    if tag == "restart" and server.event is not None:
        return server.event.ending.words
    return server.timer_ending.words if tag == server.timer_tag else server.ending.words


def _cut_is_tellable(seen: Seen, run: Sequence[Seen]) -> bool:
    """
    Whether the connections beside it exclude all else.

    Three that end at one instant in the middle of traffic, of ages that no sweep explains, were ended by what
    they have in common. Three that end one after the other at one age, or after one silence behind a byte of
    the other end, while their lives overlapped, show the timer.

    """
    if seen.tag == "restart":
        return _at_one_instant(seen, run)
    if seen.tag == "age":
        return _repeats(seen, run, [each.timeline.duration for each in run]) >= 2
    if seen.tag.startswith("idle any"):
        line = seen.timeline
        heard_last = line.silent_for(_SENT) - line.silent_for(_RECEIVED) > 1.0
        return heard_last and _repeats(seen, run, [each.timeline.silence for each in run]) >= 2
    return False


def _at_one_instant(seen: Seen, run: Sequence[Seen]) -> bool:
    beside = [each for each in run if each.timeline.close is not None and abs(_end(each) - _end(seen)) <= 2.0]
    lively = [each for each in beside if _is_lively(each.timeline)]
    ages = [each.timeline.duration for each in beside]
    return len(lively) >= 3 and max(ages) - min(ages) > _SWEEP and min(ages) < max(ages) / 2


def _repeats(seen: Seen, run: Sequence[Seen], values: Sequence[float]) -> int:
    mine = values[[each.number for each in run].index(seen.number)]
    near = max(0.5, 0.01 * mine)
    return sum(
        each.number != seen.number
        and each.tag == seen.tag
        and abs(value - mine) <= near
        and abs(_end(each) - _end(seen)) > 2.0 + near
        and each.opened < _end(seen) - 1.0
        and seen.opened < _end(each) - 1.0
        for each, value in zip(run, values, strict=True)
    )


def _end(seen: Seen) -> float:
    return seen.opened + seen.timeline.duration


def _is_lively(line: Timeline) -> bool:
    """Whether bytes went either way until the end as they had gone before."""
    for direction in (_SENT, _RECEIVED):
        kinds = [FrameKind.ANY]
        if line.count(direction, Opcode.TEXT, Opcode.BINARY):
            kinds.append(FrameKind.DATA)
        if any(line.silent_for(direction, kind) > line.longest_gap(direction, kind) + 0.01 for kind in kinds):
            return False
    pinged, ponged = line.last(direction=_RECEIVED, opcode=Opcode.PING), line.ping_answered_at
    return pinged is None or (ponged is not None and ponged >= pinged)
