"""
What a server says before it goes, in no words of the profile.

After reports about Polygon (issues 49) and pyTwitchAPI (286), and OKX's documentation of its notices.

"""

import asyncio
import itertools
import json

import pytest

from pytest_wsstability import Cause, Confidence
from tests.incidents.ended import PLAIN, cause, serving

pytestmark = pytest.mark.ws_stability(time="virtual", profile=PLAIN)

FULL = [{"ev": "status", "status": "max_connections", "message": "Maximum number of connections exceeded."}]
UPGRADE = {
    "event": "notice",
    "code": "64008",
    "msg": "The connection will soon be closed for a service upgrade. Please reconnect.",
}


def feed(last_words, *, wait=0.0, every=1.0, until=60):
    """A server whose feed ends with these words, and whose connection is cut so long after them."""

    async def handler(ws):
        for number in itertools.count(1):
            await asyncio.sleep(every)
            if number == until:
                break
            await ws.send(json.dumps([{"ev": "T", "p": number}]))
        await ws.send(json.dumps(last_words))
        await asyncio.sleep(wait)
        ws.transport.close()

    return handler


@pytest.mark.parametrize(
    ("last_words", "wait", "told", "confidence", "words"),
    [
        # A second connection with the same key; 60 s are a timer's length too.
        (FULL, 0, Cause.OVERLOADED, Confidence.LOW, "Maximum number of connections exceeded"),
        # OKX says it 30 s before.
        (UPGRADE, 30, Cause.RESTART, Confidence.MEDIUM, "it announced the end"),
        ({"type": "RECONNECT"}, 30, Cause.RESTART, Confidence.MEDIUM, "it announced the end"),
        # The feed just stopped.
        ([{"ev": "T", "p": 0}], 30, Cause.IDLE_TIMEOUT, Confidence.MEDIUM, "an idle timeout of 30 s"),
    ],
)
async def test_a_cut_that_words_explain(ws_connect, last_words, wait, told, confidence, words):
    """And no timer that fits by chance."""
    async with serving(feed(last_words, wait=wait)) as url:
        connection = await ws_connect(url, inbox=0)
        found = await cause(connection, alive_for="5m")

    assert (found.cause, found.confidence) == (told, confidence), found
    assert words in found.sentence
