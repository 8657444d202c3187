"""aiohttp with ``heartbeat=2``: a ping after 2 s of silence, the end after a third."""

from __future__ import annotations

import asyncio
import signal

from aiohttp import WSMsgType, web

PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'
# Longer than the heartbeat takes to end a connection.
BUSY = 5

routes = web.RouteTableDef()


async def converse(request: web.Request, heartbeat: float | None) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse(heartbeat=heartbeat, max_msg_size=10_000)
    await websocket.prepare(request)
    busy = BUSY if request.path == "/awaits" else 0
    async for message in websocket:
        if message.type == WSMsgType.TEXT and message.data == PING:
            if request.path != "/zombie":
                await websocket.send_str(PONG)
        elif request.path == "/raises":
            raise RuntimeError("planned by the test")
        elif busy:
            await asyncio.sleep(busy)
            busy = 0
    return websocket


@routes.get("/ws")
@routes.get("/raises")
@routes.get("/awaits")
@routes.get("/zombie")
async def ws(request: web.Request) -> web.WebSocketResponse:
    return await converse(request, 2)


@routes.get("/plain")
async def plain(request: web.Request) -> web.WebSocketResponse:
    return await converse(request, None)


async def main() -> None:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"READY {runner.addresses[0][1]}", flush=True)
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    await terminated.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
