"""An app in this process that answers no heartbeat: no path is blamed, unless the test has broken one."""

from __future__ import annotations

import pytest

# Takes all messages at once, as Falcon and Quart do, and hangs behind the second.
AHEAD = """
import asyncio
import pytest

@pytest.fixture
def ws_app():
    async def handle(messages, send):
        for _ in range({answers}):
            await messages.get()
            await send({{"type": "websocket.send", "text": '{{"type": "pong"}}'}})
        await asyncio.Event().wait()

    async def app(scope, receive, send):
        assert scope["type"] == "websocket"
        await receive()
        await send({{"type": "websocket.accept"}})
        messages = asyncio.Queue()
        task = asyncio.create_task(handle(messages, send))
        while (message := await receive())["type"] != "websocket.disconnect":
            messages.put_nowait(message)
        task.cancel()

    return app
"""
# websockets reads ahead by itself, and nobody watches what it takes.
HANDLER = """
import asyncio
import pytest

@pytest.fixture
def ws_app():
    async def handler(connection):
        for _ in range({answers}):
            await connection.recv()
            await connection.send('{{"type": "pong"}}')
        await connection.wait_closed()

    return handler
"""
HOLD = """
@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="25s", heartbeat_within="5s")
def test_it(ws_soak): ...
"""
DIRECT = """
async def test_it(ws_connect):
    connection = await ws_connect(heartbeat="15s")
    await asyncio.sleep(55)
    connection.assert_heartbeats_answered(within="5s")
"""
# Closed by the block, before the failure is told or before anything is asserted.
CLOSED = [
    """
async def test_it(ws_connect):
    async with ws_connect(heartbeat="15s") as connection:
        await connection.assert_stable(alive_for="10m", heartbeat_every="15s", heartbeat_within="5s")
""",
    """
async def test_it(ws_connect):
    async with ws_connect(heartbeat="15s") as connection:
        await asyncio.sleep(55)
    connection.assert_heartbeats_answered(within="5s")
""",
]
FLEET = """
@pytest.mark.ws_stability(
    alive_for="10m", heartbeat_every="25s", heartbeat_within="5s", connections=20, ramp="10s"{more}
)
async def test_it(ws_fleet): ...
"""
# Through the fixture, and through a proxy that nobody but the test knows.
BROKEN = [
    """
from pytest_wsstability import faults

async def test_it(ws_connect, ws_proxy):
    proxy = await ws_proxy(faults=[("60s", faults.Blackhole())])
    connection = await ws_connect(proxy.url, heartbeat="25s")
    await asyncio.sleep(90)
    connection.assert_heartbeats_answered(within="5s")
""",
    """
from pytest_wsstability import FaultProxy, faults

async def test_it(ws_connect, ws_url):
    async with FaultProxy(ws_url, faults=[("60s", faults.Blackhole())]) as proxy:
        connection = await ws_connect(proxy.url, heartbeat="25s")
        await asyncio.sleep(90)
        connection.assert_heartbeats_answered(within="5s")
""",
    """
from pytest_wsstability import FaultProxy, faults

async def test_it(ws_connect, ws_url):
    async with FaultProxy(ws_url, faults=[("60s", faults.Blackhole())]) as proxy:
        connection = await ws_connect(address=proxy.address, heartbeat="25s")
        await asyncio.sleep(90)
        connection.assert_heartbeats_answered(within="5s")
""",
]
HUNG = "server stopped answering heartbeats at 75 s: its app hangs"


def test_an_app_that_took_a_heartbeat_and_hangs_is_the_cause(failure):
    """It has asked for the next message, and sent nothing since."""
    pytest.importorskip("uvicorn")
    printed = failure(AHEAD.format(answers=2) + HOLD)

    assert HUNG in printed
    assert "(confidence high, blame server)" in printed
    assert "  evidence  the server's app at 75 s: it took a message, and has sent none since" in printed


@pytest.mark.parametrize(
    ("test", "at"), [(HOLD, "75 s"), (DIRECT, "45 s"), *((test, "45 s") for test in CLOSED)]
)
def test_nor_is_a_path_blamed_where_nobody_sees_what_a_handler_takes(failure, test, at):
    """No frame is lost in memory."""
    printed = failure(HANDLER.format(answers=2) + test)

    assert HUNG.replace("75 s", at) in printed
    assert "(confidence medium, blame server)" in printed
    assert "half-open" not in printed


def test_one_that_has_never_answered_may_not_know_the_heartbeat(failure):
    printed = failure(HANDLER.format(answers=0) + HOLD)

    assert "no heartbeat was ever answered: does the server know it?" in printed
    assert "half-open" not in printed


@pytest.mark.parametrize("app", [AHEAD, HANDLER])
@pytest.mark.parametrize("test", BROKEN)
def test_a_path_that_the_test_has_broken_is_blamed(failure, app, test):
    """By a proxy that lets nothing pass any more."""
    pytest.importorskip("uvicorn")
    printed = failure(app.format(answers=9) + test)

    assert "blame path" in printed
    assert "its app hangs" not in printed


@pytest.mark.parametrize("more", ["", ", options_of=lambda number: {'session_id': f'c-{number}'}"])
def test_nor_is_a_path_blamed_for_the_connections_of_a_fleet(failure, more):
    """Each of which leads to the app itself."""
    printed = failure(HANDLER.format(answers=2) + FLEET.format(more=more))

    assert "20 an application that does nothing behind a connection that lives" in printed
    assert "its app hangs" in printed
    assert "half-open" not in printed


PROXIED = """
import pytest_asyncio
from pytest_wsstability import faults

@pytest_asyncio.fixture
async def ws_url(ws_proxy, ws_url):
    return (await ws_proxy(ws_url, faults=[("60s", faults.Blackhole())])).url
"""


def test_a_path_that_the_test_has_broken_is_blamed_in_a_fleet(failure):
    """By a proxy in front of the app."""
    printed = failure(HANDLER.format(answers=9) + PROXIED + FLEET.format(more=""))

    assert "half-open" in printed
    assert "its app hangs" not in printed
