"""
Named proxies and load balancers as faults: their timers are those of the table of known timers.

The seconds are defaults; who runs a box may have changed them.

"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..duration import show_duration
from ..known_timers import KNOWN_TIMERS, CountsFrom, Tag, TimerDefault
from . import EndsWith, Fault, IdleTimeout, MaxAge, ResetBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Middlebox:
    """A proxy or load balancer by its name."""

    name: str
    title: str
    # Its timers; none if it ends no WebSocket by itself.
    faults: tuple[Fault, ...]
    # The setting that changes the timer, by its name; None where none is known.
    knob: str | None
    tag: Tag
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


def _describe(fault: Fault) -> str:
    if isinstance(fault, IdleTimeout):
        return f"idle {show_duration(fault.seconds)} (reset by {_RESETS[fault.reset_by]})"
    assert isinstance(fault, MaxAge)
    return f"age {show_duration(fault.seconds)}"


_RESET_BY = {
    CountsFrom.IDLE: ResetBy.ANY,
    CountsFrom.SILENT: ResetBy.ANY,
    CountsFrom.IDLE_UPSTREAM: ResetBy.UPSTREAM,
    CountsFrom.IDLE_DOWNSTREAM: ResetBy.DOWNSTREAM,
    CountsFrom.IDLE_EACH: ResetBy.EACH,
    CountsFrom.MESSAGES: ResetBy.DATA,
}


def _fault(timer: TimerDefault, ends_with: EndsWith) -> Fault:
    if timer.counts_from is CountsFrom.AGE:
        return MaxAge(timer.seconds, ends_with=ends_with)
    return IdleTimeout(timer.seconds, reset_by=_RESET_BY[timer.counts_from], ends_with=ends_with)


def _box(
    name: str, title: str, *, note: str = "", ends_with: EndsWith | None = EndsWith.FIN,
    tag: Tag = Tag.DOCUMENTED, reference: str = "",
) -> Middlebox:  # fmt: skip
    """A box; ``ends_with`` None is not known, and ``tag`` and ``reference`` are for one without a timer."""
    timers = [timer for timer in KNOWN_TIMERS if timer.box == name]
    first = timers[0] if timers else None
    return Middlebox(
        name=name,
        title=title,
        faults=tuple(_fault(timer, ends_with or EndsWith.FIN) for timer in timers),
        knob=(first.knob or None) if first else None,
        tag=first.tag if first else tag,
        reference=first.source if first else reference,
        end_is_known=ends_with is not None,
        note=note,
    )


_ALL = (
    _box("nginx", "nginx", note="its documentation says that only the server's bytes count"),
    _box("ingress-nginx", "ingress-nginx (Kubernetes)"),
    _box(
        "haproxy", "HAProxy",
        note="without 'timeout tunnel', the smaller of 'timeout client' and 'timeout server' counts",
    ),
    _box("apache", "Apache httpd", note="packages of Debian and Ubuntu set 'Timeout 300'"),
    _box("envoy", "Envoy, Istio"),
    _box("envoy-route-timeout", "Envoy, a route that keeps its timeout"),
    _box("envoy-tcp", "Envoy, Istio as a TCP proxy"),
    _box(
        "caddy", "Caddy", tag=Tag.MEASURED,
        reference="Caddy 2.6.2 kept an idle connection for the 8 s that were tried",
        note="a reload of its configuration ends connections with 1001 (from 2.7 on after "
        "stream_close_delay); where its transport has a read_timeout, that is an idle timeout which bytes of "
        "the server only reset (measured), and stream_timeout (2.7, caddy#5567) is a maximum age",
    ),
    _box(
        "traefik", "Traefik", reference="Traefik, EntryPoints",
        note="idleTimeout (180 s) and readTimeout (60 s) are over once a WebSocket is open",
    ),
    _box(
        "aws-alb", "AWS Application Load Balancer", ends_with=None,
        note="TCP keepalive and HTTP/2 PING do not count",
    ),
    _box(
        "aws-clb", "AWS Classic Load Balancer", ends_with=None, note="TCP keepalive probes do not count"
    ),
    _box("aws-nlb", "AWS Network Load Balancer", ends_with=EndsWith.SILENCE),
    _box("nat-gateway", "AWS NAT gateway", ends_with=EndsWith.SILENCE),
    _box(
        "aws-api-gateway", "AWS API Gateway", ends_with=None,
        note="it has no protocol pings (subscriptionless#3)",
    ),
    _box("cloudfront", "Amazon CloudFront", ends_with=None),
    _box("cloudflare", "Cloudflare, below Enterprise", note="restarts of its own end connections too"),
    _box("gcp-lb", "Google Cloud external load balancer", ends_with=None),
    _box("cloud-nat", "Google Cloud NAT", ends_with=EndsWith.BLACKHOLE),
    _box("cloud-run", "Google Cloud Run", ends_with=None),
    _box("vercel", "Vercel Functions, Hobby", ends_with=None, note="800 s on Pro"),
    _box("heroku", "Heroku router", note="its log says H15"),
    _box(
        "azure-lb", "Azure Load Balancer", ends_with=EndsWith.BLACKHOLE,
        note="as it comes, without TCP reset",
    ),
    _box("azure-lb-tcp-reset", "Azure Load Balancer with TCP reset", ends_with=EndsWith.RESET),
    _box("azure-front-door", "Azure Front Door", ends_with=None),
    _box("fly", "Fly proxy", ends_with=None),
    _box(
        "oci-lb", "Oracle Cloud load balancer", ends_with=None,
        note="sending does not reset the timer for receiving",
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
