"""
Opcodes and lengths of a peer go through one function, `Timeline.frame`, whoever has read them.

Whole short frames are read by us, all others by the sans-I/O layer, and those between two ends by the proxy.

"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wsstability import Direction, End, FaultProxy, run_virtual
from pytest_wsstability.core.timeline.events import FRAME_OPCODES
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.net.peers import BINARY, CLOSE, CONT, PING, PONG, TEXT, close, frame, opened, serving
from tests.net.test_fuzzing import look, pieces
from tests.net.test_writer import UPGRADE, quiet_server

payloads = st.sampled_from([0, 1, 125]).map(bytes)
longer = st.sampled_from([0, 1, 125, 126, 65_535, 65_536]).map(bytes)
# What a peer may send, and what it must not: a reserved opcode, a control frame in two parts.
valid = (
    st.tuples(st.sampled_from([PING, PONG]), payloads, st.just(True))
    | st.tuples(st.sampled_from([TEXT, BINARY]), longer, st.just(True))
)  # fmt: skip
wrong = st.tuples(st.sampled_from([*range(3, 8), *range(11, 16)]), payloads, st.just(True)) | st.tuples(
    st.sampled_from([CONT, PING]), payloads, st.just(False)
)
streams = st.tuples(st.lists(valid, max_size=6), st.none() | wrong)


@contextmanager
def traced():
    """Every call of the function, as the end whose record it is, direction, opcode and size."""
    calls, original = [], Timeline.frame

    def frame_(self, now, direction, opcode, size, role, key=None):
        calls.append((self.end, direction, int(opcode), size))
        original(self, now, direction, opcode, size, role, key)

    Timeline.frame = frame_
    try:
        yield calls
    finally:
        Timeline.frame = original


def wire(stream, *, masked):
    frames, broken = stream
    last = [broken] if broken is not None else [(CLOSE, close(1000)[2:], True)]
    return b"".join(frame(op, data, fin=fin, masked=masked) for op, data, fin in [*frames, *last])


async def to_a_client(stream, cut):
    """The server is the peer; a proxy lies between."""

    async def script(peer):
        await peer.upgrade()
        for piece in pieces(wire(stream, masked=False), cut):
            peer.send(piece)
            await asyncio.sleep(0.001)
        await asyncio.sleep(1)

    async with serving(script) as url, FaultProxy(url) as proxy:
        async with opened(proxy.url, profile="frames") as connection:
            await connection.wait_closed()
        return connection.timeline, proxy.connections[0].timeline


async def to_a_server(stream, cut):
    """The client is the peer."""
    async with quiet_server(profile="frames") as orchestrator, FaultProxy(orchestrator.url) as proxy:
        host, port = proxy.url.removeprefix("ws://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(UPGRADE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces(wire(stream, masked=True), cut):
            writer.write(piece)
            await asyncio.sleep(0.001)
        await asyncio.sleep(1)
        writer.close()
        connection = orchestrator.sessions[-1].connection
        await connection.wait_closed()
        return connection.timeline, proxy.connections[0].timeline


@pytest.mark.parametrize(
    ("way", "end", "towards"),
    [(to_a_client, End.CLIENT, Direction.RECEIVED), (to_a_server, End.SERVER, Direction.SENT)],
)
@look
@given(stream=streams, cut=st.integers(1, 70_000))
def test_whoever_reads_a_frame_records_it_there(way, end, towards, stream, cut):
    """Each valid frame once at its end and once at the proxy, in order, and nothing else counts it."""
    with traced() as calls:
        timeline, between = run_virtual(way(stream, max(cut, len(wire(stream, masked=True)) // 50 + 1)))

    frames = [(opcode, len(data)) for opcode, data, _ in stream[0]]
    if stream[1] is None:
        frames.append((CLOSE, 2))
    read = [(op, size) for who, way_, op, size in calls if (who, way_) == (end, Direction.RECEIVED)]
    passed = [(op, size) for who, way_, op, size in calls if (who, way_) == (End.PROXY, towards)]
    assert read == frames
    # A proxy passes what an end refuses; what has an opcode of RFC 6455 is on its record too.
    assert passed[: len(frames)] == frames
    assert all(opcode in FRAME_OPCODES for _, _, opcode, _ in calls)
    assert timeline.count(Direction.RECEIVED) == len(read)
    assert between.count(towards) == len(passed)
