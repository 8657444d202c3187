"""Servers that listen on every address, each in a network namespace of its own; see secluded.py."""

from __future__ import annotations

import contextlib
import functools
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Everything in the namespace ends with this process.
UNSHARE = ["unshare", "--net", "--pid", "--fork", "--kill-child=KILL", "--map-root-user"]


@functools.cache
def is_possible() -> bool:
    """Whether this system gives out namespaces."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def needs(program):
    """Marks for tests of a server that Debian brings."""
    missing = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/rabbitmq/bin") is None
    return [
        pytest.mark.skipif(missing, reason=f"{program} is missing: tests/real/install.sh"),
        pytest.mark.skipif(not missing and not is_possible(), reason="no network namespaces here (unshare)"),
    ]


@contextlib.contextmanager
def secluded(command, *ports, **environment):
    """Run a server; gives, for each of its ports, one on 127.0.0.1 that leads there."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in ports]
        descriptors = [each.fileno() for each in sockets]
        pairs = [f"{descriptor}:{port}" for descriptor, port in zip(descriptors, ports, strict=True)]
        process = subprocess.Popen(
            [*UNSHARE, sys.executable, str(HERE / "secluded.py"), *pairs, "--", *command],
            pass_fds=descriptors, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment or None,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"READY\n"
            yield [each.getsockname()[1] for each in sockets]
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
