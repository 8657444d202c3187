"""
Breaking the way between client and server on purpose, and the boxes that stand there.

The same faults act on the in-process network and, in real time, in a proxy over TCP.

"""

import pytest

from pytest_wsstability import faults


@pytest.mark.ws_orchestrator(ping_interval=None, read_deadline=None)
@pytest.mark.ws_middlebox("nginx", "haproxy", "aws-alb", "aws-nlb", "cloudflare", "heroku", "azure-lb")
async def test_our_heartbeat_survives_every_cloud(ws_connect, ws_middlebox):
    """With 55 s instead of 25 s, haproxy and heroku would fail, and say which interval would do."""
    connection = await ws_connect(ws_middlebox.url, heartbeat="25s")
    await connection.assert_alive_for("10m")


async def test_a_stall_is_survived_and_nothing_is_lost(ws_connect, ws_proxy):
    """TCP loses nothing: the heartbeat of the stall is answered when it is over."""
    proxy = await ws_proxy(faults=[("20s", faults.Stall("8s"))])
    connection = await ws_connect(proxy.url, heartbeat="25s")
    await connection.assert_alive_for("2m")
    connection.assert_heartbeats_answered(within="5s", at_least=4)


async def test_a_black_hole_is_noticed(ws_connect, ws_proxy):
    """The line goes dead while the connection looks open; unanswered heartbeats tell."""
    proxy = await ws_proxy()
    connection = await ws_connect(proxy.url, heartbeat="25s")
    await connection.assert_alive_for("1m")
    proxy.add(faults.Blackhole())
    with pytest.raises(AssertionError, match="heartbeat"):
        await connection.assert_stable(alive_for="5m", heartbeat_every="25s", heartbeat_within="5s")


@pytest.mark.ws_orchestrator(faults=faults.Program.of([("30s", faults.Reset())], connections=1))
async def test_the_next_connection_is_fine(ws_connect, ws_orchestrator):
    """Only the first connection is reset."""
    async with ws_connect() as first:
        await first.wait_closed()
        first.assert_closed(code=1006)
    async with ws_connect(heartbeat="25s") as second:
        await second.assert_alive_for("2m")
    assert [applied.at for applied in ws_orchestrator.applied] == [30.0]
