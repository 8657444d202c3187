"""The usual WebSocket servers and clients, unchanged, for an hour of virtual time."""

import asyncio

import pytest

from pytest_wsstability.virtual import run_virtual
from tests.virtual.apps import starlette_app
from tests.virtual.certificates import contexts

HOUR = 3600
BEAT = 25


async def heartbeats(send, receive):
    """A heartbeat every 25 s for an hour; each is answered at the instant it is sent."""
    loop = asyncio.get_running_loop()
    answered = 0
    for _ in range(HOUR // BEAT):
        await asyncio.sleep(BEAT)
        await send("ping")
        at = loop.time()
        assert await receive() == "ping"
        assert loop.time() == at
        answered += 1
    return answered


async def hold(url, **options):
    import websockets

    async with websockets.connect(url, proxy=None, **options) as connection:
        return await heartbeats(connection.send, connection.recv)


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


async def with_websockets():
    import websockets

    async with websockets.serve(echo, "localhost", 0, ping_interval=30) as server:
        port = server.sockets[0].getsockname()[1]
        return await hold(f"ws://localhost:{port}")


async def with_websockets_over_tls():
    import websockets

    server_tls, client_tls = contexts()
    async with websockets.serve(echo, "localhost", 0, ssl=server_tls) as server:
        port = server.sockets[0].getsockname()[1]
        return await hold(f"wss://localhost:{port}", ssl=client_tls)


async def with_aiohttp():
    from aiohttp import ClientSession, web

    async def handle(request):
        websocket = web.WebSocketResponse(heartbeat=30)
        await websocket.prepare(request)
        async for message in websocket:
            await websocket.send_str(message.data)
        return websocket

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        url = f"http://127.0.0.1:{port}/"
        async with ClientSession() as session, session.ws_connect(url, heartbeat=20) as connection:
            return await heartbeats(connection.send_str, connection.receive_str)
    finally:
        await runner.cleanup()


async def with_uvicorn():
    import uvicorn

    config = uvicorn.Config(
        starlette_app(), host="127.0.0.1", port=0, ws="websockets-sansio", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.1)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        return await hold(f"ws://127.0.0.1:{port}/")
    finally:
        server.should_exit = True
        await serving


async def with_hypercorn():
    # It binds its sockets itself, and passes them to create_server.
    import socket

    import hypercorn
    from hypercorn.asyncio import serve

    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    config = hypercorn.Config()
    config.bind = [f"fd://{sock.detach()}"]
    config.websocket_ping_interval = 30
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(starlette_app(), config, shutdown_trigger=stop.wait))
    await asyncio.sleep(1)
    (port,) = asyncio.get_running_loop().network._listeners
    try:
        return await hold(f"ws://127.0.0.1:{port}/")
    finally:
        await asyncio.sleep(1)
        stop.set()
        await serving


async def with_tornado():
    # It accepts connections itself, and reads and writes their sockets.
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    closed = asyncio.get_running_loop().create_future()

    class Echo(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message)

        def on_close(self):
            closed.set_result((self.close_code, self.request.remote_ip))

    server = HTTPServer(Application([("/", Echo)], websocket_ping_interval=30, websocket_ping_timeout=10))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        answered = await hold(f"ws://127.0.0.1:{sockets[0].getsockname()[1]}/")
        assert await closed == (1000, "127.0.0.1")
        return answered
    finally:
        server.stop()
        await server.close_all_connections()


STACKS = {
    "websockets": (with_websockets, "websockets"),
    "websockets over TLS": (with_websockets_over_tls, "trustme"),
    "aiohttp": (with_aiohttp, "aiohttp"),
    "uvicorn": (with_uvicorn, "uvicorn"),
    "hypercorn": (with_hypercorn, "hypercorn"),
    "tornado": (with_tornado, "tornado"),
}


@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
def test_an_hour_of_heartbeats(stack):
    run, needs = STACKS[stack]
    pytest.importorskip(needs)

    async def main():
        answered = await run()
        return answered, asyncio.get_running_loop().time() >= HOUR

    assert run_virtual(main()) == (HOUR // BEAT, True)


def keepalive_ends(server):
    """When a server's own timer ends a connection whose client has gone silent, in virtual seconds."""

    async def main():
        import websockets

        async with websockets.serve(echo, "localhost", 0, ping_interval=30, ping_timeout=20) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.connect(
                f"ws://localhost:{port}", proxy=None, ping_interval=None
            ) as connection:
                connection.transport.pause_reading()
                start = asyncio.get_running_loop().time()
                (peer,) = server.connections
                await peer.wait_closed()
                return peer.close_code, asyncio.get_running_loop().time() - start

    return run_virtual(main())


def test_a_servers_keepalive_lives_in_virtual_time():
    assert keepalive_ends("websockets") == (1006, 60)
