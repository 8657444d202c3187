"""The life of a server's process: its arguments, its port, its end."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import ssl
import threading


def arguments() -> argparse.Namespace:
    """Read the command line, which is the same for every server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certfile")
    parser.add_argument("--keyfile")
    return parser.parse_args()


def tls_context(options: argparse.Namespace) -> ssl.SSLContext | None:
    """Load the certificate; None without one."""
    if options.certfile is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certfile, options.keyfile)
    return context


def announce(port: int) -> None:
    """Tell the launcher that the server listens."""
    print(f"READY {port}", flush=True)


def terminate_at_eof() -> None:
    """Raise SIGTERM when stdin ends, as it does when the test run is killed."""

    def watch() -> None:
        # Not sys.stdin: a thread inside its lock aborts the interpreter's own exit.
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


async def until_terminated() -> None:
    """Wait for SIGTERM or the end of stdin."""
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    terminate_at_eof()
    await terminated.wait()
