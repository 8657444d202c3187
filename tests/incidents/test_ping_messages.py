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


PING, PONG = {"type": "ping"}, {"type": "pong"}
ALIKE = Profile(name="alike", ping=PING, pong=PONG)


def asking_alike(first, every, patience=None):
    """A server that answers pings, and asks in the same words; with `patience`, it cuts who is silent."""

    async def handler(ws):
        async def ask():
            await asyncio.sleep(first)
            while True:
                answered.clear()
                await ws.send(json.dumps(PING))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(patience or every):
                        await answered.wait()
                if patience and not answered.is_set():
                    return ws.transport.abort()
                await asyncio.sleep(every)

        answered = asyncio.Event()
        task = asyncio.create_task(ask())
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in ws:
                if json.loads(message) == PING:
                    await ws.send(json.dumps(PONG))
                else:
                    answered.set()
        task.cancel()

    return handler


@pytest.mark.ws_stability(time="virtual", profile=ALIKE)
@pytest.mark.parametrize("first", [2, 6])
async def test_both_ends_ask_in_the_same_words(ws_connect, first):
    """Where the server asked first, the client's were none: "the server sent no heartbeat", high."""
    async with serving(asking_alike(first, 7)) as url:
        connection = await ws_connect(url, heartbeat="5s", inbox=0)
        await connection.assert_alive_for("2m")
        connection.assert_heartbeats_answered(within="1s", at_least=23)


@pytest.mark.ws_stability(time="virtual", profile=ALIKE)
@pytest.mark.parametrize("first", [2, 6])
async def test_a_ping_in_the_words_of_the_client_that_is_not_answered(ws_connect, first):
    """It was a restart, with low confidence."""
    async with serving(asking_alike(first, 7, patience=10)) as url:
        connection = await ws_connect(url, heartbeat="5s", inbox=0)
        found = await cause(connection, alive_for="2m")

    assert (found.cause, found.confidence) == (Cause.HEARTBEAT_UNANSWERED, Confidence.MEDIUM)
    assert f"does not answer at {first} s; nothing was said to it, and 10 s later" in found.sentence
