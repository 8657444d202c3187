"""
A deadline that only messages of the client put off, on a connection that is busy otherwise.

After reports about Swoole (swoole-src 947: pongs do not count), certstream (certstream-server 59: Cowboy
closes with 1000 what says nothing for a minute) and Cobinhood (api-public 22).

"""

import asyncio

import pytest

from pytest_wsstability import Cause, Confidence
from tests.incidents.ended import PLAIN, cause, serving

pytestmark = pytest.mark.ws_stability(time="virtual")


def impatient(seconds, code=None):
    """A server that pings and feeds its clients, and ends one that has sent no message for so long."""

    async def every(pause, say):
        while True:
            await asyncio.sleep(pause)
            await say()

    async def handler(ws):
        tasks = [
            asyncio.ensure_future(each) for each in (every(20, ws.ping), every(3, lambda: ws.send("news")))
        ]
        try:
            while True:
                async with asyncio.timeout(seconds):
                    await ws.recv()
        except TimeoutError:
            await ws.close(code) if code else ws.transport.abort()
        finally:
            for task in tasks:
                task.cancel()

    return handler


@pytest.mark.parametrize("code", [None, 1000])
async def test_clients_that_never_speak_do_not_tell_it_from_an_age(ws_connect, code):
    """Each ends at one age, and that a heartbeat does not help is not known."""
    async with serving(impatient(90, code)) as url:
        held = []
        for _ in range(4):
            held.append(await ws_connect(url, profile=PLAIN, inbox=0))
            await asyncio.sleep(11)
        await asyncio.sleep(100)
        found = await cause(held[0], alive_for="5m")

    assert (found.cause, found.confidence) == (Cause.MAX_AGE, Confidence.LOW), found
    assert found.runner_up is Cause.READ_DEADLINE
    assert "does not help" not in found.remedy
    assert "send a message now and then" in found.remedy


async def test_a_client_that_speaks_is_not_ended(ws_connect):
    """What the advice says helps."""
    async with serving(impatient(90)) as url:
        connection = await ws_connect(url, profile=PLAIN, inbox=0)

        async def speak():
            while True:
                await connection.send("I am here")
                await asyncio.sleep(45)

        speaking = asyncio.create_task(speak())
        await connection.assert_alive_for("5m")
        speaking.cancel()


@pytest.mark.parametrize(("code", "confidence"), [(None, Confidence.LOW), (1000, Confidence.LOW)])
async def test_a_client_that_has_spoken_tells_the_deadline(ws_connect, code, confidence):
    """Its last message is as long before the end as timers are, whether or not a close frame came."""
    async with serving(impatient(60, code)) as url:
        connection = await ws_connect(url, profile=PLAIN, inbox=0)
        for _ in range(3):
            await asyncio.sleep(13)
            await connection.send("I am here")
        found = await cause(connection, alive_for="5m")

    assert (found.cause, found.confidence) == (Cause.READ_DEADLINE, confidence), found
    assert "more often than every 30 s" in found.remedy
