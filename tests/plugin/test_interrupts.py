"""Ctrl-C in a run of its own: every hold ends with a closing handshake, and what it saw is kept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.serving import SOON, Crowd, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX"),
]

SUITE = """
import pytest

@pytest.mark.parametrize("number", range(6))
@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="100ms", heartbeat_within="30s")
def test_it(ws_soak, number):
    pass
"""


@pytest.fixture
def crowd():
    """Six are awaited."""
    return Crowd(6)


@pytest.mark.parametrize("options", [[], ["-n2"]], ids=["alone", "xdist"])
@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["all processes", "the first one"])
def test_ctrl_c(pytester, crowd, options, send):
    """A terminal tells every process of the run, ``kill -INT`` the one that it names."""
    pytester.makepyfile(SUITE)
    with serving(handler=crowd.handle) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:looptime_plugin", f"--ws-url={url}", *options],
            cwd=pytester.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "GITHUB_ACTIONS": "true"},
            text=True,
            start_new_session=True,
            # Whoever runs these tests in the background may have it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            assert crowd.complete.wait(SOON)
            send(process.pid, signal.SIGINT)
            printed, _ = process.communicate(timeout=SOON)
        finally:
            process.kill()

    assert process.returncode == pytest.ExitCode.INTERRUPTED, printed
    assert crowd.codes == [1000] * 6, printed
    # The test stands in the row of its verdict, or below it where the terminal is narrow.
    verdict = r"INCONCLUSIVE .*\s+\S+::test_it\[(\d)\]\n +cause: inconclusive: interrupted at .* of 600 s"
    assert sorted(re.findall(verdict, printed)) == list("012345"), printed
    assert len(re.findall(r"^::error file=test_ctrl_c\.py,line=3,", printed, re.MULTILINE)) == 6, printed
