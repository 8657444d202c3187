"""Rows for what the peer sent, and sends no more on a connection that is still there."""

from __future__ import annotations

from collections.abc import Callable

from ..cause import Cause, Confidence
from ..judge.requirement import CADENCE_TOLERANCE
from ..judge.verdict import Rule
from ..timeline.events import End, FrameKind
from .features import RECEIVED, Features
from .replies import NO_FRAMES_PASS, nothing_came
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

# Messages from which on they are a stream and no answers to single questions.
_FLOWED = 3
# A heartbeat that comes so much later than it is due, by what its sender has named, is not late.
_ON_TIME = 1.0
# Heartbeats that stay away for more than so many of the pauses between them have stopped.
_PAUSES = 2


def _beats_stopped(f: Features) -> bool:
    """Whether heartbeats of the peer are due and do not come."""
    if _beats_rare(f):
        return False
    if Rule.CADENCE in f.broken or (Rule.HEARTBEATS in f.broken and f.end is End.SERVER):
        return True
    # Too few were answered at a client: they stopped if it was not the hold that was too short for more.
    return Rule.HEARTBEATS in f.broken and f.timeline.heartbeat_sender is RECEIVED and _beats_overdue(f)


def _beats_rare(f: Features) -> bool:
    """Whether heartbeats of the peer miss what the test wants, and none what it named or the protocol has."""
    every, beats = f.timeline.peer_interval, f.timeline.heartbeats
    if Rule.CADENCE not in f.broken or every is None or (nothing_came(f) and _speaks_first(f)):
        return False
    gap = max(beats.longest_gap, f.age - (beats.last_at or 0.0))
    # A verdict falls once a gap is so many times what the test wants, so the gap tells how often that is.
    return gap / CADENCE_TOLERANCE < every and gap <= every + _ON_TIME


def _speaks_first(f: Features) -> bool:
    """Whether the peer is a server that says something, its interval perhaps, before it is asked."""
    protocol = f.timeline.protocol
    if protocol is None or f.end is End.SERVER:
        return False
    return protocol.greets or (protocol.has_session and not protocol.begins_session)


def _beats_overdue(f: Features) -> bool:
    """Whether heartbeats stay away for longer than two of the longest pauses between them."""
    beats = f.timeline.heartbeats
    return not f.ended and f.age - (beats.last_at or 0.0) > _PAUSES * beats.longest_gap


def _one_way_stopped(f: Features) -> bool:
    """Whether a server is silent whose heartbeats nobody answers, and of which any message stands for one."""
    silent = f.silent(RECEIVED, FrameKind.DATA)
    due = Rule.HEARTBEATS in f.broken and f.timeline.is_one_way and f.end is End.CLIENT
    return due and not f.ended and silent >= f.timeline.longest_gap(RECEIVED, FrameKind.DATA)


def _one_way_dead(f: Features) -> bool:
    """Whether messages came, and none for so long that it is no pause, though the peer still answers."""
    return is_dried_up(f) and _lives(f)


def _never_flowed(f: Features) -> bool:
    """Whether messages are due by the requirement, and too few came for a stream that could have ended."""
    few = f.timeline.messages.count < _FLOWED
    return Rule.FLOW in f.broken and few and f.timeline.close is None and f.asked_since is None


def is_dried_up(f: Features) -> bool:
    """
    Whether messages flowed, and none came for so long that it is no pause.

    Three times the longest pause before is none (a minute where it was longer), and 5 s at least; or any
    longer one than before where the requirement says how often they are due.

    """
    messages = f.timeline.messages
    if f.ended or messages.last_at is None or messages.count < _FLOWED:
        return False
    pause = f.age - messages.last_at
    due = Rule.FLOW in f.broken and pause > messages.longest_gap
    return due or pause > max(5.0, 3 * min(messages.longest_gap, 60.0))


def _lives(f: Features) -> bool:
    """Whether the peer answered or asked this end since its last message, and owes no answer."""
    since = f.timeline.messages.last_at or 0.0
    seen = (
        f.own_heartbeats.last_answered,
        f.own_pings.last_answered,
        f.peer_pings.last,
        f.peer_heartbeats.last,
    )
    return f.asked_since is None and any(at is not None and at > since for at in seen)


def _unheard_for(f: Features, silence: float) -> bool:
    """
    Whether nothing of the peer came since its next heartbeat was due, in a silence that breaks a requirement.

    It was due when two thirds of that had passed, if not before; what came earlier came before the path
    died, if it did.

    """
    return f.silent(RECEIVED) > silence - silence / CADENCE_TOLERANCE


def _path_may_be_dead(silence: Callable[[Features], float]) -> Rival:
    """The second cause of heartbeats that stay away, where nothing else of the peer came either."""
    return Rival(
        Cause.HALF_OPEN,
        "nothing else of the peer came since one was due",
        lambda f: _unheard_for(f, silence(f)),
        "nothing else of it came since, so a dead path or a frozen {peer} fits too",
        LOW,
    )


_UNHEARD = (_path_may_be_dead(lambda f: f.age - (f.timeline.heartbeats.last_at or 0.0)), NO_FRAMES_PASS)

ROWS = (
    Signature(
        claim=Claim(Cause.HEARTBEATS_RARE, HIGH, Blamed.NOBODY),
        shows="heartbeats of the peer are due less often than the requirement wants them, by what it named "
        "or by the protocol, and nothing else is broken",
        when=lambda f: _beats_rare(f) and f.broken <= {Rule.CADENCE, Rule.HEARTBEATS},
        sentence="the {peer}'s heartbeats are due every {beats_due}, and none was late: the test wants them "
        "more often",
        headline="heartbeats of the {peer} are due every {beats_due} only",
        evidence=("heartbeats", "last_received"),
        remedy="ask for them as often as they are due (heartbeat_every=, --heartbeat), or shorten the "
        "interval that the {peer} names",
        proved=True,
        source="measured with NiceGUI, whose Socket.IO server names 4 s",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEATS_STOPPED, HIGH, Blamed.PEER),
        shows="the client sent heartbeats before it reconnected, and none since",
        when=lambda f: (
            _beats_stopped(f) and not f.timeline.heartbeats.sent and bool(f.timeline.heartbeats_before)
        ),
        sentence="the {peer} sent no heartbeat after it reconnected: none came in {age}, and {beats_before} "
        "on the connections before",
        headline="the {peer} sent no heartbeat after it reconnected",
        evidence=("heartbeats", "last_received"),
        remedy="let the {peer} start its heartbeat timer with each connection, not with the first one only",
        rivals=_UNHEARD,
        proved=True,
        source="design",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEATS_STOPPED, HIGH, Blamed.PEER),
        shows="the peer never sent a heartbeat, and some are due",
        when=lambda f: _beats_stopped(f) and not f.timeline.heartbeats.sent,
        sentence="the {peer} never sent a heartbeat: none came in {age}",
        headline="the {peer} never sent a heartbeat",
        evidence=("heartbeats", "last_received"),
        remedy="let the {peer} send heartbeats; the profile says what one looks like (--ws-profile)",
        rivals=_UNHEARD,
        proved=True,
        source="design",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEATS_STOPPED, HIGH, Blamed.PEER),
        shows="heartbeats of the server came, are due and do not come",
        when=lambda f: _beats_stopped(f) and f.end is End.CLIENT,
        sentence="the {peer} sent no heartbeat for {beat_gap}",
        headline="no heartbeat of the {peer} for {beat_gap}",
        evidence=("heartbeats", "last_received"),
        remedy="look at the task or the timer of the {peer} that sends them: it has ended, or waits for "
        "something else",
        rivals=_UNHEARD,
        proved=True,
        source="measured with a server whose heartbeats stop",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEATS_STOPPED, HIGH, Blamed.PEER),
        shows="heartbeats of the peer came, are due and do not come",
        when=_beats_stopped,
        sentence="the {peer} sent no heartbeat for {beat_gap}",
        headline="no heartbeat of the {peer} for {beat_gap}",
        evidence=("heartbeats", "last_received"),
        remedy="a hidden browser tab runs its timers once a minute or less: send heartbeats from a "
        "worker, or let the server ask",
        rivals=_UNHEARD,
        proved=True,
        source="documentation of browsers (background tabs)",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEATS_STOPPED, HIGH, Blamed.PEER),
        shows="heartbeats of the server that nobody answers are due, and no message comes",
        when=_one_way_stopped,
        sentence="the {peer} sent no message for {last_heard_ago}, and heartbeats of it are due",
        headline="no message of the {peer} for {last_heard_ago}",
        evidence=("silences", "last_received"),
        remedy="look at the task or the timer of the {peer} that sends heartbeats: it has ended, or waits "
        "for something else; if it sends none, say so in the profile (heartbeats_from)",
        rivals=(_path_may_be_dead(lambda f: f.silent(RECEIVED, FrameKind.DATA)),),
        source="measured with a server whose heartbeats stop",
    ),
    Signature(
        claim=Claim(Cause.ONE_WAY_DEAD, MEDIUM, Blamed.PEER),
        shows="messages of the peer came and do not come any more, while it answers heartbeats or pings, or "
        "sends some",
        when=_one_way_dead,
        sentence="the connection lives, but what was subscribed to does not: no message came for "
        "{without_message}, since {last_message_at} ({messages_before}), and the {peer} {still}",
        headline="the {peer}'s stream is silent, the connection lives",
        evidence=("messages", "last_words", "notice", "heartbeats", "own_pings", "server_pings"),
        remedy="subscribe again where messages stay away for longer than they should, and look for what "
        "ended the subscription at the {peer} (a token, a lease, a worker that died)",
        rivals=(
            Rival(
                Cause.CLOSED_BY_PEER,
                "the requirement says nothing of messages that keep coming",
                lambda f: Rule.FLOW not in f.broken,
                "it may have nothing to say",
                LOW,
            ),
        ),
        runner_up=Cause.ZOMBIE,
        source="reports (Bittrex, medplum 8425)",
    ),
    Signature(
        claim=Claim(Cause.ONE_WAY_DEAD, LOW, Blamed.PEER),
        shows="messages of the peer came, are due by the requirement and do not come, and nothing since then "
        "shows whether the connection lives",
        when=lambda f: Rule.FLOW in f.broken and is_dried_up(f) and f.asked_since is None,
        sentence="no message came for {without_message}, since {last_message_at} ({messages_before}), and "
        "nothing shows whether the connection lives: a subscription that is over, a process that stands "
        "still and a dead path fit",
        headline="the {peer}'s stream is silent; nothing else was due",
        evidence=("messages", "last_words", "heartbeats", "own_pings", "server_pings", "tcp"),
        remedy="ask more often than messages are due (heartbeat=, or pings), which tells a dead path from a "
        "stream that is over",
        runner_up=Cause.HALF_OPEN,
        source="reports (Bittrex, medplum 8425)",
    ),
    Signature(
        claim=Claim(Cause.ONE_WAY_DEAD, LOW, Blamed.PEER),
        shows="messages of the peer are due by the requirement, less than three ever came, and it answers "
        "heartbeats or pings, or sends some",
        when=lambda f: _never_flowed(f) and _lives(f),
        sentence="the connection lives, and no stream of messages began in {age}: nothing "
        "was subscribed to, what was is not granted, or there is nothing to tell; the {peer} {still}",
        headline="no stream of messages began, the connection lives",
        evidence=("messages", "last_sent", "heartbeats", "own_pings", "server_pings"),
        remedy="see whether the {end} subscribes (traffic=), and what the {peer} answers to that; then "
        "whether there is something to tell",
        runner_up=Cause.ZOMBIE,
        source="reports (nautilus_trader 4255)",
    ),
    Signature(
        claim=Claim(Cause.ONE_WAY_DEAD, LOW, Blamed.PEER),
        shows="messages of the peer are due by the requirement, less than three ever came, and nothing shows "
        "whether the connection lives",
        when=_never_flowed,
        sentence="no stream of messages began in {age}, and nothing shows whether the "
        "connection lives: nothing was subscribed to, or a dead path or a process that stands still",
        headline="no stream of messages began; nothing else was due",
        evidence=("messages", "last_sent", "heartbeats", "own_pings", "server_pings", "tcp"),
        remedy="see whether the {end} subscribes (traffic=); ask more often than messages are due "
        "(heartbeat=, or pings), which tells a dead path",
        runner_up=Cause.HALF_OPEN,
        source="reports (nautilus_trader 4255)",
    ),
)
