"""Where the reference orchestrator listens."""

from __future__ import annotations

import socket

import pytest

SHOW = """
import pytest

@pytest.mark.ws_stability(time="{time}")
async def test_address(ws_orchestrator):
    print(f"url={{ws_orchestrator.url}}")
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_port_and_host_of_the_command_line(run):
    """A phone or another process has to be told the address before the test runs."""
    result = run(SHOW.format(time="virtual"), "--ws-host=127.0.0.2", "--ws-port=8765", "-s")

    assert result.parseoutcomes() == {"passed": 1}
    result.stdout.fnmatch_lines(["*url=ws://127.0.0.2:8765/*"])


@pytest.mark.real
def test_everywhere_when_asked(run):
    """Whoever runs the tests may open the port; the URL is one that works here."""
    port = free_port()
    result = run(SHOW.format(time="real"), "--ws-host=0.0.0.0", f"--ws-port={port}", "-s")

    assert result.parseoutcomes() == {"passed": 1}
    result.stdout.fnmatch_lines([f"*url=ws://127.0.0.1:{port}/*"])


MARKED = """
import pytest

@pytest.mark.ws_orchestrator(host="{host}")
async def test_address(ws_orchestrator):
    pass
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_a_test_file_opens_no_port_to_the_network(refusal, host):
    """Not by itself: the way is named."""
    said = refusal(MARKED.format(host=host))

    assert (
        f"host: '{host}' can be reached from the network; run with --ws-host {host}, or leave it out" in said
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_a_test_file_chooses_a_loopback_address(passes, host):
    """What only this machine can reach is nobody else's affair."""
    assert passes(MARKED.format(host=host)) == 1


def test_a_host_of_the_marker_that_the_command_line_allows(passes):
    """Said twice, it is meant."""
    assert passes(MARKED.format(host="0.0.0.0"), "--ws-host=0.0.0.0") == 1


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_no_port(run, port):
    """The value and the valid ones."""
    result = run(SHOW.format(time="virtual"), f"--ws-port={port}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--ws-port: {port} is not a port; give 1 to 65535"])
