"""Runs that are kept, a JSON file each, and the comparison with one of them."""

from __future__ import annotations

import json
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ...core.result import Run, SchemaError
from ...core.statistics.comparison import compare
from ...report.folders import closed_folder
from ...report.json_file import render
from ..stash import settings_key

_NAME = re.compile(r"[\w][\w.\-]*")
_FILE = re.compile(r"(\d{4,})_(.+)\.json")


@dataclass(frozen=True)
class Baseline:
    """An earlier run, and what its file is called."""

    name: str
    run: Run


@dataclass(frozen=True)
class History:
    """What to save and what to compare with, found before the run starts."""

    root: Path
    folder: Path
    # None: this run is not kept.
    save_as: str | None
    # None: this run is compared with nothing.
    baseline: Baseline | None

    @classmethod
    def of(cls, config: pytest.Config) -> History:
        """
        Find the baseline, and see whether this run can be kept.

        Raises:
            pytest.UsageError: for a name that makes no sense, a baseline that is missing, damaged or of
                another schema, or a folder that cannot be written.

        """
        settings = config.stash[settings_key]
        folder = config.rootpath / settings.storage / _machine()
        if settings.save is not None:
            _see_writable(folder, settings.save)
        baseline = None if settings.compare is None else _baseline(folder, settings.compare)
        return cls(config.rootpath, folder, settings.save, baseline)

    def compare(self, run: Run) -> tuple[list[str], list[str]]:
        """What is worse than in the baseline, and what else is to be said; nothing without a baseline."""
        if self.baseline is None:
            return [], []
        name, found = self.baseline.name, compare(self.baseline.run, run)
        complaints = [f"not comparable with {name}: {line}" for line in found.refused]
        complaints += [f"worse than {name}: {line}" for line in found.regressions]
        notes = [f"compared with {name}: {line}" for line in found.notes]
        return complaints, notes or ([] if complaints else [f"compared with {name}: nothing is worse"])

    def save(self, run: Run) -> tuple[list[str], bool]:
        """Keep a run if that was asked for; returns what is to be said of it, and False if it failed."""
        if self.save_as is None:
            return [], True
        kept = _kept(self.folder)
        number = kept[-1][0] + 1 if kept else 1
        path = self.folder / f"{number:04}_{self.save_as}.json"
        try:
            path.write_text(render(run, events=False), encoding="utf-8")
        except OSError as exc:
            path.unlink(missing_ok=True)
            return [f"the run was not kept: {exc.strerror}"], False
        shown = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        return [f"run kept as {shown}"], True


def _machine() -> str:
    """Runs of different machines are not compared: ``Linux-CPython-3.11-64bit``."""
    bits = "64bit" if sys.maxsize > 2**32 else "32bit"
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{platform.system()}-{platform.python_implementation()}-{version}-{bits}"


def _see_writable(folder: Path, name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise pytest.UsageError(f"--ws-save: {name!r} is no name; give letters, digits, '-', '_' and '.'")
    if reason := closed_folder(folder):
        raise pytest.UsageError(f"--ws-save: {folder} {reason}")


def _kept(folder: Path) -> list[tuple[int, str, Path]]:
    """Number, name and file of each run that was kept, oldest first."""
    matches = [(match, path) for path in folder.glob("*.json") if (match := _FILE.fullmatch(path.name))]
    return sorted((int(match[1]), match[2], path) for match, path in matches)


def _baseline(folder: Path, wanted: str) -> Baseline:
    """The latest run of a name or number; of none, the latest."""
    kept = _kept(folder)
    fitting = [
        path
        for number, name, path in kept
        if wanted in ("", name, path.stem) or (wanted.isdigit() and int(wanted) == number)
    ]
    if not fitting:
        names = ", ".join(path.stem for _, _, path in kept) or "none; --ws-save NAME keeps one"
        raise pytest.UsageError(f"--ws-compare: no run {wanted!r} in {folder}; there are: {names}")
    return Baseline(fitting[-1].stem, _read(fitting[-1]))


def _read(path: Path) -> Run:
    try:
        return Run.from_dict(json.loads(path.read_text(encoding="utf-8")), path.name)
    except SchemaError as exc:
        raise pytest.UsageError(f"--ws-compare: {exc}") from None
    except OSError as exc:
        raise pytest.UsageError(f"--ws-compare: {path} cannot be read: {exc.strerror}") from None
    except ValueError as exc:
        raise pytest.UsageError(f"--ws-compare: {path} is damaged: {exc}") from None
