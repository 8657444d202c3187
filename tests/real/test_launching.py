"""Servers of other makers start as configured, talk, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_wsstability import connect
from tests.real import servers
from tests.real.profiles import BEATS, ENGINE_IO

pytestmark = [pytest.mark.soak, pytest.mark.servers, pytest.mark.real]

GUARD = str(Path(servers.__file__).with_name("guard.py"))
# For what has to come, on a busy machine.
SOON = 20


@pytest.fixture(params=servers.KINDS)
def kind(request) -> servers.Kind:
    """One that can run here."""
    kind = servers.KINDS[request.param]
    if reason := kind.missing():
        pytest.skip(f"{request.param}: {reason}")
    return kind


def lives(pid: int) -> bool:
    """Whether there is such a process."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.asyncio
async def test_a_server_answers_and_ends(kind):
    """The heartbeat of its protocol is answered; when the block ends, so has its process."""
    with kind.start() as server:
        engine_io = server.name == "socketio"
        path, profile = ("/socket.io/?EIO=4&transport=websocket", ENGINE_IO) if engine_io else ("/ws", BEATS)
        connection = await connect(server.url(path), profile=profile, heartbeat="200ms", open_timeout=SOON)
        if engine_io:
            # Socket.IO asks, and we answer; its greeting is a message.
            assert (await connection.recv()).startswith('0{"sid"')
        else:
            await connection.assert_alive_for("1s")
            connection.assert_heartbeats_answered(within=SOON, at_least=1)
        await connection.close()
        assert lives(server.pid)
    assert not lives(server.pid)


def test_the_version_is_told(kind):
    """The table says what ran."""
    assert any(character.isdigit() for character in kind.version())


def test_what_is_missing_is_named_with_its_package(monkeypatch):
    """A skip tells how to mend it."""
    monkeypatch.setattr(servers, "tool", lambda name: None)

    assert servers.KINDS["nginx"].missing() == "nginx is not installed: apt-get install nginx-light"
    assert servers.KINDS["gorilla"].missing() == "go is not installed: apt-get install golang-go"
    assert servers.no_module("absent_module") == "absent_module not installed: pip install absent_module"


def guard(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a guard whose server sleeps for a minute."""
    sleep = [sys.executable, "-c", "import time; print('READY 1', flush=True); time.sleep(60)"]
    command = [sys.executable, GUARD, *arguments, "--", *sleep]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def pid_of(process: subprocess.Popen[bytes]) -> int:
    """The guarded server's."""
    return int(process.stdout.readline().split()[2])


def test_a_guard_ends_its_server_when_stdin_ends():
    """As it does when a test run is killed; a stopped server too."""
    with guard() as process:
        server = pid_of(process)
        os.kill(server, signal.SIGSTOP)
        process.stdin.close()
        process.wait(SOON)

    assert not lives(server)


def test_a_guard_ends_its_server_after_its_lifetime():
    """Whatever the test run does."""
    start = time.monotonic()
    with guard("--lifetime", "0.5") as process:
        server = pid_of(process)
        process.wait(SOON)

    assert time.monotonic() - start >= 0.5
    assert not lives(server)


def test_a_free_port_is_below_the_ephemeral_range():
    """So that no connection can reach itself while a server is waited for."""
    file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(file.read_text().split()[0]) if file.exists() else 32768

    assert servers.free_port() < first


def test_a_wrong_configuration_shows_what_the_proxy_says(monkeypatch, tmp_path):
    """And is tried once only."""
    if reason := servers.KINDS["nginx"].missing():
        pytest.skip(f"nginx: {reason}")
    (tmp_path / "nginx.conf").write_text("daemon off; nonsense on;")
    (tmp_path / "backend.py").symlink_to(servers.APPS / "backend.py")
    monkeypatch.setattr(servers, "APPS", tmp_path)

    with (
        pytest.raises(RuntimeError, match=r'(?s)^nginx ended with status 1.*unknown directive "nonsense"'),
        servers.KINDS["nginx"].start(),
    ):
        raise AssertionError("the block shouldn't be entered")
