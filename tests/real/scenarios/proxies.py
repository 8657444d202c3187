"""Proxies in front of a server that ends nothing: with an idle timeout of 3 s, or without one."""

from __future__ import annotations

from pytest_wsstability.core.diagnosis import Cause

from ..play import Scenario
from ..traffic import beats, pings
from .acts import FREEZE_BACKEND, KILL, KILL_BACKEND, RELOAD, SOFT_STOP, TERMINATE

# A silent connection that ends after 3 s may as well have reached an age: see the facts in docs/.
SILENT = (Cause.IDLE_TIMEOUT, Cause.MAX_AGE)
RESTART = {"causes": (Cause.RESTART,), "cohort": True}

_IDLE = {
    "silent": Scenario(causes=SILENT),
    "silent and mute": Scenario(client="mute", causes=SILENT),
    "silent, 0.7 s apart": Scenario(apart=0.7, causes=SILENT),
    "heartbeats, then silence": Scenario(traffic=[beats(0.5, until=2)], causes=[Cause.IDLE_TIMEOUT]),
}
_EACH = {
    "heartbeats go on": Scenario(heartbeat="1s"),
    "ping frames go on": Scenario(traffic=[pings(1)]),
    "backend killed": Scenario(traffic=[beats(0.4)], act=KILL_BACKEND, **RESTART),
    "backend frozen": Scenario(
        heartbeat="500ms", heartbeat_within="1s", traffic=[pings(0.5)], act=FREEZE_BACKEND,
        causes=[Cause.PEER_FROZEN],
    ),
    "terminated": Scenario(traffic=[beats(0.4)], act=TERMINATE, **RESTART),
}  # fmt: skip
_KILLED = {
    "killed, ping frames alone": Scenario(traffic=[pings(0.4)], act=KILL, **RESTART),
}

NGINX = (
    _IDLE
    | _EACH
    | {
        "reloaded": Scenario(traffic=[beats(0.4)], act=RELOAD, **RESTART),
    }
)
HAPROXY = (
    _IDLE
    | _EACH
    | {
        "stopped softly": Scenario(traffic=[beats(0.4)], act=SOFT_STOP, **RESTART),
    }
)
# As it comes, Caddy has no timer for a connection that was upgraded.
CADDY = _EACH | _KILLED | {"silent": Scenario()}
VARNISH = _IDLE | _EACH | _KILLED
# Where the age is all that there is, one connection does not exclude a deadline that it leaves alone.
ENVOY = (
    _IDLE
    | _EACH
    | _KILLED
    | {
        "maximum age": Scenario(
            path="/aged",
            traffic=[beats(0.4)],
            causes=[Cause.MAX_AGE, Cause.PONG_DEADLINE, Cause.READ_DEADLINE],
        ),
        "maximum age, silent": Scenario(path="/aged", causes=SILENT),
    }
)
