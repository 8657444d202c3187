"""wsstability probe in this process."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading

import pytest

from pytest_wsstability import OpeningError, cli
from pytest_wsstability.cli import probe
from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.net.errors import OpeningStage
from tests.cli.command import Terminal
from tests.cli.test_cli import NOBODY, SECRET, serving

pytestmark = pytest.mark.real

QUICK = ["--max", "3s"]


@pytest.fixture(scope="module")
def idle():
    """The URL of a server that ends what is silent for a second."""
    with serving(read_deadline="800ms", ping_interval=None, deadline_reset_by="any") as url:
        yield url


@pytest.fixture
def run(capsys):
    def runner(*arguments: str) -> tuple[int, str, str]:
        status = cli.main(["probe", *arguments])
        return status, *capsys.readouterr()

    return runner


@pytest.mark.slow
def test_what_was_found_is_printed(run, idle):
    """The URL, the sentence, the matrix, each connection; progress goes to stderr."""
    status, out, err = run(idle, *QUICK)

    assert status == 0
    first, found, *_ = out.splitlines()
    assert first == idle
    assert re.match(r"  found     idle timeout [01]\.\d+ s", found)
    assert "reset by any byte that the client sends" in found
    assert "  connections (12)" in out
    assert re.match(rf"0 s of 3 s · {idle} · 12 connections\n", err)


@pytest.mark.parametrize("elsewhere", [True, False])
def test_the_plan_is_told_to_whoever_probes_a_host_elsewhere(run, monkeypatch, elsewhere):
    """Before the first connection opens."""
    monkeypatch.setattr(probe, "is_here", lambda url: not elsewhere)
    status, _, err = run(f"{NOBODY}?token={SECRET}", "--max", "2m")

    assert status == 1
    plan = "plan: 12 connections side by side, for 120 s at most, to ws://127.0.0.1:1?token="
    assert err.startswith(plan) == elsewhere
    assert SECRET not in err


def test_json(run, idle):
    """One object, and nothing on stderr."""
    status, out, err = run(idle, *QUICK, "--json", "--profile", "frames")

    told = json.loads(out)
    assert (status, err) == (0, "")
    assert (told["outcome"], told["url"]) == ("found", idle)
    assert told["timers"][0]["seconds"] == pytest.approx(0.8, abs=0.4)
    assert told["sentence"].startswith("idle timeout ")
    assert len(told["connections"]) == 12


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_not_opened_is_1(run, json_too):
    """The same words as hold's."""
    status, out, err = run(NOBODY, *json_too)

    assert (status, err) == (1, "")
    error = json.loads(out)["error"] if json_too else out
    assert error.startswith(f"{NOBODY} did not open (TCP connection): nobody listens on 127.0.0.1:1")


def test_what_this_machine_lacks_is_3(run, monkeypatch):
    """It says nothing of the server, as with hold; the diagnosis goes with it."""

    async def connect(url, **options):
        raise OpeningError(url, OpeningStage.CONNECT, "too many open files", shortage=Reason.DESCRIPTORS)

    monkeypatch.setattr("pytest_wsstability.net.probe.climber.connect", connect)

    status, out, _ = run(NOBODY, "--json")

    told = json.loads(out)
    assert (status, told["outcome"]) == (3, "not opened")
    assert told["diagnosis"]["cause"] == Cause.HARNESS_SHORT.value


@pytest.mark.slow
def test_inconclusive_is_3(run, idle):
    """Busy connections that are no busier than the timer is long."""
    status, out, _ = run(idle, "--max", "4s", "--every", "900ms")

    assert status == 3
    assert "  found     inconclusive: silence ends after " in out
    assert "(--every)" in out


@pytest.mark.slow
def test_a_terminal_has_a_line_a_connection(idle, monkeypatch):
    """Written over each time."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("NO_COLOR", "1")

    assert cli.main(["probe", idle, *QUICK]) == 0

    # As many rows are written over as were written.
    *_, last = terminal.getvalue().split("\x1b[12A\r\x1b[J")
    lines = last.rstrip("\n").split("\n")
    assert len(lines) == 13
    assert re.match(r"\d s of 3 s · \S+ · 12 connections, \d+ ended", lines[0])
    assert re.match(r"  silence +ended at [01]\.\d s", lines[1])
    assert re.search(r"  ping every 50 ms, no pongs +(\d s · \d+ frames sent, \d+ received|alive)", last)


@pytest.mark.slow
def test_a_report_of_a_probe(run, idle, tmp_path):
    """What it found, and each connection as a hold whose end was wanted; in each form."""
    paths = [tmp_path / f"a.{kind}" for kind in ("json", "jsonl", "md", "html", "xml")]
    status, out, _ = run(idle, *QUICK, *(f"--report={path}" for path in paths))
    found, *_ = json.loads(paths[0].read_text())["notes"]
    results = json.loads(paths[0].read_text())["results"]

    assert status == 0
    assert found.startswith("found idle timeout ")
    assert found.removeprefix("found ") in " ".join(out.split())
    assert {each["expected"] for each in results} == {True}
    assert {each["nodeid"] for each in results} >= {"wsstability probe: silence"}
    silent = next(each for each in results if each["nodeid"] == "wsstability probe: silence")
    assert silent["verdict"]["outcome"] == "unstable"
    for path in paths[:4]:
        assert "idle timeout " in path.read_text(), path
    # It is read back, and no end in it is a failure.
    assert cli.main(["report", str(paths[1])]) == 0


def test_a_report_that_cannot_be_is_refused_before_the_probe(run):
    """Nobody connects for nothing."""
    status, out, err = run(NOBODY, "--report=a.txt")

    assert (status, out) == (2, "")
    assert "'a.txt': a report cannot be '.txt'" in err


def test_an_interrupt_prints_what_was_seen(run, idle):
    """130, and the findings up to then."""
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    status, out, _ = run(idle, "--max", "60s", "--every", "50ms")
    timer.join()

    assert status == 130
    assert "  found     idle timeout " in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x"], r"url: 'x' is not a WebSocket URL"),
        ([NOBODY, "--max", "soon"], r"--max: 'soon' is not a duration"),
        ([NOBODY, "--every", "9m"], r"--every: '9m' is too seldom"),
        ([NOBODY, "--profile", "xml"], r"--profile: 'xml' is unknown"),
        ([NOBODY, "--header", SECRET], r"--header: a value without a header's name"),
    ],
)
def test_a_wrong_value_is_2(run, arguments, said):
    """One line that names it."""
    status, out, err = run(*arguments)

    assert (status, out) == (2, "")
    assert re.fullmatch(rf"wsstability probe: {said}.*\n", err)
    assert SECRET not in err


@pytest.mark.slow
def test_no_secret_is_printed(run, idle):
    """Neither from the URL nor from a header, in words or as JSON."""
    for more in ([], ["--json"]):
        _, out, err = run(f"{idle}?token={SECRET}", *QUICK, "--header", f"Authorization: {SECRET}", *more)

        assert SECRET not in out + err
