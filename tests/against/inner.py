"""Runs of pytest inside pytest, as a user's project would see them."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import suppress

# Loaded here, so that each run inside finds them loaded and costs milliseconds.
import pytest_wsstability.core.judge.rules
import pytest_wsstability.net.connector
import pytest_wsstability.net.hold
import pytest_wsstability.plugin.seams.pytest_asyncio  # noqa: F401

INI = """
[pytest]
asyncio_mode = strict
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
# It asks for the current loop before each sync test, and so makes one that nobody closes.
NO_LOOPTIME = ("-p", "no:looptime_plugin")


def prepare(pytester, monkeypatch) -> None:
    """Make an empty project in strict mode, without settings from the environment of this run."""
    for name in ("WS_URL", "PYTEST_ADDOPTS", "CI", "BUILD_NUMBER", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    pytester.makefile(".ini", pytest=INI)
    close_current_loop()


def close_current_loop() -> None:
    """Close the loop that looptime's plugin may have made for the run outside."""
    with warnings.catch_warnings(), suppress(RuntimeError):
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.get_event_loop().close()
    asyncio.set_event_loop(None)


def run(pytester, *arguments: str):
    """Run the project's tests in this process."""
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *NO_LOOPTIME, *arguments)
