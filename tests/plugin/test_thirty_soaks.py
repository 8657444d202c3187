"""Thirty soaks on two workers, a server killed in the middle, a worker that stands still: nothing is lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.serving import SOON, Crowd, serving

pytestmark = [pytest.mark.slow, pytest.mark.real]

SUITE = """
import ctypes
import os
import time

import pytest

GOOD, VICTIM = os.environ["GOOD"], os.environ["VICTIM"]
VICTIMS = range(5, 10)
held = dict(heartbeat_every="500ms", heartbeat_within="2s")

@pytest.mark.ws_stability(alive_for="600ms", url=GOOD, **held)
def test_soak_and_stall(ws_soak):
    \"\"\"The holds of this worker go on behind it, until it stands still.\"\"\"
    until = time.monotonic() + 30
    while not os.path.exists(os.environ["KILLED"]) and time.monotonic() < until:
        time.sleep(0.05)
    # Once more, so that the loop of the holds has seen the end of the server.
    time.sleep(0.3)
    # A call into C that keeps the interpreter's lock.
    ctypes.PyDLL(None).usleep(3_000_000)

@pytest.mark.parametrize("number", [
    pytest.param(number, marks=pytest.mark.ws_stability(url=VICTIM if number in VICTIMS else GOOD))
    for number in range(1, 30)
])
@pytest.mark.ws_stability(alive_for="12s", **held)
def test_soak(ws_soak, number):
    pass
"""
VICTIM = """
import asyncio
from pytest_wsstability import Orchestrator

async def handle(connection):
    print("connected", flush=True)
    await connection.wait_closed()

async def main():
    async with Orchestrator(handler=handle) as server:
        print(server.url, flush=True)
        await asyncio.sleep(120)

asyncio.run(main())
"""


@pytest.fixture
def victim():
    """A server in a process of its own, to be killed."""
    process = subprocess.Popen([sys.executable, "-c", VICTIM], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def environment(victim, monkeypatch, tmp_path):
    """What the suite is told; the victim is killed once five clients are connected."""
    killed = tmp_path / "killed"
    monkeypatch.setenv("VICTIM", victim.stdout.readline().strip())
    monkeypatch.setenv("KILLED", str(killed))

    def kill():
        for _ in range(5):
            victim.stdout.readline()
        victim.kill()
        victim.wait()
        killed.touch()

    thread = threading.Thread(target=kill)
    thread.start()
    with serving(handler=Crowd(0).handle) as good:
        monkeypatch.setenv("GOOD", good)
        yield
    victim.kill()
    thread.join(SOON)


def expected(number: int) -> str:
    """Odd ones are held by the other worker, which never stands still."""
    if number in range(5, 10):
        return "unstable"
    return "stable" if number % 2 or number == 0 else "inconclusive"


@pytest.mark.skipif(sys.platform != "linux", reason="usleep is found in the process itself")
def test_thirty_soaks(pytester, environment):
    """Verdicts are right, and the summary, the report and the outcomes of the tests agree."""
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess(
        "-n2",
        "-p",
        "no:looptime_plugin",
        "--ws-report=run.json",
        "--ws-report=run.jsonl",
        "--junitxml=run.xml",
    )

    verdicts = {}
    for each in json.loads(Path("run.json").read_text())["results"]:
        number = re.search(r"\[(\d+)\]", each["nodeid"])
        verdicts[int(number[1]) if number else 0] = each["verdict"]["outcome"]
    assert verdicts == {number: expected(number) for number in range(30)}
    count = Counter(verdicts.values())
    assert count == {"stable": 13, "unstable": 5, "inconclusive": 12}
    assert result.parseoutcomes() == {"passed": 13, "failed": 17}
    result.stdout.fnmatch_lines(["real time: 13 of 30 holds stable, 5 unstable, 12 inconclusive; *"])
    killed = [
        line
        for line in result.stdout.lines
        if re.match(r"FAILED .*test_soak\[[5-9]\] - .*\(1006 at .* of 12 s\)", line)
    ]
    assert len(killed) == 5
    assert "own event loop" not in "".join(killed)
    suite = re.search(r"<testsuite [^>]*>", Path("run.xml").read_text())[0]
    assert 'failures="17"' in suite
    assert 'tests="30"' in suite
