"""The markers as functions with typed keywords: ``from pytest_wsstability import marks``."""

from .plugin.marks import long, middlebox, orchestrator, stability, voice

__all__ = ["long", "middlebox", "orchestrator", "stability", "voice"]
