"""What stands behind the proxies: it answers heartbeats, keeps no time, and ends nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'


async def handler(connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for message in connection:
            if message == PING:
                await connection.send(PONG)


async def main() -> None:
    async with serve(handler, "127.0.0.1", 0, ping_interval=None) as server:
        print(f"READY {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
