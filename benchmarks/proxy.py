"""
What the fault proxy costs: round trips, throughput, memory; and how late its faults are applied.

The proxy runs in the client's process, as in a test; the server runs in another.

"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

from pytest_wsstability import Connection, FaultProxy, connect, faults, run_virtual
from pytest_wsstability.core.timeline.close import LocalReason

from .figures import Figure, middle, ratios, spread
from .memory import WARM, kept
from .processes import raw_server, run_module

ROUND_TRIPS = 200
ROUNDS = 20
# One round of throughput: so many messages of 64 KiB.
MESSAGES = 256
_SIZE = 64 * 1024
# A client's frame of that size has 14 bytes of head.
MEASURE = MESSAGES * (_SIZE + 14)
CONNECTIONS = 1000
DROPS = 100
# Seconds over which drops are spread.
_SPREAD = 2.0


def figures() -> Iterator[Figure]:
    """Milliseconds, ratios, KiB and milliseconds again."""
    with raw_server() as url:
        direct, proxied = asyncio.run(_round_trips(url))
    added = [1000 * (through - straight) for straight, through in zip(direct, proxied, strict=True)]
    of = f"{spread(added)} of {ROUND_TRIPS}; direct {1000 * middle(direct):.3g} ms"
    yield Figure(name="added to the p50 round trip", value=middle(added), unit="ms", limit=0.3, of=of)
    for name, server, measure, limit in (
        ("throughput, of the direct one", "taker", MESSAGES, 0.5),
        ("throughput, server only counts", "sink", MEASURE, None),
    ):
        with raw_server(server, str(measure)) as url:
            direct, proxied = asyncio.run(_throughput(url))
        shares = ratios(direct, proxied)
        of = f"{spread(shares)}; direct {MEASURE / 1e6 / middle(direct):.0f} MB/s"
        yield Figure(name=name, value=middle(shares), limit=limit, at_least=True, of=of)
    for what, limit in (("traced", 6.0), ("rss", None)):
        direct_kib, proxied_kib = (_measured(variant, what) for variant in ("direct", "proxied"))
        yield Figure(
            name=f"a connection through it, {what}", value=proxied_kib - direct_kib, unit="KiB", limit=limit,
            of=f"{CONNECTIONS} connections; the client's own end is {direct_kib:.3g} KiB",
        )  # fmt: skip
    with raw_server() as url:
        late = [1000 * seconds for seconds in asyncio.run(_lateness(url, DROPS))]
    yield Figure(
        name="lateness of a fault, real time", value=middle(late), unit="ms", limit=20,
        of=f"{spread(late, 'faults')}, worst {max(late):.3g}",
    )  # fmt: skip
    yield Figure(
        name="lateness of a fault, virtual time", value=max(run_virtual(_virtual_lateness())), unit="s",
        limit=0, of=f"worst of {DROPS} faults",
    )  # fmt: skip


async def _round_trips(url: str) -> tuple[list[float], list[float]]:
    """Medians of each round, direct and through the proxy."""
    async with FaultProxy(url) as proxy:
        ways = [await connect(each, profile="frames") for each in (url, proxy.url)]
        medians: tuple[list[float], list[float]] = ([], [])
        for number in range(ROUNDS):
            for way in (0, 1) if number % 2 else (1, 0):
                medians[way].append(middle([await _round_trip(ways[way]) for _ in range(ROUND_TRIPS)]))
        for connection in ways:
            connection.websocket.abort(LocalReason.INTERRUPTED, "measured")
        return medians


async def _round_trip(connection: Connection) -> float:
    start = time.perf_counter()
    await connection.send("ping")
    await connection.recv()
    return time.perf_counter() - start


async def _throughput(url: str) -> tuple[list[float], list[float]]:
    """Seconds of each round, direct and through the proxy."""
    async with FaultProxy(url) as proxy:
        ways = [await connect(each, profile="frames") for each in (url, proxy.url)]
        took: tuple[list[float], list[float]] = ([], [])
        for number in range(ROUNDS):
            for way in (0, 1) if number % 2 else (1, 0):
                took[way].append(await _send_all(ways[way]))
        for connection in ways:
            connection.websocket.abort(LocalReason.INTERRUPTED, "measured")
        return took


async def _send_all(connection: Connection) -> float:
    payload = bytes(_SIZE)
    start = time.perf_counter()
    for _ in range(MESSAGES):
        await connection.send(payload)
    await connection.recv()
    return time.perf_counter() - start


async def _lateness(url: str, count: int) -> list[float]:
    """Seconds by which as many drops were late, one for each connection, spread over some time."""
    async with AsyncExitStack() as stack:
        proxies = []
        for number in range(count):
            program = [(0.5 + number * _SPREAD / count, faults.Drop())]
            proxies.append(await stack.enter_async_context(FaultProxy(url, faults=program)))
        connections = [await connect(proxy.url, profile="frames") for proxy in proxies]
        for connection in connections:
            await connection.wait_closed()
        return [applied.lateness for proxy in proxies for applied in proxy.applied]


async def _virtual_lateness() -> list[float]:
    from pytest_wsstability import Orchestrator

    async with Orchestrator(profile="frames") as orchestrator:
        return await _lateness(orchestrator.url, DROPS)


def _measured(variant: str, what: str) -> float:
    with raw_server() as url:
        return float(json.loads(run_module("proxy", variant, url, what)))


async def _memory(variant: str, url: str, what: str) -> float:
    """KiB for each connection."""
    async with FaultProxy(url) as proxy:
        kib = await kept(connect, proxy.url if variant == "proxied" else url, CONNECTIONS, what)
        if len(proxy.connections) != (WARM + CONNECTIONS if variant == "proxied" else 0):
            raise RuntimeError("connections took another way")
        # Closing thousands of connections one by one would tell nothing.
        print(json.dumps(kib), flush=True)
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(_memory(*sys.argv[1:]))
