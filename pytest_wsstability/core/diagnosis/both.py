"""What the records of both ends of one connection show together; instants are compared on their clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..judge.verdict import Rule
from ..timeline.close import CloseEvidence, TransportEnd
from ..timeline.events import SAME, DeadlineTraffic, End, Event, EventKind, FaultName, Opcode, Role
from ..timeline.protocol_facts import Awaited
from .features import REACTION, RECEIVED, SENT, TO_ANSWER, Features, is_data

# What went out so long before the end, in seconds, has had time to come.
_ON_ITS_WAY = 1.0
_MESSAGES = (Opcode.TEXT, Opcode.BINARY)


def server(f: Features) -> Features | None:
    """The server's side of the record; None when we do not hold it."""
    return f if f.end is End.SERVER else f.other


def client(f: Features) -> Features | None:
    """The client's side of the record; None when we do not hold it."""
    return f if f.end is End.CLIENT else f.other


def server_close(f: Features) -> CloseEvidence | None:
    """How the connection ended at the server; None while it is open there, and when we do not hold that."""
    side = server(f)
    return None if side is None else side.close


def over_at(side: Features) -> float:
    """When an end knew that the connection was over, or was looked at, on the clock."""
    return side.timeline.opened + (side.close.at if side.close is not None else side.age)


def heard_at(side: Features) -> float:
    """When an end last got a frame before it closed; what it reads while it closes has come too late."""
    frames = [each for each in _before_closing(side) if each.direction is RECEIVED and _is_frame(each)]
    return side.timeline.opened + (frames[-1].at if frames else 0.0)


def gave_up(side: Features) -> bool:
    """Whether a timer of a server that waits for its client ran out."""
    close = side.close
    return close is not None and (close.deadline is not None or close.awaited not in (None, Awaited.AGE))


def asked_for_pongs(f: Features) -> bool:
    """Whether the server's read deadline ran out, which pongs would have reset, and it had sent pings."""
    side, close = server(f), server_close(f)
    if side is None or close is None or close.deadline is None or not side.own_pings.sent:
        return False
    return bool({DeadlineTraffic.PONG, DeadlineTraffic.ANY}.intersection(close.reset_by))


def heard_since_ping(side: Features, pinging: Features) -> bool:
    """Whether an end has got anything, be it part of a frame, since the other's first unanswered ping."""
    since = pinging.own_pings.open_since
    heard = max(heard_at(side), side.timeline.opened + (side.timeline.half_frame_last or 0.0))
    return since is None or heard > pinging.timeline.opened + since


def sent_in_vain(f: Features) -> bool:
    """Whether both are held, and the client had sent in time what the server's timer waited for in vain."""
    here, there = client(f), server(f)
    if here is None or there is None:
        return False
    until = over_at(there) - _ON_ITS_WAY
    return any(_sent_in_vain(here, there, kind, until) for kind in _awaited(there))


def _sent_in_vain(here: Features, there: Features, kind: DeadlineTraffic | Role, until: float) -> bool:
    came = [each for each in _before_closing(there) if each.direction is RECEIVED and _is_of(each, kind)]
    last = there.timeline.opened + (came[-1].at if came else 0.0)
    return any(
        _is_sent(each) and _is_of(each, kind) and last + _ON_ITS_WAY < _clock(here, each) < until
        for each in here.events
    )


def _awaited(side: Features) -> Collection[DeadlineTraffic | Role]:
    """What an end waited for: any frame, where its protocol's timer says no more."""
    close = side.close
    if close is None:
        return (DeadlineTraffic.ANY,)
    return close.reset_by or (
        (Role.HEARTBEAT_ANSWER if close.awaited is Awaited.ANSWER else DeadlineTraffic.ANY),
    )


def asked_too_late(f: Features) -> bool:
    """Whether both are held, and the server's last heartbeat had not come a second before it gave up."""
    here, there = client(f), server(f)
    if here is None or there is None:
        return False
    sent = there.timeline.last(direction=SENT, role=Role.HEARTBEAT)
    came = here.timeline.last(direction=RECEIVED, role=Role.HEARTBEAT)
    if sent is None:
        return False
    at = here.timeline.opened + (-1.0 if came is None else came)
    return not there.timeline.opened + sent <= at < over_at(there) - _ON_ITS_WAY


def knows_of_the_end(side: Features) -> bool:
    """Whether an end has heard that the connection is over: bytes still came through to it then."""
    close = side.close
    return close is not None and (
        close.received is not None or close.transport in (TransportEnd.FIN, TransportEnd.RESET)
    )


def ended_between(f: Features) -> bool:
    """Whether neither end ended it: both were cut off, or got a close frame that the other has not sent."""
    here, there = f.close, f.other.close if f.other is not None else None
    if f.other is None or here is None or there is None or here.local_reason or there.local_reason:
        return False
    seen = (TransportEnd.FIN, TransportEnd.RESET)
    cut = f.cut and f.other.cut and here.transport in seen and there.transport in seen
    return cut or (here.received_first is True and there.received_first is True)


def sent_whole(f: Features) -> bool:
    """Whether the other end has sent more frames, by its own record, than have come whole."""
    return f.other is not None and f.other.timeline.count(SENT) > f.timeline.count(RECEIVED)


def overtaken(there: Features, here: Features) -> bool:
    """Whether something came that went out behind a ping of one end, or a pong of the other, that did not."""
    ways = ((there, here, Opcode.PING), (here, there, Opcode.PONG))
    missing = ((*way[:2], _first_missing(*way)) for way in ways)
    return any(at is not None and _came(sender, receiver, at) for sender, receiver, at in missing)


def _first_missing(sender: Features, receiver: Features, opcode: Opcode) -> float | None:
    """When the first frame of a kind went out that has not come, where no later one has; None without one."""
    sent = [_clock(sender, each) for each in sender.events if each.opcode is opcode and _is_sent(each)]
    missing = sender.timeline.count(SENT, opcode) - receiver.timeline.count(RECEIVED, opcode)
    return sent[-missing] if 0 < missing <= len(sent) else None


def _came(sender: Features, receiver: Features, at: float) -> bool:
    """Whether more frames of a kind have come than had gone out at an instant: the order is kept."""
    return any(_ahead(sender, receiver, at, kind) > 0 for kind in (_MESSAGES, (Opcode.PING,), (Opcode.PONG,)))


def _ahead(sender: Features, receiver: Features, at: float, kind: Collection[Opcode]) -> int:
    """How many more frames of a kind have come than had gone out at an instant; below 0 for fewer."""
    sent = [each for each in sender.events if each.opcode in kind and _is_sent(each)]
    later = sum(_clock(sender, each) > at for each in sent)
    return receiver.timeline.count(RECEIVED, *kind) - (sender.timeline.count(SENT, *kind) - later)


def unread_since(side: Features) -> float | None:
    """Since when, on the clock, an end had read nothing when it closed or was looked at; None if it read."""
    if side.timeline.paused_since is not None:
        return side.timeline.opened + side.timeline.paused_since
    since = None
    for each in side.events:
        if each.kind is EventKind.READING_PAUSED:
            since = each.at
        elif each.kind is EventKind.READING_RESUMED and _before_its_end(each, side):
            since = None
    return None if since is None else side.timeline.opened + since


def unread_by_server(f: Features) -> float | None:
    """The same of the server, in seconds of the record that is diagnosed."""
    there = server(f)
    since = unread_since(there) if there is not None else None
    return None if since is None else since - f.timeline.opened


def beat_sent(f: Features) -> float | None:
    """When a server sent a heartbeat that is due at its client and has not come; None where it sent none."""
    there = f.other
    due = f.end is End.CLIENT and not f.ended and not f.broken.isdisjoint((Rule.CADENCE, Rule.HEARTBEATS))
    sent = there.timeline.last(direction=SENT, role=Role.HEARTBEAT) if there is not None and due else None
    if there is None or sent is None:
        return None
    at = there.timeline.opened + sent - f.timeline.opened
    came = f.timeline.last(direction=RECEIVED, role=Role.HEARTBEAT)
    return at if (came is None or came < at) and f.age - at > TO_ANSWER else None


def heartbeat_came(f: Features) -> bool:
    """Whether both are held, and the client's open heartbeat came to the server, which sent no answer."""
    there = _asked_server(f)
    return there is not None and _has_come(f, there) and not _answers_on_the_way(f, there)


def heartbeat_lost(f: Features) -> bool:
    """Whether both are held, and it did not come to a server that reads, or its answer did not return."""
    there = _asked_server(f)
    if there is None:
        return False
    return _answers_on_the_way(f, there) if _has_come(f, there) else reads(there)


def session_came(f: Features) -> bool:
    """Whether both are held, and what asks for the session has come to the server."""
    there, asked = f.other, f.timeline.session_info_at
    if there is None or asked is None or f.end is not End.CLIENT:
        return False
    return _ahead(f, there, f.timeline.opened + asked, _MESSAGES) >= 0


def session_lost(f: Features) -> bool:
    """Whether both are held, and that did not come to a server that reads, or its answer did not return."""
    there = f.other
    if there is None or f.end is not End.CLIENT or f.timeline.session_info_at is None:
        return False
    if f.ended or there.ended:
        return False
    confirmed = there.timeline.session_confirmed_at
    if confirmed is not None:
        return _ahead(there, f, there.timeline.opened + confirmed, _MESSAGES) < 0
    return reads(there) and not session_came(f)


def reads(side: Features) -> bool:
    """Whether nothing keeps an end from reading: a test that takes no messages, or that has frozen it."""
    line = side.timeline
    return not line.paused and not line.deliberately_stalled and frozen_at(side) is None


def answered_soon(f: Features) -> bool:
    """
    Whether both are held, and the other end had answered in half of the time in which its answers came.

    One that stood still, or did not read, sees a question late, and its record tells nothing of that.

    """
    there = f.other
    if there is None or there.timeline.paused_total:
        return False
    if any(each.fault is FaultName.FREEZE_LOOP for each in there.events):
        return False
    if Rule.SESSION in f.broken:
        waited, took = _session_took(f), _session_took(there)
    else:
        mine, theirs = f.own_heartbeats, there.peer_heartbeats
        waited = mine.slowest if mine.answered else None
        took = theirs.slowest if theirs.answered >= mine.answered else None
    return waited is not None and took is not None and took + there.timeline.max_lag <= waited / 2


def _session_took(side: Features) -> float | None:
    """Seconds between what asks for the session and what confirms it, at one end; None while one lacks."""
    asked, confirmed = side.timeline.session_info_at, side.timeline.session_confirmed_at
    return None if asked is None or confirmed is None else confirmed - asked


def _asked_server(f: Features) -> Features | None:
    """The server that a client waits for; None where it is not held, or has ended the connection before."""
    there = f.other
    is_due = f.end is End.CLIENT and f.close is None and f.own_heartbeats.open_since is not None
    if there is None or not is_due:
        return None
    # Where the client's record has ended too, that came after what is asked.
    ended_alone = there.close is not None and f.timeline.close is None
    asks = f.timeline.heartbeat_sender is SENT and there.timeline.heartbeat_sender is RECEIVED
    return there if asks and not ended_alone else None


def asks_by_ping(f: Features) -> bool:
    """Whether the heartbeat of this end that is open is a ping frame, which a library answers."""
    beat = _open_heartbeat(f)
    return beat is not None and beat.opcode is Opcode.PING


def _open_heartbeat(f: Features) -> Event | None:
    since = f.own_heartbeats.open_since
    beats = (each for each in f.events if _is_sent(each) and each.role is Role.HEARTBEAT)
    return None if since is None else next((each for each in beats if each.at >= since - SAME), None)


def _has_come(f: Features, there: Features) -> bool:
    """Whether the open heartbeat has come: as many of its kind as had gone out with it, in their order."""
    beat = _open_heartbeat(f)
    if beat is None:
        return False
    kind = (Opcode.PING,) if beat.opcode is Opcode.PING else _MESSAGES
    return _ahead(f, there, _clock(f, beat), kind) >= 0


def _answers_on_the_way(f: Features, there: Features) -> bool:
    if asks_by_ping(f):
        # A server cannot tell them from other pings of the client.
        return there.timeline.count(SENT, Opcode.PONG) > f.timeline.count(RECEIVED, Opcode.PONG)
    return there.timeline.heartbeats.answered > f.timeline.heartbeats.answered


def _before_its_end(event: Event, side: Features) -> bool:
    """Whether it was not for its end: whoever closes reads, to see the answer to its close frame."""
    return side.close is None or event.at < side.close.at - REACTION


def frozen_at(side: Features) -> float | None:
    """
    When, on the clock, the test last froze an end that has got no frame since; None if it did not.

    What waited meanwhile is read at the instant at which its timer rings.

    """
    heard = [
        each.at
        for each in _before_closing(side)
        if each.direction is RECEIVED and _is_frame(each) and _before_its_end(each, side)
    ]
    frozen = [each.at for each in side.events if each.fault is FaultName.FREEZE_LOOP]
    if not frozen or (heard and frozen[-1] < heard[-1]):
        return None
    return side.timeline.opened + frozen[-1]


def sent_since(here: Features, since: float, there: Features) -> bool:
    """Whether an end has sent what the timer of the other waits for after an instant on the clock."""
    return any(
        _is_sent(each) and _clock(here, each) >= since and any(_is_of(each, kind) for kind in _awaited(there))
        for each in here.events
    )


def _is_of(event: Event, kind: DeadlineTraffic | Role) -> bool:
    if not _is_frame(event):
        return False
    if isinstance(kind, Role):
        return event.role is kind
    if kind is DeadlineTraffic.DATA:
        return is_data(event)
    if kind is DeadlineTraffic.HEARTBEAT:
        return event.role is Role.HEARTBEAT
    return kind is DeadlineTraffic.ANY or event.opcode.name == kind.name


def _clock(side: Features, event: Event) -> float:
    return side.timeline.opened + event.at


def _before_closing(side: Features) -> Iterator[Event]:
    for each in side.events:
        if each.opcode is Opcode.CLOSE and each.direction is SENT:
            return
        yield each


def _is_frame(event: Event) -> bool:
    return event.kind is EventKind.FRAME and event.opcode is not Opcode.CLOSE


def _is_sent(event: Event) -> bool:
    return event.direction is SENT and _is_frame(event)
