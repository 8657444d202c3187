"""
A day on one connection in virtual time: ours, the library on looptime, the library on our loop.

A JSON heartbeat every 25 s that nobody answers, server pings every 30 s, a read deadline of 60 s that
every frame of the client resets: 3,456 heartbeats, 2,880 pings, 2,880 pongs. Compression is off.

"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

import looptime
import websockets

from pytest_wsstability import Direction, Orchestrator, connect, run_virtual
from pytest_wsstability.core.timeline.events import Opcode

from .figures import Figure, cpu_seconds, interleaved, middle, ratios, spread
from .processes import WITH, run_pytest, suite

ROUNDS = 7
PROCESSES = 7
DAY = 24 * 3600
# Without the session messages of our profile, which the library's pair does not send.
FRAMES = DAY // 25 + 2 * (DAY // 30)

_TEST = """
import pytest

@pytest.mark.ws_stability(alive_for="24h", heartbeat_every="25s", time="virtual")
def test_day(ws_soak):
    pass
"""


def figures() -> Iterator[Figure]:
    """Seconds for a day, ratios, a whole process, growth."""
    runs = [
        lambda: cpu_seconds(lambda: run_virtual(ours())),
        lambda: cpu_seconds(lambda: on_looptime(library())),
        lambda: cpu_seconds(lambda: run_virtual(library(), horizon=2 * DAY)),
    ]
    interleaved(runs, 1)
    mine, looped, borrowed = interleaved(runs, ROUNDS)
    yield Figure(name="24 h, ours", value=middle(mine), unit="s", of=f"{FRAMES} frames, CPU, {spread(mine)}")
    yield Figure(name="24 h, library on looptime", value=middle(looped), unit="s", of=spread(looped))
    yield Figure(name="24 h, library on our loop", value=middle(borrowed), unit="s", of=spread(borrowed))
    found = ratios(looped, mine)
    yield Figure(name="looptime / ours", value=middle(found), limit=8, at_least=True, of=spread(found))
    found = ratios(looped, borrowed)
    yield Figure(name="looptime / our loop, same classes", value=middle(found), of=spread(found))
    yield from _profiles()
    yield from _process()
    yield from _growth()


def _profiles() -> Iterator[Figure]:
    """The same day in other protocols, as many times the story's: 24 h, both ends, their own intervals."""
    names = ("engineio", "phoenix", "mqtt")
    runs = [lambda: cpu_seconds(lambda: run_virtual(story()))]
    runs += [lambda name=name: cpu_seconds(lambda: run_virtual(spoken(name))) for name in names]
    interleaved(runs, 1)
    told, *others = interleaved(runs, ROUNDS)
    for name, found in zip(names, others, strict=True):
        times = ratios(found, told)
        yield Figure(name=f"24 h, {name} / the story", value=middle(times), limit=1.3, of=spread(times))


def _process() -> Iterator[Figure]:
    with suite(test_day=_TEST) as folder:
        run_pytest(folder, "-q", *WITH)
        spent = [run_pytest(folder, "-q", *WITH) for _ in range(PROCESSES)]
    walls, cpu = [each.wall for each in spent], middle([each.cpu for each in spent])
    of = f"wall, {spread(walls, 'processes')}; CPU {cpu:.2f} s"
    yield Figure(name="pytest process, one 24 h ws_soak", value=middle(walls), unit="s", limit=1, of=of)


def _growth() -> Iterator[Figure]:
    early, late = run_virtual(_month())
    of = f"{early:.0f} KiB after 1 h, {late:.0f} KiB after 30 days, both ends"
    yield Figure(name="growth from 1 h to 30 days", value=late - early, unit="KiB", limit=64, of=of)


async def ours() -> None:
    """The day with our classes, timelines at both ends."""
    orchestrator = Orchestrator(answer_heartbeats=False, deadline_reset_by="any")
    async with orchestrator:
        connection = await connect(orchestrator.url, heartbeat="25s", inbox=0)
        # So that the last heartbeat and the last ping, due at this very instant, are on their way.
        await connection.assert_alive_for(DAY + 0.1)
        timeline = connection.timeline
        sent, received = timeline.count(Direction.SENT), timeline.count(Direction.RECEIVED)
        # The greeting, the session's two, and the ping and pong that prove life at the end.
        besides = 5
        if sent + received != FRAMES + besides:
            raise RuntimeError(f"{sent} frames sent and {received} received")
        await connection.close()


async def story() -> None:
    """The day as the story has it: each heartbeat is answered, and the server pings besides."""
    await _held(Orchestrator(deadline_reset_by="any"), heartbeat="25s")


async def spoken(profile: str) -> None:
    """The day in another protocol."""
    await _held(Orchestrator(profile=profile), profile=profile)


async def _held(server: Orchestrator, **options: Any) -> None:
    async with server as orchestrator:
        connection = await connect(orchestrator.url, inbox=0, **options)
        await connection.assert_alive_for(DAY)
        beats = connection.timeline.heartbeats
        if beats.answered < beats.sent - 1 or beats.sent < DAY // 61:
            raise RuntimeError(f"{beats.answered} of {beats.sent} heartbeats answered")
        await connection.close()


async def library() -> None:
    """The same traffic with the library's classes."""
    loop = asyncio.get_running_loop()
    beats = 0

    async def handler(websocket: websockets.ServerConnection) -> None:
        nonlocal beats
        with suppress(websockets.ConnectionClosed):
            while True:
                async with asyncio.timeout(60):
                    await websocket.recv()
                beats += 1

    serving = websockets.serve(handler, "127.0.0.1", 0, ping_interval=30, ping_timeout=None, compression=None)
    async with serving as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with websockets.connect(url, ping_interval=None, compression=None) as client:
            start = loop.time()
            for number in range(1, DAY // 25 + 1):
                await asyncio.sleep(start + 25 * number - loop.time())
                await client.send('{"type":"ping"}')
            await asyncio.sleep(0.1)
    if beats != DAY // 25:
        raise RuntimeError(f"{beats} heartbeats arrived")


def on_looptime(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on a loop of looptime, which jumps over what nobody waits for."""
    loop = looptime.new_event_loop(idle_timeout=None)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(coroutine)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _month() -> tuple[float, float]:
    """Traced KiB of a connection held for an hour, and of the same after 30 days."""
    orchestrator = Orchestrator(answer_heartbeats=False, deadline_reset_by="any")
    async with orchestrator:
        tracemalloc.start()
        try:
            connection = await connect(orchestrator.url, heartbeat="25s", inbox=0)
            await connection.assert_alive_for("1h")
            early = _traced()
            await connection.assert_alive_for(30 * DAY)
            late = _traced()
        finally:
            tracemalloc.stop()
        if connection.timeline.count(Direction.SENT, Opcode.TEXT) < 30 * DAY // 25:
            raise RuntimeError("there are heartbeats missing")
        await connection.close()
    return early, late


def _traced() -> float:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1024
