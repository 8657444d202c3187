"""A broker that says in a packet of its protocol why it ends a connection (MQTT 5, section 3.14.2.1)."""

import asyncio

import pytest

from pytest_wsstability import Cause, Confidence
from tests.incidents.ended import cause, serving

pytestmark = pytest.mark.ws_stability(time="virtual")


def broker(code):
    """It confirms a session, answers PINGREQ, and sends DISCONNECT after 47 s."""

    async def handler(ws):
        await ws.recv()
        await ws.send(b"\x20\x03\0\0\0")

        async def end():
            await asyncio.sleep(47)
            await ws.send(bytes([0xE0, 2, code, 0]))
            ws.transport.close()

        ending = asyncio.create_task(end())
        async for _ in ws:
            await ws.send(b"\xd0\0")
        ending.cancel()

    return handler


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x82, Cause.PROTOCOL_ERROR),
        (0x87, Cause.AUTH_EXPIRED),
        (0x8D, Cause.KEEPALIVE_TIMEOUT),
        (0x8E, Cause.SESSION_DUPLICATED),
        (0x95, Cause.MESSAGE_TOO_BIG),
        (0x96, Cause.RATE_LIMITED),
        (0x97, Cause.RATE_LIMITED),
    ],
)
async def test_the_reason_code_of_a_broker_is_the_cause(ws_connect, code, expected):
    """Whatever closes the connection behind it."""
    async with serving(broker(code), subprotocols=["mqtt"]) as url:
        connection = await ws_connect(url, profile="mqtt5", heartbeat="10s", inbox=0)
        found = await cause(connection, alive_for="5m")

    assert (found.cause, found.confidence) == (expected, Confidence.MEDIUM), found
    assert f"DISCONNECT {code:#x}" in found.sentence
