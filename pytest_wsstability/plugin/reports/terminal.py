"""What pytest prints of a run: the table of its holds, and what was said about it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ...report import terminal
from ...report.github import error_commands
from .files import reports_of

if TYPE_CHECKING:
    import pytest


def summarise(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of holds, and what was said about the run."""
    reports = reports_of(config)
    run = reports.run()
    if not run.results and not reports.notes:
        return
    verbosity = config.get_verbosity()
    quiet = terminal.is_quiet(run) and not run.complaints and not run.passed and verbosity < 1
    if quiet and not reports.notes and verbosity < 0:
        return
    if not quiet:
        reporter.write_sep("=", "WebSocket stability")
    # In a quiet run the one line has to say what it is about.
    start = "WebSocket stability, " if quiet else ""
    columns = shutil.get_terminal_size().columns
    for line in terminal.summary(run, width=columns, everything=verbosity > 0):
        reporter.write_line(f"{start}{line.text}", **({line.colour: True} if line.colour else {}))
    for note in reports.notes:
        reporter.write_line(note)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for annotation in error_commands(run, _in_repository(config)):
            reporter.write_line(annotation)


def _in_repository(config: pytest.Config) -> str:
    """Where the root directory is in the checkout, with a slash at the end; empty where it is the same."""
    workspace = Path(os.environ.get("GITHUB_WORKSPACE", config.rootpath)).resolve()
    root = config.rootpath.resolve()
    if root == workspace or not root.is_relative_to(workspace):
        return ""
    return f"{root.relative_to(workspace).as_posix()}/"
