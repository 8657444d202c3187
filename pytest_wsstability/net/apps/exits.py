"""An application's `os._exit` and `sys.exit`, which would end the tests' own process, or their loop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

# Held while what follows changes: holds are served in threads of their own.
_lock = threading.Lock()
# The processes and threads in which applications run.
_running: list[tuple[int, int]] = []
# What stands for `os._exit` meanwhile, and what that was before.
_refusing: Callable[[int], NoReturn] | None = None
_before: Callable[[int], NoReturn] = os._exit


@contextmanager
def without_exits() -> Iterator[None]:
    """
    Let `os._exit` raise RuntimeError in this thread.

    Other threads (the timer of pytest-timeout, execnet's) and processes that are forked end as they mean to.

    """
    here = _here()
    with _lock:
        _running.append(here)
        _install()
    try:
        yield
    finally:
        with _lock:
            _running.remove(here)
            # What a test has put in its place since then is its own.
            if not _running and os._exit is _refusing:
                os._exit = _before  # type: ignore[assignment]


def _install() -> None:
    global _refusing, _before
    # The end of a patch of a test's may have brought ours back: it is not put before itself.
    if os._exit is _refusing:
        return
    before: Callable[[int], NoReturn] = os._exit

    def refuse(status: int) -> NoReturn:
        if _here() in _running:
            raise RuntimeError(f"os._exit({status}) would end pytest too, and was not done")
        before(status)

    _refusing, _before = refuse, before
    os._exit = refuse


def _here() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


@contextmanager
def exits_as_errors() -> Iterator[None]:
    """Raise RuntimeError in the place of SystemExit, which asyncio lets through a task, to its loop's end."""
    try:
        yield
    except SystemExit as exc:
        error = RuntimeError(f"sys.exit({exc.code!r}) would end pytest too, and was not done")
        # Its place is the app's, and not this one.
        raise error.with_traceback(exc.__traceback__) from None
