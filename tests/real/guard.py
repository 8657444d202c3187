"""
Run a server that knows nothing of test runs: ``guard.py [--port N] [--lifetime S] -- command ...``.

It ends the server, and all that the server has started, when stdin ends (as it does when the test run
is killed) or after its lifetime. It prints ``READY port pid``: once the server listens on the port
given, or else once the server itself has printed ``READY port``.

"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

# For a server that is asked to go.
GRACE = 1.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--lifetime", type=float, default=600)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    deadline = time.monotonic() + options.lifetime
    # A group of its own, so that its workers can be ended with it.
    server = subprocess.Popen(
        options.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        if options.port is not None:
            if not listens(server, options.port, deadline):
                return server.wait(GRACE) if server.poll() is not None else 1
            announce(options.port, server)
        watch(server, deadline)
    finally:
        end(server)
    return server.returncode


def announce(port: int, server: subprocess.Popen[bytes]) -> None:
    print(f"READY {port} {server.pid}", flush=True)


def listens(server: subprocess.Popen[bytes], port: int, deadline: float) -> bool:
    """Wait until the port is open; False if the server ends before."""
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            # Below the ephemeral range no connection reaches itself; elsewhere one may.
            if connection.getsockname() != connection.getpeername():
                return True
        time.sleep(0.02)
    return False


def watch(server: subprocess.Popen[bytes], deadline: float) -> None:
    """Return when the server has closed its output, when stdin has ended, or at the deadline."""
    assert server.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        selector.register(server.stdout.fileno(), selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                said = os.read(key.fd, 4096)
                if not said:
                    return
                if key.fd == server.stdout.fileno() and said.startswith(b"READY "):
                    announce(int(said.split()[1]), server)


def end(server: subprocess.Popen[bytes]) -> None:
    """End the server's process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, number)
            # A stopped process hears nothing before it goes on.
            os.killpg(server.pid, signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(GRACE)


if __name__ == "__main__":
    sys.exit(main())
