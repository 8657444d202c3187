"""Rows for ends without a close frame after a question of this end, or one of its messages."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.close import TransportEnd
from ..timeline.events import End, Opcode
from . import rivals, timers
from .cohort import SAME_SILENCE
from .features import BIG, RECEIVED, SENT, TO_ANSWER, Features
from .message_limit import NTH_MESSAGE
from .replies import ended_behind_first_answer, ended_by_first_heartbeat
from .rows_cut import long_enough
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
# The last of so many messages is not expected to be what a handler crashes on.
_OFTEN = 3


def _unheard(f: Features) -> bool:
    """Whether this end asked (heartbeats, pings), and nothing came any more before the end."""
    return f.asked_since is not None and not f.hears


def _unread(f: Features) -> bool:
    """
    Whether the peer threw away what this end had sent, though each of its pings was answered at once.

    A kernel answers with RST, and not with FIN, when bytes are left that its process did not read.

    """
    reset = f.close is not None and f.close.transport is TransportEnd.RESET
    spoke_last = f.silent(SENT) < f.silent(RECEIVED)
    return f.cut and reset and f.prompt_pongs and spoke_last and f.messages.streaming


def _left_at_once(f: Features) -> bool:
    """Whether a client cut the connection as soon as it was open, and has sent no frame."""
    return f.cut and f.end is End.SERVER and f.age < TO_ANSWER and not f.timeline.count(RECEIVED)


def _after_message(f: Features) -> bool:
    return f.cut and f.tail.message is not None


def _after_some_message(f: Features) -> bool:
    """The same where messages are not so dense that any end comes right after one."""
    return _after_message(f) and not f.messages.streaming


def _after_rare_message(f: Features) -> bool:
    """Whether it would be a coincidence that the end came right after this end's message, of no known age."""
    return _after_message(f) and f.messages.last_is_rare and not rivals.of_an_age(f)


def _after_first_heartbeat(f: Features) -> bool:
    """
    Whether a FIN came right behind the first heartbeat, at an age that is nobody's timer.

    RST is that of a box which has forgotten the connection, too.

    """
    is_fin = f.close is not None and f.close.transport is TransportEnd.FIN
    return f.cut and is_fin and ended_by_first_heartbeat(f) and not timers.known(f.age, f.tier, *CountsFrom)


def _after_first_ping(f: Features) -> bool:
    """Whether the first ping frame of either end, or its pong, was the last that went over the connection."""
    last = max(f.tail.sent + f.tail.received, key=lambda event: event.at, default=None)
    first = f.own_pings.sent + f.peer_pings.received == 1 and not f.own_pings.answered
    return f.cut and first and last is not None and last.opcode >= Opcode.PING and f.tail.message is None


def _crossed(f: Features) -> bool:
    """
    Whether this end's last frame, the first after the longest silence, met an idle timeout on its way.

    Heartbeats that are sent as rarely as an idle timeout allows lose that race now and then.

    """
    quiet, whole = f.tail.quiet_before, float(round(f.tail.quiet_before))
    return (
        f.cut
        and f.tail.only_sent
        and quiet >= f.longest_silence - SAME_SILENCE
        and abs(quiet - whole) <= timers.EARLY
        and bool(timers.known(whole, f.tier, CountsFrom.IDLE))
        and not rivals.of_an_age(f)
    )


def _was_borne(f: Features) -> bool:
    """Whether the peer has borne what this end sent last: the likes of it went before."""
    if f.tail.message is not None:
        return f.messages.said >= _OFTEN and not f.messages.last_is_largest
    return f.own_heartbeats.answered > 0 or f.own_pings.answered > 0


# Nobody's limit is below: half of two bytes is no experiment.
_TOO_BIG = Rival(
    Cause.MESSAGE_TOO_BIG,
    "the message is as large as the smallest known limits",
    lambda f: f.tail.message is not None and f.tail.message.size >= BIG,
)

ROWS = (
    Signature(
        claim=Claim(Cause.PEER_FROZEN, MEDIUM, Blamed.PEER),
        shows="questions of this end stayed open, nothing came, and the peer's kernel acknowledged "
        "everything, at the first try",
        when=lambda f: f.cut and _unheard(f) and f.network_fine,
        rivals=rivals.FROZEN,
        sentence="the {peer}'s process stood still for {rx} before the end: its kernel (or a proxy's "
        "before it) acknowledged everything, and nothing answered; a graceful shutdown looks the same",
        headline="the {peer} stood still, its TCP acknowledged",
        evidence=("tcp", "questions", "end"),
        remedy="look for blocking calls in the {peer}'s event loop, or a stopped process",
        runner_up=Cause.RESTART,
        source="TCP_INFO, measured: 26 of 26",
    ),
    Signature(
        claim=Claim(Cause.PEER_NOT_READING, MEDIUM, Blamed.PEER),
        shows="each ping was answered at once, but questions of this end stayed open",
        when=lambda f: f.cut and f.prompt_pongs and f.hears,
        sentence="the {end} answered each ping at once, but the {peer} answered nothing any more and "
        "cut the connection: it stopped reading, so it never saw the pongs",
        headline="the {peer} stopped reading, so it missed the pongs",
        evidence=("server_pings", "questions", "end"),
        remedy="in the {peer}'s handler, read in a task of its own",
        rivals=(rivals.DEAD_TOWARDS_PEER, rivals.NEVER_ANSWERED, rivals.SLOW_PATH),
        runner_up=Cause.HALF_OPEN,
        source="measured with websockets and uvicorn",
    ),
    Signature(
        claim=Claim(Cause.PEER_NOT_READING, MEDIUM, Blamed.PEER),
        shows="RST in the middle of what this end sent, though each ping was answered at once",
        when=_unread,
        sentence="the {peer} cut the connection with bytes of this end unread (RST), though this end "
        "answered each ping at once: it stopped reading, so its keepalive never saw the pongs",
        headline="the {peer} stopped reading, so its keepalive missed our pongs",
        evidence=("server_pings", "end", "last_sent"),
        remedy="in the {peer}'s handler, read in a task of its own: a handler that awaits something "
        "else while messages wait does not see pongs (or raise ping_timeout)",
        rivals=(
            rivals.SLOW_PATH,
            Rival(
                Cause.RESTART,
                "the time since the last ping is nobody's timer",
                lambda f: not timers.is_number(f.since_ping, f.tier, CountsFrom.PING),
                "a server that was killed in the middle of a stream fits as well",
                LOW,
            ),
        ),
        runner_up=Cause.RESTART,
        source="measured with uvicorn",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, LOW, Blamed.PATH),
        shows="questions of this end stayed open, and nothing came any more",
        when=lambda f: f.cut and _unheard(f),
        sentence="nothing came from the {peer} in the {rx} before the end, though the {end} asked: the "
        "path or the {peer}'s process stood still",
        headline="nothing heard for {rx} before the end",
        evidence=("questions", "silences", "tcp"),
        remedy="look at the network between the two ends, then at the {peer}'s process",
        rivals=rivals.UNHEARD,
        runner_up=Cause.PEER_FROZEN,
        source="TCP_INFO, measured",
    ),
    Signature(
        claim=Claim(Cause.IDLE_TIMEOUT, MEDIUM, Blamed.PATH),
        shows="no close frame, right after a frame of this end, the first after the longest silence, which "
        "was as long as known idle timeouts; and if it was a message, the likes of it went before",
        when=lambda f: _crossed(f) and (f.tail.message is None or _was_borne(f)),
        sentence="an idle timeout of {whole_quiet}: what the {end} sent after {quiet} of silence met the end "
        "on its way{quiet_owners}",
        headline="idle timeout {whole_quiet}, met by a frame on its way",
        evidence=("silences", "last_sent", "end", "server_pings"),
        remedy="send a heartbeat or ping more often than every {half_quiet}: one that is sent as rarely as "
        "the timeout allows comes too late now and then; or raise {quiet_knobs}",
        rivals=(
            rivals.LIMIT_ON_AGE,
            Rival(
                Cause.CONTROL_FRAMES_LOST,
                "it was the first ping frame",
                _after_first_ping,
                "it was the first ping frame, so a proxy or {peer} that cannot bear them fits too",
                LOW,
            ),
            Rival(
                Cause.HANDLER_ERROR,
                "it was the first heartbeat that is a message",
                lambda f: not _was_borne(f) and not _after_first_ping(f),
                "it was the first of its kind, so a handler that crashed on it fits too",
                LOW,
            ),
            Rival(
                Cause.HANDLER_ERROR,
                "it was a message",
                lambda f: f.tail.message is not None,
                "it was a message, so a handler that crashed on it fits too",
            ),
        ),
        runner_up=Cause.RESTART,
        source="reports (mattermost/docs 8929, azure-docs 49622)",
    ),
    Signature(
        claim=Claim(Cause.CONTROL_FRAMES_LOST, MEDIUM, Blamed.PATH),
        shows="the end came with the first ping frame of either end",
        when=_after_first_ping,
        sentence="the connection was cut right after the first ping frame: a proxy or {peer} that cannot "
        "bear ping frames fits",
        headline="cut right after the first ping frame",
        evidence=("own_pings", "server_pings", "end"),
        remedy="use heartbeats of the application instead of ping frames, or a path that passes them",
        rivals=rivals.crash(CountsFrom.IDLE),
        source="reports",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, MEDIUM, Blamed.PEER),
        shows="no close frame, right behind the first heartbeat, which nobody had answered; no known timer",
        when=_after_first_heartbeat,
        sentence="the connection was cut {own_beat_gap} after the first heartbeat of the {end}: a handler "
        "that does not know it and failed fits",
        headline="cut right after the first heartbeat: does the {peer} know it?",
        evidence=("end", "questions", "together"),
        remedy="{heartbeat_first}see the {peer}'s log at that instant",
        rivals=(
            Rival(
                Cause.IDLE_TIMEOUT,
                "the age is a round number",
                lambda f: timers.is_round(f.age, f.tier),
                "a timer of {age} fits too",
                LOW,
            ),
            rivals.ANOTHER_OPENED,
        ),
        runner_up=Cause.RESTART,
        source="measured with handlers that raise",
    ),
    Signature(
        claim=Claim(Cause.MESSAGE_TOO_BIG, MEDIUM, Blamed.SELF),
        shows="the end came with the answer to the largest message that this end sent",
        when=lambda f: f.cut and f.after_largest_message,
        sentence="the connection was cut right after a message of {last_size}, the largest that this "
        "end sent: a size limit of less than that, whose close frame (1009) was lost, fits",
        headline="cut right after a message of {last_size}: too big?",
        evidence=("last_sent", "end", "largest"),
        remedy="send smaller messages, or raise the limit (max_size, ws_max_size, maxPayload, SetReadLimit)",
        runner_up=Cause.HANDLER_ERROR,
        source="measured with gorilla/websocket",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, MEDIUM, Blamed.PEER),
        shows="no close frame, right after a message of this end, the first for a while",
        when=_after_rare_message,
        sentence="the connection was cut right after the {end}'s message of {last_size}, the first for "
        "a while: a handler that crashed on it fits (uvicorn and aiohttp then send no close frame)",
        headline="cut right after a message: handler crashed?",
        evidence=("last_sent", "end", "together"),
        remedy="send the same message on a fresh connection, and see the {peer}'s log",
        rivals=(
            NTH_MESSAGE,
            Rival(
                Cause.NAT_EXPIRED,
                "it was the first word after the longest silence, as long as somebody is known to remember",
                lambda f: f.tail.only_sent and long_enough(f) and f.tail.quiet_before >= f.longest_silence,
                "it was the first word after {quiet} of silence, so a box that had forgotten the connection "
                "fits too",
            ),
            Rival(
                Cause.IDLE_TIMEOUT,
                "it was the first word after the longest silence, as long as known idle timeouts",
                _crossed,
                "it was the first word after {quiet} of silence, so an idle timeout that it met on its way "
                "fits too",
            ),
            Rival(
                Cause.MAX_AGE,
                "the likes of it went before, and the age is a number that limits have",
                lambda f: _was_borne(f) and rivals.age_number(f),
                "the likes of it went before, so a maximum age of {max_age} fits too",
                LOW,
            ),
            _TOO_BIG,
        ),
        runner_up=Cause.RESTART,
        source="measured with uvicorn and aiohttp",
    ),
)

# Behind the timers: they fit wherever the end came right after a message, or anywhere.
LAST = (
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, MEDIUM, Blamed.SELF),
        shows="the server's record: subprotocols were offered, none was chosen, and the client cut the "
        "connection within a second, without a word",
        when=lambda f: f.timeline.unchosen is not None and _left_at_once(f),
        sentence="the client offered {unchosen} as its subprotocol, the server chose none, and {age} later "
        "the client was gone, without a word: browsers and node's ws go no further then",
        headline="no subprotocol chosen, and the client offered {unchosen}",
        evidence=("end", "together"),
        remedy="let the server choose what the client offers (subprotocols=, or the profile that has it), or "
        "let the client offer what the server speaks",
        runner_up=Cause.PEER_LEFT,
        source="WHATWG WebSockets, measured with ws and subscriptions-transport-ws",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, MEDIUM, Blamed.PEER),
        shows="no close frame, right after a message that this end sent",
        when=_after_some_message,
        sentence="the connection was cut right after the {end}'s message of {last_size}: a handler that "
        "crashed on it fits (uvicorn and aiohttp then send no close frame)",
        headline="cut right after a message: handler crashed?",
        evidence=("last_sent", "end", "together"),
        remedy="send the same message on a fresh connection, and see the {peer}'s log",
        rivals=(NTH_MESSAGE, _TOO_BIG),
        runner_up=Cause.RESTART,
        source="measured with uvicorn and aiohttp",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, LOW, Blamed.PEER),
        shows="no close frame, right behind the answer to the first heartbeat",
        when=lambda f: f.cut and f.end is End.CLIENT and ended_behind_first_answer(f),
        sentence="the connection was cut {own_beat_gap} after the first heartbeat of the {end}, which had "
        "just been answered: a handler that answers it and then fails fits, and so does a restart by chance",
        headline="cut right after the first heartbeat's answer: handler failed?",
        evidence=("questions", "end", "together"),
        remedy="see the {peer}'s log at that instant: what its handler does behind the answer; hold another "
        "connection with heartbeats at another interval, whose end a handler moves",
        rivals=(rivals.ANOTHER_OPENED,),
        runner_up=Cause.RESTART,
        source="measured with handlers that raise",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, LOW, Blamed.PEER),
        shows="no close frame, within a second of the opening, before anybody had said anything",
        when=lambda f: (
            f.cut and f.end is End.CLIENT and f.age < TO_ANSWER and not (f.messages.heard or f.messages.said)
        ),
        sentence="the connection was cut {age} after it had opened, before anything was said: a handler that "
        "failed or returned at once fits, a deadline that is far too short (a number without its unit), and "
        "a proxy with nothing behind it",
        headline="cut as soon as it was open: handler failed?",
        evidence=("end", "together"),
        remedy="see the {peer}'s log at this opening: what its handler raised, whether it returned, which "
        "deadlines it sets; and open it past proxies",
        rivals=(rivals.ANOTHER_OPENED,),
        runner_up=Cause.RESTART,
        source="reports (gorilla/websocket 549, actix-web 1555)",
    ),
    Signature(
        claim=Claim(Cause.PEER_LEFT, LOW, Blamed.PEER),
        shows="the server's record: no close frame, and no timer that fits",
        when=lambda f: f.cut and f.end is End.SERVER,
        sentence="the client's connection was cut at {age}, {silence} after the last byte, and no known "
        "timer is as long: a client that quit, crashed or was suspended fits, or one whose network changed",
        headline="cut by no known timer: the client left?",
        evidence=("end", "silences", "server_pings", "together"),
        remedy="see the client's log and its process at that instant; one that quits should close with 1001, "
        "and one that was suspended or has another network should come back (assert_reconnects)",
        runner_up=Cause.RESTART,
        source="reports (Starscream 336 and 795)",
    ),
    Signature(
        claim=Claim(Cause.RESTART, LOW, Blamed.PEER),
        shows="no close frame, and no timer that fits",
        when=lambda f: f.cut,
        sentence="the connection was cut at {age}, {silence} after the last byte, and no known timer is as "
        "long: a crash, a kill or a restart fits, and so does a limit that nobody else shows",
        headline="cut by no known timer: crash or restart?",
        evidence=("end", "silences", "server_pings", "together"),
        remedy="see the {peer}'s log and its process at that instant; a server that is told to stop should "
        "close with 1001 or 1012",
        rivals=(NTH_MESSAGE, rivals.ANOTHER_OPENED),
        runner_up=Cause.MAX_AGE,
        source="measured",
    ),
)
