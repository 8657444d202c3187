"""Faults of the link that an orchestrator brings along, beside its own."""

import asyncio
import socket

import pytest

from pytest_wsstability import FaultProxy, OpeningError, Orchestrator, connect, faults
from pytest_wsstability.net.proxy.path import between
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


@both_times
def test_who_stands_on_the_way_is_found_in_whatever_order(run):
    """A proxy is made before the one that leads to it."""

    async def script():
        async with (
            Orchestrator() as server,
            FaultProxy(server.url) as far,
            FaultProxy(far.url) as near,
            opened(near.url) as connection,
        ):
            for proxies in ([far, near], [near, far]):
                seen = between(connection, proxies)
                server.witness(connection, through=proxies)

                assert seen == (near.timeline, far.timeline)
                assert set(connection.others) == {server.sessions[0].timeline, *seen}

    run(script)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@both_times
def test_the_faults_are_at_the_address_that_was_asked_for(run, host):
    """Not beside it, where nobody who was told the port meets them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def script():
        async with Orchestrator(host=host, port=port, faults=[("100ms", faults.Reset())]) as orchestrator:
            assert orchestrator.url == f"ws://127.0.0.1:{port}/"
            async with opened(orchestrator.url) as connection:
                await connection.wait_closed()

            assert [each.fault.name for each in orchestrator.applied] == ["reset"]

    run(script)


def test_the_address_in_use_is_named_and_can_be_taken_later():
    """Nothing stays open behind it meanwhile."""

    async def main():
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            orchestrator = Orchestrator(port=port, faults=[("100ms", faults.Reset())])
            with pytest.raises(OSError, match=rf"cannot listen on 127.0.0.1:{port}: .*in use"):
                await orchestrator.start()
        await orchestrator.start()
        url = orchestrator.url
        await orchestrator.stop()
        return url.endswith(f":{port}/")

    assert asyncio.run(main())
