"""Rows for ends that are known from both sides: the other end's own record says why."""

from __future__ import annotations

from functools import partial

from ..cause import Cause, Confidence
from ..judge.attempts import goodbye_at
from ..timeline.close import LocalReason
from ..timeline.events import DeadlineTraffic, End
from ..timeline.protocol_facts import Awaited
from .both import (
    asked_for_pongs,
    asked_too_late,
    client,
    heard_since_ping,
    knows_of_the_end,
    over_at,
    overtaken,
    reads,
    sent_in_vain,
    server,
    server_close,
)
from .features import Features
from .protocol import AWAITED, SAID_BEFORE
from .rows_idle_server import UNTIL_LATE, may_be_slow
from .signature import Blamed, Claim, Rival, Signature

HIGH, LOW = Confidence.HIGH, Confidence.LOW
_PONGS = (DeadlineTraffic.PONG,)


def _deadline(f: Features) -> bool:
    """Whether we hold the record of a server whose read deadline ran out."""
    close = server_close(f)
    return close is not None and close.deadline is not None


def _pong_only(f: Features) -> bool:
    """Whether only pongs would have reset that deadline."""
    close = server_close(f)
    return close is not None and close.deadline is not None and close.reset_by == _PONGS


def _withheld(f: Features) -> bool:
    side = client(f)
    return _pong_only(f) and side is not None and side.peer_pings.unanswered is not None


def _lost_on_the_way(f: Features) -> bool:
    """Whether the client sent pongs that the server did not get, or never got the server's pings."""
    here, there = client(f), server(f)
    if not asked_for_pongs(f) or here is None or there is None or there.own_pings.open_since is None:
        return False
    if here.peer_pings.received < there.own_pings.sent and here.peer_pings.ponged >= here.peer_pings.received:
        return reads(here)
    return here.peer_pings.ponged > there.own_pings.answered and here.peer_pings.unanswered is None


def _nothing_behind(f: Features) -> bool:
    """Whether nothing shows that what went out behind the pings or pongs that are missing came through."""
    here, there = client(f), server(f)
    return here is not None and there is not None and not overtaken(there, here)


def _server_heard_nothing(f: Features) -> bool:
    """Whether the client's frames do not reach the server at all, though it has got the server's pings."""
    here, there = client(f), server(f)
    if here is None or there is None or here.peer_pings.received < there.own_pings.sent:
        return False
    return not heard_since_ping(there, there)


def _dead_between(f: Features) -> bool:
    """Whether the server gave the client up, and neither has seen anything of the other since its ping."""
    here, there = client(f), server(f)
    if not _deadline(f) or here is None or there is None or there.own_pings.open_since is None:
        return False
    heard = knows_of_the_end(here) or heard_since_ping(here, there) or heard_since_ping(there, there)
    return reads(here) and not heard


def _dead_for_short(f: Features) -> bool:
    """Whether what goes through a slow path would not have come yet."""
    here, there = client(f), server(f)
    if here is None or there is None or there.own_pings.open_since is None:
        return False
    return over_at(here) - there.timeline.opened - there.own_pings.open_since < UNTIL_LATE


def _never_pinged(f: Features) -> bool:
    side = server(f)
    return _pong_only(f) and side is not None and not side.own_pings.sent


def _server_pinged_in_vain(f: Features) -> bool:
    """Whether only the server's record is there, and its pings were not answered."""
    return f.end is End.SERVER and f.other is None and _pong_only(f) and f.own_pings.open_since is not None


def _ended_for(f: Features, reason: LocalReason) -> bool:
    """Whether the server ended the connection for this reason, by its own record."""
    close = server_close(f)
    return close is not None and close.local_reason is reason


def _said_goodbye(f: Features, *, end: End) -> bool:
    """Whether this is a record of an end, and the server's has a goodbye of the client right before it."""
    side = server(f) if f.end is end else None
    at = goodbye_at(side.timeline) if side is not None and side.ended else None
    return side is not None and at is not None and side.age - at <= SAID_BEFORE


def _protocol_timer(f: Features, what: Awaited) -> bool:
    """Whether we hold the record of a server that ended it with a timer of its protocol."""
    side, close = server(f), server_close(f)
    if side is None or side.timeline.protocol is None or close is None:
        return False
    return close.local_reason is LocalReason.PROTOCOL_TIMER and close.awaited is what


def _pings_lost(f: Features) -> bool:
    """Whether pings of the client, or the pongs to them, were lost while what was sent behind them came."""
    here, there = client(f), server(f)
    if here is None or there is None or here.asked_since is None or not _waits(there):
        return False
    return (here.close is None or here.close.local_reason in _GAVE_UP) and overtaken(here, there)


def _waits(side: Features) -> bool:
    """Whether an end has not ended the connection itself."""
    return side.close is None or side.close.local_reason is None


# Why a client ends a connection on which its pings are not answered.
_GAVE_UP = (LocalReason.PING_TIMEOUT, LocalReason.NO_ANSWER)
# A timer of a server that waited for an answer.
_QUESTION_LATE = Rival(
    Cause.PATH_STALLED,
    "the server's last heartbeat had not come to the client a second before",
    asked_too_late,
    "the server's heartbeat had not come to the client in time, so a path that is slow, or stands still "
    "for a while, fits too",
    LOW,
)
# A timer of a server that waited for what the client has sent.
_ON_THE_WAY = (
    Rival(
        Cause.HALF_OPEN,
        "the client's record has frames that the server has not got",
        sent_in_vain,
        "the client has sent more than reached the server, so a dead path, or a server that reads no more, "
        "fits too",
        LOW,
    ),
)
_RIVALS = {Awaited.ANSWER: (*_ON_THE_WAY, _QUESTION_LATE), Awaited.AGE: ()}

ROWS = (
    Signature(
        claim=Claim(Cause.HALF_OPEN, HIGH, Blamed.PATH),
        shows="both ends held: the server's read deadline ran out, which the client has not seen, and "
        "nothing came through either way since the first ping that was not answered",
        when=_dead_between,
        sentence="the path is dead: nothing came through either way since the server's last pings; its "
        "{deadline} read deadline ran out, and the client has not heard of it",
        headline="dead path (half-open), read deadline {deadline}",
        evidence=("both_pings", "local_reason", "silences"),
        remedy="look at the network, a NAT or a sleeping host between the two ends",
        rivals=(may_be_slow(_dead_for_short),),
        runner_up=Cause.CONTROL_FRAMES_LOST,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.CONTROL_FRAMES_LOST, HIGH, Blamed.PATH),
        shows="both ends held: pings or pongs that one end sent did not arrive at the other",
        when=_lost_on_the_way,
        sentence="pings or pongs were lost on the way; the server's {deadline} read deadline, reset by "
        "{reset_by}, closed it",
        headline="control frames lost on the way, read deadline {deadline}",
        evidence=("both_pings", "local_reason"),
        remedy="look for a proxy that answers or swallows ping and pong frames; send JSON heartbeats, "
        "and let them reset the deadline",
        rivals=(
            Rival(
                Cause.HALF_OPEN,
                "nothing shows that what was sent behind them has come",
                _nothing_behind,
                "nothing shows that what was sent behind them came, so a path that is dead one way, or slow, "
                "fits too",
                LOW,
            ),
            Rival(
                Cause.PEER_NOT_READING,
                "nothing else of the client's has reached the server since",
                _server_heard_nothing,
                "nothing else of the client's reached the server since, so a server that reads no more "
                "fits too",
                LOW,
            ),
        ),
        runner_up=Cause.HALF_OPEN,
        source="design",
    ),
    Signature(
        claim=Claim(Cause.CONTROL_FRAMES_LOST, HIGH, Blamed.PATH),
        shows="both ends held: pings of the client are open, and they, or the pongs to them, did not arrive, "
        "though what was sent behind them did",
        when=_pings_lost,
        sentence="pings of the client, or the pongs to them, were lost on the way, though what was sent "
        "behind them came",
        headline="the client's pings, or the pongs, lost on the way",
        evidence=("questions", "end"),
        remedy="look for a proxy that answers or swallows ping and pong frames; send heartbeats of the "
        "application instead of pings",
        runner_up=Cause.HALF_OPEN,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.PING_UNANSWERED, HIGH, Blamed.CLIENT),
        shows="both ends held: the server's read deadline that only pongs reset ran out, and the client "
        "withheld pongs",
        when=_withheld,
        sentence="the client withheld pongs; the server's {deadline} read deadline, reset only by "
        "pongs, closed it",
        headline="pongs withheld, pong-only read deadline {deadline}",
        evidence=("server_pings", "heartbeats", "local_reason"),
        remedy="answer ping frames with pong frames in the client; or reset the deadline in the "
        "server's read loop too, so that heartbeats count (gorilla: SetReadDeadline after each read)",
        proved=True,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.PONG_DEADLINE, HIGH, Blamed.SERVER),
        shows="both ends held: the server's read deadline that only pongs reset ran out, and it sent no "
        "pings",
        when=_never_pinged,
        sentence="the server's {deadline} read deadline is reset only by pongs, and it sent no pings "
        "that ask for one",
        headline="pong-only read deadline {deadline}, and no pings",
        evidence=("local_reason", "heartbeats"),
        remedy="send pings before the deadline ({nine_tenths}), and reset it in the read loop too "
        "(gorilla: SetReadDeadline)",
        proved=True,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.PING_UNANSWERED, HIGH, Blamed.CLIENT),
        shows="the server's record: its read deadline that only pongs reset ran out, its pings were not "
        "answered",
        when=_server_pinged_in_vain,
        sentence="the client answered no ping; the server's {deadline} read deadline, reset only by "
        "pongs, closed it",
        headline="pings unanswered, pong-only read deadline {deadline}",
        evidence=("own_pings", "heartbeats", "local_reason"),
        remedy="answer ping frames with pong frames in the client; or reset the deadline in the "
        "server's read loop too (gorilla: SetReadDeadline)",
        runner_up=Cause.HALF_OPEN,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.READ_DEADLINE, HIGH, Blamed.CLIENT),
        shows="the server's record: its read deadline ran out, which other traffic resets",
        when=_deadline,
        sentence="the server's {deadline} read deadline ran out: {reset_by} reset it, and none came in time",
        headline="read deadline {deadline}, reset by {reset_by}",
        evidence=("local_reason", "heartbeats"),
        remedy="let the client send {reset_by} more often than every {half}, or reset the deadline on "
        "whatever it sends{hidden_tab}",
        rivals=_ON_THE_WAY,
        runner_up=Cause.HALF_OPEN,
        source="measured with gorilla/websocket",
    ),
    *(
        Signature(
            claim=Claim(cause, HIGH, Blamed.CLIENT if what is not Awaited.AGE else Blamed.SERVER),
            shows=f"the server's record: a timer of its protocol ran out that waits for {what.value}",
            when=partial(_protocol_timer, what=what),
            sentence="{local_reason}",
            headline="{local_reason}",
            evidence=("local_reason", "peer_heartbeats", "heartbeats", "session", "silences"),
            remedy="see what the {protocol} client sends, and how often",
            rivals=_RIVALS.get(what, _ON_THE_WAY),
            runner_up=Cause.HALF_OPEN if what is not Awaited.AGE else Cause.PLANNED_ROTATION,
            source="design",
        )
        for what, cause in AWAITED.items()
    ),
    *(
        Signature(
            claim=Claim(cause, HIGH, Blamed.CLIENT),
            shows=f"{whose}: the client said goodbye in the protocol's words within 5 s before",
            when=partial(_said_goodbye, end=end),
            sentence="the client said goodbye in the words of {protocol}, and the connection ended",
            headline="the client said goodbye",
            evidence=("end",),
            proved=True,
            remedy="let the client stay for as long as the requirement says",
            source="documentation of the protocols",
        )
        for end, cause, whose in (
            (End.CLIENT, Cause.CLOSED_HERE, "both ends held"),
            (End.SERVER, Cause.CLOSED_BY_PEER, "at the server"),
        )
    ),
    Signature(
        claim=Claim(Cause.RESTART, HIGH, Blamed.SERVER),
        shows="the server's record: it restarts",
        when=lambda f: f.end is End.CLIENT and _ended_for(f, LocalReason.RESTART),
        sentence="the server restarts, and says so in its own record",
        headline="the server restarts",
        evidence=("end", "local_reason", "together"),
        proved=True,
        remedy="drain before a restart, and reconnect with jitter",
        source="design",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, HIGH, Blamed.SERVER),
        shows="the server's record: its handler raised",
        when=lambda f: _ended_for(f, LocalReason.HANDLER_RAISED),
        sentence="the server's handler failed: {local_reason}",
        headline="the server's handler raised an error",
        evidence=("end", "local_reason"),
        remedy="see the server's traceback",
        proved=True,
        source="design",
    ),
    Signature(
        claim=Claim(Cause.CLOSED_BY_PEER, HIGH, Blamed.SERVER),
        shows="the server's record: its handler returned",
        when=lambda f: f.end is End.CLIENT and _ended_for(f, LocalReason.HANDLER_RETURNED),
        sentence="the server's handler returned, which closes the connection",
        headline="the server's handler returned",
        evidence=("end", "local_reason"),
        proved=True,
        remedy="let the handler go on for as long as the connection is to live",
        source="design",
    ),
)
