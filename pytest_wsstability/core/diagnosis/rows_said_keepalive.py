"""Rows for keepalives that the peer's close reason speaks of, with any code."""

from __future__ import annotations

from dataclasses import replace

from ..cause import Cause, Confidence
from ..timeline.close import OF_APPLICATIONS, PING_TIMEOUT_CODES
from ..timeline.close_reasons import Topic
from ..timeline.events import FrameKind, Role
from .features import BEHIND, BIG, REACTION, RECEIVED, SENT, Features
from .rivals import BLOCKED, CONTRADICTED, DEAD_TOWARDS_PEER, NEVER_ANSWERED, SLOW_PATH, UNREAD_STREAM
from .rows_kept_back import kept_back_said
from .rows_unspoken import ANSWER_IT, asked_in_vain, echoed
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM
# Round trips that have to be known before they count as usual.
_ROUND_TRIPS = 3


def _keepalive(f: Features) -> bool:
    return f.code is not None and f.reading.topic is Topic.KEEPALIVE


def behind_own_bytes(f: Features) -> bool:
    """Whether the pong waits behind bytes that this end has written and that have not left it."""
    since = f.timeline.unsent_since
    # A pong waits while the transport takes no more, or behind what it has taken.
    asked = f.peer_pings.unanswered if f.peer_pings.unanswered is not None else f.peer_pings.last_pong
    return since is not None and asked is not None and since <= asked


def _takes_nothing(f: Features) -> bool:
    """Whether the peer's window is closed: the kernel probes it, or waits longer without losing anything."""
    tcp = f.tcp
    return tcp is not None and (tcp.probes > 0 or (tcp.backoff > 0 and not tcp.retransmits))


def _nothing_left(f: Features) -> bool:
    """Whether none of the bytes that wait was seen to leave since the pong was due."""
    asked = f.peer_pings.unanswered if f.peer_pings.unanswered is not None else f.peer_pings.last_pong
    drained = f.timeline.drained_at
    return f.timeline.unsent > 0 and (drained is None or (asked is not None and drained < asked))


# Bytes wait for a slow path, or for a peer that reads nothing: only that they leave tells the two apart.
NOTHING_LEFT = Rival(
    Cause.PEER_NOT_READING,
    "none of the bytes that wait was seen to leave",
    _nothing_left,
    "none of them was seen to leave meanwhile, so a {peer} that reads nothing fits too",
)


def asked_by_peer(f: Features) -> bool:
    """Whether a ping or a heartbeat of the peer came."""
    return f.peer_pings.received > 0 or f.peer_heartbeats.sent > 0


def behind_at_proxy(f: Features) -> bool:
    """Whether a proxy of the test shows that the ping or the pong was still on its way."""
    between = f.between
    late = between is not None and (between.pong_missing or between.behind > BEHIND)
    return late and asked_by_peer(f) and not _pong_lost(f)


def _stood_still(f: Features) -> bool:
    """
    Whether what came late came alone, and what came first was in time: nothing was there to wait behind.

    On a path that is slow, all comes late; in a queue, it comes behind a large message or a stream.

    """
    between = f.between
    return (
        between is not None
        and between.behind_first is not None
        and between.behind > BEHIND + 2 * between.behind_first
        and not f.streamed_to
        and all(frame.size < BIG for frame in f.tail.received)
    )


def ended_by_timers_code(f: Features) -> bool:
    """Whether the code is one with which ping timeouts were seen, or one of an application's own."""
    return f.code in PING_TIMEOUT_CODES or f.code in OF_APPLICATIONS


def _unsaid(f: Features) -> bool:
    """Whether it was cut, or closed with such a code without words."""
    return f.cut or (ended_by_timers_code(f) and f.reading.topic is None)


def _pong_lost(f: Features) -> bool:
    """Whether a proxy of the test shows that a pong did not pass, though what went out behind it did."""
    return f.between is not None and f.between.overtaken


def _slower_than_it_waits(f: Features) -> bool:
    """Whether answers usually take longer than the peer can have waited, whichever ping it waited for."""
    first = f.peer_pings.first
    if first is None or max(f.own_heartbeats.answered, f.own_pings.answered) < _ROUND_TRIPS:
        return False
    return max(f.own_heartbeats.usual, f.own_pings.usual) >= f.age - first


def _came_with_the_close(f: Features) -> bool:
    """Whether the peer's only ping or heartbeat came with its close frame: nobody waits so little for it."""
    beat = f.timeline.last(direction=RECEIVED, role=Role.HEARTBEAT) if f.peer_heartbeats.sent == 1 else None
    ping = f.peer_pings.last if f.peer_pings.received == 1 else None
    return any(at is not None and f.age - at <= REACTION for at in (ping, beat))


def _not_read(f: Features) -> bool:
    """Whether more than the pong was not answered, though it was due: a stream of messages, or a question."""
    unanswered = f.messages.streaming or f.asked_since is not None
    return f.prompt_pongs and not f.read_since_pong and not f.pong_under_way and unanswered


ROWS = (
    Signature(
        claim=Claim(Cause.PEER_NOT_READING, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of a keepalive, the pong waits behind bytes of this end, and the "
        "peer's window is closed",
        when=lambda f: _keepalive(f) and behind_own_bytes(f) and _takes_nothing(f),
        sentence="the {peer} takes nothing any more: {unsent} of the {end} wait since {unsent_since}, and "
        "the pong behind them, when its keepalive gave up",
        headline="the {peer} takes nothing, so its keepalive missed the pong",
        evidence=("unsent", "tcp", "server_pings", "end"),
        remedy="in the {peer}'s handler, read in a task of its own",
        rivals=CONTRADICTED,
        runner_up=Cause.PONG_LATE,
        source="TCP_INFO, measured",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, HIGH, Blamed.PEER),
        shows="the close reason speaks of a keepalive, and the pong waits behind bytes of this end that have "
        "not left it",
        when=lambda f: _keepalive(f) and behind_own_bytes(f),
        sentence="the pong of the {end} was late, not missing: {unsent} that it had written before were "
        "still on their way (since {unsent_since}) when the {peer}'s keepalive gave up",
        headline="pong late, behind {unsent} of our own",
        evidence=("unsent", "server_pings", "end"),
        remedy="let the {peer} wait longer for a pong, or count whatever arrives; or send smaller messages "
        "with time between them (fragments wait in the same queue)",
        rivals=(*CONTRADICTED, NOTHING_LEFT),
        runner_up=Cause.PEER_NOT_READING,
        source="reports (autobahn-python 1327, websockets 1005, aiohttp 12030)",
    ),
    Signature(
        claim=Claim(Cause.CONTROL_FRAMES_LOST, HIGH, Blamed.PATH),
        shows="a proxy of the test shows that the pong did not pass, though what went out behind it did; the "
        "close reason speaks of a keepalive, or nothing says another reason",
        when=lambda f: _pong_lost(f) and (_keepalive(f) or _unsaid(f)),
        sentence="the {end} answered the ping, but its pong never passed the proxy, though what it sent "
        "later did: a path that loses control frames, and a keepalive of the {peer} that ran out",
        headline="the pong was lost on the way",
        evidence=("between", "server_pings", "end"),
        remedy="look for a proxy that answers or swallows ping and pong frames; let the {peer} count "
        "whatever arrives, or use heartbeats of the application",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.RESTART,
                "no close reason speaks of a keepalive",
                _unsaid,
                "whether the {peer} ended it for that is not said, so a restart fits too",
            ),
        ),
        proved=True,
        source="reports (base/base 784), measured",
    ),
    Signature(
        claim=Claim(Cause.PATH_STALLED, MEDIUM, Blamed.PATH),
        shows="the close reason speaks of a keepalive, and a proxy of the test shows that what came last was "
        "late, though nothing large or many came with it, and the first frame was in time",
        when=lambda f: _keepalive(f) and behind_at_proxy(f) and _stood_still(f),
        sentence="the path stood still: what passes the proxy came {behind} late, without other bytes that "
        "it can have waited behind, and the {peer}'s keepalive gave up meanwhile",
        headline="path stood still, {behind} behind",
        evidence=("between", "last_received", "server_pings", "peer_heartbeats", "end"),
        remedy="look at the network between the two ends (a roaming or sleeping host, a link that is full); "
        "or let the {peer} wait longer for a pong",
        rivals=CONTRADICTED,
        runner_up=Cause.PONG_LATE,
        source="measured (faults.Stall, faults.Blackhole until Heal)",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, HIGH, Blamed.PEER),
        shows="the same, and a proxy of the test shows the ping or the pong on its way",
        when=lambda f: _keepalive(f) and behind_at_proxy(f),
        sentence="the {end} answered the ping as soon as it came, but {proxy_shows}: late, not missing, and "
        "the {peer}'s keepalive gave up meanwhile",
        headline="ping or pong late, behind other bytes",
        evidence=("between", "last_sent", "last_received", "server_pings", "peer_heartbeats", "end"),
        remedy="let the {peer} wait longer for a pong, or count whatever arrives; or send smaller messages",
        rivals=CONTRADICTED,
        runner_up=Cause.SLOW_CONSUMER,
        source="reports (sockjs-node 169, shiny-server-client 25)",
    ),
    Signature(
        claim=Claim(Cause.PING_UNANSWERED, HIGH, Blamed.SELF),
        shows="the close reason speaks of a keepalive, and a ping of the peer was not answered",
        when=lambda f: _keepalive(f) and f.peer_pings.unanswered is not None,
        sentence="the {end} did not answer the ping at {ping}; {ping_gap} later the {peer}'s keepalive "
        "closed the connection",
        headline="pongs withheld, keepalive of the {peer} after {ping_gap}",
        evidence=("server_pings", "end"),
        remedy="answer ping frames with pong frames",
        rivals=CONTRADICTED,
        proved=True,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, HIGH, Blamed.SELF),
        shows="the close reason speaks of a keepalive, and the peer's last heartbeat was not answered",
        when=lambda f: _keepalive(f) and f.peer_heartbeats.open_since is not None,
        sentence="the {peer}'s heartbeat at {heartbeat} was not answered, and {heartbeat_gap} later it "
        "closed with {code}",
        headline="heartbeat of the {peer} unanswered for {heartbeat_gap}",
        evidence=("end", "peer_heartbeats"),
        remedy="answer the {peer}'s heartbeats",
        rivals=CONTRADICTED,
        proved=True,
        source="defaults of servers, from their source",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, HIGH, Blamed.SELF),
        shows="the close reason speaks of a keepalive, and a ping message of the peer that the profile does "
        "not answer, or two, were not answered; no ping frame of it came",
        when=lambda f: _keepalive(f) and asked_in_vain(f) and not f.peer_pings.received,
        sentence="the {peer} sent a ping message that the profile does not answer at {unknown_ping}; nothing "
        "was said to it, and {unknown_ping_gap} later it closed with {code}",
        headline="a ping message of the {peer}, unanswered for {unknown_ping_gap}",
        evidence=("last_received", "last_sent", "end"),
        remedy=ANSWER_IT,
        rivals=(*CONTRADICTED, echoed(Cause.KEEPALIVE_TIMEOUT)),
        source="reports (NATS: nats.ws 258), source of Pusher",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, MEDIUM, Blamed.PATH),
        shows="the close reason speaks of a keepalive, pongs were sent, and the kernel sent again in vain",
        when=lambda f: _keepalive(f) and f.network_dead,
        sentence="the {peer}'s keepalive gave up, because what the {end} sent did not get through",
        headline="path towards the {peer} dead, its keepalive gave up",
        evidence=("tcp", "server_pings", "end"),
        remedy="look at the network between the two ends",
        rivals=CONTRADICTED,
        runner_up=Cause.PEER_NOT_READING,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, HIGH, Blamed.PEER),
        shows="the close reason speaks of a keepalive, and round trips take longer than the peer waits",
        when=lambda f: _keepalive(f) and _slower_than_it_waits(f),
        sentence="a round trip takes {usual}, and the {peer} gave up {since_first_ping} after its first "
        "ping: no pong can be there by then",
        headline="round trips of {usual}, longer than the {peer} waits",
        evidence=("late", "server_pings", "end"),
        remedy="let the {peer} wait longer than a round trip for its pong",
        rivals=CONTRADICTED,
        runner_up=Cause.PEER_FROZEN,
        source="measured with a link of 2 s latency",
    ),
    kept_back_said("a keepalive", {Topic.KEEPALIVE}),
    Signature(
        claim=Claim(Cause.PEER_FROZEN, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of a keepalive, and answers came several at once, or pings unevenly",
        when=lambda f: _keepalive(f) and f.peer_pings.ponged > 0 and BLOCKED.when(f) and not f.lossy,
        sentence="the {peer}'s process stood still now and then{stood_still}: its keepalive then gave up "
        "on pongs that were there, though the {end} answered each ping at once",
        headline="the {peer} stood still, and missed pongs that were there",
        evidence=("server_pings", "late", "end"),
        remedy="look for blocking calls in the {peer}'s event loop, and put them into a thread",
        rivals=(*CONTRADICTED, UNREAD_STREAM),
        runner_up=Cause.PATH_STALLED,
        source="reports (FunASR 3533, 3528), measured",
    ),
    Signature(
        claim=Claim(Cause.PEER_FROZEN, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of a keepalive, no ping was left unanswered, and nearly all ends, of "
        "three connections or more, came within 2 s, at ages that differ by more than 30 s, and by half, and "
        "after other silences",
        when=lambda f: _keepalive(f) and f.beside.of_all_ages,
        sentence="the {peer}'s keepalive gave up on this connection, and {together} more ended within 2 s, "
        "at other ages: a process that stood still, and took what came meanwhile for missing, fits",
        headline="the {peer}'s keepalive gave up on several at once: it stood still?",
        evidence=("together", "server_pings", "end"),
        remedy="look for blocking calls in the {peer}'s event loop, or a busy machine, at that instant",
        rivals=CONTRADICTED,
        runner_up=Cause.PATH_STALLED,
        source="reports (bigbluebutton 10826)",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of a keepalive, each ping was answered at once, and an answer that "
        "came behind the last of them had taken longer than the peer waited then",
        when=lambda f: _keepalive(f) and f.prompt_pongs and f.slow_meanwhile,
        sentence="an answer took {slowest} meanwhile, and the {peer} gave up {since_ping} after a ping that "
        "the {end} answered at once: its pong was late, not missing",
        headline="pong late: a round trip took {slowest}",
        evidence=("late", "server_pings", "end"),
        remedy="let the {peer} wait longer for a pong than a round trip takes; look at what slows the path",
        rivals=CONTRADICTED,
        runner_up=Cause.PEER_FROZEN,
        source="reports (slackapi/bolt-js 2496)",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.PATH),
        shows="the close reason speaks of a keepalive, and the peer's last ping came with its close frame",
        when=lambda f: _keepalive(f) and _came_with_the_close(f),
        sentence="the {peer}'s last ping came together with its close frame: the ping was late, behind other "
        "bytes or on a path that stood still, so that no pong can have been in time",
        headline="the {peer}'s ping came with its close frame",
        evidence=("server_pings", "peer_heartbeats", "last_received", "end"),
        remedy="let the {peer} wait longer for a pong, or send smaller messages",
        rivals=CONTRADICTED,
        runner_up=Cause.PATH_STALLED,
        source="reports (sockjs-node 169)",
    ),
    Signature(
        claim=Claim(Cause.PEER_NOT_READING, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of a keepalive, each ping was answered at once, and messages or "
        "questions of this end went unanswered too",
        when=lambda f: _keepalive(f) and _not_read(f),
        sentence="the {peer}'s keepalive gave up, though the {end} answered each ping at once: it read "
        "nothing else either, so it never saw the pongs",
        headline="the {peer} stopped reading, so its keepalive missed the pongs",
        evidence=("server_pings", "tcp", "end"),
        remedy="in the {peer}'s handler, read in a task of its own: a handler that awaits something "
        "else while messages wait does not see pongs (or raise ping_timeout)",
        rivals=(*CONTRADICTED, DEAD_TOWARDS_PEER, NEVER_ANSWERED),
        runner_up=Cause.HALF_OPEN,
        source="measured with websockets and uvicorn",
    ),
    Signature(
        claim=Claim(Cause.KEEPALIVE_TIMEOUT, MEDIUM, Blamed.PEER),
        shows="the close reason speaks of a keepalive, though each ping was answered at once",
        when=lambda f: _keepalive(f) and f.prompt_pongs,
        sentence="the {peer}'s keepalive gave up {since_ping} after a ping that the {end} answered at once"
        "{read_since_pong}: the answer was lost on the way or came too late, or the {peer} missed it",
        headline="the {peer}'s keepalive missed a pong that was sent",
        evidence=("server_pings", "tcp", "end"),
        remedy="see at the {peer} whether the pong arrives, and when; look for blocking calls and for a "
        "handler that does not read",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.CONTROL_FRAMES_LOST,
                "what went out behind the pong was answered",
                lambda f: f.read_since_pong,
            ),
            replace(SLOW_PATH, leaves=MEDIUM),
            Rival(Cause.PEER_NOT_READING, "nothing shows that it read", lambda f: not f.read_since_pong),
        ),
        source="measured with websockets and uvicorn",
    ),
    Signature(
        claim=Claim(Cause.KEEPALIVE_TIMEOUT, MEDIUM, Blamed.SELF),
        shows="the close reason speaks of a keepalive, and no ping came",
        when=_keepalive,
        sentence="the {peer} says that its keepalive ran out: {code}; {pings_seen}, and the last message of "
        "the {end} went out {silent_data} before",
        headline="the {peer} says that its keepalive ran out",
        evidence=("end", "server_pings", "silences"),
        remedy="send what the {peer} counts as a heartbeat more often; look for a proxy that swallows pings",
        rivals=(
            *CONTRADICTED,
            Rival(
                Cause.READ_DEADLINE,
                "this end was silent for longer than ever",
                lambda f: f.broke_silence(SENT, FrameKind.DATA),
            ),
        ),
        runner_up=Cause.CONTROL_FRAMES_LOST,
        source="reports (SockJS, Phoenix)",
    ),
)
