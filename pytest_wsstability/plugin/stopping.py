"""SIGTERM and SIGHUP end a run as Ctrl-C does, and a second one comes when what there is has been written."""

from __future__ import annotations

import asyncio
import functools
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# What containers and CI send, and a terminal that closes; Windows has no second one.
_SIGNALS = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]


class StopSignals:
    """What stands for the two signals while a run goes on."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """Take the signals over that end the process so far; those that somebody handles stay theirs."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                self._before[number] = signal.signal(number, _interrupt)

    def end(self) -> None:
        """Give them back."""
        for number, before in self._before.items():
            if signal.getsignal(number) is _interrupt:
                signal.signal(number, before)
        self._before.clear()


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Whoever waits for Ctrl-C, such as a running event loop, is the one to end what it does.
    if callable(signal.getsignal(signal.SIGINT)):
        signal.raise_signal(signal.SIGINT)
    else:
        raise KeyboardInterrupt


def is_interrupted() -> bool:
    """Whether the main thread ends what a Ctrl-C has interrupted: a second one would cut that short."""
    handler = signal.getsignal(signal.SIGINT)
    # That of a Runner of asyncio, which cancels its main task.
    task = handler.keywords.get("main_task") if isinstance(handler, functools.partial) else None
    if isinstance(task, asyncio.Task):
        return task.cancelling() > 0
    handled: Any = sys._current_exceptions().get(threading.main_thread().ident or 0)
    # Until Python 3.11 with its type and its traceback.
    error: BaseException | None = handled[1] if isinstance(handled, tuple) else handled
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def interrupt_main_thread() -> None:
    """Do as with Ctrl-C, from another thread; what the main thread waits for in the system ends for it."""
    if hasattr(signal, "pthread_kill") and (ident := threading.main_thread().ident) is not None:
        signal.pthread_kill(ident, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no signal cut the block short: what is being written is what was asked for."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_SIGNALS)}
    for number in before:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: somebody handles it who is no Python code.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
