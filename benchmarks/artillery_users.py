"""What a user of Artillery costs that holds a WebSocket: a program, seen from outside."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .fleet_real import EVERY, PING, RATE
from .processes import raise_file_limit

# It loads for ten seconds on a quiet machine.
_STARTS_WITHIN = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


def measured(url: str, connections: int, hold: float) -> dict[str, float]:
    """
    As the variants of `fleet_real`; heartbeats are those that were planned, if nearly as many were sent.

    Raises:
        RuntimeError: if it did not open all of them, or sent fewer.

    """
    ramp = math.ceil(connections / RATE)
    beats = int((ramp + hold) / EVERY) + 1
    with tempfile.TemporaryDirectory() as name:
        script, report = Path(name, "script.json"), Path(name, "report.json")
        script.write_text(json.dumps(_script(url, ramp, connections // ramp, beats)))
        command = ["artillery", "run", "--quiet", "--output", str(report), str(script)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            before = _opened(process.pid, 1, _STARTS_WITHIN)
            _opened(process.pid, ramp * (connections // ramp), ramp + hold)
            cpu = _cpu(process.pid)
            time.sleep(hold - 2)
            spent, kib = _cpu(process.pid) - cpu, (_resident(process.pid) - before) / 1024
        sent = json.loads(report.read_text())["aggregate"]["counters"]["websocket.messages_sent"]
    if sent < 0.95 * connections * beats:
        raise RuntimeError(f"{sent} of {connections * beats} heartbeats were sent")
    seen = connections * (hold - 2) / EVERY
    return {"cpu": spent / seen * 1000, "kib": kib / connections, "beats": seen}


def _script(url: str, ramp: int, rate: int, beats: int) -> dict[str, object]:
    """So many heartbeats on each connection; Artillery knows whole seconds only."""
    beat = [{"send": PING}, {"think": EVERY}]
    return {
        "config": {"target": url, "phases": [{"duration": ramp, "arrivalRate": rate}]},
        "scenarios": [{"engine": "ws", "flow": [{"loop": beat, "count": beats}]}],
    }


def _opened(pid: int, connections: int, within: float) -> int:
    """Wait until a process has so many sockets that lead elsewhere; gives its resident bytes of the start."""
    before, until = 0, time.monotonic() + within
    while time.monotonic() < until:
        sockets = _connections(pid)
        if sockets >= connections:
            return before
        before = _resident(pid)
        time.sleep(0.1)
    raise RuntimeError(f"{_connections(pid)} of {connections} connections opened")


def _connections(pid: int) -> int:
    """Sockets of a process; those that it has for itself are a few of the pipes of its threads."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += os.readlink(each).startswith("socket:")
        except FileNotFoundError:
            continue
    return found


def _cpu(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    raise_file_limit()
    if shutil.which("artillery") is None:
        raise SystemExit("artillery is not on the PATH")
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
