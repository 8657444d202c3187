"""Reading, writing and what transports say: the same logs over memory and over kernel TCP."""

import asyncio
import socket

import pytest

from tests.virtual.carriers import MB, Buffered, Pair, Recording, flatten, on_kernel, on_memory

SCRIPTS = []


def script(function):
    SCRIPTS.append(function)
    return function


@script
async def a_full_buffer_pauses_the_writer():
    async with Pair() as pair:
        pair.server.transport.pause_reading()
        pair.client.transport.write(b"x" * 16 * MB)
        paused = ("pause",) in pair.client.log
        pair.server.transport.resume_reading()
        await pair.server.received(16 * MB)
        await pair.client.until(lambda client: ("resume",) in client.log)
        return paused, pair.client.transport.get_write_buffer_size() <= 16384, flatten(pair.client.log)


@script
async def write_limits():
    async with Pair() as pair:
        transport = pair.client.transport
        seen = [transport.get_write_buffer_limits()]
        transport.set_write_buffer_limits(high=1000)
        seen.append(transport.get_write_buffer_limits())
        transport.set_write_buffer_limits(low=100)
        seen.append(transport.get_write_buffer_limits())
        transport.set_write_buffer_limits(high=0)
        seen.append(transport.get_write_buffer_limits())
        with pytest.raises(ValueError, match="must be >= low"):
            transport.set_write_buffer_limits(high=1, low=2)
        return seen


@script
async def paused_reading_keeps_what_comes():
    async with Pair() as pair:
        transport = pair.server.transport
        transport.pause_reading()
        transport.pause_reading()
        pair.client.transport.write(b"while paused")
        await asyncio.sleep(0.01)
        before = transport.is_reading(), list(pair.server.log)
        transport.resume_reading()
        transport.resume_reading()
        await pair.server.received(12)
        return before, transport.is_reading(), pair.logs


@script
async def pausing_in_data_received():
    class Pausing(Recording):
        def data_received(self, data):
            super().data_received(data)
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(0.01, self.transport.resume_reading)

    async with Pair(server=Pausing()) as pair:
        for chunk in (b"one", b"two"):
            pair.client.transport.write(chunk)
            await pair.server.received(len(pair.server.data) + 3)
        pair.client.transport.close()
        await pair.server.lost()
        return pair.logs


@script
async def closing_in_data_received():
    class Closing(Recording):
        def data_received(self, data):
            super().data_received(data)
            self.transport.close()

    async with Pair(server=Closing()) as pair:
        pair.client.transport.write(b"stop")
        await pair.client.lost()
        await pair.server.lost()
        return pair.logs


@script
async def an_exception_in_data_received_ends_the_connection():
    class Failing(Recording):
        def data_received(self, data):
            raise ZeroDivisionError

    contexts = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: contexts.append(context))
    async with Pair(server=Failing()) as pair:
        pair.client.transport.write(b"x")
        await pair.server.lost()
        await pair.client.lost()
        return [type(context["exception"]).__name__ for context in contexts], pair.logs


@script
async def an_exception_in_connection_lost_is_reported():
    class Failing(Recording):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            raise ZeroDivisionError

    contexts = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: contexts.append(context))
    async with Pair(server=Failing()) as pair:
        pair.client.transport.close()
        await pair.server.lost()
        await asyncio.sleep(0.01)
        return [type(context["exception"]).__name__ for context in contexts], pair.logs


@script
async def buffered_protocol():
    async with Pair(Buffered(), Buffered(size=3)) as pair:
        pair.client.transport.write(b"0123456789")
        pair.server.transport.write(b"abcdefghijklmnop")
        await pair.server.received(10)
        await pair.client.received(16)
        pair.client.transport.close()
        await pair.server.lost()
        await pair.client.lost()
        return pair.client.log, pair.server.log


@script
async def another_protocol_takes_over():
    async with Pair() as pair:
        second = Buffered(size=100)
        second.transport = pair.server.transport
        pair.server.transport.set_protocol(second)
        is_second = pair.server.transport.get_protocol() is second
        pair.client.transport.write(b"for the second")
        await second.received(14)
        pair.server.transport.set_protocol(pair.server)
        return is_second, flatten(second.log), pair.logs


@script
async def addresses_of_both_ends():
    async with Pair() as pair:
        client, server = pair.client.transport, pair.server.transport
        return (
            client.get_extra_info("peername") == pair.address,
            server.get_extra_info("sockname") == pair.address,
            client.get_extra_info("sockname") == server.get_extra_info("peername"),
            client.get_extra_info("socket").getsockname() == client.get_extra_info("sockname"),
            client.get_extra_info("nothing", "default"),
            client.get_extra_info("sslcontext"),
        )


@script
async def the_socket_of_a_transport():
    async with Pair() as pair:
        sock = pair.client.transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before = (
            sock.family, sock.type, sock.getpeername() == pair.address, sock.gettimeout(),
            bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)), sock.fileno() > 0,
        )  # fmt: skip
        with pytest.raises(ValueError, match="setblocking"):
            sock.setblocking(True)
        pair.client.transport.close()
        await pair.client.lost()
        return before, sock.fileno(), pair.client.transport.get_extra_info("peername") == pair.address


@script
async def the_kernels_view_of_a_connection():
    async with Pair(Recording(keep_open=True), Recording(keep_open=True)) as pair:

        def state(end):
            return end.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[
                0
            ]

        seen = [state(pair.client), state(pair.server)]
        pair.client.transport.write_eof()
        await pair.server.eof()
        # The client's is FIN_WAIT1 or FIN_WAIT2: the kernel acknowledges a FIN when it likes.
        return [*seen, state(pair.client) in (4, 5), state(pair.server)]


@script
async def streams():
    async def echo(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"one\ntwo\n")
        seen = [await reader.readline(), await reader.readexactly(4)]
        writer.write_eof()
        seen.append(await reader.read())
        writer.close()
        await writer.wait_closed()
    return seen


@script
async def streams_drain_under_load():
    async def sink(reader, writer):
        total = 0
        while chunk := await reader.read(65536):
            total += len(chunk)
        writer.write(b"%d" % total)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(sink, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(64):
            writer.write(b"x" * 256 * 1024)
            await writer.drain()
        writer.write_eof()
        total = await reader.read()
        writer.close()
        await writer.wait_closed()
    return total


@script
async def sendfile():
    async with Pair() as pair:
        with open(__file__, "rb") as file:  # noqa: ASYNC230 (sendfile wants a file)
            sent = await asyncio.get_running_loop().sendfile(pair.client.transport, file)
            await pair.server.received(sent)
            file.seek(0)
            return pair.server.data == file.read()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_memory_behaves_as_kernel_tcp(script):
    assert on_memory(script) == on_kernel(script)
