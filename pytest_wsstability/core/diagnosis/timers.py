"""Timers that are known by their numbers: what nginx, a load balancer or a library waits for by default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..duration import show_duration as show
from ..timeline.events import Tier

# A timer is seen early, because it started before our clock did (nginx also skips re-arming one that
# moves by less than 0.3 s), or late: servers with ticks of seconds, proxies that mute first. Measured.
EARLY = 0.35
LATE = 1.5
LATE_SHARE = 0.02
# In virtual time nothing is late but the link, when it was told to be.
EXACT = 0.05


class TimerKind(Enum):
    """What a timer counts from."""

    # The last byte either way.
    IDLE = "idle"
    # The last byte that the client sent; or that the server did.
    IDLE_UPSTREAM = "idle, bytes of the client"
    IDLE_DOWNSTREAM = "idle, bytes of the server"
    # The opening.
    AGE = "age"
    # The last pong of the client.
    PONG = "pong"
    # A ping that was not answered.
    PING = "ping"
    # The last message either way, control frames aside.
    MESSAGES = "idle, messages"
    # As IDLE, and nobody is told: the next packet finds no connection.
    SILENT = "idle, without a word"


@dataclass(frozen=True, slots=True)
class Timer:
    """A default of somebody's."""

    seconds: float
    kind: TimerKind
    owner: str
    # The setting to change; empty where there is none.
    knob: str
    # Where the number is from.
    source: str


_I, _A, _P = TimerKind.IDLE, TimerKind.AGE, TimerKind.PING
KNOWN = (
    Timer(10, TimerKind.IDLE_UPSTREAM, "Deepgram", "KeepAlive messages", "Deepgram audio-keep-alive"),
    Timer(15, _A, "Envoy (route timeout)", "timeout: 0s", "Envoy FAQ, timeouts"),
    Timer(30, _A, "Google Cloud load balancer", "backend service timeout", "GKE ingress docs"),
    Timer(30, _I, "Jetty", "idleTimeout", "danneu/kog issue 21"),
    Timer(55, _I, "Heroku router (H15)", "", "Heroku router H15, reports"),
    Timer(60, _I, "nginx", "proxy_read_timeout", "nginx source, measured"),
    Timer(60, _I, "AWS ALB or CLB", "idle_timeout.timeout_seconds", "Elastic Load Balancing docs"),
    Timer(60, _I, "Apache", "ProxyTimeout", "measured with its Timeout set"),
    Timer(60, _I, "OCI load balancer", "idle timeout", "OCI load balancer docs"),
    Timer(60, _I, "Fly proxy", "", "Fly community, reports"),
    Timer(60, TimerKind.IDLE_UPSTREAM, "Phoenix", "timeout of the socket", "reports"),
    Timer(100, _I, "Cloudflare", "", "buildbot issue 4078"),
    Timer(120, _I, "Pusher", "activity_timeout", "pusher-js source"),
    Timer(300, _I, "Envoy or Istio", "stream_idle_timeout", "Envoy FAQ, timeouts"),
    Timer(300, _I, "Azure Front Door", "", "Azure Front Door docs"),
    Timer(300, _A, "Cloud Run", "request timeout", "Cloud Run docs, WebSockets"),
    Timer(600, TimerKind.IDLE_DOWNSTREAM, "CloudFront", "", "AWS re:Post"),
    Timer(600, TimerKind.MESSAGES, "AWS API Gateway", "", "API Gateway quotas"),
    Timer(900, _I, "Cloudflare (proxy idle timeout)", "", "Cloudflare connection limits"),
    Timer(1800, _A, "Istio (maximum connection age)", "keepaliveMaxServerConnectionAge", "Istio issue 19043"),
    Timer(3600, _A, "Cloud Run", "request timeout", "Cloud Run docs, WebSockets"),
    Timer(3600, _A, "OpenAI Realtime", "", "strandsagents source"),
    Timer(3600, _I, "Envoy or Istio (TCP proxy)", "idle_timeout", "Envoy FAQ, timeouts"),
    Timer(7200, _A, "AWS API Gateway", "", "API Gateway quotas"),
    Timer(14400, _A, "Azure Front Door", "", "Azure Front Door docs"),
    Timer(86400, _A, "Google front end", "backend service timeout", "gcpdiag BP/2025_002"),
    Timer(240, TimerKind.SILENT, "Azure load balancer or NAT", "idle timeout, TCP reset", "Azure docs"),
    Timer(350, TimerKind.SILENT, "AWS NLB or NAT gateway", "idle timeout", "NLB docs"),
    Timer(1200, TimerKind.SILENT, "Google Cloud NAT", "", "reports"),
    Timer(432000, TimerKind.SILENT, "Linux conntrack", "nf_conntrack_tcp_timeout_established", "sysctl"),
    Timer(60, TimerKind.PONG, "gorilla/websocket's chat example", "SetReadDeadline", "gorilla source"),
    Timer(6, _P, "gorilla/websocket's chat example (pongWait)", "SetReadDeadline", "gorilla source"),
    Timer(12, _P, "graphql-ws", "keepAlive", "graphql-ws source"),
    Timer(20, _P, "websockets or uvicorn", "ping_timeout / ws_ping_timeout", "websockets docs"),
    Timer(20, _P, "Engine.IO", "pingTimeout", "engine.io source"),
    Timer(30, _P, "node ws (README isAlive loop), Deno", "the interval of its loop", "ws README"),
)  # fmt: skip


def fits(observed: float, seconds: float, tier: Tier) -> bool:
    """Whether a timer of ``seconds`` may be what was ``observed``."""
    if tier is Tier.VIRTUAL:
        return -EXACT <= observed - seconds <= EXACT
    return -EARLY <= observed - seconds <= max(LATE, LATE_SHARE * seconds)


def known(observed: float, tier: Tier, *kinds: TimerKind) -> list[Timer]:
    """The known timers of these kinds that fit."""
    return [timer for timer in KNOWN if timer.kind in kinds and fits(observed, timer.seconds, tier)]


def nearest(observed: float, *kinds: TimerKind) -> Timer:
    """The known timer of these kinds that is nearest, in shares of its length."""
    candidates = [timer for timer in KNOWN if timer.kind in kinds]
    return min(candidates, key=lambda timer: abs(observed - timer.seconds) / timer.seconds)


def is_round(observed: float, tier: Tier) -> bool:
    """Whether people write such numbers into settings: 3 s, 5 s, 45 s, 10 min, not 47.3 s."""
    steps = ((10, 1), (120, 5), (600, 30), (7200, 60), (float("inf"), 300))
    step = next(step for limit, step in steps if observed <= limit + LATE)
    candidates = (observed // step * step, (observed // step + 1) * step)
    return any(seconds > 0 and fits(observed, seconds, tier) for seconds in candidates)


def value(observed: float, tier: Tier, *kinds: TimerKind) -> str:
    """The timer's length for a sentence: the known or whole value that fits, else what was observed."""
    timers = known(observed, tier, *kinds)
    if timers:
        return show(timers[0].seconds)
    whole = round(observed)
    if whole and abs(observed - whole) <= min(EARLY, 0.05 * whole):
        return show(float(whole))
    return f"about {show(round(observed, 1))}"


def owners(observed: float, tier: Tier, *kinds: TimerKind) -> str:
    """Who is known for such a timer, as a hypothesis: ``nginx, AWS ALB or CLB``; empty if nobody is."""
    return ", ".join(dict.fromkeys(timer.owner for timer in known(observed, tier, *kinds)))
