"""
A server in a network namespace of its own: ``unshare --net python secluded.py FD:PORT ... -- command ...``.

Some brokers listen on every address, whatever they are told. Here that is nobody's but their own: what a
client sends to the listening socket with the number FD, which comes from outside, is passed on to the PORT
inside. Prints READY when the server listens on each.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
from functools import partial

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
# As often as it is tried, in steps of 50 ms, whether the server listens: RabbitMQ takes its time.
TRIES = 2400
# As often as a server is started that crashes while it starts: Janus does, now and then.
STARTS = 3


class EndedError(Exception):
    """The server is no more."""


def bring_loopback_up() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


async def until_it_listens(port: int, process: asyncio.subprocess.Process) -> None:
    for _ in range(TRIES):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if process.returncode is not None:
            raise EndedError(f"the server has ended with {process.returncode}")
        await asyncio.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes, and how they end."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


async def relay_to(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    inner, to_inner = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(copy(reader, to_inner), copy(inner, writer))
    to_inner.close()
    writer.close()


async def started(command: list[str], ports: list[int]) -> asyncio.subprocess.Process:
    """The server, listening on each port."""
    for _ in range(STARTS):
        # Its output is for failures.
        process = await asyncio.create_subprocess_exec(*command, stdout=sys.stderr)
        try:
            for port in ports:
                await until_it_listens(port, process)
        except EndedError as ended:
            print(ended, file=sys.stderr, flush=True)
        else:
            return process
    sys.exit(f"started {STARTS} times, and never listened")


async def main(pairs: list[str], command: list[str]) -> None:
    bring_loopback_up()
    ways = [tuple(map(int, pair.split(":"))) for pair in pairs]
    process = await started(command, [port for _, port in ways])
    for descriptor, port in ways:
        outside = socket.socket(fileno=descriptor)
        await asyncio.start_server(partial(relay_to, port), sock=outside)
    print("READY", flush=True)
    await process.wait()


if __name__ == "__main__":
    dashes = sys.argv.index("--")
    asyncio.run(main(sys.argv[1:dashes], sys.argv[dashes + 1 :]))
