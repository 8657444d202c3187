"""Faults to give to a proxy or an orchestrator: ``from pytest_wsstability import faults``."""

from .core.faults import *  # noqa: F403
from .core.faults import __all__ as __all__
