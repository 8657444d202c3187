"""
What a user pays for a fleet in real time: server and client in processes of their own, a heartbeat every 5 s.

Ours records everything that it records by default and judges each connection; the others send and receive.
What the codec for short frames is worth (`net.short_frames`) is shown by ours without it.
CPU is that of the client from the moment all are open; memory is resident, once open and after the hold.

"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import json
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from .figures import Figure
from .processes import raise_file_limit, raw_server, resident, run_module

CONNECTIONS = 5000
# Of ours alone: as many as two processes have descriptors for.
MANY = 10_000
HOLD = 60.0
EVERY = 5.0
# Opened so many at once, as a fleet does here: 500 a second.
RATE = 500.0
_SPARE = 200
PING = '{"type":"ping"}'


class Meter:
    """What the process has spent since all connections were open."""

    def __init__(self) -> None:
        gc.collect()
        self._before = resident()
        self._cpu = 0.0

    def begin(self) -> None:
        """All are open."""
        self._cpu = time.process_time()

    def read(self, connections: int, beats: int) -> dict[str, float]:
        """CPU seconds for 1,000 heartbeats, and KiB for a connection."""
        cpu = time.process_time() - self._cpu
        gc.collect()
        return {
            "cpu": cpu / beats * 1000,
            "kib": (resident() - self._before) / 1024 / connections,
            "beats": beats,
        }


async def ours(url: str, connections: int, hold: float) -> dict[str, float]:
    """`fleet.hold_fleet`, as ``ws_fleet`` and ``wsstability fleet`` run it."""
    from pytest_wsstability import Requirement
    from pytest_wsstability.fleet import FleetJob, FleetPlan, FleetRequirement, hold_fleet

    meter = Meter()
    ramp = connections / RATE
    # The last ones are held as long as the others are measured.
    each = Requirement.of(alive_for=ramp + hold, heartbeat_every=EVERY, heartbeat_within=EVERY)
    plan = FleetPlan(connections=connections, hold=ramp + hold, ramp=ramp)
    begun: list[tuple[float, int]] = []
    found: dict[str, float] = {}

    def watch(merge: Any) -> None:
        if merge.opened == connections and not begun:
            begun.append((time.monotonic(), merge.heartbeats_answered))
            meter.begin()
        elif begun and not found and time.monotonic() - begun[0][0] >= hold - 2:
            found.update(meter.read(connections, merge.heartbeats_answered - begun[0][1]))

    job = FleetJob(url=url, requirement=each)
    fleet = await hold_fleet(job, plan, FleetRequirement(), watch=watch)
    if fleet.count.stable != connections:
        raise RuntimeError(str(fleet))
    return found


async def sans_io(url: str, connections: int, hold: float) -> dict[str, float]:
    """Ours, with each frame read and written by the sans-I/O layer of `websockets`."""
    from pytest_wsstability.net import short_frames

    short_frames.are_possible = lambda protocol: False
    return await ours(url, connections, hold)


async def websockets(url: str, connections: int, hold: float) -> dict[str, float]:
    """A task for each connection of `websockets.connect`, without its keepalive and compression."""
    from websockets.asyncio.client import connect

    async def opened() -> tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[Any]]]:
        client = await connect(url, ping_interval=None, compression=None)
        return (lambda: client.send(PING)), client.recv

    return await _talk(opened, connections, hold)


async def aiohttp(url: str, connections: int, hold: float) -> dict[str, float]:
    """A task for each connection of one `aiohttp.ClientSession`."""
    from aiohttp import ClientSession, TCPConnector

    async with ClientSession(connector=TCPConnector(limit=0)) as session:

        async def opened() -> tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[Any]]]:
            client = await session.ws_connect(url)
            return (lambda: client.send_str(PING)), client.receive

        return await _talk(opened, connections, hold)


async def picows(url: str, connections: int, hold: float) -> dict[str, float]:
    """A task for each connection of `picows.ws_connect`, whose listener wakes it."""
    from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

    class Listener(WSListener):
        waiter: asyncio.Future[None] | None = None

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if self.waiter is not None and not self.waiter.done():
                self.waiter.set_result(None)

    async def opened() -> tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[Any]]]:
        transport, listener = await ws_connect(Listener, url)

        async def send() -> None:
            listener.waiter = asyncio.get_running_loop().create_future()
            transport.send(WSMsgType.TEXT, PING.encode())

        async def receive() -> None:
            await listener.waiter

        return send, receive

    return await _talk(opened, connections, hold)


async def _talk(opened: Any, connections: int, hold: float) -> dict[str, float]:
    loop, meter = asyncio.get_running_loop(), Meter()
    beats = 0

    async def run(send: Callable[[], Awaitable[Any]], receive: Callable[[], Awaitable[Any]]) -> None:
        nonlocal beats
        due = loop.time()
        while True:
            due += EVERY
            await asyncio.sleep(due - loop.time())
            await send()
            await receive()
            beats += 1

    tasks = []
    start = loop.time()
    for number in range(connections):
        await asyncio.sleep(max(0.0, start + number / RATE - loop.time()))
        tasks.append(loop.create_task(run(*await opened())))
    before = beats
    meter.begin()
    await asyncio.sleep(hold - 2)
    found = meter.read(connections, beats - before)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return found


VARIANTS = {
    "ours": ours, "websockets": websockets, "aiohttp": aiohttp, "picows": picows, "sans_io": sans_io,
}  # fmt: skip
_TITLES = {"sans_io": "ours by sans-I/O only"}
_OURS = {"ours", "sans_io"}
# In processes of their own that are set up otherwise; Artillery is a program.
_MODULES = {"locust": "locust_users", "artillery": "artillery_users"}


def figures() -> Iterator[Figure]:
    """CPU seconds for 1,000 heartbeats, KiB a connection, and both as ratios to `websockets`."""
    connections = min(CONNECTIONS, raise_file_limit() - _SPARE)
    found: dict[str, dict[str, float]] = {}
    for name in (*VARIANTS, *_MODULES):
        if name not in _OURS and not _is_here(name):
            continue
        with raw_server() as url:
            module = [_MODULES[name]] if name in _MODULES else ["fleet_real", name]
            found[name] = json.loads(run_module(*module, url, str(connections), str(HOLD)))
        of = f"{connections} connections, {found[name]['beats']:.0f} heartbeats"
        title = _TITLES.get(name, name)
        yield Figure(name=f"{title}, 1,000 heartbeats", value=found[name]["cpu"], unit="CPU-s", of=of)
        yield Figure(name=f"{title}, a connection, RSS", value=found[name]["kib"], unit="KiB", of=of)
    mine, other = found["ours"], found["websockets"]
    yield Figure(name="CPU, ours / websockets", value=mine["cpu"] / other["cpu"], limit=1.0)
    yield Figure(name="memory, ours / websockets", value=mine["kib"] / other["kib"], limit=0.5)
    yield Figure(name="memory of a connection", value=mine["kib"], unit="KiB", limit=8.0)

    many = min(MANY, raise_file_limit() - _SPARE)
    with raw_server() as url:
        held = json.loads(run_module("fleet_real", "ours", url, str(many), str(HOLD)))
    of = f"{many} connections for {HOLD:.0f} s, all stable, {held['beats']:.0f} heartbeats"
    yield Figure(name="ours, 1,000 heartbeats of many", value=held["cpu"], unit="CPU-s", of=of)
    yield Figure(name="ours, one of many, RSS", value=held["kib"], unit="KiB", limit=8.0, of=of)


def _is_here(name: str) -> bool:
    return (shutil.which(name) if name == "artillery" else importlib.util.find_spec(name)) is not None


if __name__ == "__main__":
    raise_file_limit()
    variant, url, connections, hold = sys.argv[1:]
    print(json.dumps(asyncio.run(VARIANTS[variant](url, int(connections), float(hold)))))
