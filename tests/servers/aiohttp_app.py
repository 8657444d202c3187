"""The routes on aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import process
import story
from aiohttp import WSMsgType, web

Ending = Callable[[web.WebSocketResponse], Awaitable[object]]

routes = web.RouteTableDef()


async def converse(
    request: web.Request,
    *,
    silent: str | None = None,
    delay: float = 0,
    ending: Ending | None = None,
    size: int = 0,
) -> web.WebSocketResponse:
    # No heartbeat is the default; the tests decide about pings.
    websocket = web.WebSocketResponse(protocols=(story.SUBPROTOCOL,), heartbeat=None)
    await websocket.prepare(request)
    await websocket.send_str(story.GREETING)
    if size:
        await websocket.send_str("x" * size)
    with story.Later() as later:
        if ending:
            later(float(request.query.get("after", 0.2)), ending, websocket)
        async for message in websocket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            reply = story.answer(message.data, silent)
            if reply == story.PONG and delay:
                later(delay, websocket.send_str, reply)
            elif isinstance(reply, str):
                await websocket.send_str(reply)
            elif reply is not None:
                await websocket.send_bytes(reply)
    return websocket


@routes.get("/ws")
async def ws(request: web.Request) -> web.WebSocketResponse:
    return await converse(request)


@routes.get("/deaf")
async def deaf(request: web.Request) -> web.WebSocketResponse:
    return await converse(request, silent="ping")


@routes.get("/unconfirmed")
async def unconfirmed(request: web.Request) -> web.WebSocketResponse:
    return await converse(request, silent="session_info")


@routes.get("/slow")
async def slow(request: web.Request) -> web.WebSocketResponse:
    return await converse(request, delay=float(request.query["delay"]))


@routes.get("/big")
async def big(request: web.Request) -> web.WebSocketResponse:
    return await converse(request, size=int(request.query["bytes"]))


@routes.get(r"/close/{code:\d+}")
async def close(request: web.Request) -> web.WebSocketResponse:
    code = int(request.match_info["code"])
    reason = story.REASON.encode()
    return await converse(request, ending=lambda websocket: websocket.close(code=code, message=reason))


@routes.get("/drop")
async def drop(request: web.Request) -> web.WebSocketResponse:
    async def abort(_: web.WebSocketResponse) -> None:
        request.transport.abort()

    return await converse(request, ending=abort)


@routes.get(r"/refuse/{status:\d+}")
async def refuse(request: web.Request) -> web.Response:
    status = int(request.match_info["status"])
    return web.Response(status=status, text=story.refusal(status))


async def main() -> None:
    options = process.arguments()
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port, ssl_context=process.tls_context(options)).start()
    process.announce(runner.addresses[0][1])
    await process.until_terminated()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
