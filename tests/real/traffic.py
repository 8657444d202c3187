"""What a monitored client sends beside its heartbeats, until its connection has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pytest_wsstability import Connection

Traffic = Callable[[Connection], Awaitable[None]]

PING = '{"type":"ping"}'


def beats(every: float, *, until: float = 60) -> Traffic:
    """JSON heartbeats for a while."""

    async def send(connection: Connection) -> None:
        while connection.timeline.duration + every < until:
            await asyncio.sleep(every)
            await connection.send(PING)

    return send


def stream(every: float = 0.02, size: int = 640) -> Traffic:
    """Audio: 50 frames a second, of 20 ms each at 16 kHz and 16 bit."""

    async def send(connection: Connection) -> None:
        while True:
            await connection.send(bytes(size))
            await asyncio.sleep(every)

    return send


def say(message: str | bytes, *, at: float) -> Traffic:
    """One message."""

    async def send(connection: Connection) -> None:
        await asyncio.sleep(at)
        await connection.send(message)

    return send


def pings(every: float) -> Traffic:
    """Ping frames, whose pongs nobody waits for."""

    async def send(connection: Connection) -> None:
        while True:
            await asyncio.sleep(every)
            connection.websocket.send_ping()

    return send


def pongs(every: float) -> Traffic:
    """Pongs that nobody asked for."""

    async def send(connection: Connection) -> None:
        while True:
            await asyncio.sleep(every)
            await connection.pong()

    return send


async def engine_io(connection: Connection) -> None:
    """What a Socket.IO client does: it joins the default namespace, and answers each ping."""
    await connection.send("40")
    answered = 0
    while True:
        await asyncio.sleep(0.05)
        if connection.timeline.heartbeats.sent > answered:
            answered = connection.timeline.heartbeats.sent
            await connection.send("3")
