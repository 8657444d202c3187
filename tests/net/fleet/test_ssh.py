"""Two "machines" on this one: workers over ssh, on an sshd of the test's own; killed, frozen, cut."""

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_wsstability.core.fleet.requirement import FleetRequirement
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.net.fleet import worker_listener, workers
from pytest_wsstability.net.fleet.engine import WorkerError

from .test_workers import run

pytest.importorskip("execnet")
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
pytestmark = [
    pytest.mark.real,
    pytest.mark.soak,
    pytest.mark.skipif(SSHD is None or shutil.which("ssh-keygen") is None, reason="sshd is not installed"),
]
ROOT = Path(__file__).parents[3]
CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/pid
PasswordAuthentication {passwords}
KbdInteractiveAuthentication {passwords}
PermitRootLogin yes
StrictModes no
UsePAM no
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(port):
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"sshd does not listen on {port}")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """The spec of a worker over ssh."""
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder, passwords="no"))
    if os.getuid() == 0:
        # Where sshd drops its privileges to, which its package makes at boot.
        Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port)
            options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
            target = f"{options} -p {port} -i {folder}/key {getpass.getuser()}@127.0.0.1"
            yield f"ssh={target}//python={sys.executable}//chdir={ROOT}"
        finally:
            server.terminate()


def ssh_of_this_process():
    """The processes of ssh that carry our workers."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if line.split()[1] == "ssh"]


def verdict_of(merge):
    return FleetRequirement().check(merge, tier=Tier.REAL)


def test_a_healthy_fleet_on_two_machines(machine):
    merge = run(specs=[machine, machine])

    assert (merge.count.stable, merge.opened) == (6, 6)
    assert verdict_of(merge).outcome is Outcome.STABLE


def test_a_worker_that_is_killed_there(machine):
    merge = run(lambda pids: os.kill(pids[0], signal.SIGKILL), specs=[machine, machine])

    assert (merge.count.stable, merge.count.unobserved, merge.count.ended) == (3, 3, 0)
    assert verdict_of(merge).outcome is Outcome.INCONCLUSIVE


def test_a_worker_that_is_frozen_there(machine, monkeypatch):
    monkeypatch.setattr(worker_listener, "SILENT", 3.0)
    frozen = []

    def freeze(pids):
        frozen.append(pids[0])
        os.kill(pids[0], signal.SIGSTOP)

    try:
        merge = run(freeze, specs=[machine, machine], alive_for="6s")
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGKILL)

    assert (merge.count.stable, merge.count.unobserved, merge.count.ended) == (3, 3, 0)
    assert verdict_of(merge).outcome is Outcome.INCONCLUSIVE


def test_an_ssh_that_is_cut(machine):
    merge = run(lambda pids: os.kill(ssh_of_this_process()[0], signal.SIGKILL), specs=[machine, machine])

    assert (merge.count.stable, merge.count.unobserved, merge.count.ended) == (3, 3, 0)
    assert verdict_of(merge).outcome is Outcome.INCONCLUSIVE


def test_a_host_that_wants_a_password(machine, monkeypatch):
    """Nobody is asked: the worker did not start, and says so at once."""
    without_key = re.sub(r" -i \S+", " -o IdentitiesOnly=yes -o IdentityFile=/dev/null", machine)
    monkeypatch.setattr(workers, "READY_WITHIN", 20.0)
    with pytest.raises(WorkerError, match=r"^worker 0 \(ssh=.*\) did not start: ssh did not get in"):
        run(specs=[without_key])
