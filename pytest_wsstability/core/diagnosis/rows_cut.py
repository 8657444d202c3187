"""Rows for ends without a close frame. FIN or RST says what the first hop did, no more (measured)."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import KNOWN_TIMERS, CountsFrom
from ..timeline.close import TransportEnd
from ..timeline.events import FrameKind
from . import rivals, timers
from .cohort import LONGEST_SWEEP, SAME_SILENCE, SILENCE, SWEEP, Shared
from .features import REACTION, SENT, Features
from .rows_said_keepalive import NOTHING_LEFT, asked_by_peer, behind_at_proxy, behind_own_bytes
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

# Seconds before which no keepalive is known to give up on a pong.
_SOONEST_KEEPALIVE = min(t.seconds for t in KNOWN_TIMERS if t.counts_from is CountsFrom.PING)
# A silence from which on the next bytes may find nobody any more.
_QUIET = 5.0
# RFC 5626, section 4.4: what keeps the shortest bindings of NATs open is sent each 24 to 29 s.
_SHORTEST_BINDING = 24.0
# Seconds: no shorter deadline for pongs is known.
_SHORTEST_PONG_DEADLINE = 6.0
# Loops that look at all connections every 30 s (the README of ws) end together what is older than a limit: at
# five minutes, ages that differ by a tenth.
_ONE_AGE = 0.1


def _behind_one_frame(f: Features) -> bool:
    """Whether one frame of the peer came for so long that a keepalive may have run out behind it."""
    since = f.timeline.half_frame_since
    return since is not None and f.age - since >= _SOONEST_KEEPALIVE


def _forgotten(f: Features) -> bool:
    """Whether the first word after a long silence was answered with RST, at an age that is no other's."""
    close, tail = f.close, f.tail
    is_reset = close is not None and close.transport is TransportEnd.RESET and close.received is None
    is_first = tail.only_sent and tail.quiet_before >= max(_QUIET, f.longest_silence - SAME_SILENCE)
    may_be_too_big = f.cut and f.after_largest_message and not long_enough(f)
    return is_reset and is_first and not may_be_too_big and not rivals.of_an_age(f)


def long_enough(f: Features) -> bool:
    """Whether the silence was as long as somebody is known to remember: how long it was tells no more."""
    return f.tail.quiet_before >= rivals.SOONEST_FORGOTTEN


def _ping_gap_is_a_number(f: Features) -> bool:
    """Whether a time since the first open ping, or since the last pong, is one that timers have."""
    gaps = (f.since_ping, f.age - (f.peer_pings.last_pong or 0.0))
    return any(timers.is_number(gap, f.tier, CountsFrom.PING, CountsFrom.PONG) for gap in gaps)


def _ping_was_last(f: Features) -> bool:
    """Whether the open ping was the last byte, a time before the end that idle timeouts have."""
    known = timers.known(f.silence, f.tier, CountsFrom.IDLE)
    return f.longest_quiet and bool(known) and abs(f.since_ping - f.silence) < REACTION


def _within_a_sweep(f: Features) -> bool:
    """Whether the ages differ by no more than servers leave between two looks at all connections."""
    return f.beside.oldest - f.beside.youngest <= SWEEP


def _pongless_within_a_sweep(f: Features) -> bool:
    """Whether a deadline for pongs that is looked at now and then explains the ages."""
    spread = f.beside.oldest - f.beside.youngest
    return spread <= LONGEST_SWEEP and f.silent(SENT, FrameKind.PONG) > _SHORTEST_PONG_DEADLINE


def _of_one_age(f: Features) -> bool:
    """Whether the ages differ by so little of their length that a limit which is looked at rarely fits."""
    return f.beside.oldest - f.beside.youngest <= _ONE_AGE * f.beside.oldest


def _younger_live_on(f: Features) -> bool:
    """Whether others live on, and none of them is older than those that ended."""
    return f.beside.survivors > 0 and not f.beside.outlived


_TOGETHER = (
    Rival(
        Cause.RESTART,
        "other connections ended within 2 s, and not merely at the same age",
        lambda f: f.beside.together > 0 and f.beside.shared is not Shared.AGE,
        "{together} other connections ended within 2 s, so a restart fits too",
    ),
)


# Measured with both; ingress-nginx 2461 and 2647, nginx-gateway-fabric 5524.
_RELOADED = (
    "a proxy that was reloaded cuts later what it still holds (nginx: worker_shutdown_timeout, HAProxy: "
    "hard-stop-after)"
)

ROWS = (
    Signature(
        claim=Claim(Cause.SESSION_NOT_CONFIRMED, MEDIUM, Blamed.PEER),
        shows="the end came with the answer to the message that sets up or resumes the session",
        when=lambda f: f.cut and f.answers_session,
        sentence="the session could not be set up or resumed: the {peer} cut the connection ({transport}) in "
        "answer to the session's first message",
        headline="cut in answer to the session's first message",
        evidence=("session", "end", "last_received"),
        remedy="see what the {peer} does with this session's id: where it was lost, a new session works",
        rivals=(
            Rival(Cause.SESSION_LOST, "always", lambda f: True),
            Rival(Cause.HANDLER_ERROR, "always", lambda f: True),
        ),
        source="reports (discord-api-docs 1619)",
    ),
    Signature(
        claim=Claim(Cause.SLOW_CONSUMER, MEDIUM, Blamed.SELF),
        shows="no close frame, and a proxy of the test shows that what the server sent was still on its way "
        "to the client",
        when=lambda f: f.cut and f.stream_is_behind,
        sentence="what the {peer} sends comes {behind} late through the proxy, and the {peer} cut the "
        "connection: its queue for a client that takes messages slower than they are sent fits",
        headline="slow consumer? {behind} behind when it was cut",
        evidence=("between", "end", "last_received"),
        remedy="read faster, or on a faster link; let the {peer} send less, or drop what is old",
        runner_up=Cause.RESTART,
        source="reports (openclaw 146419)",
    ),
    Signature(
        claim=Claim(Cause.MID_FRAME, MEDIUM, Blamed.PEER),
        shows="the stream ended inside a frame",
        when=lambda f: f.close is not None and f.code is None and f.close.mid_frame,
        sentence="the stream ended in the middle of a frame: who wrote it died or was cut off while "
        "writing, so this is no idle timeout",
        headline="cut in the middle of a frame",
        evidence=("end", "stray", "last_received", "together"),
        remedy="look for a crash of the {peer}, a proxy that cut the stream at this moment, or a keepalive "
        "that waits for less than a message takes",
        rivals=(
            Rival(
                Cause.SLOW_CONSUMER,
                "messages of the peer came in a stream",
                lambda f: f.streamed_to,
                "messages came in a stream, so a server that threw out a slow client fits too",
                LOW,
            ),
            Rival(
                Cause.PONG_LATE,
                "the frame was on its way for as long as keepalives wait",
                _behind_one_frame,
                "the frame was on its way for {half_frame_for}, and pings wait behind it: a keepalive of the "
                "{peer} that ran out meanwhile fits too",
                LOW,
            ),
        ),
        runner_up=Cause.RESTART,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, HIGH, Blamed.PATH),
        shows="ETIMEDOUT, or retransmissions in vain while nothing came",
        when=lambda f: (
            f.close is not None
            and f.close.received is None
            and (f.close.transport is TransportEnd.TIMED_OUT or f.network_dead)
        ),
        sentence="the path is dead: nothing that the {end} sent was acknowledged",
        headline="dead path (half-open): nothing was acknowledged",
        evidence=("tcp", "end", "silences"),
        remedy="look at the network, a NAT or a sleeping host between the two ends",
        runner_up=Cause.NAT_EXPIRED,
        source="TCP_INFO, measured: 7 of 7",
    ),
    Signature(
        claim=Claim(Cause.NAT_EXPIRED, MEDIUM, Blamed.PATH),
        shows="RST on the first bytes after the longest silence",
        when=_forgotten,
        sentence="the first bytes after {quiet} of silence were answered with RST: a NAT or load "
        "balancer had forgotten the connection without a word{silent_owners}",
        headline="RST on the first bytes after {quiet} of silence: NAT state",
        rivals=(
            Rival(
                Cause.HANDLER_ERROR,
                "the first bytes were a message",
                lambda f: f.tail.message is not None,
                "they were a message, so a handler that crashed on it fits too",
            ),
            Rival(
                Cause.RESTART,
                "nobody is known to forget so soon",
                lambda f: not long_enough(f),
                "nobody is known to forget so soon, so a host that was restarted fits too",
            ),
            Rival(
                Cause.RESTART,
                "the silence was shorter than what is sent to keep the shortest bindings open",
                lambda f: f.tail.quiet_before < _SHORTEST_BINDING,
                leaves=LOW,
            ),
        ),
        evidence=("end", "silences", "last_sent"),
        remedy="send something more often than every {half_quiet}, or turn TCP keepalive on",
        runner_up=Cause.RESTART,
        source="documentation of NAT gateways",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.PEER),
        shows="no close frame, and the pong waits behind bytes that are still on their way",
        when=lambda f: f.cut and asked_by_peer(f) and (behind_own_bytes(f) or behind_at_proxy(f)),
        sentence="the pong of the {end} was still on its way when the {peer} cut the connection: a keepalive "
        "that ran out meanwhile fits",
        headline="pong late, behind other bytes",
        evidence=("unsent", "between", "server_pings", "end"),
        remedy="let the {peer} wait longer for a pong, or count whatever arrives; or send smaller messages",
        rivals=(NOTHING_LEFT,),
        runner_up=Cause.RESTART,
        source="reports (aiohttp 12030)",
    ),
    Signature(
        claim=Claim(Cause.PING_UNANSWERED, MEDIUM, Blamed.SELF),
        shows="no close frame, and a ping of the peer was not answered",
        when=lambda f: f.cut and f.peer_pings.unanswered is not None,
        sentence="the {end} did not answer the ping at {ping}; {ping_gap} later the {peer} cut the "
        "connection{ping_owners}",
        headline="pongs withheld, cut {ping_gap} after a ping",
        rivals=(
            *_TOGETHER,
            Rival(
                Cause.IDLE_TIMEOUT,
                "the ping was the last byte, as long before the end as known idle timeouts are",
                _ping_was_last,
                "that was the last byte, so an idle timeout{idle_owners} fits too",
            ),
            Rival(
                Cause.RESTART,
                "three pings or more went unanswered, or the time since the ping and since the last pong "
                "is nobody's timer",
                lambda f: f.peer_pings.received - f.peer_pings.ponged >= 3 or not _ping_gap_is_a_number(f),
                "whether the {peer} enforces that is not seen, so an end by chance (a crash, a restart) "
                "fits too",
                LOW,
            ),
        ),
        evidence=("server_pings", "end", "heartbeats"),
        remedy="answer ping frames with pong frames",
        runner_up=Cause.RESTART,
        source="measured; defaults from the servers' source",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, MEDIUM, Blamed.SELF),
        shows="no close frame, and the peer's last heartbeat was not answered",
        when=lambda f: f.cut and f.peer_heartbeats.open_since is not None,
        sentence="the {peer}'s heartbeat at {heartbeat} was not answered, and {heartbeat_gap} later the "
        "connection was cut",
        headline="heartbeat of the {peer} unanswered for {heartbeat_gap}",
        rivals=_TOGETHER,
        evidence=("peer_heartbeats", "end"),
        remedy="answer the {peer}'s heartbeats",
        runner_up=Cause.RESTART,
        source="defaults of servers, from their source",
    ),
    Signature(
        claim=Claim(Cause.RESTART, HIGH, Blamed.PEER),
        shows="no close frame, and other connections of other ages, all in the middle of traffic, ended "
        "within 2 s, and few at other instants",
        when=lambda f: f.cut and f.beside.at_one_instant,
        sentence="{together} other connections ended within 2 s, {youngest} to {oldest} old and in the "
        "middle of traffic: the process, a proxy, or the host behind them stopped or restarted",
        headline="restart: {together} more ended within 2 s",
        evidence=("together", "end"),
        remedy=f"drain before a restart, and reconnect with jitter; {_RELOADED}",
        runner_up=Cause.MID_FRAME,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.RESTART, MEDIUM, Blamed.PEER),
        shows="no close frame, and other connections of other ages ended within 2 s",
        when=lambda f: f.cut and f.ended_for_one_reason,
        sentence="{together} other connections ended within 2 s, at other ages: the process, a proxy, "
        "or the host behind them crashed, stopped or restarted",
        headline="restart: {together} more ended within 2 s",
        evidence=("together", "end"),
        remedy="let the server close with 1001 or 1012 when it is told to stop, and drain before; reconnect "
        f"with jitter; {_RELOADED}",
        rivals=(
            *rivals.NO_COMMON_EVENT,
            Rival(
                Cause.PONG_DEADLINE,
                "the ages are within the longest sweep, and no pong went out for long",
                _pongless_within_a_sweep,
                "a deadline that only pongs reset, looked at now and then, ends them so too",
                LOW,
            ),
            Rival(
                Cause.MAX_AGE,
                "the ages differ by less than a tenth",
                _of_one_age,
                "the ages are nearly the same, so a limit that is looked at every half minute fits too",
                LOW,
            ),
            Rival(
                Cause.MAX_AGE,
                "only younger ones live on",
                _younger_live_on,
                "only younger ones live on, so a limit on the age fits too",
                LOW,
            ),
            Rival(
                Cause.MAX_AGE,
                "the ages are within one sweep",
                _within_a_sweep,
                "servers that look at all connections every few seconds end them so too",
            ),
        ),
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HARNESS_BLOCKED, MEDIUM, Blamed.HARNESS),
        shows="no close frame, other connections ended within 2 s, and the test's event loop stood still "
        "meanwhile, so that it cannot be told whether they share an instant or an age",
        when=lambda f: (
            f.cut and f.beside.shared is Shared.UNTOLD and not (f.silence >= SILENCE and f.longest_quiet)
        ),
        sentence="{together} other connections ended within 2 s, but the test's own event loop stood "
        "still meanwhile (for {lag} at worst): a restart and a maximum age then look the same",
        headline="the test's own event loop stood still for {lag}",
        evidence=("together", "lag", "end"),
        remedy="run the test on a quieter machine",
        runner_up=Cause.RESTART,
        source="measured, with every core busy",
    ),
)
