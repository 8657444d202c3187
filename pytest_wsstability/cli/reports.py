"""The report files that a command writes."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..core.redact import redact_text
from ..core.result import Result, Run
from ..core.version import __version__
from ..report.folders import unwritable
from ..report.formats import renderer
from .output import own_options


def add_report_option(parser: argparse.ArgumentParser) -> None:
    """Declare ``--report``."""
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FILE",
        help="write a report: FILE.json, .jsonl, .md, .html or .xml; repeats",
    )


class ReportFiles:
    """
    Report files, checked before anything is opened.

    Raises:
        ValueError: for a name without a format, or one that cannot be written.

    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._renderers = [(Path(path), renderer(path)) for path in paths]
        for path in paths:
            if reason := unwritable(Path(path)):
                raise ValueError(f"--report: {path!r} {reason}")
        self._started = datetime.now(UTC)

    def write(self, *results: Result, notes: Sequence[str] = (), complaints: Sequence[str] = ()) -> None:
        """
        Write what was seen, what it means where no result says so, and why there is none.

        Raises:
            ValueError: if a file can't be written, naming it; the others are, whichever comes first.

        """
        run = Run(
            started=f"{self._started:%Y-%m-%dT%H:%M:%SZ}",
            tool=f"pytest-wsstability {__version__}",
            machine=f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}",
            results=own_options(results),
            notes=tuple(notes),
            complaints=own_options(tuple(map(redact_text, complaints))),
        )
        lost = []
        for path, render in self._renderers:
            try:
                path.write_text(render(run), encoding="utf-8")
            except OSError as error:
                lost.append(f"{str(path)!r} was not written: {error.strerror or error}")
        if lost:
            raise ValueError(f"--report: {'; '.join(lost)}")
