"""
A folder for each test: what its connections saw, the failure, the server's output, and pictures.

They stand below ``--ws-artifacts DIR``, in a folder of the run; whoever runs the test writes them, workers of
pytest-xdist too. Other plugins are given them where they are loaded: allure, pytest-html, JUnit's file.

"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from ...core.redact import redact_text
from ...report import json_file, svg
from ...report.folders import make_folder
from ..stash import settings_key
from .results import results_of

if TYPE_CHECKING:
    from ...core.result import Result

_NAME = "wsstability-artifacts"
# What is in the folder of a run: without it nothing is ever removed.
_MARK = ".wsstability-run"
# The properties of a test that say where its folder is, and why not all of it was written.
PROPERTY = "ws_artifacts"
UNWRITTEN = "ws_artifacts_not_written"
_RUN = re.compile(r"\d{8}T\d{6}Z")
_UNSAFE = re.compile(r"[^\w.=-]+")
# Characters of a folder's name, before what tells it from others.
_LONGEST = 80
_ADVICE = "give a folder that can be written"


def artifacts_of(config: pytest.Config) -> Artifacts | None:
    """Those of a run; None where nobody asked for them."""
    found: Artifacts | None = config.pluginmanager.get_plugin(_NAME)
    return found


def prepare(config: pytest.Config) -> None:
    """
    Make the folder of this run, and remove those of runs that are to be kept no longer.

    Raises:
        pytest.UsageError: if it cannot be written.

    """
    settings = config.stash[settings_key]
    if settings.artifacts is None or settings.keep == "off" or config.option.collectonly:
        return
    results = results_of(config)
    root = config.invocation_params.dir / settings.artifacts
    # "2026-11-24T02:00:00Z" without what no file system takes.
    folder = root / results.started.replace("-", "").replace(":", "")
    if not results.worker:
        try:
            make_folder(folder)
            (folder / _MARK).touch()
        except OSError as exc:
            raise pytest.UsageError(
                f"--ws-artifacts: {settings.artifacts!r} cannot be written: {exc.strerror}; {_ADVICE}"
            ) from None
        for old in _runs(root)[: -settings.keep_runs]:
            shutil.rmtree(old, ignore_errors=True)
    config.pluginmanager.register(Artifacts(config, folder, everything=settings.keep == "on"), _NAME)


def _runs(root: Path) -> list[Path]:
    """The folders of runs that this plugin has made, the oldest first."""
    return sorted(each for each in root.iterdir() if _RUN.fullmatch(each.name) and (each / _MARK).is_file())


class Artifacts:
    """The folders of one run."""

    def __init__(self, config: pytest.Config, folder: Path, *, everything: bool) -> None:
        self._config = config
        self._folder = folder
        self._everything = everything
        # Of the test that runs: what it printed of its failures, and what the server said.
        self._texts: dict[str, str] = {}
        # For each test whose folder is not whole, why; workers of xdist send them home.
        self._unwritten: list[str] = []

    @property
    def complaint(self) -> str | None:
        """That folders are not whole; None where all are."""
        if not self._unwritten:
            return None
        count = len(self._unwritten)
        return f"artifacts of {count} test{'s' * (count > 1)} were not written: {self._unwritten[0]}"

    def folder_of(self, item: pytest.Item) -> Path:
        """Its name says which test, without its secrets, and is no other test's."""
        name = _UNSAFE.sub("-", redact_text(item.nodeid)).strip("-")[-_LONGEST:]
        digest = hashlib.sha256(item.nodeid.encode()).hexdigest()[:8]
        attempt = getattr(item, "execution_count", 1)
        return self._folder / "-".join([name, digest, *([f"attempt{attempt}"] if attempt > 1 else [])])

    def note(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Remember a failure as it is told, and say in it where the rest will be."""
        if not report.failed:
            return
        self._texts["failure.txt"] = "\n".join(_told(report))
        for title, text in report.sections:
            if title.startswith(("log of the app", "output of the command")):
                self._texts["server.txt"] = f"{redact_text(text)}\n"
        report.sections.append(("artifacts", self._shown(self.folder_of(item))))

    def write(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """After the last phase: write the folder of a test, and hand it on to other plugins."""
        results, texts = results_of(self._config), self._texts
        self._texts = {}
        if not (results.has_failed or (self._everything and results.found)):
            return
        folder = self.folder_of(item)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            paths = [self._written(folder / name, text) for name, text in self._files(results.found, texts)]
        except OSError as exc:
            report.user_properties.append((UNWRITTEN, exc.strerror or str(exc)))
            return
        report.user_properties.append((PROPERTY, str(folder)))
        _attach(self._config, paths, report)

    def _files(self, results: tuple[Result, ...], texts: dict[str, str]) -> Iterator[tuple[str, str]]:
        yield from texts.items()
        if results:
            run = dataclasses.replace(results_of(self._config).run(), results=results)
            yield "timelines.json", json_file.render(run)
        for number, result in enumerate(results, 1):
            if result.timelines:
                yield f"lanes{'' if number == 1 else f'-{number}'}.svg", svg.render(result)

    def _written(self, path: Path, text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        return path

    def _shown(self, path: Path) -> str:
        """As it is typed from where the run was started."""
        with suppress(ValueError):
            return os.path.relpath(path, self._config.invocation_params.dir)
        return str(path)

    # Before the reporter of JUnit's file takes leave of the test.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == PROPERTY:
                    _tell_junit(self._config, report, Path(str(value)))
                elif name == UNWRITTEN:
                    self._unwritten.append(str(value))


def _told(report: pytest.TestReport) -> Iterator[str]:
    yield redact_text(report.longreprtext)
    for title, text in report.sections:
        yield f"\n--- {title} ---\n{redact_text(text)}"


def _attach(config: pytest.Config, paths: list[Path], report: pytest.TestReport) -> None:
    """Give the files to allure and pytest-html, where they are in use."""
    if config.pluginmanager.has_plugin("allure_listener"):
        allure = import_module("allure")
        kinds = allure.attachment_type
        for path in paths:
            kind = {".json": kinds.JSON, ".svg": kinds.SVG}.get(path.suffix, kinds.TEXT)
            allure.attach.file(str(path), name=path.name, attachment_type=kind)
    if config.pluginmanager.has_plugin("html"):
        extras = import_module("pytest_html.extras")
        report.extras = [  # type: ignore[attr-defined]
            *getattr(report, "extras", ()), *(extras.url(str(path), name=path.name) for path in paths)
        ]  # fmt: skip


def _tell_junit(config: pytest.Config, report: pytest.TestReport, folder: Path) -> None:
    """
    Name the files in the test's system-out, in the form that GitLab and the Jenkins plugin read.

    GitLab: https://docs.gitlab.com/ci/testing/unit_test_reports/, which wants paths within the project;
    Jenkins: https://plugins.jenkins.io/junit-attachments/.

    """
    files = sorted(folder.glob("*")) if folder.is_dir() else []
    base = os.environ.get("CI_PROJECT_DIR")
    lines = []
    for path in files:
        within = base is not None and path.is_relative_to(base)
        lines.append(f"[[ATTACHMENT|{os.path.relpath(path, base) if within else path}]]")
    if not lines:
        return
    for plugin in config.pluginmanager.get_plugins():
        # pytest has fixtures for properties of a test, and none for its output.
        reporter: Any = getattr(plugin, "node_reporter", None)
        if reporter is not None:
            element = ElementTree.Element("system-out")
            element.text = "\n".join(lines)
            reporter(report).append(element)
