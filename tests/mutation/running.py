"""Running tests against a mutant: in a copy of the repository, in a process that has its libraries loaded."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from .sites import PACKAGE, ROOT, Mutant, Site

# What a copy needs none of.
_LEFT_OUT = (
    ".git",
    ".venv*",
    "node_modules",
    "__pycache__",
    "*.egg-info",
    ".*_cache",
    ".mutants",
    "dist",
    "build",
)
# pytest's exit status for a test that is not there.
NO_SUCH_TEST = 4
# What one child of a process says: its exit status, None after too long; and the test that failed.
Answer = tuple[int | None, str]


class Limit(NamedTuple):
    """
    How long a child may take.

    The core's time decides, which a busy machine does not change. The clock ends who waits for ever.

    """

    # Seconds that the tests took unbroken.
    expected: float

    @property
    def of_core(self) -> int:
        """A mutant may be slow and right."""
        return int(10.0 + 4.0 * self.expected)

    @property
    def of_clock(self) -> float:
        return 12.0 * self.of_core


class Fate(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    # It is no Python, or the same as before: no mutant.
    NONE = "none"
    # No test covers it.
    UNTESTED = "untested"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


class Result(NamedTuple):
    site: Site
    fate: Fate
    # None where there is none.
    mutant: Mutant | None
    # How many tests could have noticed.
    tests: int
    seconds: float
    # The test that noticed.
    killer: str = ""

    @property
    def lives(self) -> bool:
        return self.fate in (Fate.SURVIVED, Fate.UNTESTED)


def copy(target: Path) -> Path:
    """A copy of the repository to break."""
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    return target


def run(tree: Path, broken: Mutant, tests: Sequence[str], limit: Limit) -> Answer:
    """Whether a test fails with a mutant, in a process that loads it; the first that does ends it."""
    path = tree / PACKAGE / broken.site.path
    source, before = path.read_text(), path.stat()
    path.write_text(broken.text)
    try:
        return in_a_child(lambda writing: _become_pytest(tree, tests, writing), limit)
    finally:
        path.write_text(source)
        # So that what Python has compiled of it stays valid.
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def fate(answer: Answer) -> Fate:
    """What an answer says of a mutant."""
    if answer[0] in (None, -signal.SIGXCPU):
        return Fate.TIMED_OUT
    return Fate.KILLED if answer[0] else Fate.SURVIVED


def control(tree: Path, tests: Sequence[str]) -> None:
    """Nothing is broken: the tests must pass, or whatever comes after says nothing."""
    status, failed = in_a_child(lambda writing: _become_pytest(tree, tests, writing), Limit(600.0))
    if status:
        raise SystemExit(f"unbroken, {failed or status} fails, of these tests: {' '.join(tests)}")


def preload() -> None:
    """Load what every run needs and no mutant changes; the package itself is loaded by each child."""
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for plugin in importlib.metadata.entry_points(group="pytest11"):
        if plugin.module.partition(".")[0] != PACKAGE:
            plugin.load()
    assert not [name for name in sys.modules if name.partition(".")[0] == PACKAGE]


# What tests/conftest.py loads, and what many tests use.
_LIBRARIES = (
    "aiohttp.web", "fastapi", "httptools", "tornado.platform.asyncio", "tornado.websocket", "uvicorn",
    "email", "html", "http.client", "hypothesis", "jinja2", "ssl", "unittest.mock", "websockets.client",
    "websockets.server", "_pytest.pytester",
)  # fmt: skip


def in_a_child(run: Callable[[int], int], limit: Limit) -> Answer:
    """
    The answer of a forked child.

    Args:
        run: what it does; it is given a descriptor to write the name of the test to that failed.

    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 70
        try:
            os.setpgid(0, 0)
            # Whoever kills the parent leaves no child that runs for ever.
            resource.setrlimit(resource.RLIMIT_CPU, (limit.of_core, limit.of_core + 2))
            status = run(writing)
        finally:
            os._exit(status)
    os.close(writing)
    status = _wait(child, limit.of_clock)
    with os.fdopen(reading, "rb") as failed:
        return status, failed.read().decode()


def _wait(child: int, seconds: float) -> int | None:
    ends = time.monotonic() + seconds
    pause = 0.001
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > ends:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


_BARE = tuple(f"tests/core/{room}/" for room in ("judge", "diagnosis", "timeline", "statistics"))
_BARE += ("tests/core/test_samples.py", "tests/profiles/")


class _Teller:
    """Names the test that failed."""

    def __init__(self, writing: int) -> None:
        self._writing = writing

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            os.write(self._writing, report.nodeid.encode())


def _become_pytest(tree: Path, tests: Sequence[str], writing: int) -> int:
    begin(tree)
    import pytest

    bare = ["--noconftest"] if all(map(is_bare, tests)) else []
    return int(pytest.main([*OPTIONS, *bare, *tests], plugins=[_Teller(writing)]))


def is_bare(test: str) -> bool:
    """Whether a test needs nothing of tests/conftest.py, which loads all of the plugin."""
    return test.startswith(_BARE)


OPTIONS = (
    "-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-seed=0",
    # The libraries that are loaded already were to be rewritten, and need not.
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


def begin(tree: Path) -> None:
    """Make this the process of a copy, that says nothing."""
    os.chdir(tree)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    sys.path[:0] = [str(tree)]
    sys.dont_write_bytecode = True


def copies(first: Path, count: int) -> list[Path]:
    """So many copies of a copy, with what Python has compiled of it; itself is one of them."""
    others = [first.with_name(f"{first.name}{number}") for number in range(1, count)]
    return [first, *(Path(shutil.copytree(first, each, symlinks=True)) for each in others)]


def revision() -> str:
    """The commit that is broken, and whether it is what is on disk."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
