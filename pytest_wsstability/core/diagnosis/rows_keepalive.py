"""Rows for keepalives that gave up: the peer's, told by its close frame, and this end's own."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..timeline.close import PING_TIMEOUT_CODES
from ..timeline.events import FrameKind
from . import rivals
from .features import RECEIVED, SENT, Features
from .rows_close import of_credentials
from .signature import Blamed, Rival, Signature

HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM

_KEEPALIVE = ("keepalive", "ping timeout", "pong timeout", "heartbeat")
_TIMERS = (*_KEEPALIVE, "timeout", "timed out", "deadline", "idle", "inactiv")


def _says(f: Features, words: tuple[str, ...]) -> bool:
    """Whether the peer's close reason has one of these words."""
    return any(word in f.reason for word in words)


def _timer(f: Features) -> bool:
    """Whether the close reason names a timer, and not the one of a token."""
    return f.code is not None and _says(f, _TIMERS) and not of_credentials(f)


def _keepalive_1011(f: Features) -> bool:
    return f.code == 1011 and _says(f, _KEEPALIVE)


def _gave_up(f: Features) -> bool:
    """Whether this end's own keepalive ended the connection."""
    return f.sent_code == 1011


ROWS = (
    Signature(
        cause=Cause.ENGINE_IO_PING_TIMEOUT,
        shows="an empty close frame (1005), and the peer's last heartbeat was not answered",
        when=lambda f: f.code == 1005 and f.beaten.open_since is not None,
        confidence=HIGH,
        sentence="the {peer}'s heartbeat at {beaten_since} was not answered, and {beaten_gap} later it "
        "sent an empty close frame: the ping timeout of Engine.IO looks so",
        headline="heartbeat of the {peer} unanswered for {beaten_gap}",
        blame=Blamed.SELF,
        evidence=("end", "beaten"),
        remedy="answer the {peer}'s heartbeats (Engine.IO 4: 2 with 3) within pingTimeout",
        runner_up=Cause.CLOSED_BY_PEER,
        source="measured with engine.io 6",
    ),
    Signature(
        cause=Cause.HEARTBEAT_UNANSWERED,
        shows="a close frame, and the peer's last heartbeat was not answered",
        when=lambda f: f.code is not None and f.beaten.open_since is not None,
        confidence=MEDIUM,
        sentence="the {peer}'s heartbeat at {beaten_since} was not answered, and {beaten_gap} later it "
        "closed",
        headline="heartbeat of the {peer} unanswered for {beaten_gap}",
        blame=Blamed.SELF,
        evidence=("end", "beaten"),
        remedy="answer the {peer}'s heartbeats",
        runner_up=Cause.CLOSED_BY_PEER,
        source="defaults of servers, from their source",
    ),
    Signature(
        cause=Cause.PING_UNANSWERED,
        shows="1011 with the words of a keepalive was received, and a ping of the peer was not answered",
        when=lambda f: _keepalive_1011(f) and f.pings.unanswered is not None,
        confidence=HIGH,
        sentence="the {end} did not answer the ping at {ping}; {ping_gap} later the {peer}'s keepalive "
        "closed the connection",
        headline="pongs withheld, keepalive of the {peer} after {ping_gap}",
        blame=Blamed.SELF,
        evidence=("server_pings", "end"),
        remedy="answer ping frames with pong frames",
        source="measured",
    ),
    Signature(
        cause=Cause.HALF_OPEN,
        shows="the same, pongs sent, and the kernel sent them again and again in vain",
        when=lambda f: _keepalive_1011(f) and f.network_dead,
        confidence=HIGH,
        sentence="the {peer}'s keepalive gave up, because what the {end} sent did not get through",
        headline="path towards the {peer} dead, its keepalive gave up",
        blame=Blamed.PATH,
        evidence=("tcp", "server_pings", "end"),
        remedy="look at the network between the two ends",
        runner_up=Cause.PEER_NOT_READING,
        source="measured",
    ),
    Signature(
        cause=Cause.PEER_NOT_READING,
        shows="1011 with the words of a keepalive was received, though each ping was answered at once",
        when=lambda f: _keepalive_1011(f) and f.prompt_pongs,
        confidence=HIGH,
        sentence="the {peer}'s keepalive gave up, though the {end} answered each ping at once: the "
        "{peer} stopped reading, so it never saw the pongs",
        headline="the {peer} stopped reading, so its keepalive missed the pongs",
        blame=Blamed.PEER,
        evidence=("server_pings", "tcp", "end"),
        remedy="in the {peer}'s handler, read in a task of its own: a handler that awaits something "
        "else while messages wait does not see pongs (or raise ping_timeout)",
        runner_up=Cause.HALF_OPEN,
        source="measured with websockets and uvicorn",
    ),
    Signature(
        cause=Cause.HALF_OPEN,
        shows="1011 with the words of a keepalive was received, and no ping came",
        when=lambda f: _keepalive_1011(f),
        confidence=MEDIUM,
        sentence="the {peer}'s keepalive gave up, but no ping of it arrived here",
        headline="keepalive of the {peer}, whose pings did not arrive",
        blame=Blamed.PATH,
        evidence=("server_pings", "end"),
        remedy="look for a proxy that swallows ping frames",
        runner_up=Cause.PEER_NOT_READING,
        source="measured",
    ),
    Signature(
        cause=Cause.PING_UNANSWERED,
        shows="a close frame, and a ping of the peer was not answered",
        when=lambda f: f.code in PING_TIMEOUT_CODES and f.pings.unanswered is not None,
        confidence=MEDIUM,
        sentence="the {end} did not answer the ping at {ping}; {ping_gap} later it was closed with {code}",
        headline="pongs withheld, closed {ping_gap} after a ping",
        blame=Blamed.SELF,
        evidence=("server_pings", "end"),
        remedy="answer ping frames with pong frames",
        runner_up=Cause.CLOSED_BY_PEER,
        source="measured: a ping timeout was seen as 1011, 1000, 1008, 1001 and empty",
    ),
    Signature(
        cause=Cause.READ_DEADLINE,
        shows="a close frame whose reason names a timeout, after the longest time without data of this end",
        when=lambda f: _timer(f) and f.broke_silence(SENT, FrameKind.DATA),
        confidence=HIGH,
        rivals=(
            Rival(
                Cause.MAX_AGE,
                "nothing was said since the session stood",
                lambda f: f.silent(SENT, FrameKind.DATA) > 0.95 * f.age,
                "that is nearly its whole age, so a maximum age fits too",
            ),
        ),
        sentence="the {peer} closed with {code}, {silent_data} after the {end}'s last message",
        headline="timeout of the {peer}, {silent_data} without a message",
        blame=Blamed.SELF,
        evidence=("end", "silences"),
        remedy="send messages (heartbeats) more often than every {half_silent_data}",
        runner_up=Cause.PONG_DEADLINE,
        source="documentation or reports (Deepgram, Phoenix)",
    ),
    Signature(
        cause=Cause.PONG_DEADLINE,
        shows="a close frame whose reason names a timeout, though this end kept sending messages, and "
        "no ping came",
        when=lambda f: _timer(f) and not f.pings.received,
        confidence=MEDIUM,
        sentence="the {peer} closed with {code} though the {end} kept talking: a deadline that only "
        "pongs reset, and no ping came that asks for one",
        headline="timeout of the {peer} that messages did not reset",
        blame=Blamed.PEER,
        evidence=("end", "server_pings", "silences"),
        remedy="let the {peer} send pings, and reset its deadline on whatever it reads",
        runner_up=Cause.MAX_AGE,
        source="measured with gorilla/websocket",
    ),
    Signature(
        cause=Cause.HALF_OPEN,
        shows="this end's keepalive gave up (1011 sent), and the kernel sent again and again in vain",
        when=lambda f: _gave_up(f) and f.network_dead,
        confidence=HIGH,
        sentence="the path is dead: nothing that the {end} sent was acknowledged, and its keepalive gave up",
        headline="dead path (half-open): nothing was acknowledged",
        blame=Blamed.PATH,
        evidence=("tcp", "own_pings", "end"),
        remedy="look at the network, a NAT or a sleeping host between the two ends",
        runner_up=Cause.PEER_FROZEN,
        source="measured",
    ),
    Signature(
        cause=Cause.PEER_NOT_READING,
        shows="this end's keepalive gave up, heartbeats stayed open too, and other frames of the peer kept "
        "coming",
        when=lambda f: _gave_up(f) and f.hears and f.heartbeats.open_since is not None,
        confidence=MEDIUM,
        sentence="the {peer} kept sending, but answered neither pings nor heartbeats: it stopped reading, "
        "or nothing reaches it",
        headline="the {peer} speaks, but answers nothing",
        blame=Blamed.PEER,
        evidence=("questions", "last_received", "tcp"),
        remedy="in the {peer}'s handler, read in a task of its own; look for a path that is dead one way",
        runner_up=Cause.HALF_OPEN,
        source="TCP_INFO, measured",
    ),
    Signature(
        cause=Cause.NO_PONGS,
        shows="this end's keepalive gave up, though other frames of the peer kept coming",
        when=lambda f: _gave_up(f) and f.hears,
        confidence=MEDIUM,
        sentence="the {peer} kept sending, but answered no ping: it does not implement pongs, or "
        "nothing reaches it any more",
        headline="the {peer} sends, but answers no ping",
        blame=Blamed.PEER,
        evidence=("own_pings", "last_received", "tcp"),
        remedy="use a heartbeat of the application instead of pings, if the {peer} (AWS API Gateway, "
        "for one) answers none",
        runner_up=Cause.HALF_OPEN,
        source="documentation (AWS API Gateway)",
    ),
    Signature(
        cause=Cause.PEER_FROZEN,
        shows="this end's keepalive gave up, and the peer's kernel acknowledged everything",
        when=lambda f: _gave_up(f) and f.network_fine,
        confidence=HIGH,
        rivals=rivals.FROZEN,
        sentence="the {peer}'s process stands still: its kernel (or a proxy's before it) acknowledged "
        "everything, and nothing answered",
        headline="the {peer} stands still (all was acknowledged)",
        blame=Blamed.PEER,
        evidence=("tcp", "own_pings", "end"),
        remedy="look for blocking calls in the {peer}'s event loop, or a stopped process",
        runner_up=Cause.HALF_OPEN,
        source="measured",
    ),
    Signature(
        cause=Cause.HALF_OPEN,
        shows="this end's keepalive gave up, and nothing came any more; the kernel's view is not known",
        when=lambda f: _gave_up(f) and f.silent(RECEIVED) > 1.0,
        confidence=MEDIUM,
        sentence="nothing came from the {peer} for {rx}, and the keepalive of the {end} gave up: a dead "
        "path (half-open) fits, and so does a process that stands still",
        headline="nothing heard for {rx}: dead path, or frozen {peer}",
        blame=Blamed.PATH,
        evidence=("own_pings", "silences", "tcp"),
        remedy="look at the network between the two ends, then at the {peer}'s process",
        runner_up=Cause.PEER_FROZEN,
        source="TCP_INFO, measured",
    ),
)
