"""What a session leaves behind in the end: summary, report files, gates, and its exit code."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..options import settings_key
from ..results import Results, results_key
from . import history
from .recording import Tape, tape_key

if TYPE_CHECKING:
    from ...core.result import Run
    from ...core.statistics.gates import Gate

reports_key = pytest.StashKey["Plans"]()


@dataclass
class Plans:
    """What is to be done in the end, found out before the long run starts."""

    # Report files, absolute: a test may change the working directory.
    paths: tuple[Path, ...] = ()
    gates: tuple[Gate, ...] = ()
    # Where GitHub wants the summary of the job; None elsewhere.
    github: Path | None = None
    # What was said about the run as a whole.
    complaints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def prepare(config: pytest.Config) -> None:
    """
    See what will be wanted in the end, and whether it can be done.

    Raises:
        pytest.UsageError: for a report, gate or baseline that makes no sense.

    """
    settings = config.stash[settings_key]
    plans = config.stash[reports_key] = Plans()
    if config.stash[results_key].worker:
        _prepare_tape(config, [_of_worker(config, text) for text in settings.reports if is_tape(text)])
        return
    if settings.fail_on:
        plans.gates = tuple(_gate(text) for text in settings.fail_on)
    plans.paths = tuple(_path(config, text) for text in settings.reports)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    plans.github = Path(summary) if summary else None
    _prepare_tape(config, [path for path in plans.paths if is_tape(path)])
    history.prepare(config)


def _prepare_tape(config: pytest.Config, paths: list[Path]) -> None:
    if paths and not config.option.collectonly:
        results = config.stash[results_key]
        results.tape = Tape(paths, results.run(), results.since_start)
        config.stash[tape_key] = results.tape


def is_tape(path: str | Path) -> bool:
    """Whether a report is written while holds run."""
    return Path(path).suffix == ".jsonl"


def _of_worker(config: pytest.Config, text: str) -> Path:
    """Where a worker keeps what the controller will write: beside it, until the worker has sent it home."""
    path = config.invocation_params.dir / text
    return path.with_name(f"{path.stem}.{config.stash[results_key].worker}{path.suffix}")


def _gate(text: str) -> Gate:
    from ...core.statistics.gates import parse_gate

    try:
        return parse_gate(text)
    except ValueError as exc:
        raise pytest.UsageError(f"ws_fail_on: {exc}") from None


def _path(config: pytest.Config, text: str) -> Path:
    import tempfile

    from ...report.formats import wrong_report

    if reason := wrong_report(text):
        raise pytest.UsageError(f"--ws-report: {reason}")
    path = config.invocation_params.dir / text
    if path.is_dir():
        raise pytest.UsageError(f"--ws-report: {text!r} is a directory; give a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever may make a file beside it may write it; the one of the last run stays until then.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(None, "Permission denied")
    except OSError as exc:
        raise pytest.UsageError(f"--ws-report: {text!r} cannot be written: {exc.strerror}") from None
    return path


def finish(session: pytest.Session) -> None:
    """Judge the run as a whole, and write what is to be written; on the controller of xdist only."""
    config = session.config
    results, plans = config.stash[results_key], config.stash[reports_key]
    if results.worker and results.tape is not None:
        results.tape.discard()
    if results.worker or config.option.collectonly:
        return
    if results:
        _judge(config, results, plans)
    run = results.run(tuple(plans.complaints))
    if plans.complaints and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    _tell_junit(config, run)
    history.save(config, run, plans.notes)
    for path in plans.paths:
        if not is_tape(path):
            _write(path, run, plans.notes)
    if results.tape is not None:
        plans.notes += results.tape.close(plans.complaints)
    if plans.github is not None and results:
        _append(plans.github, run, plans.notes)


def _judge(config: pytest.Config, results: Results, plans: Plans) -> None:
    if plans.gates:
        from ...core.statistics.gates import judge_gates

        for finding in judge_gates(plans.gates, results):
            lines = plans.complaints if finding.failed else plans.notes
            lines.append(f"ws_fail_on {finding.line}")
    complaints, notes = history.compare(config, results.run())
    plans.complaints += complaints
    plans.notes += notes


def _write(path: Path, run: Run, notes: list[str]) -> None:
    """Write a report; what goes wrong with one must not cost the others."""
    from ...report.formats import renderer

    try:
        # Beside it first, so that a full disk does not cost the report of the last run either.
        beside = path.with_name(f".{path.name}.part")
        beside.write_text(renderer(str(path))(run), encoding="utf-8")
        beside.replace(path)
    except OSError as exc:
        beside.unlink(missing_ok=True)
        notes.append(f"the report {path.name} was not written: {exc.strerror}")
    else:
        notes.append(f"report written to {path}")


def _append(path: Path, run: Run, notes: list[str]) -> None:
    from ...report import markdown

    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(markdown.render(run))
    except OSError as exc:
        notes.append(f"GITHUB_STEP_SUMMARY was not written: {exc.strerror}")


def _tell_junit(config: pytest.Config, run: Run) -> None:
    """Add properties to the suite of a JUnit report, if one is written."""
    for plugin in config.pluginmanager.get_plugins():
        # The fixture `record_testsuite_property` would do, but a controller of xdist runs no tests.
        add = getattr(plugin, "add_global_property", None)
        if add is not None and run.results:
            from ...report.junit import suite_properties

            for name, text in suite_properties(run):
                add(name, text)


def summarise(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of holds, and what was said about the run."""
    results, plans = config.stash[results_key], config.stash[reports_key]
    if not results and not plans.notes:
        return
    from ...report import terminal

    run = results.run(tuple(plans.complaints))
    verbosity = config.get_verbosity()
    quiet = terminal.is_quiet(run) and not run.complaints and verbosity < 1
    if quiet and not plans.notes and verbosity < 0:
        return
    if not quiet:
        reporter.write_sep("=", "WebSocket stability")
    # In a quiet run the one line has to say what it is about.
    start = "WebSocket stability, " if quiet else ""
    columns = shutil.get_terminal_size().columns
    for line in terminal.summary(run, width=columns, everything=verbosity > 0):
        reporter.write_line(f"{start}{line.text}", **({line.colour: True} if line.colour else {}))
    for note in plans.notes:
        reporter.write_line(note)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from ...report.github import error_commands

        for annotation in error_commands(run, _in_repository(config)):
            reporter.write_line(annotation)


def _in_repository(config: pytest.Config) -> str:
    """Where the root directory is in the checkout, with a slash at the end; empty where it is the same."""
    workspace = Path(os.environ.get("GITHUB_WORKSPACE", config.rootpath)).resolve()
    root = config.rootpath.resolve()
    if root == workspace or not root.is_relative_to(workspace):
        return ""
    return f"{root.relative_to(workspace).as_posix()}/"
