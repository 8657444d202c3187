"""What a session leaves behind in the end: report files, gates, and its exit code."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ...core.statistics.gates import Gate, Standing, judge_gates, parse_gate
from ...report import har, markdown
from ...report.formats import renderer, wrong_report
from ...report.junit import suite_properties
from ..stash import settings_key
from .history import History
from .jsonl import JsonlWriter
from .results import Results, results_of

if TYPE_CHECKING:
    from ...core.result import Run

_NAME = "wsstability-reports"


def reports_of(config: pytest.Config) -> Reports:
    """
    What a run is to leave behind, found out when it is first asked for.

    Raises:
        pytest.UsageError: for a report, gate or baseline that makes no sense.

    """
    found: Reports | None = config.pluginmanager.get_plugin(_NAME)
    if found is None:
        found = Reports(config)
        config.pluginmanager.register(found, _NAME)
    return found


class Reports:
    """What is to be done in the end, found out before the long run starts."""

    def __init__(self, config: pytest.Config) -> None:
        settings = config.stash[settings_key]
        self._config = config
        self._results: Results = results_of(config)
        # Report files, absolute: a test may change the working directory.
        self._paths: list[Path] = []
        self._gates: list[Gate] = []
        # Where GitHub wants the summary of the job; None elsewhere.
        self._github: Path | None = None
        self._history: History | None = None
        # Where the HTTP Archive goes; None where nobody wants it.
        self._har: Path | None = None
        # What was said about the run as a whole.
        self.complaints: list[str] = []
        self.passed: list[str] = []
        self.notes: list[str] = []
        if self._results.worker:
            self._write_down([self._of_worker(text) for text in settings.reports if _is_jsonl(text)])
            return
        self._gates = [_gate(text) for text in settings.fail_on]
        self._paths = [_report(config, text) for text in settings.reports]
        if settings.har is not None:
            self._har = _path(config, settings.har, "--ws-har")
        elif settings.payloads:
            raise pytest.UsageError("--ws-har-payloads: where to? give --ws-har FILE too")
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            self._github = Path(summary)
        self._write_down([path for path in self._paths if _is_jsonl(path)])
        if settings.save is not None or settings.compare is not None:
            self._history = History.of(config)

    def _write_down(self, paths: list[Path]) -> None:
        if paths and not self._config.option.collectonly:
            self._results.writer = JsonlWriter(paths, self._results.run(), self._results.since_start)

    def _of_worker(self, text: str) -> Path:
        """Where a worker keeps what the controller will write: beside it, until it has sent it home."""
        path = self._config.invocation_params.dir / text
        return path.with_name(f"{path.stem}.{self._results.worker}{path.suffix}")

    def run(self) -> Run:
        """The session as reports show it."""
        return self._results.run(tuple(self.complaints), tuple(self.passed))

    def finish(self, session: pytest.Session) -> None:
        """Judge the run as a whole, and write what is to be written; on the controller of xdist only."""
        writer = self._results.writer
        if self._results.worker and writer is not None:
            writer.discard()
        if self._results.worker or self._config.option.collectonly:
            return
        if self._results:
            self._judge()
        run = self.run()
        if self.complaints and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        _tell_junit(self._config, run)
        if self._history is not None:
            self.notes += self._history.save(run)
        self.notes += [
            _written(path, run, renderer(str(path))) for path in self._paths if not _is_jsonl(path)
        ]
        if writer is not None:
            self.notes += writer.close(self.complaints)
        if self._har is not None:
            self.notes.append(_written(self._har, run, har.render))
        if self._github is not None and self._results:
            self.notes += _appended(self._github, run)

    def _judge(self) -> None:
        for finding in judge_gates(self._gates, self._results):
            lines = {
                Standing.HELD: self.passed, Standing.BROKEN: self.complaints, Standing.NOT_JUDGED: self.notes
            }[finding.standing]  # fmt: skip
            lines.append(f"ws_fail_on {finding.line}")
        if self._history is not None:
            complaints, notes = self._history.compare(self._results.run())
            self.complaints += complaints
            self.notes += notes


def _is_jsonl(path: str | Path) -> bool:
    """Whether a report is written while holds run."""
    return Path(path).suffix == ".jsonl"


def _gate(text: str) -> Gate:
    try:
        return parse_gate(text)
    except ValueError as exc:
        raise pytest.UsageError(f"ws_fail_on: {exc}") from None


def _report(config: pytest.Config, text: str) -> Path:
    if reason := wrong_report(text):
        raise pytest.UsageError(f"--ws-report: {reason}")
    return _path(config, text, "--ws-report")


def _path(config: pytest.Config, text: str, option: str) -> Path:
    path = config.invocation_params.dir / text
    if path.is_dir():
        raise pytest.UsageError(f"{option}: {text!r} is a directory; give a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever may make a file beside it may write it; the one of the last run stays until then.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(None, "Permission denied")
    except OSError as exc:
        raise pytest.UsageError(f"{option}: {text!r} cannot be written: {exc.strerror}") from None
    return path


def _written(path: Path, run: Run, render: Callable[[Run], str]) -> str:
    """Write a report, and say so; what goes wrong with one must not cost the others."""
    # Beside it first, so that a full disk does not cost the report of the last run either.
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(render(run), encoding="utf-8")
        beside.replace(path)
    except OSError as exc:
        beside.unlink(missing_ok=True)
        return f"the report {path.name} was not written: {exc.strerror}"
    return f"report written to {path}"


def _appended(path: Path, run: Run) -> list[str]:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(markdown.render(run))
    except OSError as exc:
        return [f"GITHUB_STEP_SUMMARY was not written: {exc.strerror}"]
    return []


def _tell_junit(config: pytest.Config, run: Run) -> None:
    """Add properties to the suite of a JUnit report, if one is written."""
    for plugin in config.pluginmanager.get_plugins():
        # The fixture `record_testsuite_property` would do, but a controller of xdist runs no tests.
        add = getattr(plugin, "add_global_property", None)
        if add is not None and run.results:
            for name, text in suite_properties(run):
                add(name, text)
