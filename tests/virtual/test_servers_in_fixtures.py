"""Servers of other people in a user's async fixture, held for an hour by the plugin's own client."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from pytest_wsstability import StabilityError
from tests.virtual.apps import starlette_app


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
    yield runner.addresses[0][1]
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
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@asynccontextmanager
async def hypercorn_server():
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
    yield port
    await asyncio.sleep(1)
    stop.set()
    await serving


@asynccontextmanager
async def tornado_server():
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    class Echo(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message)

    server = HTTPServer(Application([("/", Echo)], websocket_ping_interval=30, websocket_ping_timeout=10))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    yield sockets[0].getsockname()[1]
    server.stop()
    await server.close_all_connections()


STACKS = {
    "aiohttp": aiohttp_server,
    "uvicorn": uvicorn_server,
    "hypercorn": hypercorn_server,
    "tornado": tornado_server,
}


@pytest_asyncio.fixture
async def ws_url(stack):
    pytest.importorskip(stack)
    async with STACKS[stack]() as port:
        yield f"ws://127.0.0.1:{port}/"


@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.ws_stability(
    alive_for="1h", heartbeat_every="25s", heartbeat_within="1s", profile="frames", time="virtual"
)
async def test_an_hour(ws_connection, stack):
    await ws_connection.assert_stable()
    assert ws_connection.timeline.heartbeats.answered >= 143


# aiohttp gives half of its interval for the pong, uvicorn and Tornado a time of their own.
@pytest.mark.parametrize(("stack", "at"), [("aiohttp", 60), ("uvicorn", 40), ("tornado", 40)])
@pytest.mark.ws_stability(profile="frames", time="virtual")
async def test_its_own_keepalive_ends_a_client_that_answers_no_pings(ws_connect, stack, at):
    connection = await ws_connect(client="mute")
    with pytest.raises(StabilityError, match=rf" at {at}"):
        await connection.assert_alive_for("1h")
