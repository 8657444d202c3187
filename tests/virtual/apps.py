"""Apps and servers of other people's frameworks that several files of tests use; each yields its port."""

import asyncio
import socket
from contextlib import asynccontextmanager


def starlette_app():
    """Sends back what it gets."""
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute

    async def endpoint(websocket):
        await websocket.accept()
        async for message in websocket.iter_text():
            await websocket.send_text(message)

    return Starlette(routes=[WebSocketRoute("/", endpoint)])


@asynccontextmanager
async def aiohttp_server():
    from aiohttp import web

    async def handle(request):
        websocket = web.WebSocketResponse(heartbeat=40)
        await websocket.prepare(request)
        async for message in websocket:
            await websocket.send_str(message.data)
        return websocket

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def uvicorn_server():
    import uvicorn

    config = uvicorn.Config(
        starlette_app(),
        host="127.0.0.1",
        port=0,
        ws="websockets-sansio",
        ws_ping_interval=20,
        ws_ping_timeout=20,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.1)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def hypercorn_server():
    """It binds its sockets itself, and passes them to create_server."""
    import hypercorn
    from hypercorn.asyncio import serve

    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    config = hypercorn.Config()
    config.bind = [f"fd://{sock.detach()}"]
    config.websocket_ping_interval = 20
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(starlette_app(), config, shutdown_trigger=stop.wait))
    await asyncio.sleep(1)
    try:
        yield port
    finally:
        await asyncio.sleep(1)
        stop.set()
        await serving


@asynccontextmanager
async def tornado_server(on_close=lambda handler: None):
    """It accepts connections itself, and reads and writes their sockets."""
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    class Echo(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message)

        def on_close(self):
            on_close(self)

    server = HTTPServer(Application([("/", Echo)], websocket_ping_interval=30, websocket_ping_timeout=10))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield sockets[0].getsockname()[1]
    finally:
        server.stop()
        await server.close_all_connections()
