"""Rows for ends without a close frame. FIN or RST says what the first hop did, no more (measured)."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import KNOWN_TIMERS, CountsFrom
from ..timeline.close import TransportEnd
from . import rivals, timers
from .features import REACTION, RECEIVED, SENT, SILENCE, Features, Shared
from .signature import Blamed, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

# Messages of this size may be over somebody's limit; the smallest known one is 512 (gorilla's chat example).
_BIG = 512


def _unheard(f: Features) -> bool:
    """Whether this end asked (heartbeats, pings), and nothing came any more before the end."""
    asked = f.heartbeats.open_since is not None or f.asked.open_since is not None
    return asked and not f.hears


def _after_big_message(f: Features) -> bool:
    message = f.tail.message
    return f.cut and message is not None and message.size >= _BIG and f.messages.last_is_largest


def _forgotten(f: Features) -> bool:
    """Whether the first word after a long silence was answered with RST."""
    return (
        f.close is not None
        and f.close.transport is TransportEnd.RESET
        and f.close.received is None
        and f.tail.only_sent
        and f.tail.quiet_before >= 5.0
        and f.tail.quiet_before >= f.longest_silence - 0.01
        and (_long_enough(f) or not _after_big_message(f))
    )


def _long_enough(f: Features) -> bool:
    """Whether the silence was as long as somebody is known to remember: how long it was tells no more."""
    return f.tail.quiet_before >= min(t.seconds for t in KNOWN_TIMERS if t.counts_from is CountsFrom.SILENT)


def _ping_gap_is_a_number(f: Features) -> bool:
    """Whether a time since the first open ping, or since the last pong, is one that timers have."""
    gaps = (f.age - (f.pings.unanswered or 0.0), f.age - (f.pings.last_pong or 0.0))
    kinds = (CountsFrom.PING, CountsFrom.PONG)
    return any(timers.known(gap, f.tier, *kinds) or timers.is_round(gap, f.tier) for gap in gaps)


def _ping_was_last(f: Features) -> bool:
    """Whether the open ping was the last byte, a time before the end that idle timeouts have."""
    gap = f.age - (f.pings.unanswered or 0.0)
    known = timers.known(f.silence, f.tier, CountsFrom.IDLE)
    return f.longest_quiet and bool(known) and abs(gap - f.silence) < REACTION


def _unread(f: Features) -> bool:
    """
    Whether the peer threw away what this end had sent, though each of its pings was answered at once.

    A kernel answers with RST, and not with FIN, when bytes are left that its process did not read.

    """
    reset = f.close is not None and f.close.transport is TransportEnd.RESET
    spoke_last = f.silent(SENT) < f.silent(RECEIVED)
    return f.cut and reset and f.prompt_pongs and spoke_last and f.messages.streaming


def _after_message(f: Features) -> bool:
    return f.cut and f.tail.message is not None


def _after_some_message(f: Features) -> bool:
    """The same where messages are not so dense that any end comes right after one."""
    return _after_message(f) and not f.messages.streaming


def _after_rare_message(f: Features) -> bool:
    """Whether it would be a coincidence that the end came right after this end's message."""
    return _after_message(f) and f.messages.last_is_rare


ROWS = (
    Signature(
        cause=Cause.MID_FRAME,
        shows="the stream ended inside a frame",
        when=lambda f: f.close is not None and f.close.mid_frame,
        confidence=HIGH,
        sentence="the stream ended in the middle of a frame: who wrote it died or was cut off while "
        "writing, so this is no idle timeout",
        headline="cut in the middle of a frame",
        blame=Blamed.PEER,
        evidence=("end", "last_received", "together"),
        remedy="look for a crash of the {peer}, or a proxy that cut the stream at this moment",
        runner_up=Cause.RESTART,
        source="measured",
    ),
    Signature(
        cause=Cause.HALF_OPEN,
        shows="ETIMEDOUT, or retransmissions in vain",
        when=lambda f: (
            f.close is not None
            and f.close.received is None
            and (f.close.transport is TransportEnd.TIMED_OUT or f.network_dead)
        ),
        confidence=HIGH,
        sentence="the path is dead: nothing that the {end} sent was acknowledged",
        headline="dead path (half-open): nothing was acknowledged",
        blame=Blamed.PATH,
        evidence=("tcp", "end", "silences"),
        remedy="look at the network, a NAT or a sleeping host between the two ends",
        runner_up=Cause.NAT_EXPIRED,
        source="TCP_INFO, measured: 7 of 7",
    ),
    Signature(
        cause=Cause.NAT_EXPIRED,
        shows="RST on the first bytes after the longest silence",
        when=_forgotten,
        confidence=HIGH,
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
                lambda f: not _long_enough(f),
                "nobody is known to forget so soon, so a host that was restarted fits too",
            ),
        ),
        blame=Blamed.PATH,
        evidence=("end", "silences", "last_sent"),
        remedy="send something more often than every {half_quiet}, or turn TCP keepalive on",
        runner_up=Cause.RESTART,
        source="documentation of NAT gateways",
    ),
    Signature(
        cause=Cause.PING_UNANSWERED,
        shows="no close frame, and a ping of the peer was not answered",
        when=lambda f: f.cut and f.pings.unanswered is not None,
        confidence=HIGH,
        sentence="the {end} did not answer the ping at {ping}; {ping_gap} later the {peer} cut the "
        "connection{ping_owners}",
        headline="pongs withheld, cut {ping_gap} after a ping",
        rivals=(
            Rival(
                Cause.RESTART,
                "other connections ended within 2 s, and not merely at the same age",
                lambda f: f.together > 0 and f.shared is not Shared.AGE,
                "{together} other connections ended within 2 s, so a restart fits too",
            ),
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
                lambda f: f.pings.received - f.pings.ponged >= 3 or not _ping_gap_is_a_number(f),
                "whether the {peer} enforces that is not seen, so an end by chance (a crash, a restart) "
                "fits too",
            ),
        ),
        blame=Blamed.SELF,
        evidence=("server_pings", "end", "heartbeats"),
        remedy="answer ping frames with pong frames",
        runner_up=Cause.PONG_DEADLINE,
        source="measured; defaults from the servers' source",
    ),
    Signature(
        cause=Cause.HEARTBEAT_UNANSWERED,
        shows="no close frame, and the peer's last heartbeat was not answered",
        when=lambda f: f.cut and f.beaten.open_since is not None,
        confidence=HIGH,
        sentence="the {peer}'s heartbeat at {beaten_since} was not answered, and {beaten_gap} later the "
        "connection was cut",
        headline="heartbeat of the {peer} unanswered for {beaten_gap}",
        rivals=(
            Rival(
                Cause.RESTART,
                "other connections ended within 2 s, and not merely at the same age",
                lambda f: f.together > 0 and f.shared is not Shared.AGE,
                "{together} other connections ended within 2 s, so a restart fits too",
            ),
        ),
        blame=Blamed.SELF,
        evidence=("beaten", "end"),
        remedy="answer the {peer}'s heartbeats",
        source="defaults of servers, from their source",
    ),
    Signature(
        cause=Cause.RESTART,
        shows="no close frame, and other connections of other ages ended within 2 s",
        when=lambda f: f.cut and f.ended_for_one_reason,
        confidence=HIGH,
        sentence="{together} other connections ended within 2 s, at other ages: the process, a proxy, "
        "or the host behind them stopped or restarted",
        headline="restart: {together} more ended within 2 s",
        blame=Blamed.PEER,
        evidence=("together", "end"),
        remedy="drain before a restart, and reconnect with jitter",
        runner_up=Cause.MID_FRAME,
        source="measured",
    ),
    Signature(
        cause=Cause.HARNESS_BLOCKED,
        shows="no close frame, other connections ended within 2 s, and the test's event loop stood still "
        "meanwhile, so that it cannot be told whether they share an instant or an age",
        when=lambda f: f.cut and f.shared is Shared.UNTOLD and not (f.silence >= SILENCE and f.longest_quiet),
        confidence=MEDIUM,
        sentence="{together} other connections ended within 2 s, but the test's own event loop stood "
        "still meanwhile (for {lag} at worst): a restart and a maximum age then look the same",
        headline="the test's own event loop stood still for {lag}",
        blame=Blamed.HARNESS,
        evidence=("together", "lag", "end"),
        remedy="run the test on a quieter machine",
        runner_up=Cause.RESTART,
        source="measured, with every core busy",
    ),
    Signature(
        cause=Cause.PEER_FROZEN,
        shows="questions of this end stayed open, nothing came, and the peer's kernel acknowledged "
        "everything",
        when=lambda f: f.cut and _unheard(f) and f.network_fine,
        confidence=HIGH,
        rivals=rivals.FROZEN,
        sentence="the {peer}'s process stood still for {rx} before the end: its kernel (or a proxy's "
        "before it) acknowledged everything, and nothing answered",
        headline="the {peer} stood still (all was acknowledged)",
        blame=Blamed.PEER,
        evidence=("tcp", "questions", "end"),
        remedy="look for blocking calls in the {peer}'s event loop, or a stopped process",
        runner_up=Cause.HALF_OPEN,
        source="TCP_INFO, measured: 26 of 26",
    ),
    Signature(
        cause=Cause.PEER_NOT_READING,
        shows="each ping was answered at once, but questions of this end stayed open",
        when=lambda f: f.cut and f.prompt_pongs and f.hears,
        confidence=MEDIUM,
        sentence="the {end} answered each ping at once, but the {peer} answered nothing any more and "
        "cut the connection: it stopped reading, so it never saw the pongs",
        headline="the {peer} stopped reading, so it missed the pongs",
        blame=Blamed.PEER,
        evidence=("server_pings", "questions", "end"),
        remedy="in the {peer}'s handler, read in a task of its own",
        runner_up=Cause.HALF_OPEN,
        source="measured with websockets and uvicorn",
    ),
    Signature(
        cause=Cause.PEER_NOT_READING,
        shows="RST in the middle of what this end sent, though each ping was answered at once",
        when=_unread,
        confidence=MEDIUM,
        sentence="the {peer} cut the connection with bytes of this end unread (RST), though this end "
        "answered each ping at once: it stopped reading, so its keepalive never saw the pongs",
        headline="the {peer} stopped reading, so its keepalive missed our pongs",
        blame=Blamed.PEER,
        evidence=("server_pings", "end", "last_sent"),
        remedy="in the {peer}'s handler, read in a task of its own: a handler that awaits something "
        "else while messages wait does not see pongs (or raise ping_timeout)",
        runner_up=Cause.RESTART,
        source="measured with uvicorn",
    ),
    Signature(
        cause=Cause.HALF_OPEN,
        shows="questions of this end stayed open, and nothing came any more",
        when=lambda f: f.cut and _unheard(f),
        confidence=MEDIUM,
        sentence="nothing came from the {peer} in the {rx} before the end, though the {end} asked: the "
        "path or the {peer}'s process stood still",
        headline="nothing heard for {rx} before the end",
        blame=Blamed.PATH,
        evidence=("questions", "silences", "tcp"),
        remedy="look at the network between the two ends, then at the {peer}'s process",
        runner_up=Cause.PEER_FROZEN,
        source="TCP_INFO, measured",
    ),
    Signature(
        cause=Cause.MESSAGE_TOO_BIG,
        shows="the end came with the answer to the largest message that this end sent",
        when=_after_big_message,
        confidence=MEDIUM,
        sentence="the connection was cut right after a message of {last_size}, the largest that this "
        "end sent: a size limit whose close frame (1009) was lost fits",
        headline="cut right after a message of {last_size}: too big?",
        blame=Blamed.SELF,
        evidence=("last_sent", "end", "largest"),
        remedy="send smaller messages, or raise the limit (max_size, ws_max_size, maxPayload, SetReadLimit)",
        runner_up=Cause.HANDLER_ERROR,
        source="measured with gorilla/websocket",
    ),
    Signature(
        cause=Cause.HANDLER_ERROR,
        shows="no close frame, right after a message of this end, the first for a while",
        when=_after_rare_message,
        confidence=MEDIUM,
        sentence="the connection was cut right after the {end}'s message of {last_size}, the first for "
        "a while: a handler that crashed on it fits (uvicorn and aiohttp then send no close frame)",
        headline="cut right after a message: handler crashed?",
        blame=Blamed.PEER,
        evidence=("last_sent", "end", "together"),
        remedy="send the same message on a fresh connection, and see the {peer}'s log",
        runner_up=Cause.MESSAGE_TOO_BIG,
        source="measured with uvicorn and aiohttp",
    ),
)

# Behind the timers: it fits wherever the end came right after a message.
LAST = (
    Signature(
        cause=Cause.HANDLER_ERROR,
        shows="no close frame, right after a message that this end sent",
        when=_after_some_message,
        confidence=MEDIUM,
        sentence="the connection was cut right after the {end}'s message of {last_size}: a handler that "
        "crashed on it fits (uvicorn and aiohttp then send no close frame)",
        headline="cut right after a message: handler crashed?",
        blame=Blamed.PEER,
        evidence=("last_sent", "end", "together"),
        remedy="send the same message on a fresh connection, and see the {peer}'s log",
        runner_up=Cause.MESSAGE_TOO_BIG,
        source="measured with uvicorn and aiohttp",
    ),
)
