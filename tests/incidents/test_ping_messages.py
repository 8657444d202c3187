"""
Servers that ask in a message of their own whether the client lives, and end who does not answer.

After reports about Rocket.Chat (7786) and ObjectiveDDP (75), and tRPC's keepAlive.

"""

import asyncio
import contextlib
import json

import pytest
import websockets

from pytest_wsstability import Cause, Confidence
from pytest_wsstability.profiles import Profile
from tests.incidents.ended import PLAIN, cause, serving

QUERY = json.dumps({"id": 1, "method": "query"})


def asking(ping, patience, end):
    """A server that asks each 30 s, answers what it is asked, and ends who says nothing to its ping."""

    async def handler(ws):
        async def ask():
            while True:
                await asyncio.sleep(30)
                answered.clear()
                await ws.send(ping)
                try:
                    async with asyncio.timeout(patience):
                        await answered.wait()
                except TimeoutError:
                    return await ws.close(end) if end else ws.transport.abort()

        answered = asyncio.Event()
        task = asyncio.create_task(ask())
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in ws:
                answered.set()
                if message == QUERY:
                    await ws.send(json.dumps({"id": 1, "result": []}))
        task.cancel()

    return handler


@pytest.mark.ws_stability(time="virtual", profile=PLAIN)
@pytest.mark.parametrize(("ping", "patience", "end"), [("PING", 5, None), ('{"msg":"ping"}', 15, 1000)])
async def test_a_ping_message_that_is_not_answered(ws_connect, ping, patience, end):
    """It was a maximum age of 35 s, or a close on purpose, with low confidence."""
    async with serving(asking(ping, patience, end)) as url:
        connection = await ws_connect(url, inbox=0)
        await connection.send(QUERY)
        found = await cause(connection, alive_for="2m")

    assert (found.cause, found.confidence) == (Cause.HEARTBEAT_UNANSWERED, Confidence.MEDIUM)
    assert f"at 30 s; nothing was said to it, and {patience} s later" in found.sentence


@pytest.mark.ws_stability(
    time="virtual", profile=Profile(name="trpc", ping="PING", pong="PONG", heartbeats_from="server")
)
async def test_a_profile_that_has_it_answers(ws_connect):
    """What the failure says to write."""
    async with serving(asking("PING", 5, None)) as url:
        connection = await ws_connect(url, inbox=0)
        await connection.assert_alive_for("2m")

    assert connection.timeline.unknown_ping_at is None
