"""A server with the keepalive of the ``websockets`` library, a second each way."""

from __future__ import annotations

import asyncio
import signal

from websockets.asyncio.server import ServerConnection, serve

PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'
BUSY = 20
# How a route ends its connections after 2 s.
ENDINGS = {"/expires": (1008, "token expired"), "/unwelcome": (4401, "unauthorized")}


async def handler(connection: ServerConnection) -> None:
    path = connection.request.path
    if path in ENDINGS:
        # Kept, because the loop itself holds tasks weakly.
        connection.planned = asyncio.create_task(close_later(connection, *ENDINGS[path]))
    async for message in connection:
        if message == PING:
            await connection.send(PONG)
        elif path == "/raises":
            raise RuntimeError("planned by the test")
        elif path == "/awaits":
            await asyncio.sleep(BUSY)


async def close_later(connection: ServerConnection, code: int, reason: str) -> None:
    await asyncio.sleep(2)
    await connection.close(code, reason)


async def main() -> None:
    async with serve(
        handler, "127.0.0.1", 0, ping_interval=1, ping_timeout=1, max_size=10_000, close_timeout=1
    ) as server:
        print(f"READY {server.sockets[0].getsockname()[1]}", flush=True)
        terminated = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
        await terminated.wait()


if __name__ == "__main__":
    asyncio.run(main())
