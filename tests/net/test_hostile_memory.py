"""What attacks cost in memory: processes of their own, and sockets that send as much as is taken."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest

from tests.serving import SOON

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]

# More than a process may ever grow, by any of them: bytes over what it had at the start.
LIMIT = 64 * 2**20
# An attacker sends so much at most, for so many seconds, and gives up when nothing is taken for a while.
MOST, LONGEST, PATIENCE = 96 * 2**20, 4.0, 1.5
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: " + KEY + b"\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
CLIENT = """
import asyncio, sys
from pytest_wsstability import OpeningError, connect

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        connection = await connect(sys.argv[1], profile="frames", compression=True, open_timeout=3)
    except OpeningError:
        pass
    else:
        await asyncio.sleep(3)
        connection.websocket.transport and connection.websocket.transport.abort()
    print("over", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


def frame(opcode, payload, *, masked=False, fin=True, rsv=0, announced=None):
    size = len(payload) if announced is None else announced
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    mask = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask | size])
    elif size < 2**16:
        head += bytes([mask | 126]) + size.to_bytes(2)
    else:
        head += bytes([mask | 127]) + size.to_bytes(8)
    return head + (bytes(4) if masked else b"") + payload


def bomb(masked):
    """A message of a megabyte, less a few bytes, in a thousand."""
    squeezed = zlib.compressobj(wbits=-15)
    data = squeezed.compress(bytes(2**20 - 64)) + squeezed.flush(zlib.Z_SYNC_FLUSH)
    return frame(2, data[:-4], masked=masked, rsv=4)


def attacks(masked):
    """What is sent over and over once the connection is open, and never read."""
    return {
        "pings": frame(9, bytes(125), masked=masked),
        "pongs": frame(10, bytes(125), masked=masked),
        "small messages": frame(1, b"x", masked=masked),
        "messages": frame(1, b"x" * 1024, masked=masked),
        "large messages": frame(2, bytes(2**20 - 64), masked=masked),
        "deflate bombs": bomb(masked),
        "fragments": frame(0, bytes(60), masked=masked, fin=False),
        "a giant": bytes(4096),
    }


FIRST = {"fragments": lambda masked: frame(1, b"x", masked=masked, fin=False),
         "a giant": lambda masked: frame(2, b"", masked=masked, announced=2**62)}  # fmt: skip
BEFORE = {
    "an endless field": (b"HTTP/1.1 101 Yes\r\nX: ", b"x" * 4096),
    "endless fields": (b"HTTP/1.1 101 Yes\r\n", b"X-Y: z\r\n" * 512),
    "an endless body": (b"HTTP/1.1 403 No\r\nContent-Length: 999999999\r\n\r\n", b"x" * 4096),
    "an endless body in chunks": (
        b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n" * 700,
    ),
}
REQUESTS = {
    "an endless field": (b"GET / HTTP/1.1\r\nX: ", b"x" * 4096),
    "endless fields": (b"GET / HTTP/1.1\r\n", b"X-Y: z\r\n" * 512),
    "an endless line": (b"GET /", b"x" * 4096),
}


def pour(sock, first, piece):
    """Send a piece over and over, as long as it is taken."""
    piece *= max(1, 2**16 // len(piece))
    sock.settimeout(PATIENCE)
    sent, until = 0, time.monotonic() + LONGEST
    with contextlib.suppress(OSError):
        sock.sendall(first)
        while sent < MOST and time.monotonic() < until:
            sock.sendall(piece)
            sent += len(piece)


def peak(process):
    """The most memory that a process had so far, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


@contextlib.contextmanager
def running(*command):
    with subprocess.Popen(
        [sys.executable, "-c", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("attack", [*attacks(masked=False), *BEFORE])
def test_a_client(attack):
    """One that nobody takes messages from, against a server that sends whatever it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SOON)

        def serve():
            sock, _ = listener.accept()
            with sock:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += sock.recv(4096)
                if attack in BEFORE:
                    pour(sock, *BEFORE[attack])
                    return
                key = re.search(rb"(?i)sec-websocket-key: (\S+)", head)[1]
                accept = base64.b64encode(
                    hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
                )
                sock.sendall(
                    b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                    + accept + b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
                )  # fmt: skip
                pour(sock, FIRST.get(attack, lambda masked: b"")(False), attacks(masked=False)[attack])

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        with running(CLIENT, f"ws://127.0.0.1:{listener.getsockname()[1]}/") as process:
            assert process.stdout.readline() == "ready\n"
            before = peak(process)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "over\n"
            grown = peak(process) - before
        server.join(SOON)

    assert grown < LIMIT, f"{grown / 2**20:.1f} MiB"


SERVE = "import sys; from pytest_wsstability.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize("attack", [*attacks(masked=True), *REQUESTS, "half-open", "sessions"])
def test_a_server(attack):
    """`wsstability serve`, which sends everything back, against a client that reads nothing."""
    with running(SERVE, "serve", "--port", "0", "--json", "--echo", "--ping-interval", "1s") as process:
        url = json.loads(process.stdout.readline())["url"]
        address = ("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
        # One that is served, so that everything is loaded.
        with socket.create_connection(address) as sock:
            sock.sendall(REQUEST + frame(1, b"hello", masked=True))
            sock.recv(4096)
        before = peak(process)
        threading.Thread(target=process.stdout.read, daemon=True).start()
        if attack == "half-open":
            socks = [socket.create_connection(address) for _ in range(400)]
            for sock in socks:
                sock.sendall(REQUEST[:40])
            pour(socks[0], b"", b"X-Y: z\r\n")
            for sock in socks:
                sock.close()
        elif attack == "sessions":
            for number in range(1200):
                with socket.create_connection(address) as sock:
                    name = f"{number:04}{'x' * 4000}"
                    info = json.dumps({"type": "session_info", "session_id": name}).encode()
                    sock.sendall(REQUEST + frame(1, info, masked=True))
                    sock.settimeout(SOON)
                    sock.recv(100)
        else:
            with socket.create_connection(address) as sock:
                if attack in REQUESTS:
                    pour(sock, *REQUESTS[attack])
                else:
                    # Frames may follow once the response is there.
                    sock.sendall(REQUEST)
                    sock.recv(100)
                    pour(sock, FIRST.get(attack, lambda masked: b"")(True), attacks(masked=True)[attack])
        # It serves on.
        with socket.create_connection(address) as sock:
            sock.settimeout(SOON)
            sock.sendall(REQUEST)
            assert sock.recv(12) == b"HTTP/1.1 101"
        grown = peak(process) - before

    assert grown < LIMIT, f"{grown / 2**20:.1f} MiB"


def test_the_measure_sees_what_is_kept():
    """A process that keeps everything would fail: a check of the tests above."""
    keep = "import sys; kept = []; print('ready', flush=True); sys.stdin.readline(); "
    keep += f"kept.append(bytearray(b'x') * {LIMIT + 2**20}); print('over', flush=True); sys.stdin.readline()"
    with running(keep) as process:
        process.stdout.readline()
        before = peak(process)
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()

        assert peak(process) - before > LIMIT
