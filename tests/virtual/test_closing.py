"""How connections end: each script gives the same logs over memory and over kernel TCP."""

import asyncio
import socket
import struct

import pytest

from tests.virtual.carriers import MB, Pair, Recording, flatten, on_kernel, on_memory

SCRIPTS = []


def script(function):
    SCRIPTS.append(function)
    return function


@script
async def client_sends_and_closes():
    async with Pair() as pair:
        pair.client.transport.write(b"hello")
        pair.client.transport.close()
        await pair.server.lost()
        await pair.client.lost()
        return pair.logs


@script
async def server_sends_and_closes():
    async with Pair() as pair:
        pair.server.transport.write(b"hello")
        pair.server.transport.close()
        await pair.client.lost()
        await pair.server.lost()
        return pair.logs


@script
async def abort_with_a_linger_of_0():
    """socket(7): close() then sends RST, though nothing is unread."""
    async with Pair() as pair:
        sock = pair.server.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        pair.server.transport.abort()
        await pair.client.lost()
        await pair.server.lost()
        return pair.logs


@script
async def abort_without_it():
    async with Pair() as pair:
        pair.server.transport.abort()
        await pair.client.lost()
        await pair.server.lost()
        return pair.logs


@script
async def both_directions_at_once():
    async with Pair() as pair:
        for number in range(20):
            pair.client.transport.write(b"c%d" % number)
            pair.server.transport.write(b"s%d" % number)
        await pair.client.received(50)
        await pair.server.received(50)
        return pair.logs


@script
async def nothing_is_received_inside_write():
    async with Pair() as pair:
        pair.client.transport.write(b"hello")
        inside = list(pair.server.log)
        await pair.server.received(5)
        return inside, pair.logs


@script
async def half_close_by_the_client():
    async with Pair(server=Recording(keep_open=True)) as pair:
        pair.client.transport.write(b"question")
        pair.client.transport.write_eof()
        await pair.server.eof()
        pair.server.transport.write(b"answer")
        pair.server.transport.close()
        await pair.client.lost()
        await pair.server.lost()
        return pair.logs


@script
async def half_close_by_both():
    async with Pair(Recording(keep_open=True), Recording(keep_open=True)) as pair:
        pair.client.transport.write_eof()
        await pair.server.eof()
        pair.server.transport.write_eof()
        await pair.client.eof()
        states = pair.client.transport.is_closing(), pair.server.transport.is_closing()
        pair.client.transport.close()
        pair.server.transport.close()
        await pair.client.lost()
        await pair.server.lost()
        return states, pair.logs


@script
async def eof_waits_for_the_buffer():
    async with Pair() as pair:
        pair.server.transport.pause_reading()
        pair.client.transport.write(b"x" * 16 * MB)
        pair.client.transport.write_eof()
        pair.server.transport.resume_reading()
        await pair.server.lost()
        return len(pair.server.data), [entry for entry in flatten(pair.server.log) if entry[0] != "data"]


@script
async def close_sends_the_buffer_first():
    async with Pair() as pair:
        pair.server.transport.pause_reading()
        pair.client.transport.write(b"x" * 16 * MB)
        pair.client.transport.close()
        still_open = ("lost", None) not in pair.client.log
        pair.server.transport.resume_reading()
        await pair.server.lost()
        await pair.client.lost()
        return still_open, len(pair.server.data), flatten(pair.client.log), pair.server.log[-2:]


@script
async def abort_drops_the_buffer():
    async with Pair() as pair:
        pair.server.transport.pause_reading()
        pair.client.transport.write(b"x" * 16 * MB)
        pair.client.transport.abort()
        await pair.client.lost()
        size = pair.client.transport.get_write_buffer_size()
        pair.server.transport.resume_reading()
        await pair.server.lost()
        return size, 0 < len(pair.server.data) < 16 * MB, pair.server.log[-2:], flatten(pair.client.log)


@script
async def abort_without_unread_data_is_an_eof():
    async with Pair() as pair:
        pair.client.transport.write(b"last words")
        pair.client.transport.abort()
        await pair.server.lost()
        await pair.client.lost()
        return pair.logs


@script
async def close_with_unread_data_is_a_reset():
    async with Pair() as pair:
        pair.client.transport.pause_reading()
        pair.server.transport.write(b"never read")
        await asyncio.sleep(0.01)
        pair.client.transport.abort()
        await pair.server.lost()
        await pair.client.lost()
        return pair.logs


@script
async def data_before_a_reset_is_delivered():
    async with Pair() as pair:
        pair.client.transport.pause_reading()
        pair.server.transport.pause_reading()
        pair.server.transport.write(b"never read")
        pair.client.transport.write(b"read")
        await asyncio.sleep(0.01)
        pair.client.transport.abort()
        await pair.client.lost()
        pair.server.transport.resume_reading()
        await pair.server.lost()
        return pair.logs


@script
async def write_to_a_closed_peer_is_a_broken_pipe():
    async with Pair(server=Recording(keep_open=True)) as pair:
        pair.client.transport.close()
        await pair.server.eof()
        await pair.client.lost()
        pair.server.transport.write(b"one")
        await asyncio.sleep(0.01)
        pair.server.transport.write(b"two")
        await pair.server.lost()
        return pair.logs


@script
async def write_after_a_reset():
    async with Pair() as pair:
        pair.client.transport.pause_reading()
        pair.server.transport.pause_reading()
        pair.server.transport.write(b"unread")
        await asyncio.sleep(0.01)
        pair.client.transport.abort()
        await pair.client.lost()
        pair.server.transport.write(b"too late")
        await pair.server.lost()
        return pair.logs


@script
async def write_after_close_is_ignored():
    async with Pair() as pair:
        pair.client.transport.close()
        pair.client.transport.write(b"nobody gets this")
        await pair.client.lost()
        await pair.server.lost()
        pair.client.transport.write(b"nor this")
        return pair.logs


@script
async def write_after_eof_is_an_error():
    async with Pair(server=Recording(keep_open=True)) as pair:
        pair.client.transport.write_eof()
        with pytest.raises(RuntimeError, match=r"^Cannot call write\(\) after write_eof\(\)$"):
            pair.client.transport.write(b"x")
        await pair.server.eof()
        return pair.client.transport.can_write_eof()


@script
async def write_takes_bytes_only():
    async with Pair() as pair:
        with pytest.raises(TypeError, match="must be a bytes-like object, not 'str'"):
            pair.client.transport.write("text")
        pair.client.transport.write(bytearray(b"array"))
        pair.client.transport.write(memoryview(b"view"))
        pair.client.transport.write(type("Bytes", (bytes,), {})(b"sub"))
        pair.client.transport.write(b"")
        pair.client.transport.writelines([b"a", bytearray(b"b"), memoryview(b"c")])
        await pair.server.received(15)
        return pair.logs


@script
async def closing_twice_and_aborting_is_one_loss():
    async with Pair() as pair:
        pair.client.transport.close()
        pair.client.transport.close()
        pair.client.transport.abort()
        closing = pair.client.transport.is_closing()
        await pair.client.lost()
        await pair.server.lost()
        return closing, pair.logs


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_memory_behaves_as_kernel_tcp(script):
    assert on_memory(script) == on_kernel(script)
