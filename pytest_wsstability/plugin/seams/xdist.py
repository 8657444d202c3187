"""
The parts of pytest-xdist that are public by name and in no documentation.

A message of ours comes on a thread of execnet's, and must not write to a terminal there. xdist's session
takes what its own workers say on the main thread: ``notify_inproc("x", ...)`` of a worker's controller has it
call ``worker_x(...)``. So ours is one more of these. Tried with pytest-xdist 3.6 to 3.8.

"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

# The name of xdist's session among the plugins of pytest, what queues a message there, and what takes it.
_SESSION, _QUEUE, _TAKE = "dsession", "notify_inproc", "worker_wsstability"


def on_main_thread(node: Any, call: Callable[[], object]) -> Callable[[], object]:
    """
    What has xdist's session make a call, on its own thread, whatever the thread it is called from.

    Args:
        node: xdist's controller of the worker that the call is about.
        call: what is to be called.

    Raises:
        RuntimeError: if this xdist has no such session.

    """
    session = node.config.pluginmanager.get_plugin(_SESSION)
    queue = getattr(node, _QUEUE, None)
    if queue is None or not hasattr(session, "loop_once"):
        raise RuntimeError(
            "this pytest-xdist has no session that takes messages of workers: run without -n, and tell the "
            "maintainers of pytest-wsstability"
        )
    setattr(session, _TAKE, _take)
    return partial(queue, _TAKE.removeprefix("worker_"), call=call)


def _take(call: Callable[[], object]) -> None:
    call()
