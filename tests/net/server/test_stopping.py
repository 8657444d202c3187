"""An orchestrator starts where it says, and nothing of it is left when it has stopped."""

import asyncio
import gc

import pytest
import pytest_asyncio

from pytest_wsstability import Orchestrator
from tests.net.peers import opened, served

pytestmark = pytest.mark.ws_stability


def others():
    """Tasks of the loop besides the test's own."""
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.mark.parametrize("keywords", [{}, {"echo": True}, {"profile": "frames"}])
async def test_stopping_leaves_no_task(keywords):
    """Whatever clients do."""
    orchestrator = Orchestrator(**keywords)
    await orchestrator.start()
    async with opened(orchestrator.url, profile=orchestrator.profile, heartbeat="25s") as connection:
        await connection.ping()
        await orchestrator.stop()
        await connection.wait_closed()

        connection.assert_closed(code=1001, reason="server shutdown", by="server")
    await asyncio.sleep(0)
    assert others() == set()


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("late", ["greet", "confirm_sessions", "answer_heartbeats"])
async def test_stopping_leaves_no_timer_and_no_transport(late, timers):
    """Not even that of an answer which is due in an hour."""
    orchestrator = Orchestrator(**{late: "1h"})
    await orchestrator.start()
    async with opened(orchestrator.url, heartbeat="5s"), opened(orchestrator.url, client="mute"):
        await asyncio.sleep(7)
        await orchestrator.stop()
        for session in orchestrator.sessions:
            assert session.connection.websocket.transport is None
    assert others() == set()
    assert timers() == []


@pytest_asyncio.fixture
async def timers(monkeypatch):
    """The timers of the loop that are still to come, of those that were set since."""
    loop = asyncio.get_running_loop()
    handles = []

    def noting(function):
        def call(*args, **kwargs):
            handles.append(function(*args, **kwargs))
            return handles[-1]

        return call

    monkeypatch.setattr(loop, "call_at", noting(loop.call_at))
    monkeypatch.setattr(loop, "call_later", noting(loop.call_later))
    return lambda: [each for each in handles if not each.cancelled() and each.when() > loop.time()]


async def test_the_ends_of_stopping_are_planned_at_the_server():
    """A shutdown that the test asked for is no instability there; the client was not asked."""
    orchestrator = Orchestrator()
    await orchestrator.start()
    async with opened(orchestrator.url) as connection:
        await connection.assert_session_confirmed(within="5s")
        await orchestrator.stop()
        await connection.wait_closed()

        assert orchestrator.sessions[0].timeline.close.planned
        assert not connection.timeline.close.planned


@pytest.mark.ws_stability(time="virtual")
async def test_a_client_that_answers_no_close_frame_holds_the_stop_up_for_a_second():
    """And no longer, however many of them there are."""
    orchestrator = Orchestrator(read_deadline=None)
    await orchestrator.start()
    async with opened(orchestrator.url, client="stalled") as one, opened(orchestrator.url, client="stalled"):
        await one.assert_session_confirmed(within="5s")
        before = asyncio.get_running_loop().time()
        await orchestrator.stop()

        assert asyncio.get_running_loop().time() == before + 1.0
        assert [session.timeline.close.planned for session in orchestrator.sessions] == [True, True]


@pytest.mark.ws_stability(time="virtual")
async def test_a_client_that_never_asks_for_the_upgrade_does_not_hold_up_the_stop_for_long():
    """A health check that is connected and silent."""
    orchestrator = Orchestrator()
    await orchestrator.start()
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(orchestrator))
    await asyncio.sleep(1)
    before = asyncio.get_running_loop().time()
    await orchestrator.stop()

    assert asyncio.get_running_loop().time() - before <= 1.0
    writer.close()


def port_of(orchestrator):
    return int(orchestrator.url.rstrip("/").rpartition(":")[2])


async def test_stopping_twice_is_stopping_once():
    """And stopping before starting is nothing."""
    orchestrator = Orchestrator()
    await orchestrator.stop()
    await orchestrator.start()
    await asyncio.gather(orchestrator.stop(), orchestrator.stop())
    await orchestrator.stop()


async def test_starting_twice_is_refused():
    """Two servers would share one registry of sessions."""
    async with Orchestrator() as orchestrator:
        with pytest.raises(RuntimeError, match=r"^the orchestrator is running already$"):
            await orchestrator.start()


async def test_it_may_start_again_on_its_port():
    """A restart, as a deployment does it: the client's session is known."""
    orchestrator = Orchestrator()
    await orchestrator.start()
    port = port_of(orchestrator)
    await orchestrator.stop()
    async with Orchestrator(port=port) as again:
        assert port_of(again) == port
        async with opened(again.url) as connection:
            await connection.assert_session_confirmed(within="5s")


async def test_it_remembers_after_it_has_stopped():
    """Its URL and its sessions are for the failure message."""
    async with served(session_id="abc") as (connection, orchestrator):
        await connection.assert_session_confirmed(within="5s")
    assert orchestrator.url.startswith("ws://127.0.0.1:")
    assert orchestrator.sessions[0].timeline.close is not None


async def test_there_is_no_url_before_it_is_started():
    """The message says what to do."""
    with pytest.raises(RuntimeError, match=r"no URL before it is started: use 'async with' or start\(\)$"):
        _ = Orchestrator().url


async def test_a_port_in_use_is_named():
    """With the address that was asked for."""
    async with Orchestrator() as one:
        port = port_of(one)
        other = Orchestrator(port=port)
        with pytest.raises(OSError, match=rf"the orchestrator cannot listen on 127.0.0.1:{port}: .*in use"):
            await other.start()
        # It can be started once the port is free.
    await other.start()
    await other.stop()


async def test_it_listens_where_it_is_told():
    """IPv6 addresses stand in brackets in a URL (RFC 3986, section 3.2.2)."""
    async with Orchestrator(host="::1") as orchestrator:
        assert orchestrator.url.startswith("ws://[::1]:")
        async with opened(orchestrator.url) as connection:
            await connection.assert_session_confirmed(within="5s")


@pytest.mark.ws_stability(time="virtual")
async def test_a_handler_that_does_not_end_is_ended_by_its_connection():
    """Its next `recv` raises; stop() waits for it."""
    done = []

    async def handler(connection):
        try:
            await connection.recv()
        finally:
            await asyncio.sleep(3)
            done.append(True)

    orchestrator = Orchestrator(handler=handler)
    await orchestrator.start()
    async with opened(orchestrator.url):
        await asyncio.sleep(1)
        await orchestrator.stop()
    assert done == [True]


@pytest.mark.ws_stability(time="virtual")
async def test_nothing_is_kept_of_a_thousand_connections():
    """Their tasks and transports are gone as soon as they are."""
    async with Orchestrator(echo=True) as orchestrator:
        for _ in range(100):
            async with opened(orchestrator.url) as connection:
                await connection.close()
        await asyncio.sleep(60)
        gc.collect()

        assert len(orchestrator.sessions) == 100
        assert all(session.connection.websocket.transport is None for session in orchestrator.sessions)
        assert others() == set()
