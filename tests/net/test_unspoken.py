"""Servers of other protocols, held by a client that speaks none of them: what went unanswered is named."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import StabilityError
from pytest_wsstability.core.cause import Cause
from tests.net.peers import TEXT, close, frame, talking

pytestmark = pytest.mark.ws_stability(time="virtual")

ENGINEIO = b'0{"sid":"abcDEF0123","upgrades":[],"pingInterval":10000,"pingTimeout":5000,"maxPayload":1000000}'
PUSHER = b'{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"1.2\\"}"}'
DISCORD = b'{"op":10,"d":{"heartbeat_interval":20000},"s":null,"t":null}'
# What the server says when, and how it ends the connection.
SERVERS = {
    "Engine.IO, as python-engineio": ([(0, ENGINEIO), (10, b"2")], (15, close(1000)), "socketio"),
    "Engine.IO, without a close frame": ([(0, ENGINEIO), (10, b"2")], (15, None), "socketio"),
    "Pusher": ([(0, PUSHER), (30, b'{"event":"pusher:ping","data":{}}')], (60, close(4201)), "pusher"),
    "Discord": ([(0, DISCORD)], (25, close(1000)), "discord"),
}


@pytest.mark.parametrize(("says", "ends", "profile"), SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("ours", ["frames", "json"])
async def test_its_heartbeat_that_went_unanswered_is_the_cause(says, ends, profile, ours):
    """And the profile that would answer it."""

    async def script(peer):
        now = 0
        for at, text in says:
            await asyncio.sleep(at - now)
            peer.send(frame(TEXT, text))
            now = at
        at, last = ends
        await asyncio.sleep(at - now)
        if last is not None:
            peer.send(last)
            await peer.gone()

    async with talking(script, profile=ours) as connection:
        with pytest.raises(StabilityError) as caught:
            await connection.assert_alive_for("2m")

    diagnosis = caught.value.verdict.diagnosis
    assert diagnosis.cause in (Cause.HEARTBEAT_UNANSWERED, Cause.ENGINE_IO_PING_TIMEOUT)
    assert f"--ws-profile {profile}" in str(caught.value)
