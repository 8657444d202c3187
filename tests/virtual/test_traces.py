"""The same test gives the same trace: whatever else the machine does, whatever the hashes are."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_wsstability import ConnectionEnded, OpeningError, Orchestrator, connect, run_virtual

ROOT = Path(__file__).parents[2]
REPETITIONS = 1000


def events(timeline):
    return [
        (event.at, event.kind, event.direction, event.opcode, event.size, event.role) for event in timeline
    ]


async def hold():
    async with Orchestrator(read_deadline="60s", ping_interval="30s") as orchestrator:
        connection = await connect(orchestrator.url, heartbeat="25s")
        await connection.assert_alive_for("120s")
        await connection.close()
        session = orchestrator.sessions[0]
    return str([events(connection.timeline), events(session.timeline)])


@pytest.mark.slow
def test_a_thousand_holds_give_one_trace_while_the_machine_is_busy():
    spin = [sys.executable, "-c", "import sys\nwhile not sys.stdin.closed: sum(range(10000))"]
    busy = [subprocess.Popen(spin, stdin=subprocess.PIPE) for _ in range(os.cpu_count() or 2)]
    try:
        traces = {run_virtual(hold()) for _ in range(REPETITIONS)}
    finally:
        for process in busy:
            process.kill()
            process.communicate()
    assert len(traces) == 1


async def member(url, number, timelines, until):
    """A client that talks, and comes back with a random backoff when it is thrown out."""
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        try:
            connection = await connect(url(), heartbeat=20 + number / 7, session_id=f"member-{number:02}")
        except OpeningError:
            await asyncio.sleep(random.uniform(0.1, 2))
            continue
        timelines.append(connection.timeline)
        with suppress(ConnectionEnded):
            while loop.time() < until:
                await connection.send("x" * random.randrange(1, 200))
                await asyncio.sleep(random.uniform(1, 10))
        await connection.close()


async def town():
    """Thirty clients, broadcast, a restart of the server on the same port, and reconnects."""
    timelines, rooms, port = [], [], 0

    async def handler(connection):
        room = rooms[-1]
        room.append(connection)
        try:
            async for message in connection:
                for other in list(room):
                    with suppress(ConnectionEnded):
                        await other.send(message)
        finally:
            room.remove(connection)

    def server():
        rooms.append([])
        return Orchestrator(handler=handler, port=port)

    orchestrator = server()
    await orchestrator.start()
    url, port = orchestrator.url, int(orchestrator.url.rsplit(":", 1)[1].strip("/"))
    members = [asyncio.create_task(member(lambda: url, n, timelines, 300)) for n in range(30)]
    await asyncio.sleep(100)
    await orchestrator.stop()
    await asyncio.sleep(3)
    orchestrator = server()
    await orchestrator.start()
    await asyncio.gather(*members)
    await orchestrator.stop()
    return [(timeline.opened, events(timeline)) for timeline in timelines]


def digest():
    """What a process of the test below prints."""
    traces = run_virtual(town(), seed=5)
    frames = sum(len(trace) for _, trace in traces)
    return f"{len(traces)} {frames} {hashlib.sha256(repr(traces).encode()).hexdigest()}"


@pytest.mark.slow
def test_eight_processes_with_other_hashes_give_one_trace():
    command = [sys.executable, "-c", "from tests.virtual.test_traces import digest; print(digest())"]
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(8)
    ]
    digests = {process.communicate()[0] for process in processes}
    assert len(digests) == 1
    connections, frames, _ = digests.pop().split()
    # Each of the thirty came back after the restart, and there was much to get out of order.
    assert int(connections) >= 60
    assert int(frames) > 5000
