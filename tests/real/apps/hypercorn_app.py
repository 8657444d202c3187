"""Hypercorn, which pings and waits for no pong: ``hypercorn_app.py PORT``."""

from __future__ import annotations

import asyncio
import sys

from echo_asgi import app
from hypercorn.asyncio import serve
from hypercorn.config import Config


def main() -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{sys.argv[1]}"]
    config.websocket_ping_interval = 1
    config.websocket_max_message_size = 10_000
    config.graceful_timeout = 1
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main()
