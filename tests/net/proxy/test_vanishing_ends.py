"""Proxies whose target, whose client or which themselves go away: seen by the others, and nothing is left."""

import asyncio
import gc
import os

import pytest

from pytest_wsstability import FaultProxy, OpeningError, Orchestrator, connect, faults
from tests.net.certificates import server_context, trusting
from tests.net.peers import Peer, opened, serving, silent, until
from tests.net.proxy.times import both_times

pytestmark = pytest.mark.ws_stability(time="virtual")


@both_times
def test_a_dead_target_is_told_to_the_client(run):
    """HTTP 502 with the reason, which the client shows; the proxy remembers it."""

    async def script():
        async with Orchestrator() as orchestrator:
            url = orchestrator.url
        async with FaultProxy(url) as proxy:
            with pytest.raises(
                OpeningError, match=r"HTTP 502 Bad Gateway: the fault proxy cannot reach ws://127"
            ):
                await connect(proxy.url)
            assert proxy.failures[0].endswith("(connection refused)")
            assert (proxy.connections, "failed: the fault proxy" in repr(proxy)) == ([], True)

    run(script)


@both_times
def test_a_dead_target_behind_tls_is_a_reset(run, tmp_path):
    """Nobody can answer in the target's name."""

    async def script():
        async with Orchestrator(tls=server_context("127.0.0.1")) as orchestrator:
            url = orchestrator.url
        async with FaultProxy(url) as proxy:
            with pytest.raises(OpeningError):
                await connect(proxy.url, tls=trusting(tmp_path))
            assert proxy.failures[0].endswith("(connection refused)")

    run(script)


async def test_a_target_outside_virtual_time_is_an_error_of_the_test():
    """The client is told too, and whoever closes the proxy."""
    proxy = FaultProxy("ws://192.0.2.1:80/")
    await proxy.start()
    with pytest.raises(OpeningError, match=r"HTTP 502 Bad Gateway: .* leaves the virtual network"):
        await connect(proxy.url)
    with pytest.raises(RuntimeError, match="leaves the virtual network"):
        await proxy.close()
    await proxy.close()


@both_times
def test_a_proxy_that_is_closed_cuts_what_is_open(run):
    """Both ends see a reset at once, and nobody can connect any more."""

    async def script():
        async with Orchestrator() as orchestrator:
            proxy = FaultProxy(orchestrator.url)
            await proxy.start()
            async with opened(proxy.url) as connection:
                await proxy.close()
                await connection.wait_closed()
                server = orchestrator.sessions[0].connections[0]
                await until(lambda: server.timeline.close)
                ends = [each.timeline.close.transport.name for each in (connection, server)]
                assert ends == ["RESET", "RESET"]
                closing = proxy.connections[0].timeline.close
                assert (closing.planned, closing.local_text) == (True, "it was closed between the ends")
            with pytest.raises(OpeningError, match="connection refused"):
                await connect(proxy.url)

    run(script)


@both_times
def test_a_proxy_comes_back_at_its_address(run):
    """Closed and started again, it has the same URL."""

    async def script():
        async with Orchestrator() as orchestrator:
            proxy = FaultProxy(orchestrator.url)
            async with proxy:
                url = proxy.url
            async with proxy, opened(url):
                assert (proxy.url, len(proxy.connections)) == (url, 1)

    run(script)


@both_times
@pytest.mark.parametrize(
    ("vanish", "seen"),
    [(lambda transport: transport.close(), "FIN"), (lambda transport: transport.abort(), "FIN")],
    ids=["close", "abort"],
)
def test_a_client_that_vanishes_is_seen_by_the_server(run, vanish, seen):
    """And nothing of it stays in the proxy."""

    async def script():
        async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url) as proxy:
            async with opened(proxy.url) as connection:
                vanish(connection.websocket.transport)
                server = orchestrator.sessions[0].connections[0]
                await until(lambda: server.timeline.close)
                assert server.timeline.close.transport.name == seen
            await until(lambda: not proxy._ends)

    run(script)


@both_times
def test_a_server_that_resets_is_seen_by_the_client(run):
    """RST stays RST: what the server left unread is told."""

    async def rude(peer: Peer):
        await peer.upgrade()
        peer.pause()
        await asyncio.sleep(0.1)
        peer.cut()

    async def script():
        async with serving(rude) as url, FaultProxy(url) as proxy:
            async with opened(proxy.url, profile="frames") as connection:
                await connection.send("unread")
                await connection.wait_closed()
                assert connection.timeline.close.transport.name == "RESET"
            await until(lambda: not proxy._ends)

    run(script)


@both_times
def test_a_client_that_comes_while_the_proxy_closes_is_cut(run):
    """Opening and closing at once leaves nothing behind."""

    async def script():
        async with serving(silent) as url:
            proxy = FaultProxy(url)
            await proxy.start()
            opening = asyncio.ensure_future(connect(proxy.url, profile="frames"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await proxy.close()
            with pytest.raises(OpeningError):
                await opening

    run(script)


@both_times
@pytest.mark.parametrize(
    "program",
    [
        [],
        [("10ms", faults.Blackhole())],
        [("10ms", faults.Reset())],
        [faults.Latency("1s")],
        [("10ms", faults.IdleTimeout("10ms", ends_with="silence"))],
        [faults.IdleTimeout("1h"), faults.MaxAge("2h"), faults.Bandwidth(10**6)],
    ],
    ids=repr,
)
def test_nothing_is_left_behind(run, program):
    """No task, no socket, no timer that runs out, whatever the links were doing."""

    async def script():
        before = _descriptors()
        async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url, faults=program) as proxy:
            connections = [
                asyncio.ensure_future(connect(proxy.url, heartbeat="5ms", open_timeout="500ms"))
                for _ in range(3)
            ]
            await asyncio.sleep(0.05)
        opened_ones = await asyncio.gather(*connections, return_exceptions=True)
        for connection in opened_ones:
            if not isinstance(connection, OpeningError):
                await connection.wait_closed()
        applied = len(proxy.applied)
        await asyncio.sleep(0.1)
        assert len(proxy.applied) == applied
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not proxy._ends
        gc.collect()
        assert _descriptors() == before

    run(script)


def _descriptors():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
