"""Progress of running holds: redrawn on a terminal, a line a minute in a log."""

from __future__ import annotations

import os
import re
import sys

import pytest

from tests.serving import Crowd, serving

pytestmark = [pytest.mark.slow, pytest.mark.real]

TWO = """
import pytest

def test_ordinary():
    pass

@pytest.mark.parametrize("number", range(2))
@pytest.mark.ws_stability(alive_for="1500ms", heartbeat_every="600ms", heartbeat_within="10s")
def test_it(ws_soak, number):
    print("printed by the test")
"""
LINE = r"[01]/1\.5 s  \[#*\.*\] .*\+.*test_it\[0\]"


@pytest.fixture
def url():
    """A server that keeps every promise."""
    with serving(handler=Crowd(0).handle) as url:
        yield url


@pytest.fixture
def on_a_terminal(pytester, monkeypatch):
    """Run the project in a process of its own whose terminal is a pseudo-terminal; what it wrote there."""
    pty = pytest.importorskip("pty")
    monkeypatch.setenv("TERM", "xterm")

    def runner(source: str, *args: str) -> str:
        pytester.makepyfile(source)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:looptime_plugin",
            *args,
        ]
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(pytester.path)
            os.execv(command[0], command)
        written = bytearray()
        # At its end Linux says EIO, others say nothing.
        try:
            while chunk := os.read(terminal, 65536):
                written += chunk
        except OSError:
            pass
        _, status = os.waitpid(process, 0)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(status) == 0, written.decode()
        return written.decode().replace("\r\n", "\n")

    return runner


@pytest.mark.parametrize("options", [[], ["-v"], ["-q"], ["-s"], ["--capture=sys"], ["-n1"]], ids=" ".join)
def test_lines_are_redrawn(on_a_terminal, url, options):
    """One line a hold while it runs, and nothing of it beside the results."""
    written = on_a_terminal(TWO, f"--ws-url={url}", *options)

    assert re.search(LINE, written), written
    assert "\x1b[J" in written
    # The cursor never goes a negative way.
    assert "\x1b[-" not in written
    assert "3 passed" in written
    # Whatever comes after the last erasing is what stays.
    assert not re.search(LINE, written.rpartition("\x1b[J")[2])


@pytest.mark.parametrize(
    "options", [["--ws-progress=off"], ["-p", "no:wsstability_progress"], ["-qq"]], ids=" ".join
)
def test_switched_off(on_a_terminal, url, options):
    """By the option, as a plugin, or by asking for a very quiet run."""
    written = on_a_terminal(TWO, f"--ws-url={url}", *options)

    assert not re.search(LINE, written)
    assert "\x1b[J" not in written


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("CI", "true")])
def test_no_redrawing(on_a_terminal, url, monkeypatch, name, value):
    """Where nobody looks, or nothing can be redrawn."""
    monkeypatch.setenv(name, value)

    assert "\x1b[J" not in on_a_terminal(TWO, f"--ws-url={url}")


@pytest.mark.parametrize("options", [[], ["-n1"]], ids=["alone", "xdist"])
def test_a_log_is_clean_text(pytester, url, options):
    """What a CI system captures has no control characters, and holds of a second say nothing."""
    pytester.makepyfile(TWO)

    result = pytester.runpytest_subprocess("-p", "no:looptime_plugin", f"--ws-url={url}", *options)

    assert result.parseoutcomes() == {"passed": 3}
    assert all(line.isprintable() for line in result.outlines)
    assert not re.search(LINE, result.stdout.str())


def test_a_line_a_minute(run, url, monkeypatch):
    """A log shows that something is happening."""
    monkeypatch.setattr("pytest_wsstability.plugin.soaks.progress._MINUTE", 0.1)

    result = run(TWO, f"--ws-url={url}")

    # On a busy machine one of them may wait to open, or be over already.
    result.stdout.re_match_lines([r"WebSocket: 2 holds, [\w ,]+$|WebSocket hold: \d s of 1\.5 s, "])
    assert result.parseoutcomes() == {"passed": 3}


def test_another_reporter_draws_for_itself(run, url):
    """Without a terminal reporter nothing is written, and nothing breaks."""
    result = run(TWO, f"--ws-url={url}", "-p", "no:terminal", "--ws-progress=tty")

    assert result.ret == 0


FAILING = """
import pytest

@pytest.mark.ws_stability(alive_for="1500ms")
def test_long(ws_soak):
    pass

@pytest.mark.ws_stability(alive_for="1h", url="{bad}")
def test_broken(ws_soak):
    pass
"""


# looptime asks for a current loop in a worker, which is deprecated from Python 3.12 on.
ONE_WORKER = ["-n1", "-p", "no:looptime_plugin"]


@pytest.mark.parametrize("options", [[], ["-v"], ONE_WORKER], ids=["dots", "verbose", "xdist"])
def test_a_failure_is_told_when_it_is_known(run, url, options):
    """Long before its test has its turn."""
    with serving(handler=lambda connection: connection.close(1011, "overloaded")) as bad:
        result = run(FAILING.format(bad=bad), f"--ws-url={url}", *options)

    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    lines = result.stdout.lines
    told = next(number for number, line in enumerate(lines) if line.startswith("UNSTABLE "))
    assert re.match(r"UNSTABLE test_\w+\.py::test_broken: .*1011 at ", lines[told])
    assert told < next(number for number, line in enumerate(lines) if "= FAILURES =" in line)


def test_the_option_names_its_values(run):
    """A typo."""
    result = run("def test_it(): pass", "--ws-progress=on")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--ws-progress: invalid choice: 'on' (choose from *auto*, *tty*, *lines*, *off*)"]
    )


def test_nothing_is_loaded_for_nothing(run):
    """A run without holds has no progress plugin."""
    run(
        """
        def test_it(pytestconfig):
            assert not pytestconfig.pluginmanager.has_plugin("wsstability_progress")
        """
    ).assert_outcomes(passed=1)
