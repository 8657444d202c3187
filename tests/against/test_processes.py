"""The wsstability command as a process of its own: signals, and two of them talking to each other."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_wsstability import connect
from pytest_wsstability.core.redact import show_session

pytestmark = [pytest.mark.slow, pytest.mark.real]

COMMAND = [sys.executable, "-c", "import sys; from pytest_wsstability.cli import main; sys.exit(main())"]
# For what has to come, on a busy machine.
SOON = 20


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, which is gone after the block."""
    started = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # A run in the background ignores SIGINT, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def hold(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One hold from start to end."""
    return subprocess.run([*COMMAND, "hold", *arguments], capture_output=True, text=True, timeout=SOON)


def address(server: subprocess.Popen[str]) -> str:
    """The URL in the first line of a server's output."""
    return re.match(r"listening on (\S+)", server.stdout.readline())[1]


def test_serve_tells_of_each_session_until_interrupted():
    """Its URL first, a line for a session that ends, and 130 without a traceback on Ctrl-C."""
    with process("serve", "--port", "0") as server:
        url = address(server)
        assert hold(url, "--for", "200ms").returncode == 0
        line = server.stdout.readline()
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=SOON)

    assert re.fullmatch(
        r"session #[0-9a-f]{8}: 1000 at \S+ m?s: received 1000 \(normal closure\); then sent 1000 .*\n", line
    )
    assert (server.returncode, out, err) == (130, "", "interrupted\n")


def test_serve_as_json():
    """An object a line: the URL, then each session."""
    with process("serve", "--port", "0", "--json", "--profile", "frames", "--echo") as server:
        url = json.loads(server.stdout.readline())["url"]
        held = hold(url, "--for", "500ms", "--heartbeat", "200ms", "--profile", "frames")
        assert held.returncode == 0
        session = json.loads(server.stdout.readline())

    assert session["session"] is None
    assert session["close_code"] == 1000
    assert 0.4 < session["duration"] < SOON


@pytest.mark.asyncio
async def test_serve_closes_what_is_open_when_interrupted():
    """A client sees 1001, and its session is told of too."""
    with process("serve", "--port", "0") as server:
        connection = await connect(address(server))
        await connection.assert_session_confirmed(within=SOON)
        server.send_signal(signal.SIGINT)
        await connection.wait_closed()
        told, err = server.communicate(timeout=SOON)

    connection.assert_closed(code=1001, reason="server shutdown", by="server")
    assert (server.returncode, err) == (130, "interrupted\n")
    assert re.match(
        rf"session {show_session(connection.session_id)}: 1001 at .*: sent 1001 \(going away\) server", told
    )


def test_serve_has_the_timers_that_it_is_given():
    """A deadline that nothing resets but pongs, and a client that sends none."""
    timers = ["--read-deadline", "500ms", "--ping-interval", "none", "--on-deadline", "4408"]
    with process("serve", "--port", "0", *timers) as server:
        url = address(server)
        held = hold(url, "--for", "10s", "--client", "mute")
        line = server.stdout.readline()

    assert held.returncode == 1
    assert "received 4408 (private use)" in held.stdout
    assert "read deadline of 500 ms ran out" in line


def test_serve_goes_wrong_on_purpose():
    """The first client meets the faults, the next one does not."""
    faults = ["--fault", "close_with 4000 enough at 300ms", "--fault-connections", "1"]
    with process("serve", "--port", "0", *faults) as server:
        url = address(server)
        first, second = (hold(url, "--for", "600ms") for _ in range(2))
        line = server.stdout.readline()

    assert (first.returncode, second.returncode) == (1, 0)
    assert "received 4000 (private use) enough" in first.stdout
    assert "sent 4000 (private use) enough" in line


def test_hold_is_interrupted_without_a_traceback():
    """With 130, as a shell expects, and with what it saw; the server had a closing handshake."""
    with process("serve", "--port", "0") as server, process("hold", address(server), "--for", "10m") as held:
        assert held.stderr.readline().startswith("0 s of 600 s")
        held.send_signal(signal.SIGINT)
        out, err = held.communicate(timeout=SOON)
        line = server.stdout.readline()

    assert (held.returncode, err) == (130, "interrupted\n")
    assert re.match(r"inconclusive: interrupted at \S+ m?s of 600 s \[client end\]\n", out)
    assert ": 1000 at " in line
