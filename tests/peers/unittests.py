"""
Run a suite of unittest tests on one kind of loop, and print how each test ended.

``python -m tests.peers.unittests kernel|virtual MODULE [--after ID] [--quiet LOGGER ...]`` prints JSON: a
line as each test begins, and one with its outcome and the first line of what it raised. A test that ends the
process leaves the first only; ``--after`` goes on behind it.

"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import threading
import time
import unittest
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from . import loops

# In real seconds; the longest test of CPython's suite takes 12 on a kernel loop.
LIMIT = 30


class TooSlow(BaseException):
    """A test took longer than the limit; not an Exception, so that no test catches it."""


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow(f"took longer than {LIMIT} s")


class Watchdog:
    """
    Ends a test that takes too long.

    From a thread and with a signal of its own: tests of asyncio use the alarm clock themselves.

    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._started: float | None = None
        signal.signal(signal.SIGUSR2, _too_slow)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def set(self, running: bool) -> None:
        """A test begins; it has ended."""
        with self._changed:
            self._started = time.monotonic() if running else None

    def _watch(self) -> None:
        while True:
            time.sleep(1)
            with self._changed:
                if self._started is not None and time.monotonic() - self._started > LIMIT:
                    self._started = None
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)


def tests_in(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """The tests of a suite, in order."""
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from tests_in(each)
        else:
            yield each


class Printer(unittest.TestResult):
    """Prints two lines for each test."""

    def __init__(self, out: Any) -> None:
        super().__init__()
        self._out = out
        self._watchdog = Watchdog()
        self._worst = ("passed", "")
        # The one that runs, or ran last.
        self.test: unittest.TestCase

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.test = test
        self._worst = ("passed", "")
        self._print(test, "running", "")
        self._watchdog.set(running=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        self._watchdog.set(running=False)
        # An alarm in real time may come after a test that was quicker in virtual time.
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._print(test, *self._worst)
        super().stopTest(test)

    def _print(self, test: unittest.TestCase, outcome: str, text: str) -> None:
        print(json.dumps({"id": test.id(), "outcome": outcome, "text": text}), file=self._out, flush=True)

    def interrupted(self, exc: BaseException) -> None:
        """What unittest lets through has ended the test."""
        self._note((type(exc), exc, None))
        self.stopTest(self.test)

    def _note(self, error: tuple[Any, BaseException | None, TracebackType | None]) -> None:
        self._worst = ("failed", f"{type(error[1]).__name__}: {error[1]}".partition("\n")[0][:300])

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self._note(err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._note(err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None:
            self._note(err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._worst = ("skipped", reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._worst = ("skipped", "an expected failure")


def main() -> None:
    """Run the tests of a module."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers.unittests")
    parser.add_argument("kind", choices=("kernel", "virtual"))
    parser.add_argument("module")
    parser.add_argument("--after", metavar="ID", help="leave out the tests up to this one")
    parser.add_argument(
        "--quiet", nargs="+", default=(), metavar="LOGGER", help="loggers to hear of no warning"
    )
    options = parser.parse_args()
    # What tests print must not come between the lines.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in options.quiet:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if options.kind == "virtual":
        loops.use_virtual()
    result = Printer(out)
    try:
        tests = list(tests_in(unittest.defaultTestLoader.loadTestsFromName(options.module)))
    except unittest.SkipTest:
        return
    first = [each.id() for each in tests].index(options.after) + 1 if options.after else 0
    tests = tests[first:]
    while tests:
        # In one suite, which knows when the tests of a class begin and end.
        try:
            unittest.TestSuite(tests).run(result)
            break
        except (TooSlow, KeyboardInterrupt) as exc:
            result.interrupted(exc)
            tests = tests[tests.index(result.test) + 1 :]
    out.flush()
    # Threads that tests have left behind must not keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
