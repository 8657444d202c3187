"""Proxies with an idle timeout of 3 s, in front of a server that ends nothing."""

from __future__ import annotations

from pytest_wsstability.core.diagnosis import Cause

from ..play import Scenario
from ..traffic import beats, pings
from .acts import FREEZE_BACKEND, KILL_BACKEND, RELOAD, SOFT_STOP, TERMINATE

# A silent connection that ends after 3 s may as well have reached an age: see the facts in docs/.
SILENT = (Cause.IDLE_TIMEOUT, Cause.MAX_AGE)
RESTART = {"causes": (Cause.RESTART,), "cohort": True}

_BOTH = {
    "silent": Scenario(causes=SILENT),
    "silent and mute": Scenario(client="mute", causes=SILENT),
    "heartbeats, then silence": Scenario(traffic=[beats(0.5, until=2)], causes=[Cause.IDLE_TIMEOUT]),
    "heartbeats go on": Scenario(heartbeat="1s"),
    "ping frames go on": Scenario(traffic=[pings(1)]),
    "backend killed": Scenario(traffic=[beats(0.4)], act=KILL_BACKEND, **RESTART),
    "backend frozen": Scenario(
        heartbeat="500ms", heartbeat_within="1s", traffic=[pings(0.5)], act=FREEZE_BACKEND,
        causes=[Cause.PEER_FROZEN],
    ),
    "terminated": Scenario(traffic=[beats(0.4)], act=TERMINATE, **RESTART),
}  # fmt: skip

NGINX = _BOTH | {
    "reloaded": Scenario(traffic=[beats(0.4)], act=RELOAD, **RESTART),
}
HAPROXY = _BOTH | {
    "stopped softly": Scenario(traffic=[beats(0.4)], act=SOFT_STOP, **RESTART),
}
