"""Faults of the link that an orchestrator brings along, beside its own."""

import asyncio

import pytest

from pytest_wsstability import OpeningError, Orchestrator, connect, faults
from tests.net.peers import connected, opened
from tests.net.proxy.times import both_times

pytestmark = pytest.mark.ws_stability(time="virtual")


@both_times
def test_a_restart_behind_a_broken_link_refuses_meanwhile(run):
    """As without faults: nobody listens while the server is down, and then the same URL is good again."""

    async def script():
        orchestrator = Orchestrator(faults=[faults.Latency("10ms")])
        async with orchestrator:
            url = orchestrator.url
            async with opened(url) as connection:
                restarting = asyncio.ensure_future(orchestrator.restart(down_for="500ms"))
                await connection.wait_closed()
                with pytest.raises(OpeningError, match="connection refused"):
                    await connect(url)
                await restarting
            async with opened(url) as again:
                assert orchestrator.url == url
                await again.assert_session_confirmed(within="5s")
                assert len(orchestrator.applied) == 2

    run(script)


async def test_peer_and_link_faults_work_together():
    """Each half of a program is done by its own place."""
    program = [faults.Latency("500ms"), ("4s", faults.WithholdHeartbeats()), ("7.25s", faults.Drop())]
    async with connected({"faults": program}, heartbeat=2) as (connection, orchestrator):
        await connection.wait_closed()

        assert (connection.timeline.heartbeats.answered, connection.timeline.heartbeats.sent) == (1, 3)
        assert [applied.fault.name for applied in orchestrator.applied] == ["latency", "drop"]
