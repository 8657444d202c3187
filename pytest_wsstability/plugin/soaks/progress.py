"""
Live progress of the holds: a plugin of its own, so that ``-p no:wsstability_progress`` takes it away.

It is registered when there is something to show, and only its classes have hooks beside plugin.py: those
who write over lines must know when others write, and need the options for it, which most hooks do not give.

"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ...report.live import LiveBlock
from ...report.progress import Survey
from ..stash import settings_key

NAME = "wsstability_progress"
# Lines of the block at most, the one that sums up included.
MOST = 8
# Seconds between two lines of a log, between two drawings, and between two reports of a worker.
_MINUTE, _DRAWING, _REPORT = 60.0, 0.5, 1.0
_WHEN = "ws_progress"
_TYPE = "WsstabilityProgress"


def progress_of(config: pytest.Config) -> Display | Sender | None:
    """Who shows the progress of this process; None if nobody is to."""
    manager = config.pluginmanager
    found: Display | Sender | None = manager.get_plugin(NAME)
    if found is None and not manager.is_blocked(NAME) and (mode := mode_of(config)) != "off":
        worker = hasattr(config, "workerinput")
        found = Sender(config, mode) if worker else Display(config, mode)
        manager.register(found, NAME)
    return found


def mode_of(config: pytest.Config) -> str:
    """How progress is shown: ``tty``, ``lines`` or ``off``."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        return str(worker.get("wsstability_progress", "off"))
    mode = config.stash[settings_key].progress
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if mode == "off" or reporter is None:
        return "off"
    if mode != "auto":
        return mode
    if config.option.verbose < -1:
        return "off"
    # Another reporter may draw what we know nothing of.
    plain = type(reporter) is pytest.TerminalReporter and reporter.isatty
    return "tty" if plain and not os.environ.get("CI") and os.environ.get("TERM") != "dumb" else "lines"


class Display:
    """Shows progress on the terminal of this process: a block that is redrawn, or a line a minute."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self._config = config
        self._live = mode == "tty"
        self._block = LiveBlock()
        # When something was shown last, on the machine's monotonic clock.
        self._shown_at = time.monotonic()
        # What the workers of xdist said last.
        self._workers: dict[str, Survey] = {}

    def tick(self, survey: Callable[[], Survey], *, between: bool = False) -> None:
        """
        Show how it goes if it is time to.

        Args:
            survey: looks at the holds; called only if it is time to.
            between: nobody waits for a hold: what is drawn now would stand in the way of the next test.

        """
        now = time.monotonic()
        if between and self._live:
            return
        if now - self._shown_at >= (_DRAWING if self._live else _MINUTE):
            self._shown_at = now
            self._show(survey())

    def say(self, line: str) -> None:
        """Write a line that stays."""
        terminal, reporter = self._config.get_terminal_writer(), self._reporter()
        with self._writing():
            self._block.erase(sys.stdout)
            if terminal.width_of_current_line:
                terminal.line()
            terminal.line(line)
            terminal.flush()
            # What comes next begins with its file again.
            reporter.currentfspath = None

    def about(self, nodeid: str) -> None:
        """Say which test runs."""

    def idle(self) -> None:
        """No hold runs any more."""
        self.erase()

    def erase(self) -> None:
        """Take the block away, because somebody else is about to write."""
        if self._block.shown:
            with self._writing():
                self._block.erase(sys.stdout)

    def _show(self, survey: Survey) -> None:
        if not survey:
            self.erase()
        elif not self._live:
            self.say(survey.line)
        else:
            terminal = self._config.get_terminal_writer()
            with self._writing():
                self._block.draw(
                    sys.stdout,
                    survey.lines(MOST),
                    width=terminal.fullwidth,
                    column=terminal.width_of_current_line,
                )

    def _reporter(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")

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
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not isinstance(report, ProgressReport):
            self.erase()
            return
        if report.line:
            self.say(report.line)
        self._workers[report.worker] = report.survey
        self.tick(self._of_workers)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        self.erase()

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._workers.pop(node.gateway.id, None)
        self.erase()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self.erase()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> ProgressReport | None:
        if data.get("$report_type") != _TYPE:
            return None
        return ProgressReport(
            data["nodeid"], data["worker"], Survey.from_dict(data["survey"]), str(data["line"])
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        return ("", "", "") if isinstance(report, ProgressReport) else None

    def _of_workers(self) -> Survey:
        return sum(self._workers.values(), Survey())


class Sender:
    """Sends progress from a worker of xdist to its controller: workers print nothing."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self._config = config
        self._interval = _REPORT if mode == "tty" else _MINUTE
        self._sent_at = time.monotonic()
        self._survey = Survey()
        self._nodeid = ""

    def tick(self, survey: Callable[[], Survey], *, between: bool = False) -> None:
        """Send how it goes if it is time to."""
        now = time.monotonic()
        if now - self._sent_at >= self._interval:
            self._sent_at = now
            self._survey = survey()
            self._send("")

    def say(self, line: str) -> None:
        """Have the controller write a line that stays."""
        self._send(line)

    def about(self, nodeid: str) -> None:
        """Say which test runs: xdist takes reports of no other."""
        self._nodeid = nodeid

    def idle(self) -> None:
        """No hold runs any more."""
        self._survey = Survey()
        self._send("")

    def erase(self) -> None:
        """Nothing is drawn here."""

    def _send(self, line: str) -> None:
        worker = self._config.workerinput["workerid"]  # type: ignore[attr-defined]
        report = ProgressReport(self._nodeid, worker, self._survey, line)
        self._config.hook.pytest_runtest_logreport(report=report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_to_serializable(self, report: pytest.TestReport) -> dict[str, Any] | None:
        if not isinstance(report, ProgressReport):
            return None
        survey = report.survey.as_dict()
        return {
            "$report_type": _TYPE,
            "nodeid": report.nodeid,
            "worker": report.worker,
            "survey": survey,
            "line": report.line,
        }


class ProgressReport(pytest.TestReport):
    """
    Progress on its way from a worker to the controller.

    It must be a `pytest.TestReport`: plugins that take reports down fail on anything else (measured with
    pytest's own junitxml), and xdist takes no other events from a worker.

    """

    def __init__(self, nodeid: str, worker: str, survey: Survey, line: str) -> None:
        super().__init__(
            nodeid=nodeid,
            location=(nodeid.partition("::")[0], None, nodeid),
            keywords={},
            outcome="passed",
            longrepr=None,
            when=_WHEN,  # type: ignore[arg-type]
        )
        self.worker = worker
        self.survey = survey
        # Something to say at once; empty for nothing.
        self.line = line
