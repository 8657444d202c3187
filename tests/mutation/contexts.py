"""A plugin for pytest: coverage learns which test runs, and how long each took is kept."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from pathlib import Path

import coverage
import pytest

_times: dict[str, float] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    running = coverage.Coverage.current()
    # A run inside of a run belongs to the test outside.
    outermost = running is not None and "PYTEST_CURRENT_TEST" not in os.environ
    if outermost:
        running.switch_context(item.nodeid)
    started = time.perf_counter()
    try:
        return (yield)
    finally:
        if outermost:
            _times[item.nodeid] = time.perf_counter() - started
            running.switch_context("")


def pytest_sessionfinish() -> None:
    if "PYTEST_CURRENT_TEST" not in os.environ:
        Path(os.environ["MUTATION_TIMES"]).write_text(json.dumps(_times))
