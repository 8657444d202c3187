"""Faults to give to a proxy or an orchestrator: ``from pytest_wsstability import faults``."""

from .core import faults
from .core.faults import *  # noqa: F403
from .core.faults.middleboxes import MIDDLEBOXES, Middlebox
from .net.proxy.proxies import MiddleboxProxy, Proxies

__all__ = ["MIDDLEBOXES", "Middlebox", "MiddleboxProxy", "Proxies"]
__all__ += faults.__all__
