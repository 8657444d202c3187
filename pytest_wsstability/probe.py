"""Which timer rules a URL, and which traffic resets it: ``from pytest_wsstability import probe``."""

from .core.probe.findings import Findings, FoundTimer, Policy, TimerKind
from .core.probe.rungs import Traffic
from .net.probe import probe_url

__all__ = ["Findings", "FoundTimer", "Policy", "TimerKind", "Traffic", "probe_url"]
