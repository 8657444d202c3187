"""pytest-rerunfailures: a test that is run again holds again, and instability stays known."""

from __future__ import annotations

import json
import re

import pytest

from tests.serving import serving

pytest.importorskip("pytest_rerunfailures")

HOLD = """
import pytest

@pytest.mark.ws_stability(alive_for="200ms")
def test_it(ws_soak):
    pass

def test_other():
    pass
"""
VIRTUAL = """
import pytest

attempts = []

{mark}
async def test_it(ws_connect, ws_orchestrator):
    attempts.append(1)
    connection = await ws_connect(client="browser" if len(attempts) > {unstable} else "mute")
    await connection.assert_alive_for("2m")
"""
SENTENCE = "stable in 1 of 3 holds; the first unstable one: *1006 at 60 s of 120 s*"


class Moody:
    """A server that closes the first connections at once, and keeps those after them."""

    def __init__(self, bad: int) -> None:
        self.left = bad
        self.count = 0

    async def handle(self, connection):
        self.count += 1
        self.left -= 1
        if self.left >= 0:
            await connection.close(1011, "overloaded")
        await connection.wait_closed()


@pytest.mark.real
def test_it_holds_again(run):
    """Each attempt has a connection of its own, and in the end the test fails all the same."""
    moody = Moody(1)
    with serving(handler=moody.handle) as url:
        result = run(HOLD, f"--ws-url={url}", "--reruns=2")

    assert result.parseoutcomes() == {"passed": 1, "failed": 1, "rerun": 2}
    assert moody.count == 3
    result.stdout.fnmatch_lines(
        ["FAILED *::test_it - *stable in 2 of 3 holds; the first unstable one: *1011 at *"]
    )


@pytest.mark.real
def test_one_that_is_never_stable(run):
    """The failure is its own."""
    moody = Moody(9)
    with serving(handler=moody.handle) as url:
        result = run(HOLD, f"--ws-url={url}", "--reruns=1")

    assert result.parseoutcomes() == {"passed": 1, "failed": 1, "rerun": 1}
    assert moody.count == 2
    result.stdout.fnmatch_lines(["FAILED *::test_it - *1011 at *"])


def test_in_virtual_time(run):
    """The same rule, by the flaky mark."""
    result = run(VIRTUAL.format(unstable=2, mark="@pytest.mark.flaky(reruns=2)"))

    assert result.parseoutcomes() == {"failed": 1, "rerun": 2}
    result.stdout.fnmatch_lines([f"FAILED *::test_it - *{SENTENCE}"])


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["-n1", "-p", "no:looptime_plugin"]], ids=["alone", "xdist"])
def test_report_lets_it_pass(run, ini, options):
    """With ws_reruns = report, as whoever reruns has asked; the result says so."""
    ini("ws_reruns = report")

    result = run(VIRTUAL.format(unstable=2, mark=""), "--reruns=2", "-v", *options)

    assert result.parseoutcomes() == {"passed": 1, "rerun": 2}
    result.stdout.fnmatch_lines(["*STABLE IN 1 OF 3 HOLDS*", f"*::test_it: {SENTENCE}"])


def test_an_inconclusive_attempt_is_no_instability(run):
    """What the evidence could not carry may be tried again."""
    result = run(
        """
        attempts = []

        async def test_it(ws_connect):
            attempts.append(1)
            connection = await ws_connect(heartbeat="1s")
            if len(attempts) > 1:
                await connection.assert_alive_for("10s")
            connection.assert_heartbeats_answered(within="5s", at_least=2)
        """,
        "--reruns=1",
    )

    assert result.parseoutcomes() == {"passed": 1, "rerun": 1}


def test_a_value_that_makes_no_sense(run, ini):
    """Refused before anything runs."""
    ini("ws_reruns = pass")

    result = run("def test_it(): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: ini ws_reruns: 'pass' is none of fail, report"])


def test_reports_have_each_attempt(run, ini, pytester):
    """Which was unstable stays known, beside the one that was not."""
    ini("ws_reruns = report")
    source = VIRTUAL.format(mark="", unstable=2)
    result = run(source, "--reruns=2", "--ws-report=a.json", "--junitxml=j.xml", "--ws-fail-on=unstable > 0")
    attempts = json.loads((pytester.path / "a.json").read_text())["results"]

    assert [(each["attempt"], each["verdict"]["outcome"]) for each in attempts] == [
        (1, "unstable"),
        (2, "unstable"),
        (3, "stable"),
    ]
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["    *::test_it (attempt 2)", "✗ ws_fail_on unstable > 0: 2 of 3 holds *"])
    text = (pytester.path / "j.xml").read_text()
    assert re.findall(r'name="(ws_verdict\w*)" value="(\w+)"', text) == [
        ("ws_verdict", "UNSTABLE"),
        ("ws_verdict_attempt_2", "UNSTABLE"),
        ("ws_verdict_attempt_3", "stable"),
    ]
