"""
Live progress of the holds: a plugin of its own, so that ``-p no:wsstability_progress`` takes it away.

It is registered when there is something to show, and only its display has hooks beside those of the plugin:
who writes over lines must know when others write, and needs the options for it, which most hooks do not give.

"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from ...core.redact import redact
from ...report.live import LiveBlock
from ...report.progress import Survey
from ..registered import registered
from ..workers import controller_of, progress_mode

NAME = "wsstability_progress"
# Lines of the block at most, the one that sums up included.
MOST = 8
# Seconds between two lines of a log, between two drawings, and between two words of a worker to its
# controller that draws.
_MINUTE, _DRAWING, _TELLING = 60.0, 0.5, 1.0


def progress_of(config: pytest.Config) -> Progress | None:
    """What this process tells of its holds; None if nobody is to see it."""
    mode = progress_mode(config)
    if mode == "off" or config.pluginmanager.is_blocked(NAME):
        return None
    if (controller := controller_of(config)) is not None:
        every = _TELLING if mode == "tty" else _MINUTE
        return Progress(
            lambda survey, line: controller.tell("progress", redact([survey.as_dict(), line])), every
        )
    display = display_of(config)
    # What is drawn where nobody waits for a hold would stand in the way of the next test.
    return Progress(partial(display.show, ""), display.every, between=mode != "tty")


def display_of(config: pytest.Config) -> Display:
    """What shows the progress of all processes on the terminal of this one."""
    return registered(config, NAME, lambda: Display(config, live=progress_mode(config) == "tty"))


class Progress:
    """What a process tells of its holds, now and then."""

    def __init__(self, tell: Callable[[Survey, str], object], every: float, *, between: bool = True) -> None:
        """
        Tell nothing yet.

        Args:
            tell: called with how it goes and with a line that is to stay, empty for none.
            every: seconds between two surveys.
            between: tell how it goes while no test waits for its hold, too.

        """
        self._tell = tell
        self._every = every
        self._between = between
        self._told_at = time.monotonic()
        self._survey = Survey()

    def tick(self, survey: Callable[[], Survey], *, between: bool = False) -> None:
        """
        Tell how it goes if it is time to.

        Args:
            survey: looks at the holds; called only if it is time to.
            between: no test waits for its hold.

        """
        now = time.monotonic()
        if now - self._told_at >= self._every and (self._between or not between):
            self._told_at = now
            self._survey = survey()
            self._tell(self._survey, "")

    def say(self, line: str) -> None:
        """Have a line written that stays."""
        self._tell(self._survey, line)

    def rest(self) -> None:
        """No test waits for a hold any more: what is drawn goes."""
        if not self._between:
            self._tell(Survey(), "")

    def idle(self) -> None:
        """No hold runs any more."""
        self._survey = Survey()
        self._tell(self._survey, "")


class Display:
    """Shows progress on the terminal of this process: a block that is redrawn, or a line a minute."""

    def __init__(self, config: pytest.Config, *, live: bool) -> None:
        self._config = config
        self._live = live
        self._block = LiveBlock()
        # Seconds between two drawings, or between two lines.
        self.every = _DRAWING if live else _MINUTE
        # When workers of xdist were shown last, on the machine's monotonic clock. This is made at the first
        # word of a worker, which is to be shown.
        self._shown_at = float("-inf")
        # What was said last, by worker; that of this process has no name.
        self._surveys: dict[str, Survey] = {}

    def show(self, worker: str, survey: Survey, line: str) -> None:
        """Show how the holds of a process go, and a line that stays."""
        self._surveys[worker] = survey
        together = sum(self._surveys.values(), Survey())
        if line:
            self._write(line)
        elif not together:
            self.erase()
        elif not worker or self._is_time():
            if self._live:
                self._draw(together)
            else:
                self._write(together.line)

    def _is_time(self) -> bool:
        """Whether a worker is shown again: many of them say something in the time between two drawings."""
        now = time.monotonic()
        if now - self._shown_at < self.every:
            return False
        self._shown_at = now
        return True

    def erase(self) -> None:
        """Take the block away, because somebody else is about to write."""
        if self._block.shown:
            with self._writing():
                self._block.erase(sys.stdout)

    def _write(self, line: str) -> None:
        terminal = self._config.get_terminal_writer()
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        with self._writing():
            self._block.erase(sys.stdout)
            if terminal.width_of_current_line:
                terminal.line()
            terminal.line(line)
            terminal.flush()
            # What comes next begins with its file again.
            reporter.currentfspath = None

    def _draw(self, survey: Survey) -> None:
        terminal = self._config.get_terminal_writer()
        with self._writing():
            column = terminal.width_of_current_line
            if column < 0:
                # xdist wrote "\r", of which wcwidth knows no width: where the cursor stands is not known.
                terminal.line()
                column = 0
            self._block.draw(
                sys.stdout,
                survey.rows(MOST, terminal.fullwidth),
                width=terminal.fullwidth,
                column=column,
                coloured=terminal.hasmarkup,
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Write past pytest's capture, as its own live logging does."""
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            yield
            return
        with capture.global_and_fixture_disabled():
            yield

    # Others write: the first hook of each, and the last when a session ends.

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        self.erase()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        self.erase()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        self.erase()

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._surveys.pop(node.gateway.id, None)
        self.erase()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self.erase()
