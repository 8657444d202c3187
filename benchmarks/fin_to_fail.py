"""From the server's FIN on a real socket to the failure of the test that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pytest_wsstability import StabilityError, connect

from .figures import Figure, middle, spread
from .server import response

TRIALS = 50
# Seconds that the connection lives before the FIN.
_AGE = 0.02


def figures() -> Iterator[Figure]:
    """Median and worst delay."""
    delays = asyncio.run(_measure())
    of = f"{spread(delays, 'connections')}, loopback"
    yield Figure(name="FIN to failure, median", value=middle(delays), unit="ms", limit=10, of=of)
    of = f"of {TRIALS} connections, the first builds the first message"
    yield Figure(name="FIN to failure, worst", value=max(delays), unit="ms", limit=10, of=of)


async def _measure() -> list[float]:
    loop = asyncio.get_running_loop()
    sent = 0.0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(response(await reader.readuntil(b"\r\n\r\n")))
        await asyncio.sleep(_AGE)
        sent = loop.time()
        writer.write_eof()
        await reader.read()
        writer.close()

    delays = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for _ in range(TRIALS):
            connection = await connect(url)
            try:
                await connection.assert_alive_for("60s")
            except StabilityError:
                delays.append(1000 * (loop.time() - sent))
            else:
                raise RuntimeError("the connection outlived its FIN")
    return delays
