"""An ASGI app that answers heartbeats; other messages fail on /raises, and are kept waiting on /awaits."""

from __future__ import annotations

import asyncio

PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'
# What a turn of a voice agent may take, and longer than any keepalive here.
BUSY = 20


async def app(scope, receive, send) -> None:
    if scope["type"] != "websocket":
        return
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
