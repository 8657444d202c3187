"""
Ends without a close frame: answers to a resumption, and processes that died.

After reports about discord-api-docs (1619) and hivecommons/hive (5390).

"""

import asyncio
import contextlib
import json

import pytest
import websockets

from pytest_wsstability import Cause, Confidence
from tests.incidents.ended import ASKING, GATEWAY, cause, serving

pytestmark = pytest.mark.ws_stability(time="virtual")


def gateway(refuse, lives=0):
    """A server that confirms a session once, and refuses it from then on."""
    seen = set()

    async def handler(ws):
        await ws.send(json.dumps({"op": 10}))
        async for message in ws:
            told = json.loads(message)
            if told["op"] == 1:
                await ws.send(json.dumps({"op": 11}))
            elif told["session"] in seen:
                return await refuse(ws)
            else:
                seen.add(told["session"])
                await ws.send(json.dumps({"t": "RESUMED", "session": told["session"]}))
                await asyncio.sleep(lives)
                await ws.close(1001)

    return handler


async def reset(ws):
    ws.transport.abort()


async def slow_reset(ws):
    await asyncio.sleep(0.03)
    ws.transport.abort()


async def invalid(ws):
    await ws.close(4007, "session is no longer valid")


async def timed_out(ws):
    await ws.close(4009, "Session timed out.")


async def polite(ws):
    await ws.close(1000)


@pytest.mark.parametrize(
    ("refuse", "expected"),
    [
        (reset, Cause.SESSION_NOT_CONFIRMED),
        (slow_reset, Cause.SESSION_NOT_CONFIRMED),
        (invalid, Cause.SESSION_LOST),
        (timed_out, Cause.SESSION_NOT_CONFIRMED),
        (polite, Cause.SESSION_NOT_CONFIRMED),
    ],
)
@pytest.mark.parametrize("lives", [0, 30])
async def test_a_resumption_that_is_refused(ws_connect, refuse, expected, lives):
    """The session was lost at the server; a new one works. The connection before it shows no restart."""
    async with serving(gateway(refuse, lives)) as url:
        first = await ws_connect(url, profile=GATEWAY, heartbeat="41s")
        await first.wait_closed()
        second = await first.reconnect(within="30s")
        found = await cause(second, alive_for="2m", session_within="5s")

    assert found.cause is expected, found
    assert "session" in found.sentence


async def answer(ws):
    with contextlib.suppress(websockets.ConnectionClosed):
        async for _ in ws:
            await ws.send("pong")


async def test_a_server_that_dies_under_one_connection(ws_connect, ws_clock):
    """A crash or a restart is among the causes, with what separates them; never an idle timeout."""
    async with websockets.serve(answer, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        connection = await ws_connect(url, profile=ASKING, heartbeat="7s", inbox=0)
        asyncio.get_running_loop().call_later(37.3, abort, server)
        found = await cause(connection, alive_for="2m")

    assert (found.cause, found.confidence) == (Cause.RESTART, Confidence.LOW), found
    assert "three connections" in found.experiment
    assert "1001 or 1012" in found.remedy


@pytest.mark.parametrize(("apart", "confidence"), [(0.7, Confidence.MEDIUM), (31.0, Confidence.HIGH)])
async def test_a_server_that_dies_under_three_connections(ws_connect, apart, confidence):
    """All at one instant; of ages seconds apart, a server that sweeps fits too."""
    async with websockets.serve(answer, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        held = []
        for _ in range(3):
            held.append(await ws_connect(url, profile=ASKING, heartbeat="700ms", inbox=0))
            await asyncio.sleep(apart)
        asyncio.get_running_loop().call_later(3.1, abort, server)
        await asyncio.sleep(5)
        found = await cause(held[-1], alive_for="2m")

    assert (found.cause, found.confidence) == (Cause.RESTART, confidence), found
    assert "2 other connections ended within 2 s" in found.sentence


@pytest.mark.parametrize("code", [1001, 1012])
async def test_a_server_that_says_goodbye(ws_connect, code):
    """A close frame of a shutdown is allowed where the requirement says so."""
    async with websockets.serve(answer, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        connection = await ws_connect(url, profile=ASKING, heartbeat="7s", inbox=0)
        await asyncio.sleep(30)
        await asyncio.gather(*(each.close(code, "restarting") for each in server.connections))
        await connection.assert_stable(alive_for="2m", allow_close=[1001, 1012])


def abort(server):
    for each in list(server.connections):
        each.transport.abort()
