"""
A second connection with the id of the first, of which the server allows one.

After a report about AWS IoT (aws-mqtt-websockets 22), whose clients ended each other's connections every few
seconds.

"""

import asyncio
import json

import pytest

from pytest_wsstability import Cause, Confidence
from pytest_wsstability.profiles import Profile
from tests.incidents.ended import PLAIN, cause, serving

pytestmark = pytest.mark.ws_stability(time="virtual")

BROKER = Profile(
    name="broker",
    session_info={"connect": "{session_id}"},
    session_confirmed={"connected": "{session_id}"},
    ping="ping",
    pong="pong",
)


def broker(code):
    """A server that ends the older of two connections with one id, with a close frame or without."""
    present = {}

    async def handler(ws):
        name = json.loads(await ws.recv())["connect"]
        older, present[name] = present.get(name), ws
        if older is not None and code is None:
            older.transport.abort()
        elif older is not None:
            await older.close(code)
        await ws.send(json.dumps({"connected": name}))
        async for _ in ws:
            await ws.send("pong")

    return handler


@pytest.mark.parametrize("code", [None, 1000, 4000])
@pytest.mark.parametrize("second", ["sensor-1", "sensor-2"])
async def test_two_clients_with_one_id(ws_connect, code, second):
    """The first ends when the second comes; with an id of its own it does not."""
    async with serving(broker(code)) as url:
        first = await ws_connect(url, profile=BROKER, session_id="sensor-1", heartbeat="5s")
        await asyncio.sleep(33)
        await ws_connect(url, profile=BROKER, session_id=second, heartbeat="5s")
        if second != "sensor-1":
            await first.assert_alive_for("2m")
            return
        found = await cause(first, alive_for="2m")

    assert (found.cause, found.confidence) == (Cause.SESSION_DUPLICATED, Confidence.MEDIUM), found
    assert "an id of its own" in found.remedy


async def test_a_client_that_comes_back_at_once_has_ended_nothing(ws_connect):
    """Its second connection has the id of the first, and comes of its end."""

    async def handler(ws):
        await ws.send(json.dumps({"connected": json.loads(await ws.recv())["connect"]}))
        await asyncio.sleep(33)
        ws.transport.abort()

    async with serving(handler) as url:
        first = await ws_connect(url, profile=BROKER, session_id="sensor-1")
        await first.wait_closed()
        await ws_connect(url, profile=BROKER, session_id="sensor-1")
        found = await cause(first, alive_for="2m")

    assert Cause.SESSION_DUPLICATED not in (found.cause, *found.alternatives), found


async def test_a_client_that_opens_another_before_a_limit_on_the_age_may_have_ended_nothing(ws_connect):
    """A hand-over: the old one ends at its age, and not because of the new one."""

    async def handler(ws):
        await ws.send(json.dumps({"connected": json.loads(await ws.recv())["connect"]}))
        await asyncio.sleep(60)
        ws.transport.abort()

    async with serving(handler) as url:
        first = await ws_connect(url, profile=BROKER, session_id="sensor-1")
        await asyncio.sleep(59.5)
        await ws_connect(url, profile=BROKER, session_id="sensor-1")
        found = await cause(first, alive_for="2m")

    assert found.confidence is Confidence.LOW
    assert Cause.MAX_AGE in found.alternatives, found


@pytest.mark.parametrize("code", [None, 1000])
async def test_a_server_that_allows_one_client(ws_connect, code):
    """As VNC does that is not shared: no id tells it, so it is one cause among others."""
    present = []

    async def handler(ws):
        for older in present:
            await older.close(code) if code else older.transport.abort()
        present[:] = [ws]
        while True:
            await asyncio.sleep(3)
            await ws.send("a picture")

    async with serving(handler) as url:
        first = await ws_connect(url, profile=PLAIN, inbox=0)
        await asyncio.sleep(34)
        await ws_connect(url, profile=PLAIN, inbox=0)
        found = await cause(first, alive_for="2m")

    assert Cause.SESSION_DUPLICATED in found.alternatives, found
    assert found.confidence is Confidence.LOW


def charge_points(code):
    """A server that refuses the younger of two connections with one id."""
    present = set()

    async def handler(ws):
        name = json.loads(await ws.recv())["connect"]
        if name in present and code is None:
            ws.transport.abort()
            return
        if name in present:
            await ws.close(code)
            return
        present.add(name)
        await ws.send(json.dumps({"connected": name}))
        async for _ in ws:
            await ws.send("pong")

    return handler


@pytest.mark.parametrize("code", [None, 1000, 4000])
@pytest.mark.parametrize("second", ["charger-1", "charger-2"])
async def test_a_client_that_comes_back_while_its_old_connection_is_open(ws_connect, code, second):
    """After reports of chargers whose path had died (ocpp-go 314, 358): the server has the old one still."""
    async with serving(charge_points(code)) as url:
        await ws_connect(url, profile=BROKER, session_id="charger-1", heartbeat="5s")
        await asyncio.sleep(33)
        younger = await ws_connect(url, profile=BROKER, session_id=second, heartbeat="5s")
        if second != "charger-1":
            await younger.assert_alive_for("2m")
            return
        found = await cause(younger, alive_for="2m")

    assert (found.cause, found.confidence) == (Cause.SESSION_DUPLICATED, Confidence.MEDIUM), found
    assert found.remedy.startswith("close the old connection before the new one")


async def test_a_client_that_comes_back_after_its_old_connection_has_ended(ws_connect):
    """That one takes no place any more: what is refused is the session."""
    async with serving(charge_points(1000)) as url:
        older = await ws_connect(url, profile=BROKER, session_id="charger-1", heartbeat="5s")
        await asyncio.sleep(33)
        await older.close()
        found = await cause(
            await ws_connect(url, profile=BROKER, session_id="charger-1", heartbeat="5s"), alive_for="2m"
        )

    assert (found.cause, found.confidence) == (Cause.SESSION_NOT_CONFIRMED, Confidence.MEDIUM), found
