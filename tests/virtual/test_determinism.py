"""The same test gives the same trace: in one process, and in processes with other hash seeds."""

import asyncio
import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wsstability.virtual import run_virtual

ROOT = Path(__file__).parents[2]


class Node(asyncio.Protocol):
    """Gossips with the others at random moments, and writes down when it hears how much."""

    def __init__(self, trace, name):
        self.trace = trace
        self.name = name

    def connection_made(self, transport):
        self.transport = transport
        self.again()

    def again(self):
        self.timer = asyncio.get_running_loop().call_later(
            random.choice([1, 1, 2, random.random()]), self.speak
        )

    def speak(self):
        self.transport.write(b"x" * random.randrange(1, 5000))
        self.again()

    def data_received(self, data):
        self.trace.append((asyncio.get_running_loop().time(), self.name, len(data)))

    def connection_lost(self, exc):
        self.timer.cancel()
        self.trace.append((asyncio.get_running_loop().time(), self.name, repr(exc)))


def trace(**options):
    """A digest of all that 20 connections heard in 10 minutes."""

    async def main():
        loop = asyncio.get_running_loop()
        heard = []
        names = iter(range(1000))
        server = await loop.create_server(lambda: Node(heard, f"server {next(names)}"), "localhost", 0)
        port = server.sockets[0].getsockname()[1]
        transports = [
            (await loop.create_connection(lambda number=number: Node(heard, number), "localhost", port))[0]
            for number in range(20)
        ]
        await asyncio.sleep(600)
        for transport in transports:
            transport.close()
        server.close()
        await asyncio.sleep(1)
        return hashlib.sha256(repr(heard).encode()).hexdigest()

    return run_virtual(main(), **options)


@pytest.mark.slow
def test_repeated_runs_give_one_trace():
    assert len({trace(seed=7) for _ in range(5)}) == 1


@pytest.mark.slow
def test_another_seed_gives_another_trace():
    assert trace(seed=1) != trace(seed=2)


@pytest.mark.slow
def test_another_order_of_ties_gives_another_trace():
    assert len({trace(order=order) for order in ("fifo", "lifo", "random")}) == 3


@pytest.mark.slow
def test_other_processes_give_the_same_trace():
    program = "from tests.virtual.test_determinism import trace; print(trace(seed=7))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(8)
    ]
    traces = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert traces == {trace(seed=7)}
