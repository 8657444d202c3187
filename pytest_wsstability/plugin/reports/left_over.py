"""
What a run has written down until it is over, and what becomes of it when a process of it dies.

A run that writes reports writes lines while it runs: those of a ``.jsonl`` report, or of a file beside the
first report, which is deleted once all reports are there. Each worker of pytest-xdist writes a file of its
own, which the controller deletes.

"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.result import SchemaError
from ...report.reading import read
from ..workers import links_of

if TYPE_CHECKING:
    import pytest

    from .results import Results

_JSONL = ".jsonl"


def lines_of(reports: Sequence[str]) -> list[str]:
    """The files into which a run with these reports writes lines."""
    asked = [text for text in reports if Path(text).suffix == _JSONL]
    return asked or [f"{text}.unfinished{_JSONL}" for text in reports[:1]]


def of_worker(path: Path, worker: str) -> Path:
    """Where a worker writes what stands in the controller's file in the end."""
    return path.with_name(f"{path.stem}.{worker}{path.suffix}")


def gather(config: pytest.Config, lines: Iterable[Path], results: Results) -> list[str]:
    """Take down what workers had written that died; returns what is to be said of it."""
    notes = []
    for worker, path in _of_workers(config, lines, dead=True):
        known = {result.nodeid for result in results}
        try:
            found = [each for each in read(path).results if each.nodeid not in known]
        except (OSError, SchemaError) as exc:
            notes.append(f"what worker {worker} had written cannot be read: {exc}")
            continue
        for result in found:
            results.add(dataclasses.replace(result, worker=worker))
        if found:
            notes.append(f"worker {worker} died: {len(found)} holds are as it had written them down")
    return notes


def tidy(config: pytest.Config, lines: Sequence[Path], *, keep: Iterable[Path]) -> None:
    """Delete what stands in the reports by now."""
    passing = [path for path in lines if path not in set(keep)]
    for path in [*passing, *(path for _, path in _of_workers(config, lines))]:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _of_workers(
    config: pytest.Config, lines: Iterable[Path], *, dead: bool = False
) -> Iterator[tuple[str, Path]]:
    """Files of this run's workers on this machine: of all, or of those that died."""
    for link in links_of(config):
        for path in lines:
            own = of_worker(path, link.name)
            if own.exists() and not (dead and link.is_complete):
                yield link.name, own
