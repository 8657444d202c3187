"""Third-party servers start, and leave nothing behind."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.servers import launch

# For what has to come, on a busy machine.
SOON = 10


@pytest.mark.parametrize("end", ["stdin", "SIGTERM"])
@pytest.mark.parametrize("name", launch.STACKS)
@pytest.mark.asyncio
async def test_a_server_ends_cleanly_even_with_a_client_connected(name, end):
    if reason := launch.missing(name):
        pytest.skip(f"{name} cannot run here: {reason}")
    with launch.start(name) as server:
        client = await connect(server.url("/ws"), proxy=None)
        await client.recv()
        if end == "stdin":
            server.process.stdin.close()
        else:
            server.process.terminate()
        assert await asyncio.to_thread(server.process.wait, SOON) == 0
        await client.close()


def test_a_server_that_does_not_come_up_shows_its_stderr(tmp_path):
    absent = str(tmp_path / "absent.pem")
    message = r"(?s)^tornado ended with status 1; its stderr:\nTraceback.*No such file or directory"
    with (
        pytest.raises(RuntimeError, match=message),
        launch.start("tornado", tls=launch.TLS(absent, absent, absent)),
    ):
        raise AssertionError("the block shouldn't be entered")


def test_no_server_outlives_a_killed_test_run():
    script = "with launch.start('tornado') as server: print(server.port, flush=True); time.sleep(60)"
    script = f"import time\nfrom tests.servers import launch\n{script}"
    root = Path(launch.__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE) as run:
        port = int(run.stdout.readline())
        run.kill()
    deadline = time.monotonic() + SOON
    with pytest.raises(ConnectionRefusedError):  # noqa: PT012
        while time.monotonic() < deadline:
            # One that is just being ended resets what waits to be accepted.
            with suppress(ConnectionResetError):
                socket.create_connection(("127.0.0.1", port)).close()
            time.sleep(0.02)


def test_an_unknown_stack_is_an_error():
    with pytest.raises(ValueError, match=r"^no stack 'apache'; there are starlette, aiohttp, tornado, node$"):
        launch.missing("apache")
