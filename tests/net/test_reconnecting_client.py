"""The reference client comes back after each end, at times that its seed decides."""

import asyncio

import pytest

from pytest_wsstability import OpeningError, Orchestrator, faults
from pytest_wsstability.core.judge.backoff import Backoff
from pytest_wsstability.core.timeline.close import LocalReason
from tests.net.reconnecting_client import ReconnectingClient

pytestmark = pytest.mark.ws_stability(time="virtual")

STEADY = Backoff(first="1s", factor=2, longest="4s", jitter=0)


def opened_at(client):
    return [connection.timeline.opened for connection in client.connections]


async def test_it_keeps_one_session():
    """After a drop, it waits and is the same one again."""
    async with Orchestrator() as orchestrator, ReconnectingClient(orchestrator.url, backoff=STEADY) as client:
        first = await client.wait_for_connection()
        session = await orchestrator.wait_for_session()
        session.connection.websocket.drop(LocalReason.INTERRUPTED, "the test drops it")
        second = await client.wait_for_connection(2)

        assert opened_at(client) == [0.0, 1.0]
        await second.assert_session_confirmed(within="1s")
        assert first.session_id == second.session_id
        assert [each.id for each in orchestrator.sessions] == [first.session_id]
        assert client.connection is second


async def test_it_leaves_with_a_closing_handshake():
    """The server sees 1000, and no task is left."""
    async with Orchestrator() as orchestrator:
        async with ReconnectingClient(orchestrator.url) as client:
            session = await orchestrator.wait_for_session()
        session.assert_closed(code=1000, by="client")
        assert client.connection is None


@pytest.mark.parametrize("behaviour", [{"answer_heartbeats": False}, {"confirm_sessions": False}])
async def test_it_leaves_a_server_that_does_not_answer(behaviour):
    """A zombie is given up as one that is gone."""
    async with Orchestrator(**behaviour) as orchestrator:
        client = ReconnectingClient(orchestrator.url, heartbeat="10s", answer_within="2s", backoff=STEADY)
        async with client:
            await client.wait_for_connection(2, within="1m")

            assert client.connections[0].timeline.close.sent.code == 4000


@pytest.mark.parametrize(("retry_after", "at"), [("7s", 7.0), (None, 1.0)])
async def test_it_waits_as_long_as_it_is_told(retry_after, at):
    """Retry-After counts where it is longer than the backoff, so that its own server is content with it."""
    refusal = faults.RefuseUpgrade(503, retry_after=retry_after)
    program = faults.Program.of([refusal], connections=1)
    async with (
        Orchestrator(faults=program) as orchestrator,
        ReconnectingClient(orchestrator.url, backoff=STEADY) as client,
    ):
        await client.wait_for_connection()

        assert opened_at(client) == [at]


async def test_its_waits_grow_while_nobody_listens():
    """1 s, 2 s, then 4 s each; the reasons are kept."""
    orchestrator = Orchestrator()
    await orchestrator.start()
    await orchestrator.stop()
    async with ReconnectingClient(orchestrator.url, backoff=STEADY) as client:
        with pytest.raises(TimeoutError, match=r"^0 of 1 connections in 10 s; the last attempt: .*refused"):
            await client.wait_for_connection()

        # At 0, 1, 3 and 7 seconds.
        assert len(client.errors) == 4
        assert all(isinstance(error, OpeningError) for error in client.errors)


async def test_the_seed_decides_its_waits_and_its_session():
    """Two with one seed are alike to the microsecond; another seed is another client."""

    async def traces(seed):
        async with (
            Orchestrator(ping_interval=None) as orchestrator,
            ReconnectingClient(orchestrator.url, seed=seed) as client,
        ):
            start = asyncio.get_running_loop().time()
            await client.wait_for_connection(4, within="10m")
            return client.connections[0].session_id, [round(at - start, 6) for at in opened_at(client)]

    assert await traces(1) == await traces(1)
    assert await traces(1) != await traces(2)


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_it_comes_back_over_tcp():
    """As in memory."""
    backoff = Backoff(first="10ms")
    async with (
        Orchestrator() as orchestrator,
        ReconnectingClient(orchestrator.url, backoff=backoff) as client,
    ):
        session = await orchestrator.wait_for_session()
        session.connection.websocket.drop(LocalReason.INTERRUPTED, "the test drops it")
        second = await client.wait_for_connection(2)
        await second.assert_session_confirmed(within="5s")

        assert len(session.connections) == 2
