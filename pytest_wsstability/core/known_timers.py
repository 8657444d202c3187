"""
The one table of known timers: whose they are, how long, what resets them, and where that is known from.

The seconds are defaults; who runs a server or a box may have changed them. The diagnosis, the probe and the
middlebox presets read this table.

"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CountsFrom(Enum):
    """What a timer counts from; the value says it in words."""

    IDLE = "the last byte either way"
    IDLE_UPSTREAM = "the last byte of the client"
    IDLE_DOWNSTREAM = "the last byte of the server"
    # One timer for each direction; the first that runs out ends the connection.
    IDLE_EACH = "the last byte of each direction"
    # Control frames do not count.
    MESSAGES = "the last message either way"
    MESSAGES_UPSTREAM = "the last message of the client"
    # As IDLE, and nobody is told: the next packet finds no connection.
    SILENT = "the last byte either way, and nobody is told"
    AGE = "the opening"
    PONG = "the last pong of the client"
    PING = "a ping that was not answered"


class Tag(Enum):
    """How a timer is known, the strongest first."""

    MEASURED = "measured"
    # By the vendor, or in the source code.
    DOCUMENTED = "documented"
    # In issues and articles.
    REPORTED = "reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerDefault:
    """A default of somebody's."""

    seconds: float
    counts_from: CountsFrom
    owner: str
    # The setting to change; empty where there is none, or none is known.
    knob: str = ""
    tag: Tag
    # What was read or measured.
    source: str
    # The middlebox preset that has it; empty for what is no box.
    box: str = ""


_I, _A, _P = CountsFrom.IDLE, CountsFrom.AGE, CountsFrom.PING
_MEASURED, _DOCUMENTED, _REPORTED = Tag.MEASURED, Tag.DOCUMENTED, Tag.REPORTED


def _timer(
    seconds: float, counts_from: CountsFrom, owner: str, knob: str, tag: Tag, source: str, box: str = ""
) -> TimerDefault:
    return TimerDefault(
        seconds=seconds, counts_from=counts_from, owner=owner, knob=knob, tag=tag, source=source, box=box
    )  # fmt: skip


KNOWN_TIMERS = (
    # Proxies, load balancers and platforms.
    _timer(
        60, _I, "nginx", "proxy_read_timeout", _MEASURED,
        "nginx 1.22.1; ngx_http_upstream.c, process_upgraded", "nginx",
    ),
    _timer(
        60, _I, "ingress-nginx (Kubernetes)", "proxy-read-timeout and proxy-send-timeout", _DOCUMENTED,
        "ingress-nginx, Miscellaneous", "ingress-nginx",
    ),
    _timer(
        50, _I, "HAProxy", "timeout tunnel", _MEASURED,
        "HAProxy 2.6.12 with the configuration of Debian's package", "haproxy",
    ),
    _timer(
        60, _I, "Apache httpd", "ProxyTimeout", _REPORTED,
        "Apache 2.4.71 was measured, with a shorter timer; the default is from articles", "apache",
    ),
    _timer(
        300, _I, "Envoy or Istio", "stream_idle_timeout", _DOCUMENTED,
        "Envoy FAQ, timeouts; pomerium#1744, istio#7428", "envoy",
    ),
    _timer(
        15, _A, "Envoy (a route that keeps its timeout)", "timeout: 0s", _DOCUMENTED,
        "Envoy FAQ, timeouts; envoyproxy/envoy#20062", "envoy-route-timeout",
    ),
    _timer(
        3600, _I, "Envoy or Istio as a TCP proxy", "idle_timeout", _DOCUMENTED,
        "Envoy FAQ, timeouts; istio#43066", "envoy-tcp",
    ),
    _timer(
        1800, _A, "Istio (maximum connection age)", "keepaliveMaxServerConnectionAge", _REPORTED,
        "istio#19043, istio#33613",
    ),
    _timer(
        60, _I, "AWS ALB", "idle_timeout.timeout_seconds", _DOCUMENTED,
        "Elastic Load Balancing, edit load balancer attributes", "aws-alb",
    ),
    _timer(
        60, _I, "AWS CLB", "the idle timeout", _DOCUMENTED,
        "Elastic Load Balancing, configure the idle timeout", "aws-clb",
    ),
    _timer(
        350, CountsFrom.SILENT, "AWS NLB", "the idle timeout (60 to 6000 s)", _REPORTED,
        "seconds: Network Load Balancers, update the idle timeout; RST: cloudnetworking.pro", "aws-nlb",
    ),
    _timer(350, CountsFrom.SILENT, "AWS NAT gateway", "", _REPORTED, "cloudnetworking.pro", "nat-gateway"),
    _timer(
        600, CountsFrom.MESSAGES, "AWS API Gateway", "",
        _DOCUMENTED, "API Gateway quotas", "aws-api-gateway",
    ),
    _timer(7200, _A, "AWS API Gateway", "", _DOCUMENTED, "API Gateway quotas", "aws-api-gateway"),
    _timer(600, CountsFrom.IDLE_DOWNSTREAM, "Amazon CloudFront", "", _REPORTED, "AWS re:Post", "cloudfront"),
    _timer(
        100, _I, "Cloudflare", "", _REPORTED,
        "buildbot#4078, butterfly#172, gravitational/teleport#11765", "cloudflare",
    ),
    _timer(900, _I, "Cloudflare (proxy idle timeout)", "", _DOCUMENTED, "Cloudflare connection limits"),
    _timer(
        30, _A, "Google Cloud load balancer", "the backend service's timeout", _DOCUMENTED,
        "ingress-gce, examples/websocket: not an idle timeout", "gcp-lb",
    ),
    _timer(
        86400, _A, "Google front end", "the backend service's timeout", _DOCUMENTED, "gcpdiag BP/2025_002"
    ),
    _timer(
        1200, CountsFrom.SILENT, "Google Cloud NAT", "", _REPORTED, "oneuptime, established connections",
        "cloud-nat",
    ),
    _timer(
        300, _A, "Google Cloud Run", "the request timeout (3600 s at most)", _DOCUMENTED,
        "Cloud Run, using WebSockets", "cloud-run",
    ),
    _timer(
        3600, _A, "Google Cloud Run", "the request timeout (3600 s at most)", _DOCUMENTED,
        "Cloud Run, using WebSockets",
    ),
    _timer(
        300, _A, "Vercel Functions, Hobby", "", _REPORTED, "fly.io/learn/websockets-workers-cron", "vercel",
    ),
    _timer(800, _A, "Vercel Functions, Pro", "", _REPORTED, "fly.io/learn/websockets-workers-cron"),
    _timer(150, _A, "Supabase Edge Functions, Free", "", _DOCUMENTED, "Supabase, Edge Functions, limits"),
    _timer(400, _A, "Supabase Edge Functions", "", _DOCUMENTED, "Supabase, Edge Functions, limits"),
    _timer(
        55, _I, "Heroku router (H15)", "", _REPORTED,
        "Dev Center as quoted by php-websocket#16; peerjs-server#68", "heroku",
    ),
    _timer(
        240, CountsFrom.SILENT, "Azure load balancer", "the idle timeout", _DOCUMENTED,
        "Azure, load-balancer-tcp-reset", "azure-lb",
    ),
    _timer(
        240, _I, "Azure load balancer with TCP reset", "the idle timeout", _DOCUMENTED,
        "Azure, load-balancer-tcp-reset", "azure-lb-tcp-reset",
    ),
    _timer(300, _I, "Azure Front Door", "", _DOCUMENTED, "Azure, Front Door, WebSocket", "azure-front-door"),
    _timer(
        14400, _A, "Azure Front Door", "", _DOCUMENTED, "Azure, Front Door, WebSocket", "azure-front-door",
    ),
    _timer(
        30, _A, "Azure Application Gateway", "the request timeout of its backend settings", _REPORTED,
        "application-gateway-kubernetes-ingress#491, #1277",
    ),
    _timer(100, _I, "YARP", "ActivityTimeout", _DOCUMENTED, "dotnet/yarp#1764, #2615"),
    _timer(60, _I, "Fly proxy", "", _REPORTED, "0ptim/JellyChat#47, after community.fly.io", "fly"),
    _timer(
        60, CountsFrom.IDLE_EACH, "Oracle Cloud load balancer", "the listener's idle timeout", _DOCUMENTED,
        "OCI, load balancer timeouts", "oci-lb",
    ),
    _timer(
        432000, CountsFrom.SILENT, "Linux conntrack", "nf_conntrack_tcp_timeout_established",
        _MEASURED, "sysctl",
    ),
    # Servers, libraries and services.
    _timer(30, _I, "Jetty", "idleTimeout", _REPORTED, "danneu/kog#21"),
    _timer(30, _I, "Mojolicious", "inactivity_timeout", _MEASURED, "Mojolicious 9.31"),
    _timer(
        120, _I, "Node's HTTP server (before 13, and 14.11)", "server.timeout", _REPORTED,
        "nodejs/node#35261, websockets/ws#1474",
    ),
    _timer(
        300, _A, "Node's HTTP server (an upgrade without its event)", "server.requestTimeout", _REPORTED,
        "nodejs/node#44228, koa-easy-ws#36",
    ),
    _timer(
        60, CountsFrom.IDLE_UPSTREAM, "ocpp-go and evcc", "PingWait", _REPORTED,
        "ocpp-go#44, evcc-io/evcc#33099",
    ),
    _timer(60, CountsFrom.MESSAGES_UPSTREAM, "Cartesia", "", _REPORTED, "livekit/agents#2630"),
    _timer(86400, _A, "Binance", "", _REPORTED, "Binance's documentation as quoted by niXman/binapi#8"),
    _timer(600, _P, "Binance", "", _REPORTED, "Binance's documentation as quoted by niXman/binapi#8"),
    _timer(120, _I, "Pusher", "activity_timeout", _DOCUMENTED, "pusher-js source"),
    _timer(
        10, CountsFrom.MESSAGES_UPSTREAM, "Deepgram", "KeepAlive messages",
        _DOCUMENTED, "Deepgram audio-keep-alive",
    ),
    _timer(
        60, CountsFrom.IDLE_UPSTREAM, "Phoenix", "timeout of the socket", _REPORTED, "hexdocs and articles",
    ),
    _timer(3600, _A, "OpenAI Realtime", "", _DOCUMENTED, "strandsagents source"),
    _timer(
        60, CountsFrom.PONG, "gorilla/websocket's chat example", "SetReadDeadline",
        _DOCUMENTED, "gorilla source",
    ),
    _timer(
        6, _P, "gorilla/websocket's chat example (pongWait)", "SetReadDeadline",
        _DOCUMENTED, "gorilla source",
    ),
    _timer(15, _P, "Ktor", "timeoutMillis", _DOCUMENTED, "api.ktor.io, WebSocketOptions"),
    _timer(12, _P, "graphql-ws", "keepAlive", _DOCUMENTED, "graphql-ws source"),
    _timer(20, _P, "websockets or uvicorn", "ping_timeout / ws_ping_timeout", _DOCUMENTED, "websockets docs"),
    _timer(20, _P, "Engine.IO", "pingTimeout", _DOCUMENTED, "engine.io source"),
    # It pings after half of its idleTimeout of 30 s, and closes with 1001 after the other half.
    _timer(15, _P, "Deno", "half of idleTimeout (Deno.upgradeWebSocket)", _MEASURED, "Deno 2.9.6"),
    _timer(30, _P, "node ws (README isAlive loop)", "the interval of its loop", _DOCUMENTED, "ws README"),
)  # fmt: skip
