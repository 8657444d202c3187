"""Programs on node that nobody here wrote, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def needs(package):
    """Marks for tests that need node, and a package of npm."""
    return [
        pytest.mark.skipif(shutil.which("node") is None, reason="node is missing"),
        pytest.mark.skipif(
            not (MODULES / package).exists(), reason="npm packages are missing: tests/real/install.sh"
        ),
    ]


@contextlib.asynccontextmanager
async def client(name, url, *timers):
    """One of apps/protocol_clients.mjs, with its own timers or with short ones."""
    program = str(HERE / "apps/protocol_clients.mjs")
    process = await asyncio.create_subprocess_exec(
        "node",
        program,
        name,
        url,
        *timers,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until(condition, seconds=90):
    """Wait for what a process of its own brings about, on a busy machine too."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
