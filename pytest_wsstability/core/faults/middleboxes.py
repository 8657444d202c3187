"""
Named proxies and load balancers: which timer ends a WebSocket, what resets it, and where that is known from.

The seconds are defaults; who runs a box may have changed them.

"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ..duration import show_duration
from . import EndsWith, Fault, IdleTimeout, MaxAge, ResetBy


class Source(Enum):
    """Where it is known from, the strongest first."""

    MEASURED = "measured"
    CODE = "source code"
    DOCUMENTATION = "vendor documentation"
    ISSUE = "issue report"
    ARTICLE = "article"


@dataclass(frozen=True, slots=True, kw_only=True)
class Middlebox:
    """A proxy or load balancer by its name."""

    name: str
    title: str
    # Its timers; none if it ends no WebSocket by itself.
    faults: tuple[Fault, ...]
    # The setting that changes the timer, by its name; None where none is known.
    knob: str | None
    source: Source
    # What was read or measured.
    reference: str
    # Whether the way it ends a connection is known; where it is not, FIN stands for it.
    end_is_known: bool = True
    # What else is to be known.
    note: str = ""

    def describe(self, *faults: Fault) -> str:
        """These timers in words, or all: ``idle 60 s (reset by any byte, either way)``."""
        return " and ".join(map(_describe, faults or self.faults)) or "no timer of its own"

    def advice(self, fault: Fault) -> str:
        """What would keep a connection alive that this timer has ended."""
        knob = f", or raise {self.knob}" if self.knob else ""
        if isinstance(fault, IdleTimeout):
            traffic = _TRAFFIC[fault.reset_by]
            return f"{traffic} every {show_duration(fault.seconds / 2)} or less would do{knob}"
        return f"no traffic helps against an age: reconnect and resume before it{knob}"


# What has to be sent for a timer to start anew.
_TRAFFIC = {
    ResetBy.ANY: "a heartbeat or ping",
    ResetBy.UPSTREAM: "a heartbeat or ping of the client",
    ResetBy.DOWNSTREAM: "a ping of the server, or a heartbeat that it answers,",
    ResetBy.EACH: "a heartbeat or ping that the other end answers",
    ResetBy.DATA: "a heartbeat message (ping frames do not count)",
}
_RESETS = {
    ResetBy.ANY: "any byte, either way",
    ResetBy.UPSTREAM: "bytes of the client only",
    ResetBy.DOWNSTREAM: "bytes of the server only",
    ResetBy.EACH: "bytes of each direction, for that direction",
    ResetBy.DATA: "messages only",
}
_ENDINGS = {
    EndsWith.FIN: "FIN",
    EndsWith.RESET: "RST",
    EndsWith.SILENCE: "silence, then RST on the next data",
    EndsWith.BLACKHOLE: "silence",
}


def _describe(fault: Fault) -> str:
    if isinstance(fault, IdleTimeout):
        return f"idle {show_duration(fault.seconds)} (reset by {_RESETS[fault.reset_by]})"
    assert isinstance(fault, MaxAge)
    return f"age {show_duration(fault.seconds)}"


def _box(
    name: str, title: str, faults: Iterable[Fault], knob: str | None, source: Source, reference: str,
    *, end_is_known: bool = True, note: str = "",
) -> Middlebox:  # fmt: skip
    return Middlebox(
        name=name, title=title, faults=tuple(faults), knob=knob, source=source, reference=reference,
        end_is_known=end_is_known, note=note,
    )  # fmt: skip


_ALL = (
    _box(
        "nginx", "nginx", [IdleTimeout("60s")], "proxy_read_timeout", Source.MEASURED,
        "nginx 1.22.1; ngx_http_upstream.c, process_upgraded",
        note="its documentation says that only the server's bytes count",
    ),
    _box(
        "ingress-nginx", "ingress-nginx (Kubernetes)", [IdleTimeout("60s")],
        "proxy-read-timeout and proxy-send-timeout", Source.DOCUMENTATION, "ingress-nginx, Miscellaneous",
    ),
    _box(
        "haproxy", "HAProxy", [IdleTimeout("50s")], "timeout tunnel", Source.MEASURED,
        "HAProxy 2.6.12 with the configuration of Debian's package",
        note="without 'timeout tunnel', the smaller of 'timeout client' and 'timeout server' counts",
    ),
    _box(
        "apache", "Apache httpd", [IdleTimeout("60s")], "ProxyTimeout", Source.ARTICLE,
        "Apache 2.4.71 was measured, with a shorter timer; the default is from articles",
        note="packages of Debian and Ubuntu set 'Timeout 300'",
    ),
    _box(
        "envoy", "Envoy, Istio", [IdleTimeout("5m")], "stream_idle_timeout", Source.DOCUMENTATION,
        "Envoy FAQ, timeouts; pomerium#1744, istio#7428",
    ),
    _box(
        "envoy-route-timeout", "Envoy, a route that keeps its timeout", [MaxAge("15s")], "timeout: 0s",
        Source.DOCUMENTATION, "Envoy FAQ, timeouts; envoyproxy/envoy#20062",
    ),
    _box(
        "envoy-tcp", "Envoy, Istio as a TCP proxy", [IdleTimeout("1h")], None,
        Source.DOCUMENTATION, "Envoy FAQ, timeouts; istio#43066",
    ),
    _box(
        "caddy", "Caddy", [], None, Source.MEASURED,
        "Caddy 2.6.2 kept an idle connection for the 8 s that were tried; no timer of it is known",
        note="a reload of its configuration ends connections with 1001",
    ),
    _box(
        "traefik", "Traefik", [], None, Source.DOCUMENTATION, "Traefik, EntryPoints",
        note="idleTimeout (180 s) and readTimeout (60 s) are over once a WebSocket is open",
    ),
    _box(
        "aws-alb", "AWS Application Load Balancer", [IdleTimeout("60s")], "idle_timeout.timeout_seconds",
        Source.DOCUMENTATION, "Elastic Load Balancing, edit load balancer attributes", end_is_known=False,
        note="TCP keepalive and HTTP/2 PING do not count",
    ),
    _box(
        "aws-clb", "AWS Classic Load Balancer", [IdleTimeout("60s")], "the idle timeout",
        Source.DOCUMENTATION, "Elastic Load Balancing, configure the idle timeout", end_is_known=False,
        note="TCP keepalive probes do not count",
    ),
    _box(
        "aws-nlb", "AWS Network Load Balancer", [IdleTimeout("350s", ends_with="silence")],
        "the idle timeout (60 to 6000 s)", Source.ARTICLE,
        "seconds: Network Load Balancers, update the idle timeout; RST: cloudnetworking.pro",
    ),
    _box(
        "nat-gateway", "AWS NAT gateway", [IdleTimeout("350s", ends_with="silence")], None, Source.ARTICLE,
        "cloudnetworking.pro",
    ),
    _box(
        "aws-api-gateway", "AWS API Gateway", [IdleTimeout("10m", reset_by="data"), MaxAge("2h")], None,
        Source.DOCUMENTATION, "API Gateway quotas", end_is_known=False,
        note="it has no protocol pings (subscriptionless#3)",
    ),
    _box(
        "cloudfront", "Amazon CloudFront", [IdleTimeout("10m", reset_by="downstream")], None, Source.ARTICLE,
        "AWS re:Post", end_is_known=False,
    ),
    _box(
        "cloudflare", "Cloudflare, below Enterprise", [IdleTimeout("100s")], None, Source.ISSUE,
        "buildbot#4078, butterfly#172, gravitational/teleport#11765",
        note="restarts of its own end connections too",
    ),
    _box(
        "gcp-lb", "Google Cloud external load balancer", [MaxAge("30s")], "the backend service's timeout",
        Source.DOCUMENTATION, "ingress-gce, examples/websocket: not an idle timeout", end_is_known=False,
    ),
    _box(
        "cloud-nat", "Google Cloud NAT", [IdleTimeout("20m", ends_with="blackhole")], None, Source.ARTICLE,
        "oneuptime, established connections",
    ),
    _box(
        "cloud-run", "Google Cloud Run", [MaxAge("5m")], "the request timeout (3600 s at most)",
        Source.DOCUMENTATION, "Cloud Run, using WebSockets", end_is_known=False,
    ),
    _box(
        "vercel", "Vercel Functions, Hobby", [MaxAge("5m")], None, Source.ARTICLE,
        "fly.io/learn/websockets-workers-cron", end_is_known=False, note="800 s on Pro",
    ),
    _box(
        "heroku", "Heroku router", [IdleTimeout("55s")], None, Source.ARTICLE,
        "Dev Center as quoted by php-websocket#16; peerjs-server#68", note="its log says H15",
    ),
    _box(
        "azure-lb", "Azure Load Balancer", [IdleTimeout("4m", ends_with="blackhole")], "the idle timeout",
        Source.DOCUMENTATION, "Azure, load-balancer-tcp-reset", note="as it comes, without TCP reset",
    ),
    _box(
        "azure-lb-tcp-reset", "Azure Load Balancer with TCP reset", [IdleTimeout("4m", ends_with="reset")],
        "the idle timeout", Source.DOCUMENTATION, "Azure, load-balancer-tcp-reset",
    ),
    _box(
        "azure-front-door", "Azure Front Door", [IdleTimeout("5m"), MaxAge("4h")], None,
        Source.DOCUMENTATION, "Azure, Front Door, WebSocket", end_is_known=False,
    ),
    _box(
        "fly", "Fly proxy", [IdleTimeout("60s")], None, Source.ISSUE,
        "0ptim/JellyChat#47, after community.fly.io", end_is_known=False,
    ),
    _box(
        "oci-lb", "Oracle Cloud load balancer", [IdleTimeout("60s", reset_by="each")],
        "the listener's idle timeout", Source.DOCUMENTATION, "OCI, load balancer timeouts",
        end_is_known=False, note="sending does not reset the timer for receiving",
    ),
)  # fmt: skip

MIDDLEBOXES: Mapping[str, Middlebox] = {box.name: box for box in _ALL}


def middlebox(name: str) -> Middlebox:
    """
    The middlebox with a name.

    Raises:
        ValueError: if there is none, listing the valid ones.

    """
    if not isinstance(name, str) or name not in MIDDLEBOXES:
        valid = ", ".join(map(repr, MIDDLEBOXES))
        raise ValueError(f"ws_middlebox: {name!r} is unknown; valid ones: {valid}")
    return MIDDLEBOXES[name]


def as_table() -> str:
    """All of them as a table of Markdown."""
    lines = [
        "| name | what it is | timer | ends with | setting | known from |",
        "|---|---|---|---|---|---|",
    ]
    for box in MIDDLEBOXES.values():
        endings = " / ".join(dict.fromkeys(map(_ending, box.faults))) or "-"
        ends = endings if box.end_is_known else "not known; FIN stands for it"
        knob = f"`{box.knob}`" if box.knob else "-"
        known = f"{box.source.value}: {box.reference}" + (f"; {box.note}" if box.note else "")
        lines.append(f"| `{box.name}` | {box.title} | {box.describe()} | {ends} | {knob} | {known} |")
    return "\n".join(lines) + "\n"


def _ending(fault: Fault) -> str:
    assert isinstance(fault, IdleTimeout | MaxAge)
    return _ENDINGS[fault.ends_with]
