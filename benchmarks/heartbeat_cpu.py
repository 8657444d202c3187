"""CPU time of a JSON heartbeat and its answer, beside the same with `websockets.connect`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import websockets

from pytest_wsstability import Connection, connect

from .figures import Figure, middle, ratios, spread
from .processes import raw_server

BEATS = 500
ROUNDS = 51


class Answers:
    """
    Stands before a connection's own endpoint and wakes whoever waits for a heartbeat's answer.

    Nobody has to wait for it in a test; here somebody does, as with `recv` of the library.

    """

    def __init__(self, connection: Connection) -> None:
        self._inner = connection.websocket.endpoint
        self._loop = connection.websocket.loop
        self._waiter: asyncio.Future[None] | None = None
        connection.websocket.endpoint = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def received(self, *arguments: Any) -> None:
        self._inner.received(*arguments)

    def message(self, websocket: Any, heard: Any) -> None:
        self._inner.message(websocket, heard)
        if self._waiter is not None:
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for the next answer."""
        self._waiter = self._loop.create_future()
        await self._waiter
        self._waiter = None


def figures() -> Iterator[Figure]:
    """Microseconds of each, and the ratio."""
    with raw_server() as url:
        ours, library = asyncio.run(_measure(url))
    of = f"CPU of the client, {BEATS} beats, {spread(ours)}"
    yield Figure(name="heartbeat, ours", value=middle(ours), unit="us", of=of)
    yield Figure(name="heartbeat, websockets.connect", value=middle(library), unit="us", of=spread(library))
    found = ratios(ours, library)
    yield Figure(name="ours / websockets.connect", value=middle(found), limit=1.0, of=spread(found))


async def _measure(url: str) -> tuple[list[float], list[float]]:
    connection = await connect(url)
    answers = Answers(connection)
    websocket = connection.websocket

    async def ours() -> None:
        for _ in range(BEATS):
            websocket.messages.say(websocket.conversation.beat())
            await answers.wait()

    async with websockets.connect(url, ping_interval=None) as client:

        async def library() -> None:
            for _ in range(BEATS):
                await client.send('{"type":"ping"}')
                await client.recv()

        await ours()
        await library()
        times: tuple[list[float], list[float]] = [], []
        for number in range(ROUNDS):
            for which in (0, 1) if number % 2 else (1, 0):
                times[which].append(await _microseconds((ours, library)[which]))
    heartbeats = connection.timeline.heartbeats
    if heartbeats.answered != BEATS * (ROUNDS + 1):
        raise RuntimeError(f"{heartbeats.answered} heartbeats on the timeline")
    await connection.close()
    return times


async def _microseconds(run: Callable[[], Awaitable[None]]) -> float:
    start = time.process_time()
    await run()
    return (time.process_time() - start) / BEATS * 1e6
