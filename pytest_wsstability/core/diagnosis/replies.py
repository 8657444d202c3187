"""
Messages of the peer that came behind a question of this end and are no answer that its profile knows.

In virtual time an answer has the instant of its question: which of the two came first, their places in the
record say.

"""

from __future__ import annotations

from collections.abc import Sequence

from ..cause import Cause, Confidence
from ..timeline.events import SAME, End, Event, Opcode, Role
from .features import RECEIVED, SENT, TO_ANSWER, Features, is_data
from .signature import Rival

# Messages that a peer may send without being asked before it counts as one that speaks of its own accord.
_FEW = 1
# What ends so soon behind its first heartbeat is no accident: a share of its age, and seconds.
_SHARE, _SOON = 0.1, 0.5
# What a profile knows no message for: another one, or one whose end it waits for.
UNKNOWN = (Role.DATA, Role.NONE)
# What it knows as a message of the client's own: to a client that waits it is no answer.
NO_ANSWER = (*UNKNOWN, Role.SESSION_INFO)


def nothing_came(f: Features) -> bool:
    """Whether not one frame of the peer came, though it, or a proxy before it, took part in the opening."""
    return not f.timeline.count(RECEIVED)


# What looks like a peer that is silent, and whose kernel acknowledges.
NO_FRAMES_PASS = Rival(
    Cause.HALF_OPEN,
    "not one frame of the peer came since the opening",
    nothing_came,
    "not one frame of it came since the opening, so a proxy that passes the upgrade and no frames fits too",
    Confidence.LOW,
)


def behind_heartbeats(f: Features) -> Sequence[Event]:
    """For each heartbeat that is open, the message behind it; empty where one has had time, and has none."""
    beats, still = _beats(f), f.timeline.own_heartbeats.open
    found = [_behind_heartbeat(f, place) for place, at in beats if at in still and not _is_pending(f, place)]
    return () if None in found else [each for each in found if each is not None]


def answered_later(f: Features) -> Sequence[float]:
    """Instants of the heartbeats that were answered, and went out after one that was not."""
    still = f.timeline.own_heartbeats.open
    return [at for _, at in _beats(f)[1:] if at not in still]


def _beats(f: Features) -> Sequence[tuple[int, float]]:
    """Places and instants of the heartbeats of this end from the oldest open one on; empty without one."""
    since = f.own_heartbeats.open_since
    places = [(place, each.at) for place, each in enumerate(f.events) if _is_beat(each)]
    return [] if since is None else [each for each in places if each[1] >= since - SAME]


def _is_beat(event: Event) -> bool:
    """Whether it is a heartbeat; ping frames aside, whose answers need no profile."""
    return event.direction is SENT and event.role is Role.HEARTBEAT and event.opcode is not Opcode.PING


def _behind_heartbeat(f: Features, place: int) -> Event | None:
    heard = _first(f.events[place:])
    # What came sooner than half the usual time was on its way when the heartbeat went out.
    if heard is None or not f.own_heartbeats.usual / 2 <= heard.at - f.events[place].at < TO_ANSWER:
        return None
    is_known = heard.role is Role.HEARTBEAT_ANSWER and not f.timeline.own_heartbeats.unmatched
    return None if is_known or heard.role not in (*UNKNOWN, Role.HEARTBEAT_ANSWER) else heard


def ended_by_first_heartbeat(f: Features) -> bool:
    """Whether the end came without a word right behind this end's first heartbeat, a message not answered."""
    return not f.own_heartbeats.answered and _ended_by_only_heartbeat(f)


def ended_behind_first_answer(f: Features) -> bool:
    """The same where that heartbeat was answered, and nothing came behind the answer."""
    answered = f.timeline.last(direction=RECEIVED, role=Role.HEARTBEAT_ANSWER)
    is_last = answered is not None and f.silent(RECEIVED) >= f.age - answered - SAME
    return is_last and _ended_by_only_heartbeat(f)


def _ended_by_only_heartbeat(f: Features) -> bool:
    beats = [each for each in f.events if _is_beat(each)]
    if len(beats) != 1 or f.own_heartbeats.sent != 1 or f.close is None or f.close.reason:
        return False
    return f.tail.message is None and f.age - beats[0].at <= min(_SOON, _SHARE * f.age)


def _is_pending(f: Features, place: int) -> bool:
    """Whether a heartbeat went out just now, as when the one before is missed, and nothing came since."""
    return f.age - f.events[place].at < TO_ANSWER and _first(f.events[place:]) is None


def _first(events: Sequence[Event]) -> Event | None:
    return next((each for each in events if each.direction is RECEIVED and is_data(each)), None)


def speaks_unasked(f: Features) -> bool:
    """Whether the peer sent messages that no question of this end explains."""
    heard = [each for each in f.events if each.direction is RECEIVED and is_data(each)]
    return sum(each.role is Role.DATA for each in heard) > len(behind_heartbeats(f)) + _FEW


def behind_session(f: Features) -> Sequence[Event]:
    """What came of the peer behind the session's first message, or in all where none went out."""
    events = f.events
    if f.timeline.session_info_at is not None:
        # One that fell out of the record has nothing behind it of which that is sure.
        info = next(
            (n for n, each in enumerate(events) if each.direction is SENT and each.role is Role.SESSION_INFO),
            len(events),
        )
        events = events[info + 1 :]
    return [each for each in events if each.direction is RECEIVED]


def has_only_begun(f: Features) -> bool:
    """Whether this end has said no more than what its session begins with, for which it waits for nothing."""
    frames = (each for each in f.events if each.opcode not in (Opcode.NONE, Opcode.CLOSE))
    return all(each.role is Role.SESSION_INFO for each in frames if each.direction is SENT)


def instead_of_session(f: Features) -> Event | None:
    """The first message that a client got where the session's next step was due; None if there is none."""
    return None if f.end is End.SERVER else _first(behind_session(f))
