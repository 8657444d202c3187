"""Uvicorn with its keepalive: ``uvicorn_app.py websockets|websockets-sansio|wsproto``."""

from __future__ import annotations

import sys

import uvicorn
from echo_asgi import app


class Server(uvicorn.Server):
    """Announces its port."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        print(f"READY {self.servers[0].sockets[0].getsockname()[1]}", flush=True)


def main() -> None:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        ws=sys.argv[1],
        ws_ping_interval=1,
        ws_ping_timeout=1,
        ws_max_size=10_000,
        lifespan="off",
        timeout_graceful_shutdown=1,
        log_level="warning",
    )
    Server(config).run()


if __name__ == "__main__":
    main()
