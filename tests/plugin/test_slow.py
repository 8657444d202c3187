"""A test in virtual time that takes long in real time says how far it has come."""

from __future__ import annotations

import pytest

# Seconds that no test takes, and that each does.
NEVER, AT_ONCE = 600, 0
CONFTEST = """
import asyncio
from pytest_wsstability.plugin import slow

slow.SLOW = {slow}

async def poll(times):
    for _ in range(times):
        await asyncio.sleep(0.001)
"""
SOAK = """
import pytest
from conftest import poll

async def talk(connection):
    await poll({times})

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", traffic=talk)
def test_it(ws_soak): ...
"""
DIRECT = """
from conftest import poll

async def test_it(ws_connect):
    await ws_connect()
    await poll({times})
"""
# The test before is quick: its clock passes over an hour at once.
BEHIND = """
import pytest
from conftest import poll

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.ws_stability(time="virtual")]

async def test_before(ws_clock):
    await ws_clock.advance("1h")

async def test_it(ws_connect):
    await ws_connect()
    await poll({times})
"""
# The loop of a module goes on to a test that asks nothing of the plugin.
SHARED = """
import asyncio
import pytest
from conftest import poll

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.ws_stability(time="virtual")]

async def test_ours(ws_connect):
    assert asyncio.get_running_loop().on_moves is not None

async def test_other():
    assert asyncio.get_running_loop().on_moves is None
"""


def lines(run, source, *, slow=AT_ONCE, times=3000):
    """What the plugin has written of a test that polls so many times."""
    result = run(source.format(times=times), conftest=CONFTEST.format(slow=slow))
    result.assert_outcomes(passed=source.count("def test_"))
    return [line for line in result.outlines if " so far" in line]


@pytest.mark.parametrize("source", [SOAK, DIRECT, BEHIND])
def test_it_is_said_how_far_it_has_come(run, source):
    """The run would seem to hang: an app that polls each millisecond has many timers in a day."""
    line, *_ = lines(run, source)

    assert "test_it takes 0 s so far, for 1.0" in line
    assert " s of virtual time; each timer and each message of the app is run: a shorter hold" in line


@pytest.mark.parametrize(("slow", "times"), [(NEVER, 3000), (AT_ONCE, 900)])
def test_nothing_is_said_of_one_that_is_quick(run, slow, times):
    """Nor is it looked for less than 1,024 instants."""
    assert lines(run, DIRECT, slow=slow, times=times) == []


def test_other_tests_on_the_same_loop_are_not_looked_at(passes):
    """How long they take is not the plugin's business."""
    assert passes(SHARED, conftest=CONFTEST.format(slow=AT_ONCE)) == 2
