"""
How a connection is closed: who answers, who stands still, who waits behind what.

After reports about vert.x (2486), bigbluebutton (10826), wstunnel (400) and deno-websocket (5).

"""

import asyncio

import pytest
import websockets

from pytest_wsstability import Blame, Cause, Confidence, StabilityError, faults
from tests.incidents.ended import ASKING, PLAIN, cause, serving

# The first byte of a close frame, whose payload follows.
CLOSE = 0x88

pytestmark = pytest.mark.ws_stability(time="virtual", profile=PLAIN)


async def answering(ws):
    async for _ in ws:
        await ws.send("pong")


@pytest.mark.parametrize("answers", [False, True])
async def test_a_close_frame_that_nobody_answers(ws_connect, answers):
    """A server that ends the stream in its place; between the two stands who reads the first byte of it."""
    async with serving(answering) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        pumping = []

        async def pump(reader, writer, back=None):
            while data := await reader.read(65536):
                if data[0] == CLOSE and back is not None:
                    back.close()
                    break
                writer.write(data)
            writer.close()

        async def relay(reader, writer):
            upstream = await asyncio.open_connection("127.0.0.1", port)
            pumping.append(asyncio.create_task(pump(reader, upstream[1], None if answers else writer)))
            pumping.append(asyncio.create_task(pump(upstream[0], writer)))

        async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
            there = server.sockets[0].getsockname()[1]
            connection = await ws_connect(f"ws://127.0.0.1:{there}/")
            await connection.close()
            if answers:
                connection.assert_closed(code=1000)
            else:
                with pytest.raises(StabilityError, match="did not answer its close frame") as failure:
                    connection.assert_closed(code=1000)
                assert failure.value.verdict.diagnosis.blame is Blame.SERVER
            for task in pumping:
                task.cancel()


@pytest.mark.ws_orchestrator(faults=[faults.IgnoreClose()])
async def test_a_close_frame_that_the_test_wants_unanswered(ws_orchestrator, ws_connect):
    """Nobody is to blame."""
    connection = await ws_connect(ws_orchestrator.url)
    await connection.close()

    with pytest.raises(StabilityError, match="behind a fault that the test had applied") as failure:
        connection.assert_closed(code=1000)
    assert failure.value.verdict.diagnosis.blame is Blame.NOBODY


async def test_a_busy_server_gives_up_on_all(ws_connect):
    """Connections of all ages, in words that blame each client."""
    live, busy = [], asyncio.Event()

    async def handler(ws):
        live.append(ws)
        await answering(ws)

    async def stand_still():
        await busy.wait()
        for ws in live:
            await ws.close(3000, "No response from heartbeat")

    async with serving(handler) as url:
        task = asyncio.create_task(stand_still())
        made = []
        for _ in range(4):
            made.append(await ws_connect(url, profile=ASKING, heartbeat="5s"))
            await asyncio.sleep(11)
        busy.set()
        await asyncio.gather(*(each.wait_closed() for each in made), task)
        found = await cause(made[0], alive_for="10m")

    assert (found.cause, found.blame) == (Cause.PEER_FROZEN, Blame.SERVER), found


@pytest.mark.parametrize(("size", "is_late"), [(900_000, True), (9_000, False)])
async def test_a_pong_behind_a_download(ws_connect, ws_proxy, size, is_late):
    """Its bytes come all the time, and the keepalive of this end does not count them."""

    async def handler(ws):
        await asyncio.sleep(30)
        for _ in range(4):
            await ws.send(b"x" * size)
        await ws.wait_closed()

    async with serving(handler) as url:
        proxy = await ws_proxy(url, faults=[faults.Bandwidth(40_000)])
        connection = await ws_connect(proxy.url, client="keepalive", inbox=0)
        if not is_late:
            await connection.assert_alive_for("4m")
            return
        found = await cause(connection, alive_for="4m")

    assert found.cause is Cause.PONG_LATE, found


@pytest.mark.ws_orchestrator(ping_interval="30s")
async def test_a_client_that_knows_no_ping(ws_orchestrator):
    """It closes with 1002 in answer to the first."""

    async def client():
        async with websockets.connect(ws_orchestrator.url, ping_interval=None) as ws:
            await asyncio.sleep(30.01)
            await ws.close(1002)

    task = asyncio.create_task(client())
    session = await ws_orchestrator.wait_for_session(within="5s")
    with pytest.raises(StabilityError, match="last a ping") as failure:
        await session.assert_alive_for("5m")
    assert failure.value.verdict.diagnosis.blame is Blame.CLIENT
    await task


@pytest.mark.parametrize("earlier", [0, 2])
async def test_a_polite_end_after_the_same_silence_again_and_again(ws_connect, earlier):
    """One after another, at other ages: no page is left, and no server restarts, so regularly."""

    async def handler(ws):
        try:
            while True:
                async with asyncio.timeout(110):
                    await ws.send(await ws.recv())
        except TimeoutError:
            await ws.close(1001)

    async with serving(handler) as url:
        for spoken in range(earlier):
            connection = await ws_connect(url)
            await asyncio.sleep(20 * (spoken + 1))
            await connection.send("still here")
            await connection.wait_closed()
        found = await cause(await ws_connect(url), alive_for="10m")

    assert (found.cause, found.confidence) == (
        Cause.IDLE_AS_NORMAL,
        Confidence.MEDIUM if earlier else Confidence.LOW,
    ), found
