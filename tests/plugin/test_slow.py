"""A test in virtual time that takes long in real time says how far it has come."""

from __future__ import annotations

HEARING = """
import threading
import pytest
from pytest_wsstability.plugin import slow

slow.SLOW = 0.01
said = threading.Event()

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    write = reporter.write_line

    def write_line(line, **markup):
        write(line, **markup)
        if " so far" in line:
            said.set()

    reporter.write_line = write_line
"""
SOAK = """
import asyncio
import pytest
import conftest

async def talk(connection):
    await asyncio.sleep(85)
    conftest.said.wait(60)

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", traffic=talk)
def test_it(ws_soak): ...
"""
DIRECT = """
import asyncio
import conftest

async def test_it(ws_connect):
    await ws_connect()
    await asyncio.sleep(85)
    conftest.said.wait(60)
"""
OTHER = """
import threading

def test_it():
    assert not any(isinstance(each, threading.Timer) for each in threading.enumerate())
"""


def _line(run, source):
    """What the plugin has written; the timer may have run out before the clock came to 85 s."""
    result = run(source, conftest=HEARING)
    result.assert_outcomes(passed=1)
    return [line for line in result.outlines if " so far" in line]


def test_a_hold_that_takes_long_says_how_far_it_has_come(run):
    """The run would seem to hang: an app that polls each millisecond has many timers in a day."""
    (line,) = _line(run, SOAK)

    assert "wsstability: " in line
    assert "test_it takes 0 s so far, for " in line
    assert " of virtual time; each timer and each message of the app is run: a shorter hold" in line


def test_so_does_a_test_on_a_loop_of_its_own(run):
    """Its connections are held by the test itself."""
    (line,) = _line(run, DIRECT)

    assert " of virtual time; " in line


def test_for_other_tests_nobody_waits(passes):
    """How long they take is not the plugin's business."""
    assert passes(OTHER) == 1
