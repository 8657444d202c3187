"""The usual WebSocket servers and clients, unchanged, for an hour of virtual time."""

import asyncio

import pytest

from pytest_wsstability.virtual import run_virtual
from tests.virtual.apps import aiohttp_server, hypercorn_server, tornado_server, uvicorn_server
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
    from aiohttp import ClientSession

    async with (
        aiohttp_server() as port,
        ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/", heartbeat=20) as connection,
    ):
        return await heartbeats(connection.send_str, connection.receive_str)


async def with_uvicorn():
    async with uvicorn_server() as port:
        return await hold(f"ws://127.0.0.1:{port}/")


async def with_hypercorn():
    async with hypercorn_server() as port:
        return await hold(f"ws://127.0.0.1:{port}/")


async def with_tornado():
    closed = asyncio.get_running_loop().create_future()

    def on_close(handler):
        closed.set_result((handler.close_code, handler.request.remote_ip))

    async with tornado_server(on_close) as port:
        answered = await hold(f"ws://127.0.0.1:{port}/")
        assert await closed == (1000, "127.0.0.1")
        return answered


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


def test_a_servers_keepalive_lives_in_virtual_time():
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

    assert run_virtual(main()) == (1006, 60)
