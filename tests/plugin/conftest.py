"""Runs of pytest inside pytest, as a user's project would see them."""

from __future__ import annotations

import os
import socket

import pytest

# Variables that make a run write where its CI reads.
GITHUB = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE")
INI = """
[pytest]
asyncio_mode = strict
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


class Brief:
    """Of a run that errors of collection have ended pytest shows one line, and formats each frame for it."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo):
        """Leave the frame that the line is of."""
        if isinstance(excinfo.value, pytest.Session.Interrupted):
            excinfo.traceback = excinfo.traceback[-1:]


@pytest.fixture(autouse=True)
def project(pytester, monkeypatch):
    """An empty project in strict mode, without settings from the environment of this run."""
    # This suite may itself run in workers, where a command without {port} is refused.
    workers = ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")
    for name in ("WS_URL", "PYTEST_ADDOPTS", "CI", "BUILD_NUMBER", *workers, *GITHUB):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    pytester.makefile(".ini", pytest=INI)
    return pytester


@pytest.fixture
def ini(pytester):
    """Add lines to the project's ini file."""

    def add(*lines: str) -> None:
        pytester.makefile(".ini", pytest=INI + "\n".join(lines) + "\n")

    return add


@pytest.fixture
def run(pytester):
    """Run a test module in this process: ``run(source, "--ws-time=real")``."""

    def runner(source: str, *args: str, conftest: str | None = None) -> pytest.RunResult:
        if conftest is not None:
            pytester.makeconftest(conftest)
        pytester.makepyfile(source)
        arguments = ("-p", "no:cacheprovider", *map(os.fspath, args))
        return pytester.runpytest_inprocess(*arguments, plugins=[Brief()])

    return runner


@pytest.fixture
def passes(run):
    """Run a test module of which every test must pass, and tell how many did."""

    def runner(source: str, *args: str, conftest: str | None = None) -> int:
        result = run(source, *args, conftest=conftest)
        outcomes = result.parseoutcomes()
        passed = outcomes.pop("passed", 0)
        assert outcomes == {}
        assert passed > 0
        assert result.ret == 0
        return passed

    return runner


@pytest.fixture
def failure(run):
    """Run a test module of which the one test must fail in its call phase, and give what was printed."""

    def runner(source: str, *args: str, conftest: str | None = None) -> str:
        result = run(source, *args, conftest=conftest)
        assert result.parseoutcomes() == {"failed": 1}
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        return result.stdout.str()

    return runner


@pytest.fixture
def refusal(run):
    """Run a test module whose collection must fail, and give what was printed."""

    def runner(source: str, *args: str, conftest: str | None = None) -> str:
        result = run(source, *args, conftest=conftest)
        assert result.ret == pytest.ExitCode.INTERRUPTED
        assert result.parseoutcomes() == {"errors": 1}
        return result.stdout.str()

    return runner


@pytest.fixture
def unused_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
