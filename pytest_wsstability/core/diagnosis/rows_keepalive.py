"""Rows for this end's own keepalive that gave up (1011 sent)."""

from __future__ import annotations

from ..cause import Cause, Confidence
from . import rivals
from .features import RECEIVED, TO_ANSWER, Features
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
# For who answers no ping, and sends.
READ_OR_BEAT = (
    "let the {peer} read while it sends: many libraries answer pings only then (Go's gorilla and "
    "coder/websocket); where it answers none (AWS API Gateway), use a heartbeat of the application"
)


def _gave_up(f: Features) -> bool:
    return f.sent_code == 1011


def _slow_before(f: Features) -> bool:
    """Whether a pong before the one that is due took half as long as this end waited for that, or longer."""
    since = f.own_pings.open_since
    return since is not None and f.own_pings.slowest >= (f.age - since) / 2


ROWS = (
    Signature(
        claim=Claim(Cause.HALF_OPEN, HIGH, Blamed.PATH),
        shows="this end's keepalive gave up (1011 sent), nothing came any more, and the kernel sent again "
        "and again in vain",
        when=lambda f: _gave_up(f) and f.network_dead,
        sentence="the path is dead: nothing that the {end} sent was acknowledged, and its keepalive gave up",
        headline="dead path (half-open): nothing was acknowledged",
        evidence=("tcp", "own_pings", "end"),
        remedy="look at the network, a NAT or a sleeping host between the two ends",
        runner_up=Cause.NAT_EXPIRED,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.SELF),
        shows="this end's keepalive gave up while its ping waited behind bytes of its own",
        when=lambda f: _gave_up(f) and f.timeline.unsent > 0 and f.hears,
        sentence="the ping of the {end} waited behind {unsent} that it had written before, since "
        "{unsent_since}: no pong could be there when its keepalive gave up",
        headline="our ping waited behind {unsent} of our own",
        evidence=("unsent", "own_pings", "tcp"),
        remedy="let the {end} wait longer for a pong, or send smaller messages",
        runner_up=Cause.PEER_NOT_READING,
        source="reports (websockets 865)",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.SELF),
        shows="this end's keepalive gave up, a pong before had taken half as long as it waited, or longer, "
        "and frames of the peer's own kept coming, or none was due",
        when=lambda f: _gave_up(f) and _slow_before(f) and (f.hears or not f.peer_due),
        sentence="pongs of the {peer} took up to {slowest_pong} before, and the {end}'s keepalive gave up on "
        "the one that was due since {asked_since}: late, not missing, fits",
        headline="pongs took up to {slowest_pong} before our keepalive gave up",
        evidence=("own_pings", "late", "last_received", "tcp"),
        remedy="let the {end} wait longer for a pong (ping_timeout), or let it count whatever arrives; look "
        "at what slows the {peer} or the path",
        rivals=(
            Rival(
                Cause.HALF_OPEN,
                "nothing was heard since",
                lambda f: not f.hears,
                "nothing was heard since, so a dead path fits too",
                LOW,
            ),
        ),
        runner_up=Cause.PEER_FROZEN,
        source="reports (sip-to-ai 14)",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.SELF),
        shows="this end's keepalive gave up while bytes of one frame of the peer had come for more than a "
        "second without a pause as long",
        when=lambda f: _gave_up(f) and f.still_arrives,
        sentence="a frame of the {peer} that began at {half_frame} still arrived ({half_frame_for}) when the "
        "keepalive of the {end} gave up: the pong waits behind what the {peer} sends",
        headline="pong late, behind a frame that arrives for {half_frame_for}",
        evidence=("half_frame", "own_pings", "tcp"),
        remedy="let the {end} wait longer for a pong, or count whatever arrives; or let the {peer} send "
        "large messages in fragments, with pongs between them, or less at once",
        rivals=(rivals.NEVER_ANSWERED,),
        runner_up=Cause.NO_PONGS,
        source="reports (wstunnel 400)",
    ),
    Signature(
        claim=Claim(Cause.PEER_NOT_READING, MEDIUM, Blamed.PEER),
        shows="this end's keepalive gave up, heartbeats stayed open too, and other frames of the peer kept "
        "coming",
        when=lambda f: _gave_up(f) and f.hears and f.own_heartbeats.open_since is not None,
        sentence="the {peer} kept sending, but answered neither pings nor heartbeats: it stopped reading, "
        "or nothing reaches it",
        headline="the {peer} speaks, but answers nothing",
        evidence=("questions", "last_received", "tcp"),
        remedy="in the {peer}'s handler, read in a task of its own; look for a path that is dead one way",
        rivals=(rivals.DEAD_TOWARDS_PEER, rivals.NEVER_ANSWERED, rivals.BEHIND_THE_STREAM),
        runner_up=Cause.HALF_OPEN,
        source="TCP_INFO, measured",
    ),
    Signature(
        claim=Claim(Cause.NO_PONGS, MEDIUM, Blamed.PEER),
        shows="this end's keepalive gave up, though other frames of the peer kept coming",
        when=lambda f: _gave_up(f) and f.hears,
        sentence="the {peer} kept sending, but answered no ping: it does not implement pongs, or "
        "nothing reaches it any more",
        headline="the {peer} sends, but answers no ping",
        evidence=("own_pings", "last_received", "tcp"),
        remedy=READ_OR_BEAT,
        rivals=(*rivals.PONGS_LOST, rivals.DEAD_TOWARDS_PEER, rivals.BEHIND_THE_STREAM),
        runner_up=Cause.HALF_OPEN,
        source="documentation (AWS API Gateway, gorilla, coder/websocket)",
    ),
    Signature(
        claim=Claim(Cause.PEER_FROZEN, MEDIUM, Blamed.PEER),
        shows="this end's keepalive gave up, and the peer's kernel acknowledged everything, at the first try",
        when=lambda f: _gave_up(f) and f.network_fine,
        rivals=rivals.FROZEN,
        sentence="the {peer}'s process stands still: its kernel (or a proxy's before it) acknowledged "
        "everything, and nothing answered",
        headline="the {peer} stands still, its TCP acknowledges",
        evidence=("tcp", "own_pings", "end"),
        remedy="look for blocking calls in the {peer}'s event loop, or a stopped process",
        runner_up=Cause.RESTART,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, LOW, Blamed.PATH),
        shows="this end's keepalive gave up, and nothing came any more; the kernel's view is not known",
        when=lambda f: _gave_up(f) and f.silent(RECEIVED) > TO_ANSWER,
        sentence="nothing came from the {peer} for {rx}, and the keepalive of the {end} gave up: a dead "
        "path (half-open) fits, and so does a process that stands still",
        headline="nothing heard for {rx}: dead path, or frozen {peer}",
        evidence=("own_pings", "silences", "tcp"),
        remedy="look at the network between the two ends, then at the {peer}'s process",
        rivals=rivals.UNHEARD,
        runner_up=Cause.PEER_FROZEN,
        source="TCP_INFO, measured",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.SELF),
        shows="this end's keepalive gave up, bytes of the peer came up to then, and an answer before had "
        "taken nearly as long",
        when=lambda f: _gave_up(f) and f.round_trip > TO_ANSWER and f.silent(RECEIVED) <= TO_ANSWER,
        sentence="an answer of the {peer} had taken {round_trip} before, and its next pong was not there "
        "when the keepalive of the {end} gave up, though bytes kept coming: it waits behind them",
        headline="pong late: an answer took {round_trip} before",
        evidence=("own_pings", "last_received", "tcp"),
        remedy="let the {end} wait longer for a pong, or the {peer} send less at once; look for a slow link, "
        "and whether the {peer} drops pongs while its buffer is full",
        runner_up=Cause.NO_PONGS,
        source="reports (uWebSockets 1876)",
    ),
)
