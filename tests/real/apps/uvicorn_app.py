"""Uvicorn with its keepalive: ``uvicorn_app.py websockets|websockets-sansio|wsproto``."""

from __future__ import annotations

import asyncio
import sys

import uvicorn

PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'
# What a turn of a voice agent may take, and longer than any keepalive here.
BUSY = 20


async def app(scope, receive, send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        if event.get("text") == PING:
            await send({"type": "websocket.send", "text": PONG})
        elif scope["path"] == "/raises":
            raise RuntimeError("planned by the test")
        elif scope["path"] == "/awaits":
            # The loop is not blocked: only this handler takes no messages meanwhile.
            await asyncio.sleep(BUSY)


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
