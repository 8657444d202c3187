"""WebSocket stability requirements as pytest tests."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import faults, marks
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
    )
    from .core.diagnosis import (
        Blame,
        Cause,
        Confidence,
        Diagnosis,
        Evidence,
        Hypothesis,
        diagnose,
        diagnose_all,
        diagnose_opening,
    )
    from .core.faults.middleboxes import MIDDLEBOXES, Middlebox
    from .core.judge.attempts import ConnectionAttempt
    from .core.judge.backoff import Backoff
    from .core.judge.numbering import MessageCount
    from .core.judge.requirement import Requirement
    from .core.judge.rules import judge
    from .core.judge.verdict import Doubt, Outcome, Reason, Rule, Verdict, Violation
    from .core.message.errors import StabilityError
    from .core.message.session_error import SessionError
    from .core.probe.findings import Findings, FoundTimer, Policy, TimerKind
    from .core.probe.rungs import Traffic
    from .core.timeline.close import CLOSE_CODES, CloseCode, CloseEvidence, CloseFrame, TransportEnd
    from .core.timeline.events import Direction, End, Event, EventKind, FrameKind, Opcode, Role, Tier
    from .core.timeline.tcp import TcpSample
    from .core.timeline.timeline import Timeline
    from .net.client import connect
    from .net.connection import Connection
    from .net.connector import Connector
    from .net.errors import ConnectionEnded, OpeningError, OpeningStage
    from .net.hold import Soak, hold
    from .net.probe import probe
    from .net.proxy.proxy import FaultProxy, ProxyConnection
    from .net.server.behaviour import Behaviour
    from .net.server.orchestrator import NoSessionError, Orchestrator
    from .net.server.session import Session
    from .net.target import TLS
    from .plugin.margins import StabilityWarning
    from .profiles import FRAMES, JSON, SESSION_ID, Profile
    from .virtual import (
        VirtualDeadlock,
        VirtualLoop,
        VirtualTimeError,
        patched_time,
        run_virtual,
        virtual_loop_factory,
    )

__version__ = "0.1.0"

# Loaded on first use: pytest imports this package in every run, and most runs use nothing of it.
_HOMES = {
    "core.message.errors": ("StabilityError",),
    "core.assertions": (
        "assert_alive_for", "assert_closed", "assert_handshake",
        "assert_heartbeats_answered", "assert_no_abnormal_closure", "assert_pings_answered", "assert_rtt",
        "assert_session_confirmed", "assert_stable",
    ),
    "core.judge.attempts": ("ConnectionAttempt",),
    "core.judge.backoff": ("Backoff",),
    "core.timeline.close": ("CLOSE_CODES", "CloseCode", "CloseEvidence", "CloseFrame", "TransportEnd"),
    "core.diagnosis": ("Blame", "Cause", "Confidence", "Diagnosis", "Evidence", "Hypothesis", "diagnose",
        "diagnose_all", "diagnose_opening"),
    "core.timeline.events": ("Direction", "End", "Event", "FrameKind", "EventKind", "Opcode", "Role", "Tier"),
    "core.probe.findings": ("Findings", "FoundTimer", "Policy", "TimerKind"),
    "core.probe.rungs": ("Traffic",),
    "core.faults.middleboxes": ("MIDDLEBOXES", "Middlebox"),
    "core.judge.numbering": ("MessageCount",),
    "core.judge.requirement": ("Requirement",),
    "core.timeline.tcp": ("TcpSample",),
    "core.message.session_error": ("SessionError",),
    "core.timeline.timeline": ("Timeline",),
    "core.judge.rules": ("judge",),
    "core.judge.verdict": ("Doubt", "Outcome", "Reason", "Rule", "Verdict", "Violation"),
    "plugin.margins": ("StabilityWarning",),
    "net.server.behaviour": ("Behaviour",),
    "net.client": ("connect",),
    "net.connection": ("Connection",),
    "net.connector": ("Connector",),
    "net.errors": ("ConnectionEnded", "OpeningError", "OpeningStage"),
    "net.server.orchestrator": ("NoSessionError", "Orchestrator"),
    "net.proxy.proxy": ("FaultProxy", "ProxyConnection"),
    "net.probe": ("probe",),
    "net.server.session": ("Session",),
    "net.hold": ("Soak", "hold"),
    "net.target": ("TLS",),
    "virtual": ("VirtualDeadlock", "VirtualLoop", "VirtualTimeError", "patched_time", "run_virtual",
        "virtual_loop_factory"),
    "profiles": ("FRAMES", "JSON", "SESSION_ID", "Profile"),
}  # fmt: skip
# Public modules, which are attributes too.
_MODULES = ("faults", "marks")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CLOSE_CODES",
    "FRAMES",
    "JSON",
    "MIDDLEBOXES",
    "SESSION_ID",
    "TLS",
    "Backoff",
    "Behaviour",
    "Blame",
    "Cause",
    "CloseCode",
    "CloseEvidence",
    "CloseFrame",
    "Confidence",
    "Connection",
    "ConnectionAttempt",
    "ConnectionEnded",
    "Connector",
    "Diagnosis",
    "Direction",
    "Doubt",
    "End",
    "Event",
    "EventKind",
    "Evidence",
    "FaultProxy",
    "Findings",
    "FoundTimer",
    "FrameKind",
    "Hypothesis",
    "MessageCount",
    "Middlebox",
    "NoSessionError",
    "Opcode",
    "OpeningError",
    "OpeningStage",
    "Orchestrator",
    "Outcome",
    "Policy",
    "Profile",
    "ProxyConnection",
    "Reason",
    "Requirement",
    "Role",
    "Rule",
    "Session",
    "SessionError",
    "Soak",
    "StabilityError",
    "StabilityWarning",
    "TcpSample",
    "Tier",
    "Timeline",
    "TimerKind",
    "Traffic",
    "TransportEnd",
    "Verdict",
    "Violation",
    "VirtualDeadlock",
    "VirtualLoop",
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
    "diagnose_all",
    "diagnose_opening",
    "faults",
    "hold",
    "judge",
    "marks",
    "patched_time",
    "probe",
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
    return sorted(__all__)
