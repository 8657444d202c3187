"""Servers, sockets and TLS: each script gives the same logs over memory and over kernel TCP."""

import asyncio
import errno
import socket
import ssl
import sys

import pytest

from tests.virtual.carriers import MB, Pair, Recording, flatten, on_kernel, on_memory
from tests.virtual.certificates import contexts

SCRIPTS = []


def script(function):
    SCRIPTS.append(function)
    return function


def outcome(exc):
    return type(exc).__name__, exc.errno


@script
async def a_server_on_port_0():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Recording, "127.0.0.1", 0)
    other = await loop.create_server(Recording, "127.0.0.1", 0)
    ports = [each.sockets[0].getsockname()[1] for each in (server, other)]
    family = server.sockets[0].family
    for each in (server, other):
        each.close()
        await each.wait_closed()
    return ports[0] != ports[1], all(port > 1024 for port in ports), family, server.sockets


@script
async def nobody_listens_any_more():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Recording, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError) as refused:
        await loop.create_connection(Recording, *address)
    return outcome(refused.value), refused.value.strerror == f"Connect call failed {address!r}"


@script
async def a_server_that_does_not_serve_yet_refuses():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Recording, "127.0.0.1", 0, start_serving=False)
    address = server.sockets[0].getsockname()
    with pytest.raises(ConnectionRefusedError):
        await loop.create_connection(Recording, *address)
    before = server.is_serving()
    await server.start_serving()
    transport, protocol = await loop.create_connection(Recording, *address)
    transport.close()
    await protocol.lost()
    server.close()
    return before, server.is_serving(), server.get_loop() is loop


@script
async def an_address_in_use():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Recording, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    seen = []
    for host in ("127.0.0.1", "0.0.0.0"):
        with pytest.raises(OSError, match="error while attempting to bind on address") as in_use:
            await loop.create_server(Recording, host, address[1])
        seen.append(in_use.value.errno == errno.EADDRINUSE)
    server.close()
    await server.wait_closed()
    again = await loop.create_server(Recording, *address)
    again.close()
    return seen


@script
async def a_server_on_any_address():
    loop = asyncio.get_running_loop()
    protocols = []

    def factory():
        protocols.append(Recording())
        return protocols[-1]

    server = await loop.create_server(factory, "0.0.0.0", 0)
    host, port = server.sockets[0].getsockname()
    transport, protocol = await loop.create_connection(Recording, "127.0.0.1", port)
    peer = transport.get_extra_info("peername")
    transport.close()
    await protocol.lost()
    await protocols[0].lost()
    server.close()
    return host, peer == ("127.0.0.1", port), flatten(protocols[0].log)


@script
async def a_server_on_several_hosts():
    """One socket for each different host; each answers at its own address, and all close together."""
    loop = asyncio.get_running_loop()
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.1", "::1"]
    seen = []

    class Noting(Recording):
        def connection_made(self, transport):
            super().connection_made(transport)
            seen.append(transport.get_extra_info("sockname")[0])

    server = await loop.create_server(Noting, hosts, 0)
    addresses = sorted(sock.getsockname()[:2] for sock in server.sockets)
    for host, port in addresses:
        transport, client = await loop.create_connection(Recording, host, port)
        assert transport.get_extra_info("peername")[:2] == (host, port)
        transport.close()
        await client.lost()
    server.close()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await loop.create_connection(Recording, *addresses[1])
    return [host for host, _ in addresses], seen


@script
async def servers_that_share_a_port():
    """SO_REUSEPORT is seen on the socket, each server gets connections, and a third without it is refused."""
    if not hasattr(socket, "SO_REUSEPORT"):
        return None
    loop = asyncio.get_running_loop()
    counts = [0, 0]

    def counting(number):
        def factory():
            counts[number] += 1
            return Recording()

        return factory

    first = await loop.create_server(counting(0), "127.0.0.1", 0, reuse_port=True)
    address = first.sockets[0].getsockname()
    second = await loop.create_server(counting(1), *address, reuse_port=True)
    with pytest.raises(OSError, match="error while attempting to bind on address"):
        await loop.create_server(Recording, *address)
    for _ in range(40):
        transport, client = await loop.create_connection(Recording, *address)
        transport.close()
        await client.lost()
    await asyncio.sleep(0.01)
    option = first.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
    for server in (first, second):
        server.close()
        await server.wait_closed()
    return bool(option), sum(counts), all(counts)


@script
async def wrong_arguments_of_a_server():
    """Refused as asyncio does."""
    loop = asyncio.get_running_loop()
    seen = []
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        for arguments in ({"sock": datagrams}, {}):
            with pytest.raises(ValueError, match=r"A Stream Socket was expected|Neither host") as refused:
                await loop.create_server(Recording, **arguments)
            seen.append(str(refused.value).partition(",")[0])
    return seen


@script
async def a_closed_server_keeps_its_connections():
    async with Pair() as pair:
        pair.listener.close()
        pair.client.transport.write(b"still here")
        await pair.server.received(10)
        serving = pair.listener.is_serving()
        pair.client.transport.close()
        await pair.server.lost()
        await pair.listener.wait_closed()
        return serving, pair.logs


@script
async def waiting_for_a_server_to_close():
    async with Pair() as pair:
        pair.listener.close()
        waiting = asyncio.ensure_future(pair.listener.wait_closed())
        await asyncio.sleep(0.01)
        # Python 3.11 does not wait for the connections, later versions do.
        done = waiting.done()
        pair.client.transport.close()
        await pair.server.lost()
        await waiting
        return done, done == (sys.version_info < (3, 12))


@script
async def close_and_abort_the_clients_of_a_server():
    if sys.version_info < (3, 13):
        return None
    async with Pair() as pair:
        pair.listener.close()
        pair.listener.close_clients()
        await pair.client.lost()
        await pair.listener.wait_closed()
        logs = pair.logs
    async with Pair() as pair:
        pair.listener.close()
        pair.listener.abort_clients()
        await pair.client.lost()
        await pair.listener.wait_closed()
        return logs, pair.logs


@script
async def serving_for_ever_until_cancelled():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Recording, "127.0.0.1", 0, start_serving=False)
    task = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0.01)
    serving = server.is_serving()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return serving, server.is_serving(), server.sockets


@script
async def a_connected_socket():
    loop = asyncio.get_running_loop()
    server = Recording()
    listener = await loop.create_server(lambda: server, "127.0.0.1", 0)
    sock = socket.socket()
    sock.setblocking(False)
    await loop.sock_connect(sock, listener.sockets[0].getsockname())
    transport, client = await loop.create_connection(Recording, sock=sock)
    transport.write(b"hello")
    await server.received(5)
    transport.close()
    await client.lost()
    await server.lost()
    listener.close()
    return sock.fileno(), flatten(client.log), flatten(server.log)


@script
async def a_bound_socket():
    loop = asyncio.get_running_loop()
    server = Recording()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    address = sock.getsockname()
    listener = await loop.create_server(lambda: server, sock=sock)
    same = listener.sockets[0].getsockname() == address, listener.sockets[0].fileno() == sock.fileno()
    transport, client = await loop.create_connection(Recording, *address)
    transport.write(b"hello")
    await server.received(5)
    transport.close()
    await client.lost()
    listener.close()
    await server.lost()
    return same, sock.fileno(), flatten(client.log), flatten(server.log)


@script
async def accepting_by_hand():
    loop = asyncio.get_running_loop()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        accepting = asyncio.ensure_future(loop.sock_accept(listener))
        await asyncio.sleep(0)
        transport, client = await loop.create_connection(Recording, *listener.getsockname())
        accepted, peer = await accepting
        with accepted:
            names = peer == transport.get_extra_info("sockname"), accepted.getpeername() == peer
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport.write(b"question")
            question = await loop.sock_recv(accepted, 100)
            await loop.sock_sendall(accepted, b"answer")
            await client.received(6)
        await client.lost()
    return names, accepted.family, question, flatten(client.log)


@script
async def tls():
    server_tls, client_tls = contexts()
    async with Pair(server_tls=server_tls, client_tls=client_tls) as pair:
        pair.client.transport.write(b"x" * MB)
        await pair.server.received(MB)
        pair.server.transport.write(b"secret")
        await pair.client.received(6)
        info = pair.client.transport.get_extra_info
        seen = (
            info("ssl_object").version(), info("sslcontext") is client_tls, bool(info("peercert")),
            info("peername") == pair.address,
        )  # fmt: skip
        pair.client.transport.close()
        await pair.client.lost()
        await pair.server.lost()
        return seen, flatten(pair.client.log), flatten(pair.server.log)


@script
async def start_tls():
    server_tls, client_tls = contexts()
    loop = asyncio.get_running_loop()
    async with Pair() as pair:
        upgraded = await asyncio.gather(
            loop.start_tls(pair.client.transport, pair.client, client_tls, server_hostname="localhost"),
            loop.start_tls(pair.server.transport, pair.server, server_tls, server_side=True),
        )
        pair.client.transport, pair.server.transport = upgraded
        pair.client.transport.write(b"secret")
        await pair.server.received(6)
        pair.server.transport.close()
        await pair.client.lost()
        await pair.server.lost()
        return pair.logs


@script
async def tls_with_an_unknown_authority():
    server_tls, _ = contexts()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    server = await loop.create_server(Recording, "127.0.0.1", 0, ssl=server_tls)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        await loop.create_connection(
            Recording,
            *server.sockets[0].getsockname(),
            ssl=ssl.create_default_context(),
            server_hostname="localhost",
        )
    await asyncio.sleep(0.05)
    server.close()
    return refused.value.reason


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_memory_behaves_as_kernel_tcp(script):
    assert on_memory(script) == on_kernel(script)
