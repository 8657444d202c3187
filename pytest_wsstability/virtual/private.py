"""
The private parts of asyncio that virtual time stands on: all of them, listed once.

asyncio promises none of these names, so a new Python may lack one. The check runs before the first
virtual loop is made, and says what is missing instead of failing somewhere in the middle of a test.

"""

from __future__ import annotations

import asyncio
import platform
import sys
from asyncio import base_events, selector_events, transports
from functools import cache

from .errors import REAL_TIME, VirtualTimeError

# Attributes that every loop object has.
LOOP_ATTRIBUTES = ("_debug", "_ready", "_selector", "_stopping", "_thread_id", "_default_executor")

# Methods that are called, or overridden because asyncio's own code calls them.
LOOP_METHODS = (
    "_accept_connection2",
    "_add_reader",
    "_add_writer",
    "_check_closed",
    "_check_default_executor",
    "_make_datagram_transport",
    "_make_socket_transport",
    "_make_ssl_transport",
    "_process_events",
    "_remove_reader",
    "_remove_writer",
    "_run_once",
    "_start_serving",
    "_stop_serving",
    "_timer_handle_cancelled",
    "_write_to_self",
)

# Only where asyncio starts subprocesses on a selector loop.
UNIX_METHODS = ("_child_watcher_callback", "_make_subprocess_transport")

HANDLE_ATTRIBUTES = ("_cancelled", "_run")
SERVER_METHODS = ("_attach", "_detach", "_start_serving")
FLOW_CONTROL = ("_maybe_pause_protocol", "_maybe_resume_protocol", "_set_write_buffer_limits")

# Server._attach takes the transport since close_clients() exists.
ATTACH_TAKES_TRANSPORT = hasattr(base_events.Server, "close_clients")


@cache
def check_asyncio() -> None:
    """
    Make sure that this Python's asyncio has what virtual time needs.

    Raises:
        VirtualTimeError: naming what is missing.

    """
    loop = asyncio.SelectorEventLoop()
    try:
        methods = LOOP_METHODS + (UNIX_METHODS if sys.platform != "win32" else ())
        missing = [f"loop.{name}" for name in LOOP_ATTRIBUTES + methods if not hasattr(loop, name)]
    finally:
        loop.close()
    for owner, names in (
        (asyncio.Handle, HANDLE_ATTRIBUTES),
        (base_events.Server, SERVER_METHODS),
        (getattr(transports, "_FlowControlMixin", None), FLOW_CONTROL),
        (getattr(selector_events, "constants", None), ("_SendfileMode",)),
    ):
        label = getattr(owner, "__name__", str(owner))
        missing += [f"{label}.{name}" for name in names if not hasattr(owner, name)]
    if missing:
        raise VirtualTimeError(
            f"virtual time does not know the asyncio of Python {platform.python_version()}, "
            f"which lacks {', '.join(missing)}; {REAL_TIME}"
        )
