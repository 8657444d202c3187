"""
Pongs that were late because other bytes were in front of them.

After reports about sockjs-node (169), shiny-server-client (25), autobahn-python (1327), websockets (1005,
865) and aiohttp (12030).

"""

import asyncio
import contextlib

import pytest
import websockets

from pytest_wsstability import Cause, Confidence, faults
from tests.incidents.ended import ASKING, PLAIN, cause, serving

pytestmark = pytest.mark.ws_stability(time="virtual", profile=PLAIN)

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
SOCKJS = (3000, "No response from heartbeat")


def impatient(patience, end, sends=()):
    """A server that pings each 25 s, sends messages (at, size), and ends who answers no ping in time."""

    async def handler(ws):
        async def heart():
            while True:
                await asyncio.sleep(25)
                try:
                    async with asyncio.timeout(patience):
                        await (await ws.ping())
                except TimeoutError:
                    return await ws.close(*end) if end else ws.transport.abort()

        async def send():
            for at, size in sends:
                await asyncio.sleep(at)
                await ws.send(b"x" * size)

        tasks = [asyncio.create_task(each) for each in (heart(), send())]
        with contextlib.suppress(websockets.ConnectionClosed):
            async for _ in ws:
                pass
        for task in tasks:
            task.cancel()

    return handler


ONE_LARGE = [(20, 600_000)]
MANY = [(20 if number == 0 else 0.001, 30_000) for number in range(20)]


@pytest.mark.parametrize(
    ("end", "sends", "confidence"),
    [
        (SOCKJS, ONE_LARGE, HIGH),
        # Many messages are in front of the ping, with other codes, without words, and without a close frame.
        ((1011, "keepalive ping timeout"), MANY, HIGH),
        ((1008, "ping timeout"), ONE_LARGE, HIGH),
        ((1001, ""), MANY, MEDIUM),
        (None, ONE_LARGE, MEDIUM),
    ],
)
async def test_a_ping_behind_what_the_server_sends_on_a_slow_link(
    ws_connect, ws_proxy, end, sends, confidence
):
    """The client answers as soon as the ping comes; no word of authentication, whatever 3000 is elsewhere."""
    async with serving(impatient(10, end, sends)) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(10_000)])
        found = await cause(await ws_connect(proxy.url, inbox=0), alive_for="5m")

    assert found.cause in (Cause.PONG_LATE, Cause.SLOW_CONSUMER), found
    assert found.confidence is confidence
    assert Cause.AUTH_EXPIRED not in (found.cause, *found.alternatives)
    assert any(word in found.sentence for word in ("behind", "late", "still on its way"))


@pytest.mark.parametrize(
    ("end", "confidence"),
    [((4000, "heartbeat timeout"), HIGH), ((4000, ""), MEDIUM), ((1000, ""), MEDIUM), (None, MEDIUM)],
)
async def test_a_heartbeat_message_behind_what_the_server_sends_on_a_slow_link(
    ws_connect, ws_proxy, end, confidence
):
    """The server asks with a message of its protocol, and its own download is in front of it."""

    async def handler(ws):
        answers = asyncio.Queue()

        async def heart():
            await asyncio.sleep(25)
            await ws.send("ping")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    return await answers.get()
            return await ws.close(*end) if end else ws.transport.abort()

        beating = asyncio.ensure_future(heart())
        await asyncio.sleep(20)
        with contextlib.suppress(websockets.ConnectionClosed):
            await ws.send("x" * 600_000)
            async for message in ws:
                answers.put_nowait(message)
        await beating

    async with serving(handler) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(10_000)])
        found = await cause(await ws_connect(proxy.url, inbox=0, profile=ASKING), alive_for="5m")

    assert (found.cause, found.confidence) == (Cause.PONG_LATE, confidence), found
    assert "wait longer" in found.remedy


async def test_a_patient_server_on_the_same_link(ws_connect, ws_proxy):
    """With time for a pong nothing ends."""
    async with serving(impatient(120, SOCKJS, ONE_LARGE)) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(10_000)])
        connection = await ws_connect(proxy.url, inbox=0)
        await connection.assert_alive_for("5m")


@pytest.mark.parametrize(("size", "times"), [(600_000, 1), (20_000, 30)])
async def test_answers_behind_what_the_server_sends_on_a_slow_link(ws_connect, ws_proxy, size, times):
    """Nobody stopped in the middle of a frame: bytes come all the time, of one message or of many."""

    async def handler(ws):
        async def send():
            await asyncio.sleep(20)
            for _ in range(times):
                await ws.send(b"x" * size)

        task = asyncio.ensure_future(send())
        with contextlib.suppress(websockets.ConnectionClosed):
            async for _ in ws:
                await ws.send("pong")
        task.cancel()

    async with serving(handler) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(15_000)])
        connection = await ws_connect(proxy.url, inbox=0, heartbeat="5s", profile=ASKING)
        found = await cause(connection, alive_for="2m", heartbeat_every="5s", heartbeat_within="10s")

    assert Cause.SLOW_ANSWERS in (found.cause, *found.alternatives), found
    assert Cause.HALF_FRAME is not found.cause
    assert found.cause is Cause.SLOW_ANSWERS or found.confidence is Confidence.LOW
    assert "wait behind it" in found.sentence


@pytest.mark.parametrize(
    ("size", "times", "ping_timeout"), [(1_000_000, 1, 20), (64_000, 15, 20), (2_000_000, 1, 40)]
)
async def test_a_pong_behind_the_clients_own_upload(
    ws_connect, ws_proxy, ws_clock, size, times, ping_timeout
):
    """Bytes flow all the time, and the server counts pongs only: one message, several, a longer timeout."""

    async def thanks(ws):
        async for _ in ws:
            await ws.send("thanks")

    async with serving(thanks, ping_interval=20, ping_timeout=ping_timeout) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(16_000)])
        connection = await ws_connect(proxy.url, inbox=0, compression=None)
        await ws_clock.advance("10s")
        sending = asyncio.create_task(upload(connection, size, times))
        found = await cause(connection, alive_for="4m")
        await asyncio.gather(sending, return_exceptions=True)

    assert (found.cause, found.confidence) == (Cause.PONG_LATE, HIGH), found
    assert "late, not missing" in found.sentence
    assert "smaller messages" in found.remedy


async def test_a_pong_behind_an_upload_that_a_session_timeout_ends(ws_connect, ws_proxy, ws_clock):
    """Its words do not say what it waited for: the pong was on its way."""
    async with serving(impatient(10, (4009, "Session timed out"))) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(16_000)])
        connection = await ws_connect(proxy.url, inbox=0, compression=None)
        await ws_clock.advance("20s")
        sending = asyncio.create_task(upload(connection, 33_000, 30))
        found = await cause(connection, alive_for="3m")
        await asyncio.gather(sending, return_exceptions=True)

    assert Cause.PONG_LATE in (found.cause, *found.alternatives), found
    assert "still on its way" in found.sentence


def waiting(seconds, end):
    """A server that ends who has not sent a whole message for so long."""

    async def handler(ws):
        try:
            while True:
                async with asyncio.timeout(seconds):
                    await ws.recv()
        except TimeoutError:
            await ws.close(*end) if end else ws.transport.abort()

    return handler


@pytest.mark.parametrize("heartbeat", ["25s", None])
@pytest.mark.parametrize(
    ("end", "confidence"),
    [((1001, "idle"), MEDIUM), ((1000, "heartbeat timeout"), MEDIUM), ((1000, ""), LOW), (None, LOW)],
)
async def test_a_deadline_that_waits_for_whole_messages(
    ws_connect, ws_proxy, ws_clock, heartbeat, end, confidence
):
    """A large message of the client is on its way: nobody was silent."""
    async with serving(waiting(40, end)) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(16_000)])
        connection = await ws_connect(
            proxy.url, inbox=0, compression=None, profile=ASKING, heartbeat=heartbeat
        )
        await ws_clock.advance("10s")
        sending = asyncio.create_task(upload(connection, 1_500_000, 1))
        found = await cause(connection, alive_for="3m")
        await asyncio.gather(sending, return_exceptions=True)

    assert (found.cause, found.confidence) == (Cause.READ_DEADLINE, confidence), found
    assert "on its way since 10 s" in found.sentence
    assert "smaller messages" in found.remedy


async def upload(connection, size, times):
    for _ in range(times):
        await connection.send(b"x" * size)
