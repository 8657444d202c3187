"""Rows for connections that are still there, and broke a promise all the same."""

from __future__ import annotations

import operator

from ..cause import Cause, Confidence
from ..timeline.events import Event, Role
from . import rivals
from .features import RECEIVED, SENT, TO_ANSWER, Features, is_data
from .replies import NO_FRAMES_PASS, answered_later, behind_heartbeats, speaks_unasked
from .rows_keepalive import READ_OR_BEAT
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

# Bytes in the kernel's queue that nobody takes at the other end.
_QUEUED = 64 * 1024
# Seconds without a byte that left, after which a queue stands still: slow readers take some sooner.
_STUCK = 1.0
# Seconds after which the rest of a frame is not late any more, but missing.
_HALF_FRAME = 5.0
_UNTOLD = "answers cannot be told apart, so each may be a late one to the heartbeat before"


def _backpressure(f: Features) -> bool:
    tcp = f.tcp
    return tcp is not None and not tcp.unacked and (tcp.probes > 0 or tcp.send_queue >= _QUEUED)


def _nothing_leaves(f: Features) -> bool:
    """Whether bytes of this end wait, none was seen to leave for a while, and no kernel tells more."""
    line = f.timeline
    if f.ended or f.tcp is not None or line.unsent < _QUEUED or line.unsent_since is None:
        return False
    return f.age - max(line.unsent_since, line.drained_at or 0.0) > _STUCK


def _echoes(f: Features) -> bool:
    """Whether no heartbeat was answered, though one should be, and each came back at once in its own size."""
    if f.timeline.is_one_way:
        return False
    beats = [each for each in f.events if each.direction is SENT and each.role is Role.HEARTBEAT]
    heard = [each for each in f.events if each.direction is RECEIVED and is_data(each)]
    if f.timeline.peer_sends_heartbeats:
        # Its own are as large.
        heard = [each for each in heard if each.role is not Role.HEARTBEAT]
    came = [any(_is_echo(beat, each) for each in heard) for beat in beats]
    # The youngest may have gone out just now, as one does the moment that the one before is missed.
    pending = [f.age - beat.at < TO_ANSWER for beat in beats]
    return not f.own_heartbeats.answered and any(came) and all(map(operator.or_, came, pending))


def _is_echo(beat: Event, heard: Event) -> bool:
    # An answer to another id has the size of a heartbeat too ("ping" and "pong").
    is_answer = heard.role is Role.HEARTBEAT_ANSWER
    return not is_answer and heard.size == beat.size and 0 <= heard.at - beat.at < TO_ANSWER


def _answers_otherwise(f: Features) -> bool:
    """Whether a message that is no answer came behind each open heartbeat, and it is none of a stream."""
    if f.ended or f.own_pings.open_since is not None or not behind_heartbeats(f):
        return False
    return not (f.hears and speaks_unasked(f))


def _zombie(f: Features) -> bool:
    """Whether pings are answered, or the peer's own frames go on, while heartbeats are not answered."""
    return f.own_heartbeats.open_since is not None and f.own_pings.open_since is None and f.hears


def half_frame(f: Features) -> bool:
    """Whether a frame began so long ago, or before the open question's answer, that no rest comes."""
    since, asked = f.timeline.half_frame_since, f.asked_since
    if since is None:
        return False
    # One that began as the question went out holds up the answer, or is it.
    holds_up = asked is not None and since <= asked + (TO_ANSWER if f.age - since > TO_ANSWER else 0.0)
    return f.age - since > _HALF_FRAME or holds_up


def _pinged_since(f: Features) -> bool:
    """Whether a ping that went out after the open heartbeat was answered."""
    beat, ping = f.own_heartbeats.open_since, f.own_pings.last_answered
    return beat is not None and ping is not None and ping >= beat


def _behind_stream(f: Features) -> bool:
    """Whether what the peer streams is late at a proxy of the test, or here in the middle of a frame."""
    return f.stream_is_behind or (f.streamed_to and f.timeline.half_frame_since is not None)


_BEHIND_STREAM = Rival(
    Cause.SLOW_ANSWERS,
    "messages of the peer came in a stream, and are late at a proxy of the test or come in pieces of a frame",
    _behind_stream,
    "its messages came in a stream that is not all here yet, so answers that wait behind it fit too",
    LOW,
)

ROWS = (
    Signature(
        claim=Claim(Cause.SLOW_ANSWERS, MEDIUM, Blamed.PATH),
        shows="questions stay open, and bytes of one frame of the peer have come for more than a second "
        "without a pause as long",
        when=lambda f: not f.ended and f.asked_since is not None and f.still_arrives,
        sentence="a frame of the {peer} that began at {half_frame} still arrives ({half_frame_for}), and the "
        "answers to what the {end} asked since {asked_since} wait behind it",
        headline="answers wait behind a frame that arrives for {half_frame_for}",
        evidence=("half_frame", "questions", "tcp"),
        remedy="let the {peer} send large messages in fragments, with answers between them, or over a faster "
        "link; or wait longer for answers",
        runner_up=Cause.HALF_FRAME,
        source="reports (autobahn-python 1327), measured",
    ),
    Signature(
        claim=Claim(Cause.HALF_FRAME, MEDIUM, Blamed.PEER),
        shows="a frame of the peer began, and its rest never came",
        when=lambda f: f.code is None and half_frame(f),
        sentence="a frame of the {peer} began at {half_frame}, and its rest has not come since "
        "({half_frame_for}): nothing behind it can be read",
        headline="half a frame since {half_frame}, and its rest never came",
        evidence=("half_frame", "questions", "tcp"),
        remedy="look what stopped the {peer}, or a proxy, in the middle of a frame (a length that is wrong, "
        "a buffer that is not flushed)",
        runner_up=Cause.HALF_OPEN,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, HIGH, Blamed.PATH),
        shows="questions stay open, and the kernel sends again and again in vain",
        when=lambda f: f.asked_since is not None and f.network_dead,
        sentence="the path is dead: nothing that the {end} sent since {asked_since} was acknowledged",
        headline="dead path (half-open): nothing was acknowledged",
        evidence=("tcp", "questions", "silences"),
        remedy="look at the network, a NAT or a sleeping host between the two ends",
        runner_up=Cause.PEER_FROZEN,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.BACKPRESSURE, HIGH, Blamed.PEER),
        shows="the kernel holds bytes that the peer does not take: window of zero, nothing lost",
        when=_backpressure,
        sentence="the {peer} reads too slowly: {queued} wait in the {end}'s kernel, and nothing was lost",
        headline="the {peer} reads too slowly: {queued} wait",
        evidence=("tcp", "questions"),
        remedy="send less, or let the {peer} read in a task of its own",
        rivals=(
            Rival(
                Cause.PEER_FROZEN,
                "nothing of the peer is heard either",
                lambda f: f.silent(RECEIVED) > _HALF_FRAME,
                "nothing of it is heard either, so a process that stands still fits too",
            ),
        ),
        runner_up=Cause.HALF_OPEN,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.BACKPRESSURE, MEDIUM, Blamed.PEER),
        shows="bytes of this end wait, none of them was seen to leave, and there is no kernel to ask",
        when=_nothing_leaves,
        sentence="the {peer} takes nothing any more: {unsent} of the {end} wait since {unsent_since}, and "
        "none was seen to leave",
        headline="the {peer} reads nothing: {unsent} wait",
        evidence=("unsent", "questions", "last_received"),
        remedy="send less, or let the {peer} read in a task of its own",
        runner_up=Cause.HALF_OPEN,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.ZOMBIE, MEDIUM, Blamed.PEER),
        shows="no heartbeat was answered, and after each a message of the same size came back at once",
        when=lambda f: not f.ended and _echoes(f),
        sentence="the {peer} sends back what it is sent: each heartbeat came back in its own size within a "
        "second, and that is no answer to it",
        headline="the {peer} echoes heartbeats, and answers none",
        together="heartbeats that come back as they are, and are not answered",
        evidence=("questions", "last_received"),
        remedy="answer heartbeats as the profile says; where the same message is the answer, say so: "
        "Profile(ping=..., pong=...)",
        runner_up=Cause.HALF_OPEN,
        source="measured with echo servers",
    ),
    Signature(
        claim=Claim(Cause.ZOMBIE, MEDIUM, Blamed.PEER),
        shows="a message that is no answer came right behind each heartbeat that stays open",
        when=_answers_otherwise,
        sentence="{reply} came right behind the heartbeat at {asked_since}, and it is no answer that the "
        "profile knows: one of another name, in another form (bytes, say) or with another id fits",
        headline="no answer that the profile knows: {reply}",
        together="answers to heartbeats that the profile does not know",
        evidence=("questions", "behind_heartbeat", "last_words", "tcp"),
        remedy="compare what the {peer} answers with the answer in the profile (--ws-profile): its name, its "
        "id, what ends it (records), and whether it is text",
        rivals=(
            Rival(
                Cause.HALF_OPEN,
                "the peer sends messages of its own accord too",
                speaks_unasked,
                "the {peer} sends messages of its own accord too, so it may be one of those",
                LOW,
            ),
        ),
        runner_up=Cause.HALF_OPEN,
        source="measured with answers that a profile does not know",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEATS_SKIPPED, MEDIUM, Blamed.PEER),
        shows="a heartbeat stays open, and later ones were answered",
        when=lambda f: not f.ended and bool(answered_later(f)),
        sentence="the {peer} did not answer the heartbeat at {asked_since}, and answered {answered_later} "
        "that went out after it: the path carries, and the {peer} passes some over",
        headline="no answer at {asked_since}, though later heartbeats were answered",
        evidence=("questions", "late", "tcp"),
        remedy="look how the {peer} answers heartbeats (each, or one in so many; while it is busy too), or "
        "allow some to be missed (heartbeat_missed_max)",
        rivals=(
            Rival(
                Cause.SLOW_ANSWERS,
                _UNTOLD,
                lambda f: not f.timeline.own_heartbeats.are_told,
                _UNTOLD,
                LOW,
            ),
        ),
        runner_up=Cause.SLOW_ANSWERS,
        source="measured with a server that drops one in three",
    ),
    Signature(
        claim=Claim(Cause.ZOMBIE, MEDIUM, Blamed.PEER),
        shows="heartbeats stay open, while pings are answered or the peer's own frames go on",
        when=_zombie,
        sentence="the {peer} still speaks, but since {asked_since} it answers no heartbeat: the "
        "connection lives, and the application behind it does not",
        headline="the {peer} lives, but answers no heartbeat",
        evidence=("questions", "own_pings", "server_pings", "tcp"),
        remedy="{heartbeat_first}look at the {peer}'s workers and queues: pongs prove its I/O loop only",
        rivals=(
            _BEHIND_STREAM,
            rivals.BLOCKED,
            Rival(
                Cause.HALF_OPEN,
                "no ping of this end was answered since, and the kernel does not say that it arrived",
                lambda f: not f.network_fine and not _pinged_since(f),
                "whether what went out arrived is not seen, so a path that is dead one way fits as well",
                LOW,
            ),
            Rival(
                Cause.PEER_NOT_READING,
                "no ping of this end was answered since",
                lambda f: not _pinged_since(f),
                "no ping of the {end} was answered since, so it may read nothing at all",
                LOW,
            ),
        ),
        runner_up=Cause.PEER_NOT_READING,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.NO_PONGS, MEDIUM, Blamed.PEER),
        shows="pings stay open, while the peer's other frames go on",
        when=lambda f: f.own_pings.open_since is not None and f.hears and f.own_heartbeats.open_since is None,
        sentence="the {peer} still speaks, but answers no ping since {asked_since}",
        headline="the {peer} sends, but answers no ping",
        evidence=("own_pings", "last_received", "tcp"),
        remedy=READ_OR_BEAT,
        rivals=(_BEHIND_STREAM, rivals.DEAD_TOWARDS_PEER, rivals.NEVER_ANSWERED),
        runner_up=Cause.CONTROL_FRAMES_LOST,
        source="documentation (AWS API Gateway, gorilla, coder/websocket)",
    ),
    Signature(
        claim=Claim(Cause.PEER_NOT_READING, MEDIUM, Blamed.PEER),
        shows="heartbeats and pings stay open, while the peer's own frames go on",
        when=lambda f: f.asked_since is not None and f.hears,
        sentence="the {peer} still speaks, but answers nothing since {asked_since}: it stopped reading, "
        "or nothing reaches it",
        headline="the {peer} speaks, but answers nothing",
        evidence=("questions", "last_received", "tcp"),
        remedy="in the {peer}'s handler, read in a task of its own; look for a path that is dead one way",
        rivals=(_BEHIND_STREAM, rivals.DEAD_TOWARDS_PEER, rivals.NEVER_ANSWERED),
        runner_up=Cause.HALF_OPEN,
        source="TCP_INFO, measured",
    ),
)

# Where no frame tells more: by the kernel's view, or without it.
LAST = (
    Signature(
        claim=Claim(Cause.ZOMBIE, LOW, Blamed.PEER),
        shows="no heartbeat was ever answered, no ping was asked, and the peer's kernel acknowledged "
        "everything",
        when=lambda f: (
            f.own_heartbeats.open_since is not None
            and f.own_pings.open_since is None
            and f.never_answered
            and f.network_fine
        ),
        sentence="the {peer} has answered no heartbeat yet, though its kernel (or a proxy's before it) "
        "acknowledged them: it may not know this heartbeat, or its application does nothing",
        headline="no heartbeat was ever answered: does the {peer} know it?",
        together="heartbeats that the {peer} may not know",
        evidence=("questions", "last_received", "tcp"),
        remedy="see whether the profile's heartbeat is the {peer}'s (--ws-profile); if it is, look at the "
        "{peer}'s handler",
        rivals=(NO_FRAMES_PASS,),
        runner_up=Cause.PEER_FROZEN,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.PEER_FROZEN, MEDIUM, Blamed.PEER),
        shows="questions stay open, nothing comes, and the peer's kernel acknowledged everything",
        when=lambda f: f.asked_since is not None and f.network_fine,
        rivals=(NO_FRAMES_PASS, *rivals.FROZEN),
        sentence="the {peer}'s process stands still since {asked_since}: its kernel (or a proxy's before "
        "it) acknowledged everything, and nothing answered",
        headline="the {peer} stopped answering at {asked_since}; its TCP still acknowledges",
        evidence=("tcp", "questions", "silences"),
        remedy="look for blocking calls in the {peer}'s event loop, or a stopped process",
        runner_up=Cause.HALF_OPEN,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, LOW, Blamed.PATH),
        shows="a heartbeat stays open, and nothing else was due that could tell more",
        when=lambda f: (
            f.own_heartbeats.open_since is not None and f.own_pings.open_since is None and not f.peer_due
        ),
        sentence="the heartbeat at {asked_since} was not answered, and nothing else was due since: a dead "
        "path (half-open), a process that stands still, or a dead application fit",
        headline="no answer, and nothing else was due: dead path?",
        evidence=("questions", "silences", "tcp"),
        remedy="send ping frames beside the heartbeats, or allow one missed heartbeat, to learn more",
        rivals=(rivals.FORGOTTEN,),
        runner_up=Cause.ZOMBIE,
        source="TCP_INFO, measured",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, LOW, Blamed.PATH),
        shows="questions stay open and nothing comes; the kernel's view is not known",
        when=lambda f: f.asked_since is not None,
        sentence="nothing came from the {peer} for {rx}, though the {end} asked at {asked_since}: a "
        "dead path (half-open) fits, and so does a process that stands still",
        headline="nothing heard for {rx}: dead path, or frozen {peer}",
        evidence=("questions", "silences", "tcp"),
        remedy="look at the network between the two ends, then at the {peer}'s process",
        rivals=rivals.UNHEARD,
        runner_up=Cause.PEER_FROZEN,
        source="TCP_INFO, measured",
    ),
)
