"""A network namespace with a server in it, and the way back from it cut: a real black hole."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# RFC 2544's addresses for benchmarks: nobody's network. Test runs side by side have one of its parts each.
_NETWORKS = list(ipaddress.ip_network("198.18.0.0/15").subnets(new_prefix=30))
_HERE, _THERE = map(str, _NETWORKS[os.getpid() % len(_NETWORKS)].hosts())
_PORT = 8765

_SERVER = f"""
import asyncio
from tests.net.peers import Peer, accepting

async def play(reader, writer):
    peer = Peer(reader, writer)
    await peer.upgrade()
    await peer.gone()

async def main():
    server = await asyncio.start_server(play, "{_THERE}", {_PORT})
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def why_not() -> str | None:
    """Why there can be no black hole here; None if there can."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        return "a black hole needs Linux and ip(8)"
    if os.geteuid() != 0:
        return "a black hole needs root, for a network namespace"
    name = f"ws-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        return "network namespaces are not allowed here"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


class Namespace:
    """A server behind a link that can be cut one way."""

    url = f"ws://{_THERE}:{_PORT}/"

    def __init__(self, name: str) -> None:
        self._name = name

    def cut(self) -> None:
        """Nothing of the server's arrives any more, acknowledgements included; nobody is told."""
        _ip("-n", self._name, "route", "add", "blackhole", f"{_HERE}/32")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@asynccontextmanager
async def namespace() -> AsyncIterator[Namespace]:
    """A network namespace with a server that accepts a WebSocket and reads what comes."""
    name, link = f"ws-{os.getpid()}", f"ws{os.getpid()}"[:14]
    _ip("netns", "add", name)
    try:
        _ip("link", "add", link, "type", "veth", "peer", "name", "there", "netns", name)
        _ip("addr", "add", f"{_HERE}/30", "dev", link)
        _ip("link", "set", link, "up")
        _ip("-n", name, "addr", "add", f"{_THERE}/30", "dev", "there")
        _ip("-n", name, "link", "set", "there", "up")
        server = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", name, sys.executable, "-c", _SERVER, stdout=asyncio.subprocess.PIPE
        )  # fmt: skip
        try:
            assert server.stdout is not None
            assert await server.stdout.readline() == b"ready\n"
            yield Namespace(name)
        finally:
            server.kill()
            await server.wait()
            # With the namespace it would go some time later, and the next one has the same name.
            _ip("link", "del", link)
    finally:
        _ip("netns", "del", name)
