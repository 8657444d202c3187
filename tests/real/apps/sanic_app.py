"""Sanic with its keepalive: ``sanic_app.py PORT``."""

from __future__ import annotations

import sys

from echo_asgi import PING, PONG
from sanic import Sanic

app = Sanic("real")
app.config.WEBSOCKET_PING_INTERVAL = 1
app.config.WEBSOCKET_PING_TIMEOUT = 1
app.config.WEBSOCKET_MAX_SIZE = 10_000
app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 1


@app.websocket("/<path:path>")
async def echo(request, websocket, path) -> None:
    async for message in websocket:
        if message == PING:
            await websocket.send(PONG)
        elif path == "raises":
            raise RuntimeError("planned by the test")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]), single_process=True, motd=False, access_log=False)
