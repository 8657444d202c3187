"""Which event loop a suite gets when it asks asyncio for one."""

from __future__ import annotations

import asyncio
import sys
from typing import Any


def use_virtual() -> None:
    """
    Let every new event loop of this process be a virtual one.

    Suites ask for loops by `asyncio.new_event_loop`, `asyncio.SelectorEventLoop` and `asyncio.run`, which all
    end at one of these names.

    """
    from pytest_wsstability.virtual import VirtualLoop

    class Loop(VirtualLoop):
        """As asyncio's constructor, which takes a selector."""

        def __init__(self, selector: Any = None) -> None:
            super().__init__()

    asyncio.SelectorEventLoop = Loop
    if sys.platform != "win32":
        asyncio.unix_events.SelectorEventLoop = Loop
        asyncio.unix_events._UnixDefaultEventLoopPolicy._loop_factory = Loop
