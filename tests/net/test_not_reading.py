"""A peer that reads nothing is the cause that is named, in both times, whatever it sends meanwhile."""

from __future__ import annotations

import asyncio
import sys

import pytest

from pytest_wsstability import Orchestrator, StabilityError, faults, run_virtual
from pytest_wsstability.core.cause import Cause
from tests.net.peers import PING, PONG, frame, opened, talking
from tests.net.test_writer import flood

SENDS = pytest.mark.parametrize("sends", [PING, PONG, None], ids=["pings", "pongs", "nothing"])
BEATS = pytest.mark.parametrize("beats", [False, True], ids=["no heartbeats", "heartbeats"])


async def held(connection, beats):
    """What the test says of a connection on which it sends as much as is taken."""
    requirement = {"heartbeat_every": "2s", "heartbeat_within": "1500ms"} if beats else {}

    async def talk():
        while True:
            await connection.send(bytes(60_000))
            await asyncio.sleep(0.01)

    talking_on = asyncio.ensure_future(talk())
    try:
        with pytest.raises(StabilityError) as caught:
            await connection.assert_stable(alive_for="5s", **requirement)
    finally:
        talking_on.cancel()
        connection.websocket.transport.abort()
    return caught.value


async def hold(sends, beats):
    """The same of a peer that reads nothing, and may send a flood."""

    async def script(peer):
        peer.writer.transport.pause_reading()
        if sends is not None:
            await flood(peer, frame(sends, bytes(125)), 20_000)
        await asyncio.sleep(3600)

    async with talking(script, heartbeat="2s" if beats else None) as connection:
        return await held(connection, beats)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="TCP_INFO is Linux's")
@SENDS
@BEATS
def test_it_is_named(sends, beats):
    """With what waits for it in the kernel, and who does not read it."""
    error = asyncio.run(hold(sends, beats))

    assert "the server reads too slowly: " in str(error)
    assert error.verdict.diagnosis.cause is Cause.BACKPRESSURE


@SENDS
@BEATS
def test_it_is_named_in_virtual_time(sends, beats):
    """There is no kernel to ask: what this end could not get rid of tells it."""
    error = run_virtual(hold(sends, beats))

    assert "the server reads nothing: " in str(error)
    assert error.verdict.diagnosis.cause is Cause.BACKPRESSURE


def test_a_handler_that_stops_reading():
    """The fault of the reference server: from the second on at which it reads no more."""

    async def main():
        async with (
            Orchestrator(faults=[("1s", faults.StopReading())], read_deadline=None) as server,
            opened(server.url, heartbeat="2s") as connection,
        ):
            return await held(connection, beats=True)

    assert run_virtual(main()).verdict.diagnosis.cause is Cause.BACKPRESSURE
