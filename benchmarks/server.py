"""The smallest server that clients take for one: it holds connections, and answers each text with a pong."""

from __future__ import annotations

import asyncio
import sys

from websockets.utils import accept_key

from .processes import raise_file_limit

# {"type":"pong"} in an unmasked text frame (RFC 6455, section 5.2).
PONG = b'\x81\x0f{"type":"pong"}'
_TEXT, _CLOSE = 0x1, 0x8


def response(request: bytes) -> bytes:
    """The answer to an opening handshake (RFC 6455, section 4.2.2)."""
    fields = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if line)
    names = {name.lower(): value for name, value in fields.items()}
    accept = accept_key(names[b"sec-websocket-key"].decode())
    # Who asks for /deflate gets it, and must then send nothing.
    deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if b"/deflate" in request else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{deflate}\r\n"
    ).encode()


class Hold(asyncio.Protocol):
    """One connection. Frames must be short and come whole, as those of the benchmarks do."""

    __slots__ = ("_open", "_transport")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._open = False

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._open = True
            self._transport.write(response(data))
            return
        while data:
            opcode, length = data[0] & 0x0F, data[1] & 0x7F
            # Two bytes of head, four of mask.
            data = data[6 + length :]
            if opcode == _TEXT:
                self._transport.write(PONG)
            elif opcode == _CLOSE:
                self._transport.close()


async def main() -> None:
    """Serve until stdin ends; the port is the only thing printed."""
    raise_file_limit()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Hold, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
