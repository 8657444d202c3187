"""What a session leaves behind in the end: report files, gates, and its exit code."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ...core.statistics.gates import Gate, GateOutcome, judge_gates, parse_gate
from ...report import har, markdown
from ...report.folders import closed_folder, unwritable
from ...report.formats import renderer, wrong_report
from ...report.junit import suite_properties
from ..registered import registered
from ..stash import settings_key
from ..workers import controller_of
from .artifacts import artifacts_of
from .history import History
from .jsonl import JsonlWriter, WrittenReport
from .left_over import gather, lines_of, of_worker, tidy
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
    return registered(config, _NAME, lambda: Reports(config))


class Reports:
    """What is to be done in the end, found out before the long run starts."""

    def __init__(self, config: pytest.Config) -> None:
        settings = config.stash[settings_key]
        self._config = config
        self._results: Results = results_of(config)
        # Report files, absolute: a test may change the working directory; and where lines are written
        # while the run goes on.
        self._paths: list[Path] = []
        self._lines: list[Path] = []
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
        lines = lines_of(settings.reports)
        if self._results.worker:
            folder = config.invocation_params.dir
            self._write_down([of_worker(folder / text, self._results.worker) for text in lines])
            return
        self._gates = [_gate(text) for text in settings.fail_on]
        self._paths = [_report(config, text) for text in settings.reports]
        audio = settings.keep_audio
        if audio is not None and (reason := closed_folder(config.invocation_params.dir / audio)):
            raise pytest.UsageError(f"--ws-keep-audio: {audio!r} {reason}")
        if settings.har is not None:
            self._har = _path(config, settings.har, "--ws-har")
        elif settings.payloads:
            raise pytest.UsageError("--ws-har-payloads: where to? give --ws-har FILE too")
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            self._github = Path(summary)
        self._lines = [config.invocation_params.dir / text for text in lines]
        self._write_down(self._lines)
        if settings.save is not None or settings.compare is not None:
            self._history = History.of(config)

    def _write_down(self, paths: list[Path]) -> None:
        if paths and not self._config.option.collectonly:
            self._results.writer = JsonlWriter(paths, self._results.run(), self._results.since_start)

    def run(self) -> Run:
        """The session as reports show it."""
        return self._results.run(tuple(self.complaints), tuple(self.passed))

    def finish(self, session: pytest.Session, *, whole: bool = True) -> None:
        """
        Judge the run as a whole, and write what is to be written; on the controller of xdist only.

        Args:
            session: the run.
            whole: False where some holds were only written down: their lines are then kept.

        """
        if self._results.worker:
            self._leave()
            return
        if self._config.option.collectonly:
            return
        self.notes += gather(self._config, self._lines, self._results)
        if self._results:
            self._judge()
        run = self.run()
        _tell_junit(self._config, run)
        missing = not self._write(run, whole)
        if (self.complaints or missing) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _leave(self) -> None:
        """A worker is over: the controller deletes what it has written, once its own is there."""
        writer, controller = self._results.writer, controller_of(self._config)
        if writer is None or controller is None:
            return
        if controller.is_on_this_machine:
            writer.leave()
        else:
            writer.discard()

    def _write(self, run: Run, whole: bool) -> bool:
        """Write everything; returns whether all of it was written."""
        notes, kept = ([], True) if self._history is None else self._history.save(run)
        self.notes += notes
        done = [_report_of(path, run) for path in self._paths if not _is_jsonl(path)]
        writer = self._results.writer
        if writer is not None:
            for each in writer.close(self.complaints, whole=whole):
                if each.path in self._paths:
                    # The disk may have been full for a while only.
                    done.append(each if each.error is None else _report_of(each.path, run))
            self.notes += [_cut_short(path) for path in writer.earlier()]
        if self._har is not None:
            done.append(_written(self._har, run, har.render))
        self.notes += map(str, done)
        artifacts = artifacts_of(self._config)
        unwritten = artifacts.complaint if artifacts is not None else None
        self.notes += [unwritten] if unwritten is not None else []
        appended = self._github is None or not self._results or _appended(self._github, run, self.notes)
        complete = kept and appended and unwritten is None and all(each.error is None for each in done)
        if complete and whole:
            tidy(self._config, self._lines, keep=self._paths)
        return complete

    def _judge(self) -> None:
        for finding in judge_gates(self._gates, self._results):
            lines = {
                GateOutcome.HELD: self.passed,
                GateOutcome.BROKEN: self.complaints,
                GateOutcome.NOT_JUDGED: self.notes,
            }[finding.outcome]
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
    if reason := unwritable(path):
        raise pytest.UsageError(f"{option}: {text!r} {reason}")
    return path


def _report_of(path: Path, run: Run) -> WrittenReport:
    return _written(path, run, renderer(str(path)))


def _written(path: Path, run: Run, render: Callable[[Run], str]) -> WrittenReport:
    """Write a report; what goes wrong with one must not cost the others."""
    # Beside it first, so that a full disk does not cost the report of the last run either.
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(render(run), encoding="utf-8")
        beside.replace(path)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        return WrittenReport(path, exc.strerror or str(exc))
    return WrittenReport(path, None)


def _cut_short(path: Path) -> str:
    return (
        f"an earlier run was cut short, and what it had written is kept: `wsstability report {path.name} "
        f"--to {path.stem}.html` makes a report of it"
    )


def _appended(path: Path, run: Run, notes: list[str]) -> bool:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(markdown.render(run))
    except OSError as exc:
        notes.append(f"GITHUB_STEP_SUMMARY was not written: {exc.strerror}")
        return False
    return True


def _tell_junit(config: pytest.Config, run: Run) -> None:
    """Add properties to the suite of a JUnit report, if one is written."""
    for plugin in config.pluginmanager.get_plugins():
        # The fixture `record_testsuite_property` would do, but a controller of xdist runs no tests.
        add = getattr(plugin, "add_global_property", None)
        if add is not None and run.results:
            for name, text in suite_properties(run):
                add(name, text)
