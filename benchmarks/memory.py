"""
What an idle connection keeps in memory at the client: ours, bare sans-I/O, `websockets.connect`.

Each variant opens its connections in a fresh process against a fresh server, once traced and once not,
because tracing takes memory too.

"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import websockets
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from pytest_wsstability import connect

from .figures import Figure
from .processes import raise_file_limit, raw_server, resident, run_module

CONNECTIONS = 5000
# The library's are large, and fewer tell as much.
LIBRARY_CONNECTIONS = 500
# Open before the measurement starts, so that what is made once is made.
WARM = 50
# Descriptors for everything else.
_SPARE = 100


class Bare(asyncio.Protocol):
    """The library's protocol without I/O on a transport, and nothing else."""

    __slots__ = ("opened", "protocol", "transport")

    def __init__(self, url: str) -> None:
        self.protocol = ClientProtocol(parse_uri(url))
        self.opened: asyncio.Future[None] | None = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.protocol.send_request(self.protocol.connect())
        transport.writelines(self.protocol.data_to_send())

    def data_received(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        if self.protocol.events_received() and self.opened is not None:
            self.opened.set_result(None)
            self.opened = None


async def open_bare(url: str) -> Bare:
    """Open a bare connection."""
    uri = parse_uri(url)
    _, bare = await asyncio.get_running_loop().create_connection(lambda: Bare(url), uri.host, uri.port)
    if bare.opened is not None:
        await bare.opened
    return bare


async def open_library(url: str) -> websockets.ClientConnection:
    """Open a connection with the library's defaults, and the server declines compression."""
    return await websockets.connect(url)


async def open_deflate(url: str) -> websockets.ClientConnection:
    """Open a connection with the library's defaults, and the server accepts compression, as most do."""
    return await websockets.connect(url + "deflate")


async def open_beating(url: str) -> Any:
    """Open a connection of ours that has a heartbeat timer."""
    return await connect(url, heartbeat="1h")


OPENERS: dict[str, Callable[[str], Awaitable[Any]]] = {
    "ours": connect, "beating": open_beating, "bare": open_bare, "library": open_library,
    "deflate": open_deflate,
}  # fmt: skip


def figures() -> Iterator[Figure]:
    """Kibibytes a connection, traced and resident."""
    room = raise_file_limit() - _SPARE - WARM
    variants = [
        ("ours", "ours", CONNECTIONS, 6.5),
        ("beating", "ours, heartbeat timer", CONNECTIONS, None),
        ("bare", "ClientProtocol alone", CONNECTIONS, None),
        ("library", "websockets.connect", LIBRARY_CONNECTIONS, None),
        ("deflate", "websockets.connect, deflate", LIBRARY_CONNECTIONS, None),
    ]
    for variant, name, wanted, limit in variants:
        count = min(wanted, room)
        of = f"{count} idle connections"
        if count < wanted:
            of += f", not {wanted}: the limit of open files is too low"
        yield Figure(
            name=f"{name}, traced", value=_measured(variant, count, "traced"), unit="KiB", limit=limit, of=of
        )
        yield Figure(name=f"{name}, RSS", value=_measured(variant, count, "rss"), unit="KiB", of=of)


def _measured(variant: str, count: int, what: str) -> float:
    with raw_server() as url:
        return float(json.loads(run_module("memory", variant, url, str(count), what)))


async def kept(opener: Callable[[str], Awaitable[Any]], url: str, count: int, what: str) -> float:
    """KiB that each of so many connections keeps: traced by Python, or resident (Linux)."""
    raise_file_limit()
    held = [await opener(url) for _ in range(WARM)]
    gc.collect()
    if what == "traced":
        tracemalloc.start()
    reading = _traced if what == "traced" else resident
    before = reading()
    for _ in range(count):
        held.append(await opener(url))
    gc.collect()
    grown = reading() - before
    if len(held) != WARM + count:
        raise RuntimeError("connections are missing")
    return grown / 1024 / count


def _traced() -> int:
    return tracemalloc.get_traced_memory()[0]


if __name__ == "__main__":
    _, variant, url, count, what = sys.argv
    print(json.dumps(asyncio.run(kept(OPENERS[variant], url, int(count), what))), flush=True)
    # Closing thousands of connections one by one would tell nothing.
    os._exit(0)
