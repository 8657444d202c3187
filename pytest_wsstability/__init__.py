"""WebSocket stability requirements as pytest tests."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import faults as faults
    from . import fleet as fleet
    from . import marks as marks
    from . import probe as probe
    from . import profiles as profiles
    from . import voice as voice
    from .core.assertions import (
        assert_alive_for,
        assert_closed,
        assert_handshake,
        assert_heartbeats_answered,
        assert_no_abnormal_closure,
        assert_pings_answered,
        assert_rtt,
        assert_session_confirmed,
        assert_stable,
        judge,
    )
    from .core.diagnosis import Blame, Cause, Confidence, Diagnosis, Evidence, diagnose
    from .core.judge.backoff import Backoff
    from .core.judge.requirement import Requirement
    from .core.judge.verdict import Outcome, Verdict, Violation
    from .core.message.errors import StabilityError
    from .core.message.session_error import SessionError
    from .core.timeline.close import CloseEvidence
    from .core.timeline.events import Direction, End, Event, EventKind, Role, Tier
    from .core.timeline.timeline import Timeline
    from .core.version import __version__
    from .net.client import connect
    from .net.connection import Connection
    from .net.connector import Connector
    from .net.errors import ConnectionEnded, OpeningError
    from .net.hold import Soak, hold
    from .net.proxy.proxy import FaultProxy
    from .net.server.orchestrator import NoSessionError, Orchestrator
    from .net.server.session import Session
    from .net.target import TLS
    from .plugin.clock import Clock
    from .plugin.margins import StabilityWarning
    from .plugin.servers.command import ServerProcess
    from .virtual import VirtualTimeError, run_virtual, virtual_loop_factory

# Where the names live. Loaded on first use: pytest imports this package in every run, and most runs use
# nothing of it.
_HOMES = {
    "core.assertions": "assert_alive_for assert_closed assert_handshake assert_heartbeats_answered "
    "assert_no_abnormal_closure assert_pings_answered assert_rtt "
    "assert_session_confirmed assert_stable judge",
    "core.diagnosis": "Blame Cause Confidence Diagnosis Evidence diagnose",
    "core.judge.backoff": "Backoff",
    "core.judge.requirement": "Requirement",
    "core.judge.verdict": "Outcome Verdict Violation",
    "core.message.errors": "StabilityError",
    "core.message.session_error": "SessionError",
    "core.timeline.close": "CloseEvidence",
    "core.timeline.events": "Direction End Event EventKind Role Tier",
    "core.timeline.timeline": "Timeline",
    "core.version": "__version__",
    "net.client": "connect",
    "net.connection": "Connection",
    "net.connector": "Connector",
    "net.errors": "ConnectionEnded OpeningError",
    "net.hold": "Soak hold",
    "net.proxy.proxy": "FaultProxy",
    "net.server.orchestrator": "NoSessionError Orchestrator",
    "net.server.session": "Session",
    "net.target": "TLS",
    "plugin.clock": "Clock",
    "plugin.margins": "StabilityWarning",
    "plugin.servers.command": "ServerProcess",
    "virtual": "VirtualTimeError run_virtual virtual_loop_factory",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
# Public modules, which are attributes too.
_MODULES = ("faults", "fleet", "marks", "probe", "profiles", "voice")

__all__ = [
    "TLS",
    "Backoff",
    "Blame",
    "Cause",
    "Clock",
    "CloseEvidence",
    "Confidence",
    "Connection",
    "ConnectionEnded",
    "Connector",
    "Diagnosis",
    "Direction",
    "End",
    "Event",
    "EventKind",
    "Evidence",
    "FaultProxy",
    "NoSessionError",
    "OpeningError",
    "Orchestrator",
    "Outcome",
    "Requirement",
    "Role",
    "ServerProcess",
    "Session",
    "SessionError",
    "Soak",
    "StabilityError",
    "StabilityWarning",
    "Tier",
    "Timeline",
    "Verdict",
    "Violation",
    "VirtualTimeError",
    "__version__",
    "assert_alive_for",
    "assert_closed",
    "assert_handshake",
    "assert_heartbeats_answered",
    "assert_no_abnormal_closure",
    "assert_pings_answered",
    "assert_rtt",
    "assert_session_confirmed",
    "assert_stable",
    "connect",
    "diagnose",
    "hold",
    "judge",
    "run_virtual",
    "virtual_loop_factory",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*__all__, *_MODULES))
