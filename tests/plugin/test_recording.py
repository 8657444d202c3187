"""Timelines on disk while holds run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.timeline.events import Role
from pytest_wsstability.report.jsonl import parse
from pytest_wsstability.report.reading import merged, read

pytestmark = pytest.mark.slow

HOLD = """
import pytest

@pytest.mark.ws_stability(alive_for="{seconds}s", heartbeat_every="100ms", heartbeat_within="20s")
def test_it(ws_soak):
    pass
"""


def records(path):
    """The records of a file that may be written right now."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def kill_when(pytester, enough, *arguments):
    """Run the suite in a session of its own, and kill all of it as soon as there is enough in its files."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--ws-time=real", *arguments]
    with subprocess.Popen(
        [*command, "--ws-report=out.jsonl"],
        cwd=pytester.path,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + 180
            while not enough():
                assert time.monotonic() < deadline
                assert process.poll() is None
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def ticks(path):
    """How often a file says that its connections were watched."""
    return sum(each["record"] == "tick" for each in records(path))


@pytest.mark.real
def test_a_killed_run_loses_a_second_at_most(pytester):
    """What was watched until the last tick is there, and is judged as what it is: not watched to the end."""
    pytester.makepyfile(HOLD.format(seconds=60))
    path = pytester.path / "out.jsonl"
    kill_when(pytester, lambda: ticks(path) >= 2)
    found = records(path)
    *_, last = [each["at"] for each in found if each["record"] == "tick"]
    (hold,) = [each for each in found if each["record"] == "hold"]
    (result,) = parse(path.read_text().splitlines(keepends=True), "out.jsonl").results

    assert result.verdict.outcome is Outcome.INCONCLUSIVE
    assert "it is still open" in result.verdict.headline
    assert result.timelines[0].duration >= last - hold["opened_at"] - 1e-6
    assert result.timelines[0].heartbeats.answered >= 5


@pytest.mark.real
def test_a_killed_run_with_workers(pytester):
    """Each worker has a file of its own until it has sent home what is in it; together they have it all."""
    short = HOLD.format(seconds=1).replace("test_it", "test_short")
    pytester.makepyfile(short + HOLD.format(seconds=60))
    home, *workers = [pytester.path / name for name in ("out.jsonl", "out.gw0.jsonl", "out.gw1.jsonl")]

    def enough():
        done = any(each["record"] == "result" for each in records(home))
        return done and max(map(ticks, workers)) >= 3

    kill_when(pytester, enough, "-n2")
    both = merged([read(path) for path in (home, *workers) if path.exists()])

    assert sorted((each.nodeid.rpartition("::")[2], each.verdict.outcome.value) for each in both.results) == [
        ("test_it", "inconclusive"),
        ("test_short", "stable"),
    ]


@pytest.mark.real
def test_workers_leave_nothing_behind(run, pytester):
    """Their files are for the case that they are killed."""
    arguments = ("-n1", "--ws-time=real", "--ws-report=out.jsonl", "-p", "no:looptime_plugin")
    run(HOLD.format(seconds=1.5), *arguments)

    assert [path.name for path in pytester.path.glob("*.jsonl")] == ["out.jsonl"]
    assert len(read(pytester.path / "out.jsonl").results) == 1


@pytest.mark.real
def test_every_signal_is_there_once(run, pytester):
    """In their order, the end included, whether a look or the end of the test has written them."""
    assert run(HOLD.format(seconds=2.5), "--ws-time=real", "--ws-report=out.jsonl").ret == 0
    found = records(pytester.path / "out.jsonl")
    rows = [each["event"] for each in found if each["record"] == "event"]
    (result,) = [each["result"] for each in found if each["record"] == "result"]

    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert sum(row[-1] == "heartbeat" for row in rows) == result["timelines"][0]["heartbeats"]["sent"] >= 24
    sealed = result["timelines"][0]["events"]
    # What comes behind the verdict is our own close.
    assert rows[: len(sealed)] == sealed
    assert [each["record"] for each in found[-4:]] == ["event", "close", "result", "end"]


@pytest.mark.real
def test_data_frames_are_counted_and_not_listed(run, pytester):
    """Fifty audio frames a second would be a file for nobody."""
    source = """
        async def test_it(ws_connect):
            connection = await ws_connect()
            for _ in range(300):
                await connection.send(b"x" * 640)
            await connection.assert_alive_for("1.5s")
    """
    assert run(source, "--ws-time=real", "--ws-report=out.jsonl").ret == 0
    found = records(pytester.path / "out.jsonl")

    assert max(each["sent"][0] for each in found if each["record"] == "traffic") >= 300
    assert max(each["sent"][1] for each in found if each["record"] == "traffic") >= 300 * 640
    assert not any(each["record"] == "event" and each["event"][-1] == "data" for each in found)


@pytest.mark.real
def test_a_connection_that_nobody_judged_is_dropped(run, pytester):
    """It is no hold, and does not look like one that was cut short."""
    source = """
        async def test_it(ws_connect):
            await ws_connect()
    """
    run(source, "--ws-time=real", "--ws-report=out.jsonl")
    lines = (pytester.path / "out.jsonl").read_text().splitlines(keepends=True)

    assert json.loads(lines[-2])["record"] == "dropped"
    assert parse(lines, "x").results == ()


@pytest.mark.parametrize("arguments", [(), ("-n", "2", "-p", "no:looptime_plugin")])
def test_in_virtual_time_and_with_workers(run, pytester, arguments):
    """Each hold is written when its test is over."""
    run(HOLD.format(seconds=120), "--ws-report=out.jsonl", *arguments)
    lines = (pytester.path / "out.jsonl").read_text().splitlines(keepends=True)
    (result,) = parse(lines, "x").results

    assert [json.loads(line)["record"] for line in lines[:3]] == ["run", "hold", "event"]
    assert result.verdict.outcome is Outcome.STABLE
    assert any(event.role is Role.HEARTBEAT for event in result.timelines[0])


def test_the_file_of_the_last_run_stays_until_there_is_something_to_say(run, pytester):
    """A run that collects only has nothing."""
    (pytester.path / "out.jsonl").write_text("old")
    run(HOLD.format(seconds=1), "--collect-only", "--ws-report=out.jsonl")

    assert (pytester.path / "out.jsonl").read_text() == "old"


def test_a_gate_is_its_last_line(run, pytester):
    """As in the other reports; behind it, that the run is over."""
    run(HOLD.format(seconds=1), "--ws-report=out.jsonl", "--ws-fail-on=holds > 0")
    last = records(pytester.path / "out.jsonl")[-2]

    assert last == {"record": "complaint", "text": "ws_fail_on holds > 0: 1 of 1 holds (virtual time)"}
