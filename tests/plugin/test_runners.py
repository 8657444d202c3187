"""Runners of tests: what is said where pytest-asyncio does not run one."""

from __future__ import annotations

import pytest

SOAK = """
import pytest

@pytest.mark.ws_stability(alive_for="2m")
def test_it(ws_soak):
    pass
"""


def test_ws_soak_without_pytest_asyncio(run, pytester):
    """It needs no loop of the test's, and so no plugin that gives one."""
    pytester.makefile(".ini", pytest="[pytest]")

    assert run(SOAK, "-p", "no:asyncio", "-p", "no:looptime_plugin").parseoutcomes() == {"passed": 1}


def test_ws_connect_without_pytest_asyncio(run, pytester):
    """What does not work says so, and what does."""
    pytester.makefile(".ini", pytest="[pytest]")

    result = run("def test_it(ws_connect): pass", "-p", "no:asyncio", "-p", "no:looptime_plugin")

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["*needs pytest-asyncio, which is switched off; take '-p no:asyncio' away,*"])


GIVEN = """
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

{mark}
@given(st.integers(5, 50))
@settings(max_examples=2, suppress_health_check=list(HealthCheck), deadline=None)
async def test_it(ws_connect, seconds):
    connection = await ws_connect(heartbeat=seconds)
    await connection.assert_alive_for("2m")
"""


def test_given_on_an_async_test_is_told_what_helps(run):
    """It is written 'async def' already; the mark is what it lacks."""
    pytest.importorskip("hypothesis")

    result = run(GIVEN.format(mark=""))

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(
        ["*and this is none: mark it with @pytest.mark.asyncio, which stands above @given*"]
    )


def test_given_with_the_mark_runs(passes):
    """As the message says."""
    pytest.importorskip("hypothesis")

    assert passes(GIVEN.format(mark="@pytest.mark.asyncio")) == 1
