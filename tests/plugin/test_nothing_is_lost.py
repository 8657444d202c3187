"""Whatever ends a run: what its tests have found is in its reports, or can be made one of."""

from __future__ import annotations

import html
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytest_wsstability import cli
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.plugin.soaks import scheduling
from pytest_wsstability.plugin.stopping import StopSignals, undisturbed
from pytest_wsstability.report.reading import read
from tests.serving import SOON, Crowd, serving
from tests.signals import heed_signals

SUITE = """
import pytest

@pytest.mark.parametrize("number", range(3))
@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="100ms", heartbeat_within="30s")
def test_it(ws_soak, number):
    pass
"""
# A worker tells who it is.
CONFTEST = """
import os, pathlib

def pytest_configure(config):
    if hasattr(config, "workerinput"):
        pathlib.Path(f"pid.{config.workerinput['workerid']}").write_text(str(os.getpid()))
"""
REPORTS = ("a.json", "a.jsonl", "a.md", "a.xml")
real = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's"),
]


@pytest.fixture
def started(pytester):
    """Start a run of three holds in a process of its own, and give it once all are open."""
    processes = []

    def start(*options):
        crowd = Crowd(3)
        pytester.makepyfile(SUITE)
        pytester.makeconftest(CONFTEST)
        server = serving(handler=crowd.handle)
        url = server.__enter__()
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:looptime_plugin", "-p", "no:cacheprovider",
             f"--ws-url={url}", "--junitxml=j.xml", *options],
            cwd=pytester.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
            preexec_fn=heed_signals,
        )  # fmt: skip
        processes.append((process, server))
        assert crowd.complete.wait(SOON)
        return process

    yield start
    for process, server in processes:
        process.kill()
        process.communicate()
        server.__exit__(None, None, None)


def wait_for_lines(path):
    """Until holds were watched for a while."""
    until = time.monotonic() + SOON
    while not path.exists() or "tick" not in path.read_text():
        assert time.monotonic() < until
        threading.Event().wait(0.05)


def results(path):
    return read(path).results


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGHUP", "SIGINT"])
class TestSignals:
    pytestmark = real

    def test_reports_are_written(self, started, pytester, ending):
        """As after Ctrl-C: every hold with what it saw, in every form, and 2 as the exit code."""
        process = started(*(f"--ws-report={name}" for name in REPORTS))
        process.send_signal(getattr(signal, ending))
        printed, _ = process.communicate(timeout=SOON)

        assert process.returncode == pytest.ExitCode.INTERRUPTED, printed
        assert printed.count("inconclusive: interrupted at") == 3, printed
        assert "INTERNALERROR" not in printed
        for name in REPORTS[:2]:
            found = results(pytester.path / name)
            assert [each.verdict.outcome for each in found] == [Outcome.INCONCLUSIVE] * 3
        assert len(ElementTree.parse(pytester.path / "a.xml").findall(".//failure")) == 3
        assert (pytester.path / "a.md").read_text().count("interrupted at") >= 3
        assert (pytester.path / "j.xml").exists()
        assert not list(pytester.path.glob("*unfinished*"))


class TestKilled:
    pytestmark = real

    @pytest.mark.parametrize("reports", [["a.json"], ["a.md", "b.jsonl"]], ids=str)
    def test_the_lines_are_there(self, started, pytester, reports, capsys):
        """Nobody could write the report any more; the next run keeps the lines, and says what they are."""
        process = started(*(f"--ws-report={name}" for name in reports))
        lines = pytester.path / ("a.json.unfinished.jsonl" if reports == ["a.json"] else "b.jsonl")
        wait_for_lines(lines)
        process.kill()
        process.wait(SOON)

        assert not (pytester.path / reports[0]).exists()
        new = [pytester.path / f"new.{form}" for form in ("xml", "html", "md", "json", "jsonl")]
        assert cli.main(["report", str(lines), *(f"--to={path}" for path in new)]) == 3
        # The summary says what was known, and so does each report.
        assert cli.main(["report", str(lines)]) == 3
        summary = capsys.readouterr().out
        assert summary.count("inconclusive: watched ") == 3, summary
        assert len(ElementTree.parse(new[0]).findall(".//failure")) == 3
        for path in new[1:3]:
            text = html.unescape(path.read_text())
            for number in range(3):
                assert f"test_it[{number}]" in text, path
            assert "inconclusive: watched " in text, path
        for path in new[3:]:
            assert [each.verdict.outcome for each in results(path)] == [Outcome.INCONCLUSIVE] * 3

        pytester.makepyfile(test_other=VIRTUAL)
        result = pytester.runpytest_inprocess(
            "test_other.py", "-p", "no:cacheprovider", *(f"--ws-report={name}" for name in reports)
        )
        kept = lines.with_name(f"{lines.stem}.1.jsonl")
        result.stdout.fnmatch_lines([f"an earlier run was cut short*wsstability report {kept.name} --to *"])
        assert len(results(kept)) == 3
        assert lines.exists() is (reports != ["a.json"])

    def test_a_worker(self, started, pytester):
        """What it had written is in the controller's reports, and its file is gone."""
        process = started("-n3", *(f"--ws-report={name}" for name in REPORTS))
        own = pytester.path / "a.gw1.jsonl"
        wait_for_lines(own)
        # The hold of a worker that dies is a test that failed; the others are interrupted after it.
        os.kill(int((pytester.path / "pid.gw1").read_text()), signal.SIGKILL)
        while "node down" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=SOON)

        found = results(pytester.path / "a.json")
        assert len(found) == 3, printed
        (left,) = [each for each in found if each.worker == "gw1"]
        assert left.verdict.headline.startswith("inconclusive: watched ")
        assert "worker gw1 died: 1 holds are as it had written them down" in printed
        assert len(results(pytester.path / "a.jsonl")) == 3
        assert not list(pytester.path.glob("a.gw*"))


VIRTUAL = """
import pytest

@pytest.mark.ws_stability(alive_for="1m")
def test_it(ws_soak):
    pass
"""


@pytest.mark.parametrize("reports", [["a.json"], ["a.jsonl"], ["a.json", "a.xml", "a.jsonl"]], ids=str)
def test_nothing_is_left_of_a_whole_run(run, pytester, reports):
    """Only the reports that were asked for."""
    pytester.makepyfile(VIRTUAL)

    assert run(VIRTUAL, *(f"--ws-report={name}" for name in reports)).ret == 0
    assert run(VIRTUAL, *(f"--ws-report={name}" for name in reports)).ret == 0
    assert {path.name for path in pytester.path.glob("a.*")} == set(reports)


@pytest.mark.parametrize("failing", ["a.json", "a.md", "summary.md"])
def test_a_report_that_cannot_be_written_is_no_success(run, pytester, monkeypatch, failing):
    """All tests passed, and the exit code is 1; the others are written."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    write, append = Path.write_text, Path.open

    def full(do, path, *args, **options):
        if path.name.strip(".").removesuffix(".part") == failing:
            raise OSError(28, "No space left on device")
        return do(path, *args, **options)

    monkeypatch.setattr(
        Path, "write_text", lambda path, *args, **options: full(write, path, *args, **options)
    )
    monkeypatch.setattr(Path, "open", lambda path, *args, **options: full(append, path, *args, **options))
    result = run(VIRTUAL, "--ws-report=a.json", "--ws-report=a.md")

    assert result.parseoutcomes() == {"passed": 1}
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*not written: No space left on device"])
    written = {path.name for path in pytester.path.glob("*.*")} & {"a.json", "a.md", "summary.md"}
    assert written == {"a.json", "a.md", "summary.md"} - {failing}


def test_a_second_interrupt_keeps_the_lines(run, pytester, monkeypatch):
    """Holds that nobody waits for any more have no verdict: what they saw stays in the file."""

    def interrupted(session):
        raise KeyboardInterrupt

    monkeypatch.setattr(scheduling, "stop", interrupted)
    result = run(VIRTUAL, "--ws-report=a.json")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert len(results(pytester.path / "a.json")) == 1
    assert len(results(pytester.path / "a.json.unfinished.jsonl")) == 1


def test_signals_wait_until_all_is_written():
    """A second Ctrl-C while reports are written costs none of them."""
    # A shell lets what it runs in the background ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            written = True

        assert written
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_signal_that_somebody_handles_is_theirs():
    """Only what would end the process is taken over, and given back."""
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        stopping = StopSignals()
        stopping.begin()
        signal.raise_signal(signal.SIGTERM)
        stopping.end()
        assert heard == [signal.SIGTERM]
        assert callable(signal.getsignal(signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("ignored", [False, True])
def test_a_signal_is_an_interrupt(ignored):
    """Also where a shell has started the run in its background, so that SIGINT is ignored."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if ignored:
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping = StopSignals()
    stopping.begin()
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        stopping.end()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.signal(signal.SIGTERM, before)
        if ignored:
            signal.signal(signal.SIGINT, interrupt)
