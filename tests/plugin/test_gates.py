"""Gates of a whole run: ws_fail_on."""

from __future__ import annotations

import json

import pytest

from tests.plugin.test_summary import GREEN

# The test allows this end, so it passes; the gate does not.
ALLOWED = """
import pytest
from pytest_wsstability import StabilityError

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute", allow_close=1006)
def test_it(ws_soak):
    pass

async def test_asked_for(ws_connect):
    with pytest.raises(StabilityError):
        await (await ws_connect(client="mute")).assert_alive_for("2m")
"""


def test_a_gate_fails_a_run_whose_tests_pass(run, ini, pytester):
    """A line a gate, exit code 1; and reports know it."""
    ini("ws_fail_on =", "    abnormal_closures > 0", "    unstable > 0", "    horizon < 1h")
    result = run(ALLOWED, "--ws-report=a.json")

    assert result.parseoutcomes() == {"passed": 2}
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = [line for line in result.stdout.lines if line.startswith("✗ ")]
    assert lines == [
        "✗ ws_fail_on abnormal_closures > 0: 1 of 1 connections (virtual time)",
        "✗ ws_fail_on horizon < 1h: watched for 60 s at most (virtual time)",
    ]
    complaints = json.loads((pytester.path / "a.json").read_text())["complaints"]
    assert [f"✗ {line}" for line in complaints] == lines


def test_gates_that_hold_are_told_with_their_values(run, ini, pytester):
    """A team that asked for them wants to see how far away they are; reports know it too."""
    ini("ws_fail_on = unstable > 0")
    result = run(GREEN, "--ws-fail-on=inconclusive > 10%", "--ws-report=a.json")

    assert result.ret == 0
    lines = [line for line in result.stdout.lines if line.startswith("✓ ")]
    assert lines == [
        "✓ ws_fail_on unstable > 0: 0 of 1 holds (virtual time)",
        "✓ ws_fail_on inconclusive > 10%: 0 of 1 holds (virtual time)",
    ]
    passed = json.loads((pytester.path / "a.json").read_text())["passed"]
    assert [f"✓ {line}" for line in passed] == lines


def test_options_add_to_the_ini(run, ini):
    """Both count."""
    ini("ws_fail_on = holds < 5")
    result = run(GREEN, "--ws-fail-on", "horizon < 1h")

    assert sum(line.startswith("✗ ws_fail_on") for line in result.stdout.lines) == 2


def test_too_few_round_trips_are_said(run):
    """No failure, no pass: a line."""
    result = run(GREEN, "--ws-fail-on", "rtt_p95 > 0ms", "--ws-fail-on", "rtt_p95 >= 0ms")

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["ws_fail_on rtt_p95 >= 0ms: not judged, 4 round trips are too few (p95 needs 59) (virtual time)"]
    )


@pytest.mark.slow
def test_with_xdist(run):
    """Over all workers, on the controller."""
    result = run(
        GREEN + GREEN.replace("test_soak", "test_other"),
        "-n2",
        "--ws-fail-on=holds != 2",
        "-pno:looptime_plugin",
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR

    result = run(
        GREEN + GREEN.replace("test_soak", "test_other"),
        "-n2",
        "--ws-fail-on=holds > 1",
        "-pno:looptime_plugin",
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert sum(line.startswith("✗ ws_fail_on holds > 1: 2 of 2 holds") for line in result.stdout.lines) == 1


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("unstabel > 0", "ERROR: ws_fail_on: 'unstabel > 0': there is no figure 'unstabel'; valid ones: *"),
        ("unstable", "ERROR: ws_fail_on: 'unstable' is no gate; write a figure, *"),
        ("rtt_p95 > 250", "ERROR: ws_fail_on: 'rtt_p95 > 250': 250 of what? give a duration such as 250ms"),
    ],
)
def test_typos_are_refused_before_the_run(run, gate, message):
    """A gate that never fails because nobody can read it is worse than none."""
    result = run(GREEN, f"--ws-fail-on={gate}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
