"""Virtual time: an event loop whose clock jumps, with an in-memory network."""

from .errors import VirtualDeadlock, VirtualTimeError
from .loop import VirtualLoop
from .patching import patched_time
from .runner import run_virtual, virtual_loop_factory
from .timers import Order, Ties

__all__ = [
    "Order",
    "Ties",
    "VirtualDeadlock",
    "VirtualLoop",
    "VirtualTimeError",
    "patched_time",
    "run_virtual",
    "virtual_loop_factory",
]
