"""The ladder of connections of a probe, opened and watched."""

from __future__ import annotations

from .prober import Prober, probe_url

__all__ = ["Prober", "probe_url"]
