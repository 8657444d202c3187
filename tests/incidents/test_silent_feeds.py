"""
A subscription that is over on a connection that lives.

After reports about Bittrex (105, Bittrex.Net 211), medplum (8425), supabase (16684) and realtime-js (246).

"""

import asyncio
import itertools
import json

import pytest

from pytest_wsstability import Cause, Confidence
from pytest_wsstability.profiles import Profile
from tests.incidents.ended import cause, insert, phoenix, serving

pytestmark = pytest.mark.ws_stability(time="virtual")

FEED = Profile(name="feed", ping={"op": "ping"}, pong={"op": "pong"}, sequence="seq")
FRAMES = Profile(name="frames-and-feed")
REALTIME = Profile(
    name="realtime",
    session_info={"event": "phx_join", "topic": "{session_id}"},
    session_confirmed={"event": "phx_reply", "topic": "{session_id}"},
    ping={"event": "heartbeat"},
    pong={"event": "phx_reply", "topic": "phoenix"},
    error={"event": "system", "status": "error"},
)


def subscription(last, every=1):
    """A server whose feed ends after the last message; heartbeats are answered for ever."""

    async def handler(ws):
        async def speak():
            for number in range(1, last):
                await asyncio.sleep(every)
                await ws.send(json.dumps({"seq": number}))

        speaking = asyncio.create_task(speak())
        async for _ in ws:
            await ws.send(json.dumps({"op": "pong"}))
        speaking.cancel()

    return handler


@pytest.mark.parametrize(
    ("last", "every", "profile", "within"),
    [(3600, 1, FEED, "10s"), (20, 15, FEED, "50s"), (100, 2, FRAMES, "10s")],
)
async def test_a_feed_that_stops(ws_connect, last, every, profile, within):
    """The connection lives, and what was subscribed to does not."""
    async with serving(subscription(last, every), ping_interval=20) as url:
        connection = await ws_connect(url, profile=profile, heartbeat="25s", inbox=0)
        found = await cause(connection, alive_for="2h", message_every=within)

    assert found.cause is Cause.ONE_WAY_DEAD, found
    assert found.confidence is Confidence.MEDIUM
    assert "the connection lives, but what was subscribed to does not" in found.sentence
    assert "subscribe again" in found.remedy


def beating(messages):
    """A server that tells so many messages, and heartbeats for ever, which nobody has to answer (Kraken)."""

    async def handler(ws):
        for second in itertools.count(1):
            await asyncio.sleep(1)
            if second <= messages:
                await ws.send(json.dumps({"channel": "ohlc"}))
            await ws.send(json.dumps({"channel": "heartbeat"}))

    return handler


@pytest.mark.parametrize(
    ("messages", "confidence", "words"),
    [
        (0, Confidence.LOW, "the connection lives, and no stream of messages began in 30 s"),
        (90, Confidence.MEDIUM, "no message came for 30 s, since 90 s"),
    ],
)
async def test_heartbeats_of_the_server_go_on(ws_connect, messages, confidence, words):
    """They show that the connection lives, where a subscription was acknowledged and brings nothing."""
    kraken = Profile(name="kraken", ping={"channel": "heartbeat"}, heartbeats_from="server")
    async with serving(beating(messages)) as url:
        connection = await ws_connect(url, profile=kraken, inbox=0)
        found = await cause(connection, alive_for="10m", message_every="30s")

    assert (found.cause, found.confidence) == (Cause.ONE_WAY_DEAD, confidence)
    assert words in found.sentence
    assert found.sentence.endswith("the server sends heartbeats or pings")


async def test_a_feed_that_goes_on(ws_connect):
    """Nothing to say of it."""
    async with serving(subscription(10_000)) as url:
        connection = await ws_connect(url, profile=FEED, heartbeat="25s", inbox=0)
        await connection.assert_stable(alive_for="10m", message_every="10s")


def channel(said):
    """A server that says in a message that it goes on no longer, and keeps the connection open."""

    async def events(ws):
        await insert(ws, 30)
        await ws.send(json.dumps({"event": "system", "status": "error", "message": said}))

    return phoenix(events)


@pytest.mark.parametrize("role", ["error", "notice"])
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("access token has expired", Cause.AUTH_EXPIRED),
        ("Too many messages per second", Cause.RATE_LIMITED),
        ("tenant is being restarted", Cause.RESTART),
    ],
)
async def test_an_error_message_and_silence(ws_connect, said, expected, role):
    """Red, with what the server said and since when no event came, whatever the profile calls the message."""
    profile = REALTIME.replace(**{"error": None, role: REALTIME.error})
    async with serving(channel(said)) as url:
        connection = await ws_connect(url, profile=profile, heartbeat="25s", inbox=0)
        found = await cause(connection, alive_for="1h", heartbeat_every="25s", session_within="5s")

    assert found.cause is expected, found
    assert said in found.sentence
