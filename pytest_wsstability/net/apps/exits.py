"""An application's `os._exit` and `sys.exit`, which would end the tests' own process, or their loop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

# Held while what follows changes: holds are served in threads of their own.
_lock = threading.Lock()
# The threads in which applications run, and what `os._exit` was before the first of them.
_threads: list[int] = []
_exits: list[Callable[[int], NoReturn]] = []


@contextmanager
def without_exits() -> Iterator[None]:
    """
    Let `os._exit` raise RuntimeError in this thread.

    Other threads (the timer of pytest-timeout, execnet's) and processes that are forked end as they mean to.

    """
    thread, process = threading.get_ident(), os.getpid()

    def refuse(status: int) -> NoReturn:
        if os.getpid() == process and threading.get_ident() in _threads:
            raise RuntimeError(f"os._exit({status}) would end pytest too, and was not done")
        _exits[0](status)

    with _lock:
        if not _threads:
            _exits[:] = [os._exit]
            os._exit = refuse
        _threads.append(thread)
    try:
        yield
    finally:
        with _lock:
            _threads.remove(thread)
            if not _threads:
                os._exit = _exits[0]  # type: ignore[assignment]


@contextmanager
def exits_as_errors() -> Iterator[None]:
    """Raise RuntimeError in the place of SystemExit, which asyncio lets through a task, to its loop's end."""
    try:
        yield
    except SystemExit as exc:
        raise RuntimeError(f"sys.exit({exc.code!r}) would end pytest too, and was not done") from exc
