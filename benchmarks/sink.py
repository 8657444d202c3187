"""A server that takes bytes, and says so once it has had so many; in a process of its own."""

from __future__ import annotations

import asyncio
import sys

from .server import PONG, response


class Sink(asyncio.Protocol):
    """One connection: counts what comes behind the handshake, and answers each full measure."""

    measure = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._open = False
        self._taken = 0

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._open = True
            self._transport.write(response(data))
            return
        self._taken += len(data)
        if self._taken >= self.measure:
            self._taken = 0
            self._transport.write(PONG)


async def main(measure: int) -> None:
    """Serve until stdin ends; the port is the only thing printed."""
    Sink.measure = measure
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
