"""How a command ends before its time (Ctrl-C, SIGTERM, SIGHUP), and what it prints for nobody."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from .exits import INTERRUPTED


class Stop:
    """What the process exits with if it is interrupted: as shells have it, 128 and the signal's number."""

    def __init__(self) -> None:
        self.status = INTERRUPTED

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """End what goes on as Ctrl-C does, so that what is known is printed."""
        self.status = 128 + number
        if callable(signal.getsignal(signal.SIGINT)):
            signal.raise_signal(signal.SIGINT)
        else:
            # In the background of a shell it is ignored.
            raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does."""
    stop, before = Stop(), {}
    for name in ("SIGTERM", "SIGHUP"):
        # Not on every system, and not in every thread.
        with suppress(AttributeError, ValueError):
            number = getattr(signal, name)
            # Who ignores it (nohup, for one) is not to be ended by it.
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, stop.interrupt)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def forget_output() -> None:
    """Nobody reads standard output any more: what is left in its buffer is not written at exit, either."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Lossy(io.RawIOBase):
    """A file that is for what goes on meanwhile: it drops what nobody reads or no disk takes."""

    def __init__(self, file: io.RawIOBase) -> None:
        super().__init__()
        self._file = file

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def writable(self) -> bool:
        return True

    def write(self, octets: Any, /) -> int:
        with suppress(OSError):
            # None where the reader is slow, and the file does not wait.
            if (written := self._file.write(octets)) is not None:
                return written
        return len(octets)


@contextmanager
def lossy_errors() -> Iterator[None]:
    """Let no failure of standard error end a command: its result and its exit code are elsewhere."""
    before = sys.stderr
    # What somebody captures is no file of the system's.
    if before is sys.__stderr__ and before is not None:
        # A console of Windows takes text from its own file alone; python -u has no other.
        file: Any = before.buffer
        buffer = io.BufferedWriter(_Lossy(getattr(file, "raw", file)))
        sys.stderr = io.TextIOWrapper(buffer, before.encoding, before.errors, line_buffering=True)
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = before


def open_closed_streams() -> None:
    """Standard streams that were closed before the start, as by ``>&-``, take what is printed and drop it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Its descriptor is taken by this, and not by the next socket.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
