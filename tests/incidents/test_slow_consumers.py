"""
A feed that is faster than its client's link.

After reports about xrpl-dev-portal (1679), zeek/broker (442) and openclaw (146419).

"""

import asyncio

import pytest

from pytest_wsstability import Cause, Confidence, faults
from tests.incidents.ended import PLAIN, cause, serving

pytestmark = pytest.mark.ws_stability(time="virtual", profile=PLAIN)

HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM


def feed(end):
    """A server whose queue for the client overflows."""

    async def handler(ws):
        queue = asyncio.Queue(512)

        async def pump():
            while True:
                await ws.send(await queue.get())

        pumping = asyncio.create_task(pump())
        try:
            while True:
                await asyncio.sleep(0.02)
                queue.put_nowait(b"x" * 2000)
        except asyncio.QueueFull:
            pumping.cancel()
            if end is not None:
                await ws.close(*end)
            ws.transport.abort()
        finally:
            pumping.cancel()

    return handler


@pytest.mark.parametrize(
    ("end", "confidence"),
    [
        ((1008, "Policy error: client is too slow."), HIGH),
        ((1000, ""), MEDIUM),
        (None, MEDIUM),
        # NATS, Centrifugo, and a queue that says so.
        ((1011, "Slow Consumer"), HIGH),
        ((3008, "slow"), HIGH),
        ((4000, "send queue overflow"), HIGH),
        ((1008, ""), MEDIUM),
        # It says no more than "later": the proxy shows who is slow.
        ((1013, "Try again later"), MEDIUM),
    ],
)
async def test_a_client_that_is_thrown_out_of_a_feed(ws_connect, ws_proxy, end, confidence):
    """A slow consumer, by its words or by what the proxy shows; no authentication."""
    async with serving(feed(end)) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(40_000)])
        found = await cause(await ws_connect(proxy.url, inbox=0), alive_for="2m")

    assert (found.cause, found.confidence) == (Cause.SLOW_CONSUMER, confidence), found
    assert Cause.AUTH_EXPIRED not in found.alternatives
    assert "takes messages slower than they are sent" in found.sentence


async def test_a_link_that_is_fast_enough(ws_connect, ws_proxy):
    """Nothing is thrown out."""
    async with serving(feed((1008, "client is too slow"))) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(400_000)])
        await (await ws_connect(proxy.url, inbox=0)).assert_alive_for("10s")
