"""The summary that a run ends with."""

from __future__ import annotations

import pytest

GREEN = """
import pytest

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
def test_soak(ws_soak):
    pass
"""
RED = (
    GREEN
    + """
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_red(ws_soak):
    pass
"""
)
REAL = """
import pytest

@pytest.mark.ws_stability(alive_for="200ms", heartbeat_every="50ms", heartbeat_within="20s", time="real")
def test_real(ws_soak):
    pass
"""


def test_a_green_virtual_run_says_one_line(run):
    """And that it was virtual time, and how far it reaches."""
    result = run(GREEN)

    lines = [line for line in result.stdout.lines if "stable" in line and "::" not in line]
    assert lines[-1] == ("WebSocket stability, virtual time: 1 of 1 holds stable; watched for 120 s at most")
    assert "= WebSocket stability =" not in result.stdout.str()


def test_a_quiet_green_virtual_run_says_nothing(run):
    """-q is asked for by those who do not want to read."""
    assert "WebSocket stability" not in run(GREEN, "-q").stdout.str()


def test_a_run_without_holds_says_nothing(run):
    """Installed but unused."""
    assert "WebSocket stability" not in run("def test_it(): pass").stdout.str()


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_failure_has_a_row_with_its_cause(run, quiet):
    """Quiet or not."""
    result = run(RED, *quiet)

    result.stdout.fnmatch_lines(
        [
            "*= WebSocket stability =*",
            "virtual time, ws://127.0.0.1:*",
            "  verdict  *held  heartbeats *",
            "  UNSTABLE  60/120 s  *  1006*",
            "    test_a_failure_has_a_row_with_its_cause.py::test_red",
            "    cause: *(1006 at 60 s of 120 s)",
            "virtual time: 1 of 2 holds stable, 1 unstable; watched for 120 s at most",
        ],
        consecutive=True,
    )


def test_holds_in_real_time_have_rows(run):
    """They cost somebody's time, so they are accounted for."""
    run(REAL).stdout.fnmatch_lines(
        [
            "*= WebSocket stability =*",
            "real time, ws://127.0.0.1:*",
            "  verdict *",
            "  stable   200/200 ms *",
            "real time: 1 of 1 holds stable; watched for 200 ms at most",
        ]
    )


def test_verbose_shows_every_hold(run):
    """Stable ones in virtual time too."""
    run(GREEN, "-v").stdout.fnmatch_lines(["  stable   120/120 s *", "    *::test_soak"])


@pytest.mark.slow
def test_with_xdist(run):
    """The controller prints, once."""
    result = run(RED, "-n", "2", "-p", "no:looptime_plugin")

    assert sum("= WebSocket stability =" in line for line in result.stdout.lines) == 1
    result.stdout.fnmatch_lines(["virtual time: 1 of 2 holds stable, 1 unstable; watched for *"])


def test_without_the_terminal_plugin(run, pytester):
    """Reports are written all the same."""
    run(RED, "-p", "no:terminal", "--ws-report=out.json")

    assert (pytester.path / "out.json").exists()


def test_on_github(run, monkeypatch, pytester):
    """An annotation a failure, at the start of a line, and a job summary beside what is there already."""
    summary = pytester.path / "summary.md"
    summary.write_text("# Before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = run(RED)

    (command,) = [line for line in result.stdout.lines if line.startswith("::error ")]
    assert command.startswith(f"::error file={pytester.path.name}/test_on_github.py,line=")
    assert "(1006 at 60 s of 120 s)" in command
    assert summary.read_text().startswith("# Before\n## WebSocket stability\n")


def test_a_job_summary_that_cannot_be_written_is_said(run, monkeypatch, pytester):
    """It fails no test, and the run is no success."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path))
    result = run(GREEN)

    assert result.parseoutcomes() == {"passed": 1}
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["GITHUB_STEP_SUMMARY was not written: Is a directory"])


def test_no_annotations_elsewhere(run):
    """They would be noise."""
    assert "::error" not in run(RED).stdout.str()
