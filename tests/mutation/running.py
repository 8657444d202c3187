"""Running tests against a mutant: in a copy of the repository, in a process that has its libraries loaded."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from .sites import PACKAGE, ROOT, Mutant, Site, mutant

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
# Seconds beyond those that the tests take unbroken, and how often those: a mutant may be slow and right.
GRACE, TIMES = 10.0, 4.0


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

    @property
    def lives(self) -> bool:
        return self.fate in (Fate.SURVIVED, Fate.UNTESTED)


def copy(target: Path) -> Path:
    """A copy of the repository to break."""
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    return target


def run(tree: Path, site: Site, tests: Sequence[str], expected: float) -> Result:
    """Whether one of these tests fails with the mutant; the first that does ends the run."""
    started = time.monotonic()
    path = tree / PACKAGE / site.path
    source = path.read_text()
    broken = mutant(site, source)
    if broken is None:
        return Result(site, Fate.NONE, None, 0, 0.0)
    if not tests:
        return Result(site, Fate.UNTESTED, broken, 0, 0.0)
    before = path.stat()
    path.write_text(broken.text)
    try:
        status = _in_a_child(tree, tests, GRACE + TIMES * expected)
    finally:
        path.write_text(source)
        # So that what Python has compiled of it stays valid.
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    fate = Fate.TIMED_OUT if status is None else Fate.KILLED if status else Fate.SURVIVED
    return Result(site, fate, broken, len(tests), time.monotonic() - started)


def control(tree: Path, tests: Sequence[str]) -> None:
    """Nothing is broken: the tests must pass, or whatever comes after says nothing."""
    if _in_a_child(tree, tests, 600.0):
        raise SystemExit(f"unbroken, these tests fail: {' '.join(tests)}")


def preload() -> None:
    """Load what every run needs and no mutant changes; the package itself is loaded by each child."""
    import asyncio
    import email
    import html
    import http.client
    import ssl
    import unittest.mock

    import _pytest.pytester
    import hypothesis
    import jinja2
    import pytest
    import pytest_asyncio.plugin
    import websockets.client
    import websockets.server

    loaded = (
        asyncio,
        email,
        html,
        http.client,
        ssl,
        unittest.mock,
        _pytest.pytester,
        hypothesis,
        jinja2,
        pytest,
    )
    assert all([*loaded, pytest_asyncio.plugin, websockets.client, websockets.server])
    assert not [name for name in sys.modules if name.partition(".")[0] == PACKAGE]


def _in_a_child(tree: Path, tests: Sequence[str], limit: float) -> int | None:
    """The exit status of pytest in a forked child; None if it was still running after the limit."""
    child = os.fork()
    if not child:
        # Whoever kills the parent leaves no child that runs for ever.
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        _become_pytest(tree, tests)
    ends = time.monotonic() + limit
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > ends:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.01)


def _become_pytest(tree: Path, tests: Sequence[str]) -> None:
    os.setpgid(0, 0)
    os.chdir(tree)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    sys.path[:0] = [str(tree)]
    sys.dont_write_bytecode = True
    import pytest

    options = ["-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    # The libraries that are loaded already were to be rewritten, and need not.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    status = 70
    try:
        status = int(pytest.main([*options, *tests]))
    finally:
        os._exit(status)


def copies(first: Path, count: int) -> list[Path]:
    """So many copies of a copy, with what Python has compiled of it; itself is one of them."""
    others = [first.with_name(f"{first.name}{number}") for number in range(1, count)]
    return [first, *(Path(shutil.copytree(first, each, symlinks=True)) for each in others)]


def revision() -> str:
    """The commit that is broken, and whether it is what is on disk."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
